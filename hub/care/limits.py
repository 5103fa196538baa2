"""How often one address may ask what is open to everybody. In memory only: no address is kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from time import monotonic
from typing import Final

_WINDOW_S: Final = 60.0
_ADDRESSES_MAX: Final = 10_000


@dataclass(slots=True)
class AskedTooOften(Exception):
    """Come back after so many seconds."""

    retry_after_s: int


@dataclass(slots=True)
class RateLimit:
    """So many a minute of one address, and of all together. For one thread: the loop's."""

    each: int
    together: int
    clock: Callable[[], float] = monotonic
    _began: float = field(default=0.0, init=False)
    _counts: dict[str, int] = field(default_factory=dict, init=False)
    _all: int = field(default=0, init=False)

    def ask(self, address: str) -> None:
        """Count one request.

        Raises:
            AskedTooOften: it was one too many.
        """
        now = self.clock()
        if now - self._began >= _WINDOW_S:
            self._began, self._all = now, 0
            self._counts.clear()
        known = self._counts.get(address, 0)
        full = known == 0 and len(self._counts) >= _ADDRESSES_MAX
        if known >= self.each or self._all >= self.together or full:
            raise AskedTooOften(max(1, ceil(self._began + _WINDOW_S - now)))
        self._counts[address] = known + 1
        self._all += 1
