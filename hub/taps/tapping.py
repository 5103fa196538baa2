"""Read taps from the database, say which facts they make. `hub.taps.tickets` decides."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from hub.codes.days import local_day
from hub.codes.touched import known_shops
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Connection
from hub.taps.experiences import EXPERIENCE_DAYS
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
_LONGEST_BACK = timedelta(days=EXPERIENCE_DAYS + 1)


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
    for tap in receptions(connection, since, until, shops=names):
        received[tap.shop].append(tap.at)
    for one in experiences(connection, since, until, shops=names):
        begun[one.shop].append(Begun(one.ticket, one.begun_at))
    for deal in deals(connection, since, until, shops=names):
        if deal.ticket is not None:
            dealt[deal.shop].append(Dealt(deal.ticket, deal.made_at))
    return {shop: Taps(received[shop], begun[shop], dealt[shop]) for shop in names}


def facts_of_taps(
    connection: Connection, oldest: Mapping[str, datetime], *, now: datetime
) -> list[Fact]:
    """The facts that the taps of these shops make now, from the day of the given moment on.

    A tap three days back belongs to experiences up to 72 h older: those days are told again, too.
    """
    facts: list[Fact] = []
    zones = known_shops(connection, sorted(oldest))
    all_taps = taps_since(connection, oldest, now=now)
    for shop, taps in all_taps.items():
        if not (taps.receptions or taps.experiences):
            continue
        timezone = zones[shop].timezone
        first = local_day(oldest[shop] - timedelta(days=4), timezone)
        today = local_day(now, timezone)
        days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
        dated = facts_of_days(connection, first, today, shops=[shop], metrics=list(_METRICS))
        known = newest_versions(one.fact for one in dated if one.fact.source == SOURCE)
        facts += tap_facts(shop, taps, known, days, timezone=timezone, now=now)
        facts += _open_ones(shop, taps, days, known, timezone=timezone, now=now)
    return facts


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
