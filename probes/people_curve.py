"""How many people so many phones are: a curve with few figures, and how to learn it. Pure.

People are more than the phones told apart where many are there (alike phones, silent ones), and
fewer where few are (phones beyond the wall): a share of the phones above a floor, bent by a power.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

OUTSIDE_TRIED: Final = (0.0, 0.5, 1.0, 1.5, 2.0)
TOO_LOW: Final = 0.55
"""What a person too few weighs when the curve is learnt, and a person too many the rest. Where both
weigh alike, later days read low; of .5, .55 and .6 chosen on the days that are learnt from
(docs/occupancy.md)."""
_DIGITS: Final = 4
_TOP: Final = 0.99


@dataclass(frozen=True, slots=True)
class PeopleCurve:
    """`people(phones)` is scale x (phones - outside)^exponent; in proportion above `phones_max`."""

    scale: float
    exponent: float
    outside: float
    """Phones heard from elsewhere while nobody is there."""
    phones_max: float
    """The most that it was learnt from."""

    def __post_init__(self) -> None:
        if not 0 < self.scale < 1000:
            raise ValueError(f"scale must lie in 0 to 1000, got {self.scale}")
        if not 0.2 <= self.exponent <= 2:
            raise ValueError(f"exponent must lie in 0.2 to 2, got {self.exponent}")
        if not 0 <= self.outside < self.phones_max:
            raise ValueError(
                f"outside must lie in 0 to phones_max, got {self.outside} and {self.phones_max}"
            )

    def people(self, phones: float) -> float:
        """People for so many phones, 0 or more."""
        at_most = min(phones, self.phones_max)
        people = self.scale * float(max(at_most - self.outside, 0.0)) ** self.exponent
        return float(people * max(phones / at_most, 1.0)) if at_most else 0.0


ONE_EACH: Final = PeopleCurve(scale=1.0, exponent=1.0, outside=0.0, phones_max=1e6)
"""One person a phone: to count phones with, before anything is learnt of them."""


def learn_curve(phones: Sequence[float], people: Sequence[float]) -> PeopleCurve:
    """The curve with the smallest sum of errors in people, those too low weighed by `TOO_LOW`.

    Raises:
        ValueError: no phone or nobody was counted.
    """
    heard, there = np.asarray(phones, np.float64), np.asarray(people, np.float64)
    if not heard.size or not heard.sum() or not there.sum():
        raise ValueError("people and phones must be counted on two days at least")
    best: tuple[float, float, float, float] | None = None
    top = float(np.quantile(heard, _TOP))
    for outside in OUTSIDE_TRIED:
        if outside >= top:
            continue
        above = np.maximum(heard - outside, 0.0)

        def off(figures: np.ndarray, above: np.ndarray = above) -> float:
            exponent = float(np.clip(figures[1], 0.2, 2))
            lacking = 2 * (there - np.exp(figures[0]) * above**exponent)
            return float(np.maximum(TOO_LOW * lacking, (TOO_LOW - 1) * lacking).sum())

        found = minimize(off, [np.log(there.sum() / max(above.sum(), 1e-9)), 0.8],
                         method="Nelder-Mead")  # fmt: skip
        exponent = float(np.clip(found.x[1], 0.2, 2))
        if best is None or found.fun < best[0]:
            best = float(found.fun), float(np.exp(found.x[0])), exponent, outside
    assert best is not None, "no phone is outside of none"
    _, scale, exponent, outside = best
    return PeopleCurve(
        round(scale, _DIGITS), round(exponent, _DIGITS), outside, round(top, _DIGITS)
    )
