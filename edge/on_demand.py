"""A child that lives only while it is needed: started by a question, ended when none comes.

For work that is rare and needs much memory. The child itself is supervised by `edge.workers`.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from edge.workers import WorkerState


class Child(Protocol):
    """What `edge.workers.AskedWorker` offers."""

    state: WorkerState

    async def run(self) -> None:
        """Keep it running until cancelled; then it has ended."""
        ...

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        """Ask it. Raises `Unavailable` when it gives no answer."""
        ...


class OnDemand:
    """Runs a child around its questions. Everything in one event loop."""

    def __init__(self, child: Child, *, idle_s: float) -> None:
        """After `idle_s` without a question the child is ended."""
        self._child = child
        self._idle_s = idle_s
        self._asking = 0
        self._running: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def state(self) -> WorkerState:
        """How the child stands; "stopped" while nobody needs it."""
        state = self._child.state
        return state if self._running is not None else replace(state, phase="stopped", pid=None)

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        """Ask the child, started for it where need be. Raises as the child does."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._child.run())
        self._asking += 1
        try:
            return await self._child.ask(header, body)
        finally:
            self._asking -= 1
            if not self._asking:
                self._ending = asyncio.create_task(self._end_when_idle())

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        await self._stop()

    async def run(self) -> None:
        """Wait until cancelled, as the node's parts are; then the child has ended."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._ending is not None:
                self._ending.cancel()
            await self._stop()

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
