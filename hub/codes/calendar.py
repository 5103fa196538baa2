"""A shop's codes as a calendar: a colour a day, and what each correction took the place of.

Reads what was stored; computes none.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from hub.codes.colours import WORST_FIRST, Shown
from hub.codes.store import CodeVersion, code_versions
from hub.store.database import Connection
from storepulse.actions import DIMENSIONS, Dimension

CALENDAR_DAYS_MAX: Final = 371
"""53 weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """One dimension on one day, by the newest version of its code."""

    day: date
    colour: Shown
    probability: float | None
    turning: Shown | None
    value: float | None
    version: int
    """Counts from 1; each one that says something else is a new one."""
    policy_version: int
    computed_at: datetime
    was: tuple[Shown, ...]
    """The other colours that older versions had, oldest first; the same twice running is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """One dimension; days without a stored code are left out."""

    dimension: Dimension
    days: tuple[CalendarDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The four dimensions of a shop from the first day to the last one."""

    shop: str
    first: date
    last: date
    dimensions: tuple[CalendarRow, ...]


def read_calendar(connection: Connection, shop: str, last: date, days: int) -> Calendar:
    """The stored codes of so many days of a shop, the last one included."""
    first = last - timedelta(days=days - 1)
    found: dict[tuple[str, date], list[CodeVersion]] = defaultdict(list)
    for one in code_versions(connection, shop, first, last):
        found[one.dimension, one.day].append(one)
    return Calendar(
        shop=shop, first=first, last=last,
        dimensions=tuple(
            CalendarRow(
                dimension=name,
                days=tuple(_day(found[key]) for key in sorted(found) if key[0] == name),
            )
            for name in DIMENSIONS
        ),
    )  # fmt: skip


def _day(versions: list[CodeVersion]) -> CalendarDay:
    newest = versions[-1]
    was: list[Shown] = []
    for one in versions[:-1]:
        colour = _shown(one.colour)
        if not was or was[-1] != colour:
            was.append(colour)
    if was and was[-1] == newest.colour:
        was.pop()
    return CalendarDay(
        day=newest.day, colour=_shown(newest.colour), probability=newest.probability,
        turning=None if newest.turning is None else _shown(newest.turning), value=newest.value,
        version=newest.version, policy_version=newest.policy_version,
        computed_at=newest.computed_at, was=tuple(was),
    )  # fmt: skip


def _shown(colour: str) -> Shown:
    return next(one for one in WORST_FIRST if one == colour)
