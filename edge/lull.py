"""When no clerk waits for an answer: then what can come later is done. Does none of it itself.

A node has few cores. The search for faces takes all of them for a second or two: begun as soon as
a photo is answered, it takes them from the page that shows the answer and from the next photo.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

QUIET_S: Final = 2.0
"""So long after an answer its list is on the phone's screen, and a clerk who goes on has begun."""
WAIT_S_MAX: Final = 60.0
"""Photos that come one upon another hold nothing up for longer: what waits is people unblurred."""
_LOOK_AGAIN_S: Final = 0.25


class Lull:
    """The pauses between answers. Everything in one event loop."""

    def __init__(self, *, quiet_s: float = QUIET_S, wait_s_max: float = WAIT_S_MAX) -> None:
        """`quiet_s` without an answer are a lull; nothing waits longer than `wait_s_max` for it."""
        self._quiet_s = quiet_s
        self._wait_s_max = wait_s_max
        self._answering = 0
        self._answered_at: float | None = None
        self._turns = 0

    @contextmanager
    def answering(self) -> Iterator[None]:
        """As long as the block runs, somebody waits for an answer."""
        self._answering += 1
        try:
            yield
        finally:
            self._answering -= 1
            self._answered_at = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def turn(self, hurried: asyncio.Event) -> AsyncIterator[None]:
        """Wait for a lull in which no other turn runs; the block is the turn.

        Args:
            hurried: once it is set, nothing more is waited for: somebody asks for what is made.
        """
        began = asyncio.get_running_loop().time()
        while (wait_s := self._wait_s(began)) > 0 and not hurried.is_set():
            try:
                async with asyncio.timeout(wait_s):
                    await hurried.wait()
            except TimeoutError:
                continue
        self._turns += 1
        try:
            yield
        finally:
            self._turns -= 1

    def _wait_s(self, began: float) -> float:
        """How long to wait before looking again; 0: it is time."""
        if self._turns:
            return _LOOK_AGAIN_S
        now = asyncio.get_running_loop().time()
        if now - began >= self._wait_s_max:
            return 0.0
        if self._answering:
            return _LOOK_AGAIN_S
        return 0.0 if self._answered_at is None else self._answered_at + self._quiet_s - now
