"""Keep a fair part of strict mode's hours, so that memory does not grow with the days. Pure.

Each hour draws a lot; while too much is held, the hours with the highest lots go, whole ones: what
is left is a fair sample of hours, as good as all for the dwell of the whole.
"""

from random import Random
from typing import Final

from probes.pieces import HourOfPieces

CELLS_MAX: Final = 20_000
"""Fifty times what one estimate looks at (`probes.dwell_pieces`): a few megabytes."""
_HOUR_S: Final = 3600
_STEP: Final = 0.8
"""How much lower the highest lot that stays is set at a time."""


class FairHours:
    """Thins hours out as they grow too many."""

    def __init__(self, cells_max: int = CELLS_MAX) -> None:
        self._cells_max = cells_max
        self._lot_max = 1.0

    def thin(self, by_hour: dict[int, HourOfPieces], *, now_s: float) -> None:
        """Take hours out of `by_hour` until it holds few enough kinds of pieces.

        The hour at hand and the one before stay: they are still being counted.
        """
        over = [hour_s for hour_s in by_hour if hour_s + 2 * _HOUR_S <= now_s]
        held = {hour_s: len(by_hour[hour_s].cells) for hour_s in over}
        while True:
            for hour_s in [one for one in held if _lot(one) > self._lot_max]:
                del by_hour[hour_s], held[hour_s]
            if sum(held.values()) <= self._cells_max or len(held) <= 1:
                return
            self._lot_max *= _STEP


def _lot(hour_s: int) -> float:
    # The same in every run; nothing secret hangs on it.
    return Random(hour_s).random()  # noqa: S311
