"""From taps (receptions, experiences, deals) to facts of a shop's days. Pure: no store, no clock.

A fact is immutable, so it is made when its day is final: receptions once the day is over,
experiences and their deals once the youngest experience of the day is 72 h old. A tap that arrives
or is undone later (a node was offline for days) makes a new fact with the next version at the end
of its id ("...~2"); `hub.codes.days` counts the highest version. A day without a tap gives no fact:
nobody tapped, which is not the same as nobody came.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from hub.codes.days import day_start, local_day, version_of
from hub.taps.experiences import DEAL_WITHIN_HOURS, EXPERIENCE_DAYS
from storepulse.facts import Fact

SOURCE: Final = "hub/tickets"
METHOD: Final = "hub.tickets/1"
_RIPE: Final = timedelta(hours=DEAL_WITHIN_HOURS)


@dataclass(frozen=True, slots=True)
class Begun:
    """An experience that was not undone."""

    ticket: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dealt:
    """A deal that names the ticket of its experience and was not undone."""

    ticket: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Taps:
    """What the staff of one shop tapped, undone taps left out."""

    receptions: Sequence[datetime] = ()
    experiences: Sequence[Begun] = ()
    deals: Sequence[Dealt] = ()


def dealt_in_time(taps: Taps) -> set[str]:
    """The tickets with a deal within 72 h of the experience. A deal before it counts for none."""
    made: dict[str, list[datetime]] = {}
    for deal in taps.deals:
        made.setdefault(deal.ticket, []).append(deal.at)
    return {
        one.ticket
        for one in taps.experiences
        if any(one.at <= at <= one.at + _RIPE for at in made.get(one.ticket, ()))
    }


def open_tickets(taps: Taps, *, now: datetime) -> list[str]:
    """Tickets of the experiences 72 h to 28 days old without any deal since, oldest first."""
    dealt: dict[str, datetime] = {}
    for deal in taps.deals:
        dealt[deal.ticket] = max(deal.at, dealt.get(deal.ticket, deal.at))
    ripe = [
        one
        for one in taps.experiences
        if now - timedelta(days=EXPERIENCE_DAYS) <= one.at <= now - _RIPE
        and not (one.ticket in dealt and one.at <= dealt[one.ticket] <= now)
    ]
    return [one.ticket for one in sorted(ripe, key=lambda one: (one.at, one.ticket))]


def tap_facts(
    shop: str,
    taps: Taps,
    known: Mapping[str, Fact],
    days: Iterable[date],
    *,
    timezone: str,
    now: datetime,
) -> list[Fact]:
    """The facts of these local days that are final and not told yet, or told differently.

    Args:
        taps: at least those of the days, with every deal of their experiences.
        known: the newest version of each fact that this module made before, by series
            (`version_of` its id); see `newest_versions`.
    """
    received = Counter(local_day(at, timezone) for at in taps.receptions)
    begun = Counter(local_day(one.at, timezone) for one in taps.experiences)
    in_time = dealt_in_time(taps)
    deals = Counter(
        local_day(one.at, timezone) for one in taps.experiences if one.ticket in in_time
    )
    facts: list[Fact] = []
    for day in sorted(set(days)):
        end = day_start(day + timedelta(days=1), timezone)
        final: dict[str, int] = {}
        if end <= now:
            final["receptions"] = received[day]
        if end + _RIPE <= now:
            final["experiences"] = begun[day]
            # Told also when it is 0, where there were experiences: nobody bought, and we know it.
            if begun[day] or _series(shop, "experience_deals", day) in known:
                final["experience_deals"] = deals[day]
        for metric, count in final.items():
            fact = _fact_or_none(shop, metric, day, count, known, timezone)
            if fact is not None:
                facts.append(fact)
    return facts


def newest_versions(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The highest version of each series."""
    newest: dict[str, tuple[int, Fact]] = {}
    for fact in facts:
        series, version = version_of(fact.id)
        if series not in newest or version > newest[series][0]:
            newest[series] = (version, fact)
    return {series: fact for series, (_, fact) in newest.items()}


def _series(shop: str, metric: str, day: date) -> str:
    return f"{SOURCE}/{shop}/{metric}/{day.isoformat()}"


def _fact_or_none(
    shop: str, metric: str, day: date, count: int, known: Mapping[str, Fact], timezone: str
) -> Fact | None:
    series = _series(shop, metric, day)
    before = known.get(series)
    if before is None and count == 0 and metric != "experience_deals":
        return None
    if before is not None and before.value == count:
        return None
    version = 1 if before is None else version_of(before.id)[1] + 1
    return Fact(
        id=series if version == 1 else f"{series}~{version}",
        shop=shop, metric=metric, start=day_start(day, timezone),
        end=day_start(day + timedelta(days=1), timezone), value=float(count), n=count,
        method=METHOD, source=SOURCE,
    )  # fmt: skip


def open_at_end_of(
    shop: str, taps: Taps, day: date, known: Mapping[str, Fact], *, timezone: str, now: datetime
) -> Fact | None:
    """The fact `experiences_open_72h` of a day that is over; None if told so already, or no tap."""
    end = day_start(day + timedelta(days=1), timezone)
    if end > now:
        return None
    count = len(open_tickets(taps, now=end))
    return _fact_or_none(shop, "experiences_open_72h", day, count, known, timezone)
