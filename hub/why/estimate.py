"""Why a shop's figure worsened: the chain's effects, the shop's own past and its gap. Pure.

For each cause that was more (or less) than usual on the days looked at, its effect is what the
chain shows (`hub.why.chain_effects`), as this shop differs from the chain: by its own earlier
episodes and by the gap on these very days between the shop and what matched shops and its own past
make expect. All three are weighed by their errors (a normal prior and normal evidence), so that one
bad day that fell together with some cause does not make that cause's effect large.

A cause is claimed when three things hold: its effect in the chain is beyond chance at `CHANCE_MAX`
with Holm's correction over all causes looked at; the 90 % interval of its effect here lies below 0;
and it accounts for at least `SHARE_MIN` of how much worse the figure is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr, stdtrit

from hub.why.causes import CAUSE_NAMES, CauseName
from hub.why.chain_effects import ChainEffects, Known
from hub.why.panel import Floats
from storepulse.actions import Dimension

DAYS_LOOKED_AT: Final[Mapping[Dimension, int]] = {
    "people": 3, "goods": 3, "place": 3, "conversion": 14,
}  # fmt: skip
"""As many as the colour hangs on; of a day's thirty experiences alone little can be said."""
DAYS_LATE: Final[Mapping[Dimension, int]] = {"people": 0, "goods": 0, "place": 0, "conversion": 4}
"""A day's deals are known when its last experience is 72 h old."""
USUAL_DAYS: Final = 56
"""A usual day is the mean of so many before the days looked at."""
CHANCE_MAX: Final = 0.05
SHARE_MIN: Final = 0.3
CHANGED_MIN: Final = 0.04
"""A smaller change of an exposure is no event."""
MISFIT: Final = 0.15
"""Share of an effect by which it is off because no exposure is quite in proportion to what it does:
an hour of rain, the last day of a promotion. Chosen on chains that were not scored."""
_TAIL: Final = 0.05
_WEEKS_FREEDOM: Final = 20
"""Degrees of freedom of the interval: the weeks of a panel, of which some 25 are clusters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseEffect:
    """One cause on the days looked at; effects as shares of the shop's usual figure."""

    cause: CauseName
    change: float
    """Of its exposure, against usual."""
    effect: float
    low: float
    high: float
    chance: float
    """How often chance alone would show as much in the chain, corrected for all looked at."""
    weighs: float
    """Probability that it accounts for at least `SHARE_MIN` of how much worse the figure is."""
    claimed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What was found; `causes` are ranked, those without a change left out."""

    worse_by: float | None
    """How much below usual, as a share, weekdays and drift taken out; None where not known."""
    causes: tuple[CauseEffect, ...]
    checked: tuple[CauseName, ...]
    no_data: tuple[CauseName, ...]
    """Told for (almost) no shop."""
    little_data: tuple[CauseName, ...]
    """Told for others, not for this shop on these days."""
    never_different: tuple[CauseName, ...]
    left_over: float | None
    """Of the gap, what the causes do not account for; None where not known."""


def estimate(
    effects: ChainEffects, shop: int, days: slice, *, told_at_all: Mapping[CauseName, bool]
) -> Estimate:
    """Weigh the causes on some days of one shop.

    Args:
        effects: learnt without these days.
        shop: its row.
        days: the columns looked at.
        told_at_all: whether the chain's facts tell of a cause at all.
    """
    asked = _told_here(effects, shop, days)
    no_data = tuple(one for one in CAUSE_NAMES if not told_at_all.get(one, False))
    never = tuple(one for one in CAUSE_NAMES if one not in effects.causes and one not in no_data)
    little = tuple(name for name, there in zip(effects.causes, asked, strict=True) if not there)
    checked = tuple(name for name, there in zip(effects.causes, asked, strict=True) if there)
    before = slice(max(0, days.start - USUAL_DAYS), days.start)
    worse_by = _fall(effects.course[shop], days, before)
    causes: tuple[CauseEffect, ...] = ()
    left_over = None
    if worse_by is not None and np.isfinite(effects.usual[shop, 0]):
        causes, left_over = _weighed(effects, shop, days, before, asked, worse_by)
    return Estimate(
        worse_by=worse_by, causes=causes, checked=checked, no_data=no_data, little_data=little,
        never_different=never, left_over=left_over,
    )  # fmt: skip


def _told_here(effects: ChainEffects, shop: int, days: slice) -> list[bool]:
    return [bool(column.mean() >= 0.5) for column in effects.told[shop, days].T]


def _fall(course: Floats, days: slice, before: slice) -> float | None:
    """By how much the course on these days lies below that before; None where not known."""
    here, usual = course[days], course[before]
    if not np.isfinite(here).any() or np.isfinite(usual).sum() < 14:
        return None
    return float(np.nanmean(usual) - np.nanmean(here))


def _weighed(
    effects: ChainEffects, shop: int, days: slice, before: slice, asked: list[bool],
    worse_by: float,
) -> tuple[tuple[CauseEffect, ...], float | None]:  # fmt: skip
    known = np.isfinite(effects.rest[shop])
    here = np.zeros_like(known)
    here[days] = True
    looked_at = known & here
    usual = known & ~here
    usual[: before.start] = False
    usual[days.stop :] = False
    change = effects.raw[shop, looked_at].mean(axis=0) - effects.raw[shop, usual].mean(axis=0)
    own, spread, left_over = _own_difference(
        effects, shop, looked_at, usual, known & ~here, days.stop - days.start
    )
    effect = change * (effects.effect + own)
    rough = effects.rough[shop, looked_at].mean(axis=0) / max(1, int(looked_at.sum()))
    error = np.sqrt(
        change**2 * (np.diag(effects.covariance) + np.diag(spread))
        + rough * (effects.effect + own) ** 2
        + (MISFIT * effect) ** 2
    )
    change_here = (np.abs(change) >= CHANGED_MIN) & np.array(asked, bool)
    numbers = np.flatnonzero(change_here)
    if not len(numbers):
        return (), left_over
    chance = _holm(_chance(effects.effect / np.sqrt(np.diag(effects.covariance)))[numbers])
    wide = float(stdtrit(_WEEKS_FREEDOM, 1 - _TAIL))
    found = []
    for number, one_chance in zip(numbers.tolist(), chance.tolist(), strict=True):
        size, wide_by = float(effect[number]), float(error[number])
        limit = -SHARE_MIN * max(worse_by, 0.0)
        weighs = float(stdtr(_WEEKS_FREEDOM, (limit - size) / max(wide_by, 1e-12)))
        found.append(
            CauseEffect(
                cause=effects.causes[number], change=float(change[number]), effect=size,
                low=size - wide * wide_by, high=size + wide * wide_by, chance=one_chance,
                weighs=weighs,
                claimed=one_chance <= CHANCE_MAX
                and worse_by > 0
                and size + wide * wide_by < 0
                and size <= -SHARE_MIN * worse_by,
            )
        )  # fmt: skip
    ranked = sorted(found, key=_rank)
    return tuple(ranked), left_over


def _chance(distance: Floats) -> Floats:
    """How often chance alone strays as far, to either side."""
    return np.asarray(2 * stdtr(_WEEKS_FREEDOM, -np.abs(distance)), np.float64)


def _holm(chance: Floats) -> Floats:
    """Holm's correction (1979). By hand: that of statsmodels tidies the whole memory each time."""
    order = np.argsort(chance)
    scaled = chance[order] * np.arange(len(chance), 0, -1)
    corrected = np.empty_like(chance)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return corrected


