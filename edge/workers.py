"""Supervised children: one that answers questions (photos), one that tells facts (the radio).

A child that ends is started again, within a budget; one that does not answer in time is killed.
Neither can take the outbox or the API down. The children end when the node does: the one's stdin
closes, the other's stdout.
"""

import asyncio
import logging
import os
import random
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from pydantic import ValidationError

from edge.errors import WorkerAway, WorkerEnded, WorkerTooSlow
from edge.restarts import Restarts
from storepulse.errors import BadInput, StorepulseError, Unavailable
from storepulse.facts import FACT_JSON, Fact
from storepulse.wire import explain
from vision.framing import HEADER_BYTES_MAX, Frame, LostStep, decode_header, encode_frame

log = logging.getLogger(__name__)

Phase = Literal["starting", "ready", "waiting", "resting", "finished", "refused", "stopped"]

_EXIT_BAD_INPUT: Final = 2
"""What our commands exit with on bad input; starting again would change nothing."""
_FACTS_AT_ONCE: Final = 200
_GATHER_S: Final = 0.05
"""Facts that come within this are kept in one transaction: one wait for the disk, not hundreds."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How a child stands, for the health page."""

    name: str
    phase: Phase = "starting"
    pid: int | None = None
    restarts: int = 0
    trouble: str = ""


class Supervised:
    """Keeps one child running. What it does with it while it lives is `_live`."""

    def __init__(self, name: str, argv: Sequence[str], *, restarts_max: int) -> None:
        self.state = WorkerState(name)
        self._argv = tuple(argv)
        self._restarts = Restarts(restarts_max)
        self._process: Process | None = None
        self._last_words = ""

    async def run(self) -> None:
        """Start the child, again and again, until it is finished or this is cancelled."""
        try:
            while True:
                trouble = await self._one_life()
                if self.state.phase in ("finished", "refused"):
                    return
                self._restarts = self._restarts.ended(asyncio.get_running_loop().time())
                wait_s = self._restarts.wait_s(random.random())  # noqa: S311
                log.warning("%s: %s; again in %.1f s", self.state.name, trouble, wait_s)
                self._say("resting" if self._restarts.spent else "waiting", trouble=trouble)
                await asyncio.sleep(wait_s)
        finally:
            if self.state.phase not in ("finished", "refused"):
                self._say("stopped", trouble=self.state.trouble)

    async def _one_life(self) -> str:
        self._last_words = ""
        self._say("starting", trouble=self.state.trouble)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=HEADER_BYTES_MAX,
                # Ctrl-C in a terminal reaches the whole group: the node ends its children itself.
                process_group=0,
            )
        except OSError as error:
            return f"cannot be started: {error}"
        self._process = process
        listening = asyncio.create_task(self._log_stderr(process))
        try:
            trouble = await self._live(process)
        except (StorepulseError, OSError, ValueError) as error:
            trouble = str(error)
        finally:
            self._process = None
            await self._end(process)
            listening.cancel()
        if trouble:
            return trouble
        words = f": {self._last_words}" if self._last_words else ""
        return f"ended with {_exit(process.returncode)}{words}"

    async def _live(self, process: Process) -> str:
        raise NotImplementedError

    def _say(self, phase: Phase, *, trouble: str = "") -> None:
        process = self._process
        self.state = replace(
            self.state,
            phase=phase,
            pid=process.pid if process and phase in ("starting", "ready") else None,
            restarts=self._restarts.total,
            trouble=trouble,
        )

    async def _log_stderr(self, process: Process) -> None:
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:
                continue  # a line without end: what was read of it is gone, the pipe stays open
            if not line:
                return
            self._last_words = line.decode(errors="replace").strip()[:500] or self._last_words
            log.info("%s: %s", self.state.name, self._last_words)

    async def _end(self, process: Process) -> None:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())


