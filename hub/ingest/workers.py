"""Processes that store what the nodes say, beside the one that speaks to the broker.

One Python process uses one processor: a chain with many shops has the reading, checking and
writing done in some more. Not by the broker's shared subscriptions (`$share`), which deal a node's
messages out to all: two workers would wait for each other's lock of its stream, and the embedded
broker has none. Here a node has always the same worker, whatever the broker.

A worker that ends is started again, and what it had not answered is stored by the new one: what
it had committed by then is known again by its keys.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from typing import Final, TypeAlias

from hub.errors import DatabaseUnavailable
from hub.ingest.allowance import Allowances
from hub.ingest.frames import LENGTH_BYTES, Asked, asked_frame, length_of, read_answer
from hub.ingest.storing import Said, Told, store_payloads
from hub.store.database import DATABASE_ENVIRONMENT_NAME, Database

Store: TypeAlias = Callable[[Said, datetime], Awaitable[Told]]
"""Store payloads that were received at a moment. Raises DatabaseUnavailable: nothing was stored."""
_ENDS_S_MAX: Final = 20.0
"""So long a transaction that is under way may take at the end; what is cut off is said again."""
_AGAIN_S_MIN: Final = 0.1
_STEADY_S: Final = 30.0
_TRIES: Final = 2
_PROGRAM: Final = (sys.executable, "-m", "hub.ingest.worker")

log = logging.getLogger(__name__)


@asynccontextmanager
async def storing(
    database: Database, workers: int, *, retry_s_max: float, trouble: Callable[[str], None]
) -> AsyncIterator[list[Store]]:
    """The ways to store: a thread of this process for one worker, else as many processes.

    Args:
        retry_s_max: longest wait before a worker that ended is started again.
        trouble: is told of each one that ended by itself.
    """
    if workers == 1:
        yield [_in_a_thread(database)]
        return
    async with AsyncExitStack() as running:
        some = [Worker(place_of(database), retry_s_max, trouble) for _ in range(workers)]
        for one in some:
            await running.enter_async_context(one.kept_running())
        yield [one.store for one in some]


def _in_a_thread(database: Database) -> Store:
    allowances = Allowances()

    async def store(said: Said, received_at: datetime) -> Told:
        return await asyncio.to_thread(
            store_payloads, database, said, received_at=received_at, allowances=allowances
        )

    return store


def place_of(database: Database) -> str:
    """What a worker opens: the folder, at which it takes a seat of its own, or the URL."""
    return database.place if database.embedded is not None else str(database.pool.conninfo)


class WorkerEnded(Exception):
    """The process ended before it answered."""


class Worker:
    """One such process, started again whenever it ends."""

    def __init__(
        self,
        place: str,
        retry_s_max: float,
        trouble: Callable[[str], None],
        program: Sequence[str] = _PROGRAM,
    ) -> None:
        self._place = place
        self._program = program
        self._retry_s_max = retry_s_max
        self._trouble = trouble
        self._child: asyncio.subprocess.Process | None = None
        self._there = asyncio.Event()
        self._last = 0
        self._asked: dict[int, asyncio.Future[Told]] = {}

    @property
    def pid(self) -> int | None:
        """Of the process that runs now; None while there is none."""
        return None if self._child is None else self._child.pid

    @property
    def unanswered(self) -> int:
        """How many times it was asked and has not answered yet."""
        return len(self._asked)

    @asynccontextmanager
    async def kept_running(self) -> AsyncIterator[None]:
        """Keep a process running until the end of the block; it then ends in order."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._end()

    async def store(self, said: Said, received_at: datetime) -> Told:
        """Have payloads stored; a worker that ends meanwhile is tried once more.

        Raises:
            DatabaseUnavailable: nothing was stored; try again.
        """
        for _ in range(_TRIES):
            await self._there.wait()
            self._last += 1
            number = self._last
            answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
            self._asked[number] = answer
            try:
                await self._ask(asked_frame(Asked(number, received_at, said)))
                return await answer
            except (WorkerEnded, ConnectionError):
                continue
            finally:
                self._asked.pop(number, None)
        # Perhaps by what is said: it must not hold up the others for ever.
        trouble = f"{len(said)} messages met with {_TRIES} ends of a worker: they are not stored"
        return Told(troubles=[trouble])

    async def _ask(self, frame: bytes) -> None:
        child = self._child
        if child is None or child.stdin is None:
            raise WorkerEnded
        child.stdin.write(frame)
        await child.stdin.drain()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        wait_s = _AGAIN_S_MIN
        while True:
            began = loop.time()
            try:
                how = f"ended ({await self._one_life()})"
            except OSError as error:
                how = f"cannot be started ({error})"
            self._trouble(f"an ingest worker {how}: it is started again")
            wait_s = _AGAIN_S_MIN if loop.time() - began > _STEADY_S else wait_s
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, self._retry_s_max)

    async def _one_life(self) -> int:
        """Run one process until it ends, and say so to whoever waits for its answer.

        Raises:
            OSError: it cannot be started just now.
        """
        # Ctrl-C on our terminal is for us: the worker ends with its input.
        self._child = child = await asyncio.create_subprocess_exec(
            *self._program,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, DATABASE_ENVIRONMENT_NAME: self._place},
            start_new_session=True,
        )  # fmt: skip
        try:
            await self._hear(child)
        except ValueError as error:
            # What it says is no answer of ours: another one may do better.
            log.exception("an ingest worker answers what cannot be read: %s", error)
            child.kill()
        self._there.clear()
        ended = await child.wait()
        self._child = None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(WorkerEnded())
        return ended

    async def _hear(self, child: asyncio.subprocess.Process) -> None:
        """Pass answers on until the output ends; the first thing it says is that it is there."""
        assert child.stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while True:
                size = length_of(await child.stdout.readexactly(LENGTH_BYTES))
                one = read_answer(await child.stdout.readexactly(size))
                self._there.set()
                answer = self._asked.get(one.number)
                if answer is None or answer.done():
                    continue  # its first word, or whoever asked was cancelled
                if one.told is None:
                    answer.set_exception(DatabaseUnavailable(one.unavailable))
                else:
                    answer.set_result(one.told)

    async def _end(self) -> None:
        child = self._child
        if child is None or child.stdin is None:
            return
        child.stdin.close()
        try:
            # It must not wait for us to read its last answers.
            await asyncio.wait_for(child.communicate(), _ENDS_S_MAX)
        except TimeoutError:
            log.warning("an ingest worker did not end in time: it is killed")
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
