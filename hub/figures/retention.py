"""Remove old facts by how long their metric is kept; the day figures that they gave stay.

Only facts go: never a code, a correction, an audit line or a fact's id (the same fact said again is
still the same). What stays for good whatever is set:

* a fact that arrived less than that long ago, however old its window: late rows are kept as long;
* a day of a metric of which any fact corrects another one, and what it corrects;
* a whole day's own fact;
* a day whose figure could not be told without the facts that would go: quarters beside a whole
  day's fact of another place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from hub.audit.store import MACHINE, record
from hub.codes.days import shop_days
from hub.codes.touched import known_shops
from hub.figures.store import (
    facts_of_metrics,
    put_window,
    removed_windows,
    touch_figures,
)
from hub.figures.windows import Window, is_correction, is_whole_day, together, window_of
from hub.metrics import CATALOGUE
from hub.store.database import Connection, Database
from hub.store.queries import question
from storepulse.errors import BadInput
from storepulse.facts import Fact

KEPT_DAYS_MIN: Final = 60
"""Codes look back 28 days, and the fold over days as many again."""
KEPT_DAYS_MAX: Final = 36_500
_ONE: Final = timedelta(days=1)
_CANDIDATES: Final = 200


class BadKeeping(BadInput):
    """A metric or a number of days that cannot be kept by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What went of one metric, or would go."""

    metric: str
    days_kept: int
    facts: int = 0
    shop_days: int = 0
    left: int = 0
    """Days of shops that are old enough and stay, for one of the reasons above."""
    oldest: date | None = None
    newest: date | None = None


def kept_days(connection: Connection) -> dict[str, int]:
    """For how many days each metric's facts are kept; those kept for ever miss."""
    rows = connection.execute(question("kept_days"))
    return {row["metric"]: row["days"] for row in rows}


def set_kept_days(connection: Connection, metric: str, days: int | None) -> None:
    """Set for how long a metric's facts are kept (None: for ever), and write it into the audit log.

    Raises:
        BadKeeping: no such metric, so few days that codes would miss facts, or more than a century.
    """
    if metric not in CATALOGUE:
        raise BadKeeping(f"unknown metric {metric!r}: `storepulse hub catalogue` lists them")
    if days is not None and days < KEPT_DAYS_MIN:
        raise BadKeeping(f"{days} days are too few: codes look back up to {KEPT_DAYS_MIN} days")
    if days is not None and days > KEPT_DAYS_MAX:
        raise BadKeeping(f"{days} days are too many: up to {KEPT_DAYS_MAX} can be set, or forever")
    before = kept_days(connection).get(metric)
    connection.execute(question("set_kept_days"), {"metric": metric, "days": days})
    record(
        connection, who=MACHINE, what="kept_days_set", about=f"metric:{metric}",
        detail={"before": before, "after": days},
    )  # fmt: skip


def remove_old_facts(
    database: Database,
    *,
    now: datetime,
    dry_run: bool = False,
    told: Callable[[Removed], None] = lambda _: None,
) -> list[Removed]:
    """Remove what is older than its metric is kept, a shop's day in a transaction.

    Args:
        dry_run: say what would go, and change nothing.
        told: is given each metric's figures as soon as they are final.
    """
    with database.connection() as connection:
        kept = kept_days(connection)
    found = []
    for metric, days in sorted(kept.items()):
        one = _remove_of(database, metric, days, now, dry_run=dry_run)
        told(one)
        found.append(one)
    if not dry_run:
        with database.connection() as connection:
            for one in found:
                if one.facts:
                    record(
                        connection, who="retention", what="facts_removed",
                        about=f"metric:{one.metric}",
                        detail={"facts": one.facts, "shop_days": one.shop_days},
                    )  # fmt: skip
    return found


def _remove_of(
    database: Database, metric: str, days: int, now: datetime, *, dry_run: bool
) -> Removed:
    before = now - timedelta(days=days)
    facts = gone = left = 0
    seen: list[date] = []
    after: tuple[str, date] = ("", date.min)
    while True:
        with database.connection() as connection:
            rows = connection.execute(
                question("old_fact_days"),
                {"metric": metric, "before": before, "shop": after[0],
                 "day": max(after[1], date(1, 1, 2)), "limit": _CANDIDATES},
            ).fetchall()  # fmt: skip
        for row in rows:
            after = (row["shop"], row["day"])
            with database.connection() as connection:
                count = _remove_day(connection, *after, metric, before, now, dry_run=dry_run)
            if count:
                facts, gone = facts + count, gone + 1
                seen.append(row["day"])
            else:
                left += 1
        if len(rows) < _CANDIDATES:
            break
    return Removed(
        metric=metric, days_kept=days, facts=facts, shop_days=gone, left=left,
        oldest=min(seen, default=None), newest=max(seen, default=None),
    )  # fmt: skip


def _remove_day(
    connection: Connection,
    shop: str,
    day: date,
    metric: str,
    before: datetime,
    now: datetime,
    *,
    dry_run: bool,
) -> int:
    known = known_shops(connection, [shop]).get(shop)
    if known is None:
        return 0
    facts = facts_of_metrics(connection, shop, [metric], day - _ONE, day)
    told = list(shop_days(shop, facts, known.timezone).on(metric, day))
    short = [
        fact
        for fact in facts_of_metrics(connection, shop, [metric], day, day)
        if not is_whole_day(fact)
    ]
    late = _received_since(connection, short, before)
    if not short or late or any(is_correction(fact) for fact in short):
        return 0
    stays = [fact for fact in told if is_whole_day(fact)]
    kept, whole = window_of(stays, metric), window_of(told, metric)
    base = removed_windows(connection, shop, [day]).get((metric, day))
    if stays and (kept is None or not _alike(kept, whole)):
        return 0  # beside a whole day of another place, the day's figure needs them
    if dry_run:
        return len(short)
    ids = [fact.id for fact in short]
    gone = connection.execute(question("remove_facts"), {"ids": ids}).rowcount
    if not stays:
        new_base = together([one for one in (base, whole) if one is not None], metric)
        assert new_base is not None
        put_window(connection, shop, metric, day, new_base, at=now)
    touch_figures(connection, shop, day)
    return gone


def _alike(one: Window, other: Window | None) -> bool:
    return other is not None and (one.value, one.low, one.high) == (
        other.value, other.low, other.high
    )  # fmt: skip


def _received_since(connection: Connection, facts: Sequence[Fact], before: datetime) -> bool:
    row: dict[str, Any] | None = connection.execute(
        question("facts_received_since"), {"ids": [fact.id for fact in facts], "before": before}
    ).fetchone()
    return row is not None and bool(row["any"])
