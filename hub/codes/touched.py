"""Whose codes are to be computed again, and what pushes must know. Reads and takes only.

The database notes by itself (triggers, migration 3) which shops and days a new fact, checklist or
tap touched, in the transaction that wrote it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hub.actions.pushes import OpenChecklist
from hub.store.database import Connection
from hub.store.queries import question

CHANNEL = "storepulse_touched"
"""A notification of this name says that there is something to take."""


@dataclass(frozen=True, slots=True)
class KnownShop:
    """A shop's time zone, since when the hub knows it, and what overrides of a policy go by."""

    timezone: str
    since: datetime
    region: str = ""
    format: str = ""


def touched_shops(connection: Connection) -> list[str]:
    """The shops of which anything was touched."""
    return [row["shop"] for row in connection.execute(question("touched_shops"))]


def take_touched_days(connection: Connection, shops: Sequence[str]) -> dict[str, list[date]]:
    """Take these shops' touched days; they are gone only if this transaction commits."""
    touched: dict[str, list[date]] = {}
    for row in connection.execute(question("take_touched_days"), {"shops": list(shops)}):
        touched.setdefault(row["shop"], []).append(row["day"])
    return touched


def take_touched_taps(connection: Connection, *, most: int) -> dict[str, datetime]:
    """Take shops whose taps changed, so many at most, each with the oldest such tap's moment."""
    rows = connection.execute(question("take_touched_taps"), {"limit": most})
    return {row["shop"]: row["oldest"] for row in rows}


def known_shops(connection: Connection, among: Sequence[str] | None = None) -> dict[str, KnownShop]:
    """Time zone and age of the shops, in order of their names; `among` None for all."""
    asked = None if among is None else list(among)
    rows = connection.execute(question("shops_known_since"), {"shops": asked})
    return {
        row["shop"]: KnownShop(row["timezone"], row["created_at"], row["region"], row["format"])
        for row in rows
    }


def newest_fact_day(
    connection: Connection, metrics: Sequence[str], *, shops: Sequence[str] | None = None
) -> date | None:
    """The newest local day with a fact of these metrics; None without any."""
    row = connection.execute(
        question("newest_fact_day"),
        {"metrics": list(metrics), "shops": None if shops is None else list(shops)},
    ).fetchone()
    assert row is not None
    found: date | None = row["day"]
    return found


def newest_code_day_seen(connection: Connection) -> date | None:
    """The newest day with stored codes of the shops of a session; only of its connection.

    Quick, however many facts there are. None without any.
    """
    row = connection.execute(question("newest_code_day_seen")).fetchone()
    assert row is not None
    found: date | None = row["day"]
    return found


def open_checklists(
    connection: Connection, shops: Sequence[str], since: datetime, until: datetime
) -> dict[str, OpenChecklist]:
    """The newest checklist with open items of each shop, made in since..until."""
    newest: dict[str, OpenChecklist] = {}
    asked = {"shops": list(shops), "since": since, "until": until}
    for row in connection.execute(question("open_checklists"), asked):
        newest.setdefault(row["shop"], _open_checklist(row))
    return newest


def _open_checklist(row: Mapping[str, Any]) -> OpenChecklist:
    return OpenChecklist(row["id"], row["bay"], row["open_items"], row["photo"])


def in_state_since(connection: Connection, actions: Sequence[str]) -> Mapping[str, datetime]:
    """When each action last moved; one that never moved is left out."""
    rows = connection.execute(question("moves_since"), {"ids": list(actions)})
    return {row["action"]: row["at"] for row in rows}