class AskedWorker(Supervised):
    """A child that answers one request after another (framing: `vision.framing`)."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        restarts_max: int,
        start_timeout_s: float,
        answer_timeout_s: float,
    ) -> None:
        super().__init__(name, argv, restarts_max=restarts_max)
        self.ready_words: dict[str, Any] = {}
        self._start_timeout_s = start_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._ready = asyncio.Event()
        self._turn = asyncio.Lock()
        self._asked = 0

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        """Ask the child and wait for its answer; requests take turns.

        Raises:
            WorkerAway: it is not running.
            WorkerEnded: it ended over this request.
            WorkerTooSlow: it did not answer in time and was killed.
        """
        async with self._turn:
            try:
                # A child that rests will not be back while a person waits.
                patience_s = 0.0 if self.state.phase == "resting" else self._start_timeout_s
                await asyncio.wait_for(self._ready.wait(), patience_s)
            except TimeoutError:
                why = f" ({self.state.trouble})" if self.state.trouble else ""
                raise WorkerAway(
                    f"the {self.state.name} child is {self.state.phase}{why}; "
                    "what was sent is kept: ask again in a minute"
                ) from None
            process = self._process
            if process is None:
                raise self._ended()
            self._asked += 1
            asked = {**header, "id": str(self._asked)}
            try:
                async with asyncio.timeout(self._answer_timeout_s):
                    answer = await self._exchange(process, Frame(asked, body))
            except BaseException as error:
                # Whatever broke off the exchange: the next answer on this pipe would be this one's.
                self._ready.clear()
                with suppress(ProcessLookupError):
                    process.kill()
                if isinstance(error, TimeoutError):
                    raise WorkerTooSlow(
                        f"the {self.state.name} child gave no answer within "
                        f"{self._answer_timeout_s:g} s and was started afresh; what was sent is "
                        "kept: ask again"
                    ) from error
                if isinstance(error, (OSError, EOFError, LostStep, ValueError)):
                    raise self._ended() from error
                raise
            return answer

    async def _exchange(self, process: Process, request: Frame) -> dict[str, Any]:
        assert process.stdin is not None
        process.stdin.write(encode_frame(request))
        await process.stdin.drain()
        answer = await _read(process)
        if answer.pop("id", None) != request.header["id"]:
            raise LostStep("the answer belongs to another request")
        return answer

    async def _live(self, process: Process) -> str:
        try:
            async with asyncio.timeout(self._start_timeout_s):
                words = await _read(process)
        except TimeoutError:
            return f"was not ready within {self._start_timeout_s:g} s"
        except LostStep:
            await process.wait()
            return ""
        if words.pop("ready", None) is not True:
            return f"did not say that it is ready but {str(words)[:200]}"
        self.ready_words = words
        self._say("ready")
        self._ready.set()
        try:
            await process.wait()
        finally:
            self._ready.clear()
        return ""

    def _ended(self) -> WorkerEnded:
        return WorkerEnded(
            f"the {self.state.name} child ended over this request and was started afresh; "
            "what was sent is kept: ask again"
        )


class TellingWorker(Supervised):
    """A child that tells facts, one JSON line each, and may finish (a capture has an end)."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        keep: Callable[[Sequence[Fact]], Awaitable[None]],
        *,
        restarts_max: int,
    ) -> None:
        """`keep` stores facts; those of a life that broke off come again with the same ids."""
        super().__init__(name, argv, restarts_max=restarts_max)
        self.retry_s = 5.0
        """How soon facts are offered again that found no room."""
        self._keep = keep

    async def _live(self, process: Process) -> str:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdin.close()
        self._say("ready")
        lines: asyncio.Queue[bytes] = asyncio.Queue(_FACTS_AT_ONCE)
        reading = asyncio.create_task(_put_lines(process.stdout, lines))
        try:
            while batch := await _gather(lines):
                facts = [fact for line in batch if line if (fact := self._read_fact(line))]
                await self._keep_however_long(facts)
            await reading
        finally:
            reading.cancel()
        await process.wait()
        if process.returncode == 0:
            self._say("finished")
        elif process.returncode == _EXIT_BAD_INPUT:
            log.error("%s: %s", self.state.name, self._last_words)
            self._say("refused", trouble=self._last_words)
        return ""

    def _read_fact(self, line: bytes) -> Fact | None:
        try:
            return FACT_JSON.validate_json(line)
        except ValidationError as error:
            log.error("%s: told what is no fact: %s", self.state.name, explain(error))
            return None

    async def _keep_however_long(self, facts: Sequence[Fact]) -> None:
        """While the disk has no room the child waits at its pipe, and nothing is dropped."""
        while facts:
            try:
                await self._keep(facts)
            except Unavailable as error:
                self._say("ready", trouble=str(error))
                await asyncio.sleep(self.retry_s)
            except BadInput as error:
                log.error("%s: %s", self.state.name, error)
                return
            else:
                return


async def _read(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    header, length = decode_header(await process.stdout.readline())
    if length:
        await process.stdout.readexactly(length)
    return header


async def _put_lines(stream: asyncio.StreamReader, lines: asyncio.Queue[bytes]) -> None:
    try:
        async for line in stream:
            await lines.put(line.strip() or b" ")
    except (OSError, ValueError):
        # A line without end: whoever waits for the next one must hear that none comes.
        await lines.put(b"")
        raise
    await lines.put(b"")


async def _gather(lines: asyncio.Queue[bytes]) -> list[bytes]:
    """The lines that are there, and those of the next moment; [] at the end."""
    first = await lines.get()
    batch = [first] if first else []
    while batch and len(batch) < _FACTS_AT_ONCE:
        try:
            line = await asyncio.wait_for(lines.get(), _GATHER_S)
        except TimeoutError:
            break
        if not line:
            await lines.put(b"")
            break
        batch.append(line)
    return batch


def _exit(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
