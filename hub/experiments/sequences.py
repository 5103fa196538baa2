"""Intervals that hold however often one looks. Pure.

The normal-mixture confidence sequence (Robbins 1970; as the mixture sequential probability ratio
test of Johari, Koomen, Pekelis, Walsh 2017; asymptotic as in Waudby-Smith, Arbour, Sinha, Kennedy,
Ramdas 2024): an estimate with information I, taken again and again as I grows, leaves

    sqrt(2 (1 + m I) / (m I^2) * log(sqrt(1 + m I) / alpha))

around the truth at any look with probability alpha at most; m is the variance of the mixture, best
near the square of the effect one hopes to see. It needs estimates whose increments of score are
independent: the running mean of differences between shops that keep their own level is one.
"""

from math import log, sqrt
from typing import Final

from scipy.special import ndtr, stdtrit

ALPHA: Final = 0.1
"""Both sides together: each side of the 90 % interval errs in 5 % of trials at most."""
HOPED_FOR: Final = 0.05
"""The effect, as a share of usual, at which the sequence is narrowest."""
_LIMIT_COMPARED: Final = 8.0


def radius(variance: float, *, alpha: float = ALPHA, hoped_for: float = HOPED_FOR) -> float:
    """Half the width around an estimate of this variance.

    Raises:
        ValueError: a variance that is none, or an alpha outside 0 to 1.
    """
    if variance <= 0 or not 0 < alpha < 1:
        raise ValueError("variance must be above 0 and alpha between 0 and 1")
    information, mixture = 1 / variance, hoped_for**2
    grown = 1 + mixture * information
    return sqrt(2 * grown / (mixture * information**2) * log(sqrt(grown) / alpha))


def widened(half: float, variance: float, freedom: int) -> float:
    """Half the width where the variance was itself estimated, with so many degrees of freedom.

    The limit of Student's distribution that is passed as seldom as this one of the normal: at the
    ends that a sequence reaches, few shops make more of a difference than at an interval's.

    Raises:
        ValueError: no degree of freedom.
    """
    if freedom < 1:
        raise ValueError("at least two pairs are needed to know how pairs differ")
    limit = half / sqrt(variance)
    # Beyond it no tail is left to compare; the ratio stays.
    compared = min(limit, _LIMIT_COMPARED)
    return half * float(-stdtrit(freedom, ndtr(-compared))) / compared
