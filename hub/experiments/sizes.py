"""How many shops a trial needs for an effect of which size, from a trial that was none. Pure.

The chain's own past is watched as if half of the shops had acted: how far pairs differ there says
how wide the interval of a real trial will be. A trial may win at any look; here only the last one
counts, so a real trial finds a little more.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

from hub.experiments.pairs import PAIRS_MIN
from hub.experiments.sequences import radius, widened

SIZES: Final = (5, 10, 15, 20, 30, 50, 100, 200, 500)
"""Of trials, in pairs."""
FOUND_IN: Final = 0.8
_NORMAL_AT_FOUND: Final = 0.8416212335729143
"""The normal quantile at `FOUND_IN`."""
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A trial of so many shops, half of which act."""

    shops: int
    effect: float
    """The smallest one that it finds in four of five trials, as a share of the usual figure."""


def spread_of_pairs(half: float, pairs: int) -> float:
    """The variance of one pair's difference behind an interval of this half width.

    Raises:
        ValueError: no width, or fewer than two pairs.
    """
    if half <= 0 or pairs < 2:
        raise ValueError("a half width lies above 0, and at least two pairs are behind it")
    low, high = 0.0, half**2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # The interval grows with the variance behind it: halve until it fits.
        if middle > 0 and widened(radius(middle), middle, pairs - 1) > half:
            high = middle
        else:
            low = middle
    return high * pairs


def sizes(spread: float, most_pairs: int) -> tuple[Size, ...]:
    """What trials of several sizes find; the largest is all there are.

    Returns:
        Empty where there are too few pairs for any trial.
    """
    if most_pairs < PAIRS_MIN:
        return ()
    tried = [one for one in SIZES if one < most_pairs] + [most_pairs]
    return tuple(Size(shops=2 * pairs, effect=_found(spread, pairs)) for pairs in tried)


def _found(spread: float, pairs: int) -> float:
    variance = spread / pairs
    half: float = widened(radius(variance), variance, pairs - 1)
    return half + _NORMAL_AT_FOUND * sqrt(variance)
