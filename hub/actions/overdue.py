"""Tell, as facts, how many checklists are overdue: a policy's further rule may look at it.

A fact is told when the number of a shop changes, and once on each day on which it is not 0.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub.actions.kinds import CHECKLIST_KIND
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact

SOURCE: Final = "hub"
METHOD: Final = "hub.actions.overdue/1"
Told = Mapping[str, tuple[date, int]]
"""Of each shop the day on which a number was told last, and the number."""


def count_overdue(connection: Connection) -> dict[str, tuple[str, int]]:
    """The time zone and the number of each shop that has any."""
    rows = connection.execute(question("overdue_checklists"), {"kind": CHECKLIST_KIND})
    return {row["shop"]: (row["timezone"], row["overdue"]) for row in rows}


def facts_of_overdue(
    now_overdue: Mapping[str, tuple[str, int]], told: Told, *, now: datetime
) -> tuple[list[Fact], dict[str, tuple[date, int]]]:
    """The facts to be told now, and what has been told after that. Pure.

    A shop that has none any more is told once, with 0, on the day on which that changed; whoever
    starts without a memory tells today's numbers again, under ids of their own.
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
        metric="checklists_overdue", start=now, end=now, value=float(count), method=METHOD,
        source=SOURCE,
    )  # fmt: skip
