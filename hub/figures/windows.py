"""Figures of quarters, hours, days and weeks from a shop's facts. Pure: no clock, no store.

The catalogue says how a metric adds up; what one fact replaces another by is `hub.codes.days`'s.
A window of facts belongs to the quarter or hour in which it starts, by the shop's clock, and only
to such as are no shorter than it is: an hour's fact says nothing of its quarters. Errors of one
source and method count as one error, however many windows are added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import fsum, hypot
from typing import Final, Literal

from hub.codes.days import (
    DAY_WINDOW_HOURS_MIN,
    ShopDays,
    added_up,
    hours_of,
    shop_days,
    totals,
    version_of,
    zone,
)
from hub.codes.draws import Doubt, Spread
from hub.metrics import CATALOGUE
from storepulse.facts import Fact
from storepulse.units import Z90

Grain = Literal["quarter", "hour", "day", "week"]
_LENGTH: Final[Mapping[Grain, timedelta]] = {
    "quarter": timedelta(minutes=15), "hour": timedelta(hours=1),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One metric's figure of one window. `low` and `high` are the 5th and 95th percentile."""

    value: float | None
    """None: facts were there, and none of them knew."""
    n: int | None
    coverage: float
    hours: float
    """The lengths of the windows that were added up."""
    ended_at: datetime
    """Of the newest fact."""
    facts: int
    doubt: Doubt = field(default_factory=Doubt)

    @property
    def low(self) -> float | None:
        """The 5th percentile; None without a value."""
        return None if self.value is None else self.value - Z90 * self.doubt.total.below

    @property
    def high(self) -> float | None:
        """The 95th percentile; None without a value."""
        return None if self.value is None else self.value + Z90 * self.doubt.total.above


def window_of(told: Sequence[Fact], metric: str) -> Window | None:
    """What these facts of one metric give together; None without any."""
    found = totals(told)
    if not found:
        return None
    figure = added_up(told, metric)
    hours = fsum(hours_of(fact) for fact in found)
    ended_at = max(fact.end for fact in found).astimezone(UTC)
    if figure is None:
        return Window(
            value=None, n=None, coverage=0.0, hours=hours, ended_at=ended_at, facts=len(found)
        )
    return Window(
        value=figure.value, n=figure.n, coverage=figure.coverage, hours=hours, ended_at=ended_at,
        facts=len(found), doubt=figure.doubt,
    )  # fmt: skip


def together(windows: Sequence[Window], metric: str) -> Window | None:
    """Windows that follow each other as one longer window; None without any.

    A mean weighs by n where all say it, else by length, else evenly. An unknown window lowers the
    coverage and adds nothing.
    """
    if not windows:
        return None
    known = [one for one in windows if one.value is not None]
    hours = fsum(one.hours for one in windows)
    ended_at, facts = max(one.ended_at for one in windows), sum(one.facts for one in windows)
    if not known:
        return Window(value=None, n=None, coverage=0.0, hours=hours, ended_at=ended_at, facts=facts)
    adds_up = CATALOGUE[metric].adds_up
    n = None if any(one.n is None for one in known) else sum(one.n or 0 for one in known)
    if adds_up == "sum":
        weights = [1.0] * len(known)
    elif adds_up == "mean":
        weights = _weights(known, n)
    else:
        best = max(known, key=lambda one: _rank(one, newest=adds_up == "last"))
        known, weights, n = [best], [1.0], best.n
    parts = [one.hours for one in windows] if hours else [1.0] * len(windows)
    covered = fsum(part * one.coverage for part, one in zip(parts, windows, strict=True))
    return Window(
        value=fsum(w * (one.value or 0.0) for w, one in zip(weights, known, strict=True)),
        n=n, coverage=covered / fsum(parts), hours=hours, ended_at=ended_at, facts=facts,
        doubt=_doubt(known, weights),
    )  # fmt: skip


def _weights(known: Sequence[Window], n: int | None) -> list[float]:
    if n:
        return [(one.n or 0) / n for one in known]
    hours = fsum(one.hours for one in known)
    return [one.hours / hours if hours else 1 / len(known) for one in known]


def _rank(one: Window, *, newest: bool) -> tuple[float, float]:
    moment, value = one.ended_at.timestamp(), one.value or 0.0
    return (moment, value) if newest else (value, moment)


def _doubt(known: Sequence[Window], weights: Sequence[float]) -> Doubt:
    shared: dict[str, list[Spread]] = {}
    own: list[Spread] = []
    for one, weight in zip(known, weights, strict=True):
        for name, spread in one.doubt.shared.items():
            shared.setdefault(name, []).append(_times(spread, weight))
        own.append(_times(one.doubt.own, weight))
    return Doubt(
        shared={
            name: Spread(fsum(s.below for s in some), fsum(s.above for s in some))
            for name, some in sorted(shared.items())
        },
        own=Spread(hypot(*(s.below for s in own)), hypot(*(s.above for s in own))),
    )


def _times(spread: Spread, weight: float) -> Spread:
    return Spread(spread.below * weight, spread.above * weight)


def windows_of_days(days: ShopDays, first: date, last: date) -> dict[tuple[str, date], Window]:
    """The figure of each metric and local day from `first` to `last`; days without facts miss."""
    return {
        (metric, day): window
        for metric, told in days.facts.items()
        if metric in CATALOGUE
        for day, facts in told.items()
        if first <= day <= last and (window := window_of(facts, metric)) is not None
    }


def short_windows(
    shop: str, facts: Iterable[Fact], timezone: str, metric: str, grain: Grain
) -> dict[datetime, Window]:
    """The figure of each quarter or hour by its start; windows of facts that are longer miss."""
    length = _LENGTH[grain]
    short = [fact for fact in facts if fact.end - fact.start <= length]
    found: dict[datetime, list[Fact]] = {}
    for told in shop_days(shop, short, timezone).facts.get(metric, {}).values():
        for fact in told:
            found.setdefault(bucket_start(fact.start, timezone, grain), []).append(fact)
    return {
        start: window
        for start, some in sorted(found.items())
        if (window := window_of(some, metric)) is not None
    }


def bucket_start(moment: datetime, timezone: str, grain: Grain) -> datetime:
    """When the quarter or hour of the shop's clock begins in which a moment lies.

    An hour that comes twice, as clocks go back, is two.
    """
    local = moment.astimezone(zone(timezone))
    every = _LENGTH[grain] // timedelta(minutes=1)
    past = timedelta(
        minutes=local.minute % every, seconds=local.second, microseconds=local.microsecond
    )
    return moment.astimezone(UTC) - past


def week_start(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def is_whole_day(fact: Fact) -> bool:
    """Whether a fact is a day's own estimate."""
    return hours_of(fact) >= DAY_WINDOW_HOURS_MIN


def is_correction(fact: Fact) -> bool:
    """Whether a fact takes the place of an earlier one."""
    return version_of(fact.id)[1] > 1