def _rank(one: CauseEffect) -> tuple[bool, float, float]:
    """What is claimed first, the largest before; then what most likely weighs something."""
    return (not one.claimed, one.effect if one.claimed else 0.0, -one.weighs)


def _own_difference(
    effects: ChainEffects,
    shop: int,
    looked_at: Known,
    usual: Known,
    earlier: Known,
    days_asked: int,
) -> tuple[Floats, Floats, float | None]:
    """How this shop's effects differ from the chain's, the errors of that, and the gap left.

    Returns:
        (k,) mean and (k, k) covariance of the difference, and what it leaves of the gap.
    """
    rest, design = effects.rest[shop], effects.design[shop]
    prior = np.diag(1 / np.maximum(effects.between, 1e-6) ** 2)
    by_days = design[earlier]
    moved = design[looked_at].mean(axis=0) - design[usual].mean(axis=0)
    gap = float(rest[looked_at].mean() - rest[usual].mean())
    doubt = effects.gap_variance * (days_asked / max(1, int(looked_at.sum())))
    precision = prior + by_days.T @ by_days / effects.own_variance + np.outer(moved, moved) / doubt
    spread = np.linalg.inv(precision)
    mean = spread @ (by_days.T @ rest[earlier] / effects.own_variance + moved * gap / doubt)
    return mean, spread, gap - float(moved @ mean)
