"""Receptions, experiences, deals and checklists in the database: as staff and nodes told them.

What was taken back (`TapUndone`) is left out of every answer. Draws no conclusion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from hub.store.database import Connection
from hub.store.queries import question
from storepulse.checklists import CHECKLIST_JSON, Checklist
from storepulse.events import (
    DealMade,
    ExperienceBegun,
    ItemMarked,
    ReceptionTapped,
    TapUndone,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """A customer tried something; the ticket is unique in its shop."""

    shop: str
    ticket: str
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A deal; without a ticket it counts for no experience."""

    shop: str
    id: str
    ticket: str | None
    made_at: datetime
    amount: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """A member of staff received a customer."""

    shop: str
    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MarkedItem:
    """How one item of a checklist stands."""

    item: str
    state: str
    reason: str
    changed_at: datetime


def insert_tap(
    connection: Connection, shop: str, tap: ReceptionTapped | ExperienceBegun | DealMade
) -> None:
    """Store a tap; one that is there already, or was undone before it arrived, stays as it is."""
    match tap:
        case ReceptionTapped():
            connection.execute(
                question("new_reception"), {"shop": shop, "id": tap.id, "at": tap.at}
            )
        case ExperienceBegun():
            connection.execute(
                question("new_experience"), {"shop": shop, "ticket": tap.ticket, "at": tap.at}
            )
            if tap.link_sha256:
                sha256 = bytes.fromhex(tap.link_sha256)
                asked = {"sha256": sha256, "shop": shop, "ticket": tap.ticket}
                connection.execute(question("keep_ticket_link"), asked)
        case DealMade():
            connection.execute(
                question("new_deal"),
                {
                    "shop": shop, "id": tap.id, "ticket": tap.ticket, "at": tap.at,
                    "amount": tap.amount,
                },
            )  # fmt: skip


def undo_tap(connection: Connection, shop: str, undone: TapUndone) -> None:
    """Take a tap back, also one that is still on its way."""
    connection.execute(question("undo_tap"), {"shop": shop, "tap": undone.tap, "at": undone.at})


def insert_checklist(connection: Connection, checklist: Checklist, *, node_path: str) -> bool:
    """Store a checklist and its open items; False when its id is taken (nothing is changed)."""
    row = connection.execute(
        question("new_checklist"),
        {
            "id": checklist.id, "shop": checklist.shop, "node_path": node_path,
            "bay": checklist.bay, "photo": checklist.photo, "planogram": checklist.planogram,
            "planogram_version": checklist.planogram_version, "made_at": checklist.made_at,
            "body": Jsonb(CHECKLIST_JSON.dump_python(checklist, mode="json")),
        },
    ).fetchone()  # fmt: skip
    if row is None:
        return False
    connection.execute(
        question("new_checklist_items"),
        {
            "shop": checklist.shop, "checklist": checklist.id, "at": checklist.made_at,
            "items": [item.id for item in checklist.items],
        },
    )  # fmt: skip
    return True


def mark_item(connection: Connection, shop: str, mark: ItemMarked) -> None:
    """Set how an item stands; an older mark than the one that is there changes nothing."""
    connection.execute(
        question("mark_item"),
        {
            "shop": shop, "checklist": mark.checklist, "item": mark.item, "state": mark.state,
            "reason": mark.reason, "at": mark.at,
        },
    )  # fmt: skip


def experiences(
    connection: Connection, since: datetime, until: datetime, *, shops: Sequence[str] | None = None
) -> list[Experience]:
    """The experiences begun in since..until (until left out), oldest first."""
    rows = connection.execute(question("experiences"), _asked(since, until, shops))
    return [Experience(**row) for row in rows]


def open_experiences(
    connection: Connection, since: datetime, until: datetime, *, shops: Sequence[str] | None = None
) -> list[Experience]:
    """Those of them that no deal names yet."""
    rows = connection.execute(question("open_experiences"), _asked(since, until, shops))
    return [Experience(**row) for row in rows]


def deals(
    connection: Connection, since: datetime, until: datetime, *, shops: Sequence[str] | None = None
) -> list[Deal]:
    """The deals made in since..until (until left out), oldest first."""
    return [
        Deal(**row) for row in connection.execute(question("deals"), _asked(since, until, shops))
    ]


def receptions(
    connection: Connection, since: datetime, until: datetime, *, shops: Sequence[str] | None = None
) -> list[Reception]:
    """The receptions of since..until (until left out), oldest first."""
    rows = connection.execute(question("receptions"), _asked(since, until, shops))
    return [Reception(**row) for row in rows]


def checklists(
    connection: Connection, since: datetime, until: datetime, *, shops: Sequence[str] | None = None
) -> list[Checklist]:
    """The checklists made in since..until (until left out), oldest first."""
    rows = connection.execute(question("checklists"), _asked(since, until, shops))
    return [CHECKLIST_JSON.validate_python(row["body"], strict=False) for row in rows]


def items_of(connection: Connection, shop: str, checklist: str) -> list[MarkedItem]:
    """How the items of a checklist stand, by item."""
    rows = connection.execute(question("checklist_items"), {"shop": shop, "checklist": checklist})
    return [MarkedItem(**row) for row in rows]


def _asked(since: datetime, until: datetime, shops: Sequence[str] | None) -> dict[str, Any]:
    return {"since": since, "until": until, "shops": None if shops is None else list(shops)}
