"""Checklists of this node and the marks on their items. Makes no checklist itself."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edge.clock import Moment
from edge.disk import Disk
from edge.errors import NotHere
from edge.once import first_time
from edge.outbox import Outbox
from storepulse.checklists import CHECKLIST_JSON, Checklist, ItemState
from storepulse.errors import BadInput
from storepulse.events import ItemMarked

ClerkState = Literal["done", "cannot_do", "not_true"]


@dataclass(frozen=True, slots=True)
class ItemMark:
    """How one item stands; an item without a mark is open."""

    item: str
    state: ItemState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptChecklist:
    """A checklist and the marks that its items have so far."""

    checklist: Checklist
    marks: tuple[ItemMark, ...]


class Checks:
    """The checklists of one node."""

    def __init__(self, disk: Disk, outbox: Outbox) -> None:
        self._disk = disk
        self._outbox = outbox

    def keep(self, checklist: Checklist) -> None:
        """Keep a checklist, within the transaction that tells the hub of it."""
        with self._disk.transaction() as db:
            db.execute(
                "insert into checklists (id, bay, made_at, checklist) values (?, ?, ?, ?)",
                (
                    checklist.id, checklist.bay, checklist.made_at.isoformat(),
                    CHECKLIST_JSON.dump_json(checklist).decode(),
                ),
            )  # fmt: skip

    def one(self, checklist: str) -> KeptChecklist:
        """One checklist with its marks. Raises `NotHere`."""
        with self._disk.reading() as db:
            row = db.execute(
                "select checklist from checklists where id = ?", (checklist,)
            ).fetchone()
            marks = db.execute(
                "select item, state, reason, at from items where checklist = ? order by at, item",
                (checklist,),
            ).fetchall()
        if row is None:
            raise NotHere(f"no checklist {checklist!r} on this node")
        return KeptChecklist(
            CHECKLIST_JSON.validate_json(row[0]),
            tuple(ItemMark(i, s, r, datetime.fromisoformat(at)) for i, s, r, at in marks),
        )

    def newest(self, limit: int) -> list[KeptChecklist]:
        """The newest checklists, newest first."""
        with self._disk.reading() as db:
            ids = db.execute(
                "select id from checklists order by made_at desc, id limit ?", (limit,)
            ).fetchall()
            return [self.one(row[0]) for row in ids]

    def mark(
        self,
        checklist: str,
        item: str,
        state: ClerkState,
        moment: Moment,
        *,
        uuid: str,
        reason: str = "",
    ) -> KeptChecklist:
        """Keep what a clerk says of an item and tell the hub; the same UUID says it once.

        Raises:
            NotHere: no such checklist or item.
            BadInput: "cannot_do" without a reason.
            Contradicts: the UUID was used for something else.
        """
        if state == "cannot_do" and not reason.strip():
            raise BadInput("say why it cannot be done: reason is empty")
        with self._disk.transaction() as db:
            kept = self.one(checklist)
            if item not in {one.id for one in kept.checklist.items}:
                raise NotHere(f"checklist {checklist!r} has no item {item!r}")
            about = json.dumps(["item", checklist, item, state, reason], ensure_ascii=False)
            if not first_time(db, uuid, about):
                return kept
            said = ItemMarked(
                checklist=checklist, item=item, state=state, at=moment.at, reason=reason
            )
            self.keep_mark(said, moment)
            return self.one(checklist)

    def keep_mark(self, said: ItemMarked, moment: Moment) -> None:
        """Keep how an item stands and tell the hub, within a transaction."""
        with self._disk.transaction() as db:
            db.execute(
                "insert or replace into items (checklist, item, state, reason, at) "
                "values (?, ?, ?, ?, ?)",
                (said.checklist, said.item, said.state, said.reason, said.at.isoformat()),
            )
            self._outbox.append([said], moment)
