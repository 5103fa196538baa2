"""Which shift works when, and how long a shop was open between two moments. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.actions.rules import Hours, Shift
from hub.codes.days import local_day


@dataclass(frozen=True, slots=True)
class ShiftTime:
    """One shift of one day."""

    name: str
    begins_at: datetime
    ends_at: datetime


def shift_at(
    now: datetime, shifts: Sequence[Shift], *, timezone: str, weekdays: frozenset[int]
) -> ShiftTime:
    """The shift that works now, else the next one to begin.

    Args:
        shifts: at least one, none overlaps.
        weekdays: on which the shop is open, 0 for Monday; at least one.
    """
    for day in _days_from(local_day(now, timezone)):
        if day.weekday() not in weekdays:
            continue
        for one in sorted(shifts, key=lambda shift: shift.begins):
            ends_at = _moment(day, one.ends, timezone)
            if now < ends_at:
                return ShiftTime(one.name, _moment(day, one.begins, timezone), ends_at)
    raise AssertionError("days do not end")


def open_minutes(
    since: datetime, until: datetime, hours: Hours, *, timezone: str, weekdays: frozenset[int]
) -> float:
    """For how many minutes between two moments the shop was open; 0 when `until` is not later."""
    total = timedelta(0)
    for day in _days_from(local_day(since, timezone)):
        opens = _moment(day, hours.opens, timezone)
        if opens >= until:
            return total / timedelta(minutes=1)
        if day.weekday() in weekdays:
            closes = _moment(day, hours.closes, timezone)
            total += max(timedelta(0), min(until, closes) - max(since, opens))
    raise AssertionError("days do not end")


def _days_from(first: date) -> Iterator[date]:
    day = first
    while True:
        yield day
        day += timedelta(days=1)


def _moment(day: date, at: time, timezone: str) -> datetime:
    # Compared and subtracted as moments: two times of one zone would be taken by the wall clock.
    return datetime.combine(day, at, ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))
