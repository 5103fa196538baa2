"""Read taps from the database, say which facts they make. `hub.taps.tickets` decides which, and
`hub.taps.plausible` how far they can be believed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import fsum

from hub.codes.days import ShopDays, coverage_of, hours_of, local_day, shop_days, totals
from hub.codes.touched import known_shops
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Connection
from hub.taps.experiences import EXPERIENCE_DAYS
from hub.taps.plausible import PAST_DAYS, VISITORS_COVERAGE_MIN, TapDay, plausible
from hub.taps.store import deals, experiences, receptions
from hub.taps.tickets import (
    SOURCE,
    Begun,
    Dealt,
    Taps,
    newest_versions,
    open_at_end_of,
    open_tickets,
    tap_facts,
)
from storepulse.facts import Fact

_METRICS = ("receptions", "experiences", "experience_deals", "experiences_open_72h")
# Experiences of 28 days; and 28 days with which a touched day's receptions are compared.
_LONGEST_BACK = timedelta(days=max(EXPERIENCE_DAYS, PAST_DAYS) + 5)
FED = "feed/"
"""How the ids of deals begin that a feed told (`hub.feeds.intake`), and nobody tapped."""


def taps_since(
    connection: Connection, shops: Mapping[str, datetime], *, now: datetime
) -> dict[str, Taps]:
    """The taps of each shop since its moment, and the experiences that were open before it."""
    if not shops:
        return {}
    since = min(shops.values()) - _LONGEST_BACK
    names = sorted(shops)
    # A little beyond now: a node's clock may be ahead of ours.
    until = now + timedelta(days=1)
    received: dict[str, list[datetime]] = defaultdict(list)
    begun: dict[str, list[Begun]] = defaultdict(list)
    dealt: dict[str, list[Dealt]] = defaultdict(list)
    till: dict[str, list[datetime]] = defaultdict(list)
    for tap in receptions(connection, since, until, shops=names):
        received[tap.shop].append(tap.at)
    for one in experiences(connection, since, until, shops=names):
        begun[one.shop].append(Begun(one.ticket, one.begun_at))
    for deal in deals(connection, since, until, shops=names):
        if deal.ticket is not None:
            dealt[deal.shop].append(Dealt(deal.ticket, deal.made_at))
        if deal.id.startswith(FED):
            till[deal.shop].append(deal.made_at)
    return {shop: Taps(received[shop], begun[shop], dealt[shop], till[shop]) for shop in names}


def facts_of_taps(
    connection: Connection, oldest: Mapping[str, datetime], *, now: datetime
) -> list[Fact]:
    """The facts that the taps of these shops make now, from the day of the given moment on.

    A tap three days back belongs to experiences up to 72 h older: those days are told again, too.
    """
    facts: list[Fact] = []
    zones = known_shops(connection, sorted(oldest))
    all_taps = taps_since(connection, oldest, now=now)
    bare = {shop for shop, one in all_taps.items() if not (one.receptions or one.experiences)}
    # Without taps now, and yet told of some: the only one was taken back.
    bare -= _told_of_taps(connection, {shop: oldest[shop] for shop in bare}, now=now)
    for shop, taps in all_taps.items():
        if shop in bare:
            continue
        timezone = zones[shop].timezone
        today = local_day(now, timezone)
        # By a clock that is days ahead a tap has not happened yet: it changes no day before today.
        first = min(today, local_day(oldest[shop] - timedelta(days=4), timezone))
        days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
        dated = facts_of_days(
            connection, first - timedelta(days=PAST_DAYS), today, shops=[shop],
            metrics=[*_METRICS, "visitors"],
        )  # fmt: skip
        known = newest_versions(one.fact for one in dated if one.fact.source == SOURCE)
        visitors = [one.fact for one in dated if one.fact.metric == "visitors"]
        believed = _believed(taps, shop_days(shop, visitors, timezone), days)
        facts += tap_facts(shop, taps, known, days, timezone=timezone, now=now, coverage=believed)
        facts += _open_ones(shop, taps, days, known, timezone=timezone, now=now)
    return facts


def _told_of_taps(
    connection: Connection, oldest: Mapping[str, datetime], *, now: datetime
) -> set[str]:
    if not oldest:
        return set()
    since = min(now, *oldest.values()) - timedelta(days=5)
    dated = facts_of_days(
        connection, since.date(), now.date() + timedelta(days=1), shops=sorted(oldest),
        metrics=_METRICS,
    )  # fmt: skip
    return {one.fact.shop for one in dated if one.fact.source == SOURCE}


def _believed(taps: Taps, visitors: ShopDays, days: Sequence[date]) -> dict[date, float]:
    """How far each day's receptions can be believed, beside visitors and the till's deals."""
    told = _tap_days(taps, visitors, days[0] - timedelta(days=PAST_DAYS), days[-1])
    return {
        day: plausible(
            told[day], [told[day - timedelta(days=n)] for n in range(1, PAST_DAYS + 1)]
        ).coverage
        for day in days
    }


def _tap_days(taps: Taps, visitors: ShopDays, first: date, last: date) -> dict[date, TapDay]:
    received = Counter(local_day(at, visitors.timezone) for at in taps.receptions)
    sold = Counter(local_day(at, visitors.timezone) for at in taps.till)
    found: dict[date, TapDay] = {}
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        seen = totals(visitors.on("visitors", day))
        known = [fact for fact in seen if fact.value is not None]
        heard = bool(known) and coverage_of(seen, hours_of) >= VISITORS_COVERAGE_MIN
        found[day] = TapDay(
            receptions=received[day],
            visitors=fsum(fact.value or 0.0 for fact in known) if heard else None,
            # Errors of one node and method are one error: their upper ends come together.
            visitors_high=fsum(_high(fact) for fact in known) if heard else None,
            deals=sold[day] if taps.till else None,
        )
    return found


def _high(fact: Fact) -> float:
    return (fact.value or 0.0) if fact.high is None else fact.high


def _open_ones(
    shop: str, taps: Taps, days: list[date], known: Mapping[str, Fact], *, timezone: str,
    now: datetime,
) -> list[Fact]:  # fmt: skip
    found = (open_at_end_of(shop, taps, day, known, timezone=timezone, now=now) for day in days)
    return [fact for fact in found if fact is not None]


def open_tickets_of(
    connection: Connection, shops: Mapping[str, datetime], *, now: datetime
) -> dict[str, list[str]]:
    """The tickets of each shop's experiences older than 72 h without a deal, oldest first."""
    return {
        shop: open_tickets(taps, now=now)
        for shop, taps in taps_since(connection, shops, now=now).items()
    }
