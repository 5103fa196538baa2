"""Tell, as facts, how many checklists are overdue: a policy's further rule may look at it.

A fact is told when the number of a shop changes, and once on each day on which it is not 0.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hub.actions.kinds import CHECKLIST_KIND
from hub.codes.days import local_day
from hub.codes.touched import known_shops
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact

SOURCE: Final = "hub"
METRIC: Final = "checklists_overdue"
METHOD: Final = "hub.actions.overdue/1"
_ONE: Final = timedelta(days=1)
_LOOKED_BACK: Final = timedelta(days=14)
"""A hub was rarely away for longer; a number of that long ago colours no day of now."""
Told = Mapping[str, tuple[date, int]]
"""Of each shop the day on which a number was told last, and the number."""


def count_overdue(connection: Connection) -> dict[str, tuple[str, int]]:
    """The time zone and the number of each shop that has any."""
    rows = connection.execute(question("overdue_checklists"), {"kind": CHECKLIST_KIND})
    return {row["shop"]: (row["timezone"], row["overdue"]) for row in rows}


def told_before(connection: Connection, *, now: datetime) -> dict[str, tuple[date, int]]:
    """What a hub that starts had told of each shop whose number was not 0, from its own facts."""
    day = now.date()
    newest: dict[str, Fact] = {}
    for one in facts_of_days(connection, day - _LOOKED_BACK, day + _ONE, metrics=[METRIC]):
        fact = one.fact
        if fact.source == SOURCE and (
            fact.shop not in newest or newest[fact.shop].start < fact.start
        ):
            newest[fact.shop] = fact
    zones = known_shops(connection, sorted(newest))
    return {
        shop: (local_day(fact.start, zones[shop].timezone), int(fact.value))
        for shop, fact in newest.items()
        if fact.value and shop in zones
    }


def facts_of_overdue(
    now_overdue: Mapping[str, tuple[str, int]], told: Told, *, now: datetime
) -> tuple[list[Fact], dict[str, tuple[date, int]]]:
    """The facts to be told now, and what has been told after that. Pure.

    A shop that has none any more is told once, with 0, on the day on which that changed.
    """
    after: dict[str, tuple[date, int]] = {}
    facts: list[Fact] = []
    for shop, (timezone, count) in now_overdue.items():
        said = (now.astimezone(ZoneInfo(timezone)).date(), count)
        after[shop] = said
        if told.get(shop) != said:
            facts.append(_fact(shop, count, now))
    facts += [_fact(shop, 0, now) for shop in told if shop not in now_overdue]
    return facts, after


def _fact(shop: str, count: int, now: datetime) -> Fact:
    return Fact(
        id=f"hub|checklists_overdue|{shop}|{now.isoformat()}", shop=shop,
        metric=METRIC, start=now, end=now, value=float(count), method=METHOD,
        source=SOURCE,
    )  # fmt: skip
