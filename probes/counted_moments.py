"""What people counted by hand say of other moments: much of their hour, little of the month. Pure.

The error of an estimate is nearly one figure within a lesson, and hardly one of months: scaling a
whole month by its counts made it worse (docs/occupancy.md). So a count moves what is told near it,
less the further away, by the best linear guess from all counts (kriging of the log ratio).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from probes.people_curve import PeopleCurve

MOMENTS_MAX: Final = 500
"""The latest are kept: a year's at ten a week."""
_HOUR_SD: Final = 0.25
_HOUR_S: Final = 3600.0
_MONTH_SD: Final = 0.05
_MONTH_S: Final = 30 * 86_400.0
"""How far, in logs, an estimate is off for about an hour and for about a month. Chosen on the days
that are learnt from, of 0, .05 and .1 and of .15, .25 and .35, an hour of half, one and two."""
_COUNT_SD: Final = 0.15
_COUNT_AT: Final = 10.0
"""How far a single count of ten people is off; of fewer, more."""
_ADDED: Final = 1.0
"""People added to either side of a ratio, so that none counted can be said."""


@dataclass(frozen=True, slots=True)
class CountedMoment:
    """People counted in a window of ten minutes, and the phones that were heard in it."""

    start_s: int
    people: float
    phones: float

    def __post_init__(self) -> None:
        if not (0 <= self.people < 1e6 and 0 <= self.phones < 1e6):
            raise ValueError(f"people and phones must lie in 0 to a million, got {self}")


class NearCounts:
    """Moves what a curve tells towards what was counted near that moment."""

    def __init__(
        self, curve: PeopleCurve, counted: Sequence[CountedMoment], *, scale_sd: float
    ) -> None:
        """`scale_sd`: how far the curve may be off altogether, in logs, as of another place."""
        self._curve = curve
        self._scale_sd = scale_sd
        self._start_s = np.array([one.start_s for one in counted], np.float64)
        told = np.array([curve.people(one.phones) for one in counted]) + _ADDED
        off = np.log((np.array([one.people for one in counted]) + _ADDED) / told)
        doubt = _COUNT_SD**2 * _COUNT_AT / told
        self._weights = (
            np.linalg.solve(self._alike(self._start_s) + np.diag(doubt), off)
            if len(counted)
            else off
        )

    def people(self, start_s: float, phones: float) -> float:
        """People for so many phones in the window that begins then; 0 or more."""
        told = self._curve.people(phones)
        if not len(self._weights):
            return told
        off = float((self._alike(np.array([start_s])) @ self._weights)[0])
        return float(max((told + _ADDED) * np.exp(off) - _ADDED, 0.0))

    def _alike(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, counts): how much the errors at these moments and at the counts have in common."""
        apart_s = np.abs(at_s[:, None] - self._start_s[None])
        alike = _HOUR_SD**2 * np.exp(-apart_s / _HOUR_S)
        alike += _MONTH_SD**2 * np.exp(-apart_s / _MONTH_S)
        return np.asarray(alike + self._scale_sd**2, np.float64)
