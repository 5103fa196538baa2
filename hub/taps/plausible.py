"""Whether a day's taps can be true, seen against visitors and the till's deals. Pure.

Receptions are tapped by the people whom they grade, so a day is compared with what nobody taps:
the visitors whom the radio counted, and the deals that the till told (`hub.feeds`). What is judged
is the shop's day: a tap carries no name, and nobody is ranked by taps. A day whose taps cannot be
true loses coverage, so that people turn unknown instead of green.

Three questions, each against figures that cannot have been tapped:

* more receptions than visitors, even at the 95th percentile of how many came;
* far more receptions a visitor than on the shop's own days before;
* far fewer receptions a deal than on the shop's own days before: the till proves that customers
  were served, so taps were forgotten. Fewer receptions with fewer deals are a bad day, and graded.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Why = Literal["", "more than came", "more a visitor than ever", "fewer a deal than ever"]

FAR_OUT: Final = 3.0
"""So many interquartile ranges beyond the quartiles is "far out": Tukey, Exploratory Data Analysis
(1977), chapter 2, the outer fences."""
PAST_DAYS_MIN: Final = 14
"""Two weeks: each day of the week twice. With fewer, the shop's own past is not asked."""
PAST_DAYS: Final = 28
DOUBT_PER_EXCESS: Final = 2.0
"""A tap that cannot be true casts doubt on one that could: coverage falls twice as fast as the
share that can be explained. Chosen, not measured: at half again as many taps as visitors a third
of them is false for certain, and with the default policy (coverage of at least 0.5) the day is
unknown."""
VISITORS_COVERAGE_MIN: Final = 0.5
"""Of a day on which the radio heard less, visitors prove nothing."""
_IQR_OF_NORMAL: Final = 1.349
"""Interquartile range of the normal distribution in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapDay:
    """One day of a shop: what was tapped, and what was not."""

    receptions: int
    visitors: float | None = None
    """None: the radio said nothing, or heard too little."""
    visitors_high: float | None = None
    """95th percentile; None: as `visitors`."""
    deals: int | None = None
    """Of the till; None: no till tells them."""

    def __post_init__(self) -> None:
        if self.receptions < 0 or (self.visitors or 0) < 0 or (self.deals or 0) < 0:
            raise ValueError("counts must not be negative")


@dataclass(frozen=True, slots=True)
class Plausible:
    """How much of a day's taps can be believed: 1 for all, and why not where it is less."""

    coverage: float
    why: Why = ""


def plausible(day: TapDay, past: Sequence[TapDay]) -> Plausible:
    """Judge one day against the shop's own days before (at most the last 28 are worth giving).

    With nothing to compare with, everything can be believed: coverage 1.
    """
    if day.receptions == 0:
        return Plausible(1.0)
    found = [_against_visitors(day), _against_past_visitors(day, past), _against_deals(day, past)]
    return min(found, key=lambda one: one.coverage)


def _against_visitors(day: TapDay) -> Plausible:
    high = day.visitors if day.visitors_high is None else day.visitors_high
    if high is None or day.receptions <= high:
        return Plausible(1.0)
    return Plausible(_coverage(high / day.receptions), "more than came")


def _against_past_visitors(day: TapDay, past: Sequence[TapDay]) -> Plausible:
    if not day.visitors:
        return Plausible(1.0)
    fences = _fences([(one.receptions, one.visitors) for one in past], day.visitors)
    log_ratio = math.log(day.receptions / day.visitors)
    if fences is None or log_ratio <= fences[1]:
        return Plausible(1.0)
    return Plausible(_coverage(math.exp(fences[1] - log_ratio)), "more a visitor than ever")


def _against_deals(day: TapDay, past: Sequence[TapDay]) -> Plausible:
    if not day.deals:
        return Plausible(1.0)
    fences = _fences([(one.receptions, one.deals) for one in past], day.deals)
    log_ratio = math.log(day.receptions / day.deals)
    if fences is None or log_ratio >= fences[0]:
        return Plausible(1.0)
    return Plausible(_coverage(math.exp(log_ratio - fences[0])), "fewer a deal than ever")


def _fences(past: Sequence[tuple[int, float | None]], beside: float) -> tuple[float, float] | None:
    """Tukey's outer fences of the logarithm of past ratios; None without two weeks of them.

    A past without scatter would call any other day far out: the range is at least that of the
    counts that are to be expected beside this one, which scatter by their square root.
    """
    ratios = [math.log(tapped / other) for tapped, other in past if tapped and other]
    if len(ratios) < PAST_DAYS_MIN:
        return None
    low, middle, high = (float(one) for one in np.quantile(ratios, (0.25, 0.5, 0.75)))
    expected = max(math.exp(middle) * beside, 1.0)
    counting = _IQR_OF_NORMAL * math.sqrt(1 / expected + 1 / max(beside, 1.0))
    reach = FAR_OUT * max(high - low, counting)
    return low - reach, high + reach


def _coverage(explained: float) -> float:
    return max(0.0, 1.0 - DOUBT_PER_EXCESS * (1.0 - explained))
