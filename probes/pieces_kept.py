"""Keep a fair part of strict mode's days, so that memory does not grow with them. Pure.

Each day draws a lot; while too much is held, the days with the highest lots go, whole ones: what
is left is a fair sample of days, as good as all for the dwell of the whole. Whole days, for what
stands in a shop is known by being heard for hours on end (`probes.pieces.with_things`).
"""

from collections import defaultdict
from random import Random
from typing import Final

from probes.pieces import HourOfPieces

CELLS_MAX: Final = 20_000
"""Of each count: many times what one estimate looks at (`probes.dwell_pieces`). Three counts hold
some ten megabytes."""
_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
_STEP: Final = 0.8
"""How much lower the highest lot that stays is set at a time."""


class FairDays:
    """Thins days out as they grow too many."""

    def __init__(self, cells_max: int = CELLS_MAX) -> None:
        self._cells_max = cells_max
        self._lot_max = 1.0

    def thin(self, by_hour: dict[int, HourOfPieces], *, now_s: float) -> None:
        """Take days (of UTC) out of `by_hour` until it holds few enough kinds of pieces.

        The day at hand stays, and the one before until its last hour is counted to the end.
        """
        hours: dict[int, list[int]] = defaultdict(list)
        for hour_s in by_hour:
            if (hour_s // _DAY_S + 1) * _DAY_S + _HOUR_S <= now_s:
                hours[hour_s // _DAY_S].append(hour_s)
        held = {
            day: sum(len(by_hour[one].made_up.cells) + len(by_hour[one].own.cells) for one in some)
            for day, some in hours.items()
        }
        while True:
            for day in [one for one in held if _lot(one) > self._lot_max]:
                for hour_s in hours[day]:
                    del by_hour[hour_s]
                del held[day]
            if sum(held.values()) <= self._cells_max or len(held) <= 1:
                return
            self._lot_max *= _STEP


def _lot(day: int) -> float:
    # The same in every run; nothing secret hangs on it.
    return Random(day).random()  # noqa: S311
