"""A shop's figures by quarter, hour, day or week, with late facts in every one. Stores nothing.

Days and weeks come from the kept day figures; a day whose facts have changed since is added up from
the facts at once, so that nothing has to be waited for. Quarters and hours come from the facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hub.actions.rules import ActionRules, Hours
from hub.actions.store import read_rules_in_force
from hub.codes.computing import UnknownShop
from hub.codes.days import day_start, local_day, shop_days, zone
from hub.codes.touched import known_shops
from hub.figures.keeping import with_removed
from hub.figures.store import Windows, facts_of_metrics, kept_windows, touched_days_of
from hub.figures.windows import (
    Grain,
    Window,
    is_whole_day,
    short_windows,
    together,
    week_start,
    windows_of_days,
)
from hub.metrics import CATALOGUE, Metric
from hub.store.database import Connection
from storepulse.errors import BadInput
from storepulse.facts import Fact

DAYS_MAX: Final[Mapping[Grain, int]] = {"quarter": 31, "hour": 92, "day": 800, "week": 800}
"""Most days that one answer covers."""
OPEN_DAYS_MAX: Final = 92
"""The same where only opening hours count: they are added up from the facts."""
DAYS_SHOWN: Final[Mapping[Grain, int]] = {"quarter": 1, "hour": 7, "day": 28, "week": 84}
_ONE: Final = timedelta(days=1)
_LENGTH: Final[Mapping[Grain, timedelta]] = {
    "quarter": timedelta(minutes=15), "hour": timedelta(hours=1),
}  # fmt: skip


class BadSpan(BadInput):
    """Days that no answer covers: too many, or the last before the first."""


class UnknownMetric(BadInput):
    """A metric that the catalogue does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The figure by that of another metric over the same window, e.g. receptions a head.

    `low` and `high` take the worst of both for the other: never narrower than it is. None: the
    other is unknown, or nothing.
    """

    per: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One window. `value` None: facts were there, and none of them knew."""

    starts_at: datetime
    ends_at: datetime
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    coverage: float
    facts: int
    ratio: Ratio | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one shop, oldest first; windows without any fact miss."""

    shop: str
    metric: str
    unit: str
    adds_up: str
    by: Grain
    timezone: str
    open_only: bool
    first: date
    last: date
    figures: tuple[Point, ...]


def read_series(
    connection: Connection,
    shop: str,
    metric: str,
    by: Grain,
    first: date | None,
    last: date | None,
    *,
    now: datetime,
    open_only: bool = False,
) -> Series:
    """A metric of a shop over its local days first..last (default: up to today).

    Args:
        connection: of the owner, or of a session, which then finds its own shops only.
        by: "week" begins on Mondays; of a week that reaches over the span, the part within counts.
        open_only: only what begins in the shop's opening hours; a whole day's fact counts whole.
    Raises:
        UnknownShop, UnknownMetric, BadSpan: what was asked for is not there.
    """
    described = CATALOGUE.get(metric)
    if described is None:
        raise UnknownMetric(f"unknown metric {metric!r}: `storepulse hub catalogue` lists them")
    known = known_shops(connection, [shop]).get(shop)
    if known is None:
        raise UnknownShop(f"shop {shop!r} is not known")
    until = last or local_day(now, known.timezone)
    since = first or until - timedelta(days=DAYS_SHOWN[by] - 1)
    most = min(DAYS_MAX[by], OPEN_DAYS_MAX) if open_only else DAYS_MAX[by]
    if not 0 <= (until - since).days < most:
        raise BadSpan(f"{since} to {until}: ask for 1 to {most} days by {by}")
    asked = _Asked(
        connection, shop, known.timezone, since, until,
        _opening(read_rules_in_force(connection), shop, known.timezone) if open_only else None,
    )  # fmt: skip
    windows = _windows(asked, described, by)
    others = {} if described.per is None else _windows(asked, CATALOGUE[described.per], by)
    points = tuple(
        Point(
            starts_at=start, ends_at=_end(start, by, asked.timezone), value=one.value, low=one.low,
            high=one.high, n=one.n, coverage=one.coverage, facts=one.facts,
            ratio=_ratio(described.per, one, others.get(start)),
        )
        for start, one in sorted(windows.items())
    )  # fmt: skip
    return Series(
        shop=shop, metric=metric, unit=described.unit, adds_up=described.adds_up, by=by,
        timezone=known.timezone, open_only=open_only, first=since, last=until, figures=points,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Opening:
    hours: Hours
    timezone: str

    def holds(self, fact: Fact) -> bool:
        """Whether a fact's window begins while the shop is open; a whole day's does."""
        at = fact.start.astimezone(zone(self.timezone)).time()
        return is_whole_day(fact) or self.hours.opens <= at < self.hours.closes


def _opening(rules: ActionRules, shop: str, timezone: str) -> _Opening:
    return _Opening(rules.hours_of(shop), timezone)


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: Connection
    shop: str
    timezone: str
    first: date
    last: date
    opening: _Opening | None

    def facts(self, metric: str, first: date, last: date) -> list[Fact]:
        found = facts_of_metrics(self.connection, self.shop, [metric], first, last)
        return found if self.opening is None else [f for f in found if self.opening.holds(f)]


def _windows(asked: _Asked, metric: Metric, by: Grain) -> dict[datetime, Window]:
    """By the moment at which each window begins, in UTC."""
    if by in ("quarter", "hour"):
        facts = asked.facts(metric.name, asked.first, asked.last)
        return short_windows(asked.shop, facts, asked.timezone, metric.name, by)
    days = _days(asked, metric.name)
    if by == "day":
        return {_start(day, asked.timezone): window for (_, day), window in days.items()}
    weeks: dict[date, list[Window]] = {}
    for (_, day), window in sorted(days.items()):
        weeks.setdefault(week_start(day), []).append(window)
    return {
        _start(monday, asked.timezone): whole
        for monday, some in weeks.items()
        if (whole := together(some, metric.name)) is not None
    }


def _days(asked: _Asked, metric: str) -> Windows:
    if asked.opening is not None:
        return _from_facts(asked, metric, asked.first, asked.last)
    kept, removed = kept_windows(asked.connection, asked.shop, [metric], asked.first, asked.last)
    # One day earlier: a whole day of UTC begins there.
    touched = touched_days_of(asked.connection, asked.shop, asked.first - _ONE, asked.last)
    for day in {each for start in touched for each in (start, start + _ONE)}:
        if asked.first <= day <= asked.last:
            kept.pop((metric, day), None)
            kept |= _from_facts(asked, metric, day, day, removed)
    return kept


def _from_facts(
    asked: _Asked, metric: str, first: date, last: date, removed: Windows | None = None
) -> Windows:
    facts = asked.facts(metric, first - _ONE, last)
    days = shop_days(asked.shop, facts, asked.timezone)
    here = {place: one for place, one in (removed or {}).items() if first <= place[1] <= last}
    return windows_of_days(days, first, last) | with_removed(days, here)


def _start(day: date, timezone: str) -> datetime:
    return day_start(day, timezone).astimezone(UTC)


def _end(start: datetime, by: Grain, timezone: str) -> datetime:
    if by in _LENGTH:
        return start + _LENGTH[by]
    day = local_day(start, timezone)
    return _start(day + timedelta(days=7 if by == "week" else 1), timezone)


def _ratio(per: str | None, one: Window, other: Window | None) -> Ratio | None:
    if per is None:
        return None
    if one.value is None or other is None or not other.value:
        return Ratio(per=per, value=None, low=None, high=None)
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    # Divided by what may be nothing, it may be anything.
    high = one.high / other.low if other.low > 0 else None
    return Ratio(per=per, value=one.value / other.value, low=one.low / other.high, high=high)
