"""Why did a dimension of a shop worsen? Figures of many shops in, an answer out. Pure.

`why` is the whole way; who asks of many shops on one day learns the chain's effects once
(`learnt`) and then asks `why_of` for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from hub.codes.sentences import unit_of
from hub.why.answer import (
    NEVER_DIFFERENT,
    NO_DATA,
    NOT_ENOUGH_OF_IT,
    Likely,
    NotChecked,
    Verdict,
    Why,
    cause_words,
    verdict_words,
)
from hub.why.causes import CAUSE_KINDS, CAUSE_NAMES, CauseName
from hub.why.chain_effects import ChainEffects, chain_effects
from hub.why.estimate import (
    DAYS_LATE,
    DAYS_LOOKED_AT,
    SHARE_MIN,
    USUAL_DAYS,
    CauseEffect,
    Estimate,
    estimate,
)
from hub.why.panel import Daily, figures
from storepulse.actions import Dimension

PANEL_DAYS: Final = 126
"""Eighteen weeks: some episodes of everything, and a drift that is still one."""
OPEN_FROM: Final = 0.1
"""A cause whose probability of weighing something is at least this is not excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """The chain's effects on one dimension, and the days they are to explain."""

    dimension: Dimension
    day: date
    daily: Daily
    """Cut to the panel's days."""
    looked_at: slice
    effects: ChainEffects | None
    """None: too few shops or days to compare with."""


def days_looked_at(dimension: Dimension, day: date) -> tuple[date, date]:
    """The first and the last of the days whose figure is to be explained."""
    last = day - timedelta(days=DAYS_LATE[dimension])
    return last - timedelta(days=DAYS_LOOKED_AT[dimension] - 1), last


def learnt(daily: Daily, dimension: Dimension, day: date) -> Learnt:
    """Learn what causes do in the chain, up to a day. `daily` may hold more days than are used."""
    first, last = days_looked_at(dimension, day)
    cut = daily.between(last - timedelta(days=PANEL_DAYS - 1), last)
    count = len(cut.days)
    here = sum(one >= first for one in cut.days)
    looked_at = slice(count - here, count)
    effects = chain_effects(cut, dimension, without=looked_at) if here else None
    return Learnt(
        dimension=dimension, day=day, daily=cut, looked_at=looked_at, effects=effects
    )  # fmt: skip


def why_of(
    known: Learnt, shop: str, *, facts: Mapping[CauseName, Sequence[str]] | None = None
) -> Why:
    """The answer for one shop.

    Args:
        facts: ids of the shop's facts of the days looked at, by cause.
    """
    row = known.daily.shops.index(shop)
    value, usual = _figure(known, row)
    found = _estimated(known, row)
    causes, verdict = _judged(found, usual, facts or {})
    first, last = days_looked_at(known.dimension, known.day)
    not_checked = _not_checked(found)
    return Why(
        shop=shop, dimension=known.dimension, day=known.day, first=first, last=last,
        unit=unit_of(known.dimension), value=_rounded(value), usual=_rounded(usual), causes=causes,
        checked=found.checked, not_checked=not_checked, verdict=verdict,
        compared_shops=_compared(known, row),
        words=verdict_words(verdict, unchecked=len(not_checked)),
    )  # fmt: skip


def why(
    daily: Daily, shop: str, dimension: Dimension, day: date,
    *, facts: Mapping[CauseName, Sequence[str]] | None = None,
) -> Why:  # fmt: skip
    """Why one dimension of one shop is worse on a day than it was."""
    return why_of(learnt(daily, dimension, day), shop, facts=facts)


def _figure(known: Learnt, row: int) -> tuple[float | None, float | None]:
    """The mean figure of the days looked at and of those before; None where not known."""
    told = figures(known.daily, known.dimension)[row]
    start = known.looked_at.start
    return _mean(told[known.looked_at]), _mean(told[max(0, start - USUAL_DAYS) : start])


def _mean(values: np.ndarray) -> float | None:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else None


def _estimated(known: Learnt, row: int) -> Estimate:
    told = told_at_all(known.daily)
    if known.effects is None:
        return Estimate(
            worse_by=None, causes=(), checked=(),
            no_data=tuple(name for name in CAUSE_NAMES if not told[name]),
            little_data=tuple(name for name in CAUSE_NAMES if told[name]), never_different=(),
            left_over=None,
        )  # fmt: skip
    return estimate(known.effects, row, known.looked_at, told_at_all=told)


def told_at_all(daily: Daily) -> dict[CauseName, bool]:
    """Whether anything was told of each cause, of any shop."""
    return {
        name: bool(np.isfinite(daily.told(kind.metrics[0])).any())
        for name, kind in CAUSE_KINDS.items()
    }


def _judged(
    found: Estimate, usual: float | None, facts: Mapping[CauseName, Sequence[str]]
) -> tuple[tuple[Likely, ...], Verdict]:
    if usual is None or found.worse_by is None:
        return (), "not enough evidence"
    claimed = [one for one in found.causes if one.claimed]
    # Where the figure is not worse, there is nothing to explain.
    open_ones = [
        one for one in found.causes
        if not one.claimed and one.weighs >= OPEN_FROM and found.worse_by > 0
    ]  # fmt: skip
    verdict: Verdict = "likely" if claimed else "not enough evidence" if open_ones else "none found"
    if not claimed and not found.checked:
        verdict = "not enough evidence"
    return tuple(_said(one, usual, facts) for one in (*claimed, *open_ones)), verdict


def _said(
    one: CauseEffect, usual: float, facts: Mapping[CauseName, Sequence[str]]
) -> Likely:  # fmt: skip
    return Likely(
        cause=one.cause, effect=round(one.effect * usual, 6), low=round(one.low * usual, 6),
        high=round(one.high * usual, 6), facts=tuple(facts.get(one.cause, ())),
        claimed=one.claimed, link=CAUSE_KINDS[one.cause].link,
        words=cause_words(
            one.cause, change=one.change, claimed=one.claimed, worse=one.effect < 0
        ),
    )  # fmt: skip


def _not_checked(found: Estimate) -> tuple[NotChecked, ...]:
    reasons = dict.fromkeys(found.no_data, NO_DATA)
    reasons |= dict.fromkeys(found.little_data, NOT_ENOUGH_OF_IT)
    reasons |= dict.fromkeys(found.never_different, NEVER_DIFFERENT)
    return tuple(
        NotChecked(cause=name, reason=reasons[name]) for name in CAUSE_NAMES if name in reasons
    )


def _compared(known: Learnt, row: int) -> int:
    if known.effects is None:
        return 0
    there = np.isfinite(known.effects.usual[:, 0])
    there[row] = False
    return int(there.sum())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


__all__ = [
    "PANEL_DAYS",
    "SHARE_MIN",
    "Learnt",
    "days_looked_at",
    "learnt",
    "told_at_all",
    "why",
    "why_of",
]
