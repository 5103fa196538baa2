"""When a child that ended is started again. Pure: no process, no clock, no sleep."""

from dataclasses import dataclass, replace
from typing import Final

from edge.backoff import Backoff

WINDOW_S: Final = 300.0
"""The ends of the last five minutes count against the budget."""
REST_S: Final = 120.0
"""A child over its budget is tried again after this: a node in a shop has nobody to press a key."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """The recent ends of one child."""

    max_in_window: int
    ends_s: tuple[float, ...] = ()
    total: int = 0

    def ended(self, now_s: float) -> "Restarts":
        """Note that the child ended."""
        recent = tuple(end for end in self.ends_s if now_s - end < WINDOW_S)
        return replace(self, ends_s=(*recent, now_s), total=self.total + 1)

    @property
    def spent(self) -> bool:
        """The child ended more often than it may within the window."""
        return len(self.ends_s) > self.max_in_window

    def wait_s(self, chance: float) -> float:
        """Seconds until the next start; chance in [0, 1)."""
        if self.spent:
            return REST_S
        return Backoff(first_s=0.2, longest_s=10.0).wait_s(len(self.ends_s), chance)
