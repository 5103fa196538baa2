"""What waits to be stored, in the order in which it came. Reads no payload, knows no broker."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storepulse.topics import Address


@dataclass(frozen=True, slots=True)
class Waiting:
    """One payload of a node."""

    address: Address
    is_state: bool
    payload: bytes
    retained: bool


class Lane:
    """A queue from which all that waits is taken at once. Of one event loop, one taker."""

    def __init__(self, most: int) -> None:
        self._waiting: deque[Waiting] = deque()
        self._most = most
        self._there_is = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, one: Waiting) -> None:
        """Add one; waits while the lane is full."""
        while len(self._waiting) >= self._most:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(one)
        self._there_is.set()

    async def take(self, at_most: int) -> list[Waiting]:
        """Take what waits, oldest first; waits for the first one."""
        await self._there_is.wait()
        taken = [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]
        if not self._waiting:
            self._there_is.clear()
        self._room.set()
        return taken


def runs_of(taken: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    """Batches that follow each other together, each state by itself, in their order."""
    run: list[Waiting] = []
    for one in taken:
        if one.is_state:
            if run:
                yield run
            yield [one]
            run = []
        else:
            run.append(one)
    if run:
        yield run
