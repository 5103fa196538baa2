"""Checklists of this node and the marks on their items. Makes no checklist itself."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from edge.clock import Moment
from edge.disk import Disk
from edge.errors import NotHere
from edge.once import first_time
from edge.outbox import Outbox
from planograms.suppression import Rest, last_day, resting
from storepulse.checklists import CHECKLIST_JSON, Checklist, ItemState
from storepulse.errors import BadInput
from storepulse.events import ItemMarked
from storepulse.rounds import ANYWHERE, RestDue


def utc_today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


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

    def __init__(
        self,
        disk: Disk,
        outbox: Outbox,
        *,
        today: Callable[[], date] = utc_today,
        told_rests: Callable[[], Sequence[RestDue]] = tuple,
    ) -> None:
        """
        Args:
            today: in the shop's own calendar.
            told_rests: what the hub said that rests in this shop.
        """
        self._disk = disk
        self._told_rests = told_rests
        self._outbox = outbox
        self._today = today

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
        rest_days: int | None = None,
    ) -> KeptChecklist:
        """Keep what a clerk says of an item and tell the hub; the same UUID says it once.

        Args:
            rest_days: for so many days, today not counted, nothing is asked of this product at
                this bay; with "cannot_do" only. Any other word on an item of it ends that.
        Raises:
            NotHere: no such checklist or item.
            BadInput: "cannot_do" without a reason, or a rest that cannot be.
            Contradicts: the UUID was used for something else.
        """
        if state == "cannot_do" and not reason.strip():
            raise BadInput("say why it cannot be done: reason is empty")
        with self._disk.transaction() as db:
            kept = self.one(checklist)
            if item not in {one.id for one in kept.checklist.items}:
                raise NotHere(f"checklist {checklist!r} has no item {item!r}")
            asked = ["item", checklist, item, state, reason]
            about = json.dumps(asked + ([] if rest_days is None else [rest_days]),
                               ensure_ascii=False)  # fmt: skip
            if not first_time(db, uuid, about, moment.at):
                return kept
            (sku,) = (one.sku for one in kept.checklist.items if one.id == item)
            until = self._rest(kept.checklist.bay, sku, state, reason, rest_days, moment)
            said = ItemMarked(
                checklist=checklist, item=item, state=state, at=moment.at, reason=reason,
                until=until,
            )  # fmt: skip
            self.keep_mark(said, moment)
            return self.one(checklist)

    def _rest(
        self, bay: str, sku: str | None, state: ClerkState, reason: str, days: int | None,
        moment: Moment,
    ) -> date | None:  # fmt: skip
        if days is None:
            if state != "cannot_do":
                with self._disk.transaction() as db:
                    db.execute("delete from rests where bay = ? and sku = ?", (bay, sku))
            return None
        if state != "cannot_do" or sku is None:
            raise BadInput("rest_days goes with cannot_do, and with an item that names a product")
        try:
            until = last_day(self._today(), days)
        except ValueError as error:
            raise BadInput(str(error)) from error
        with self._disk.transaction() as db:
            db.execute(
                "insert or replace into rests (bay, sku, reason, until, at) values (?, ?, ?, ?, ?)",
                (bay, sku, reason, until.isoformat(), moment.at.isoformat()),
            )
        return until

    def resting(self, bay: str) -> tuple[Rest, ...]:
        """What rests at a bay today: as clerks here said, and as a manager said at the hub."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select bay, sku, reason, until from rests where bay = ?", (bay,)
            ).fetchall()
        here = [
            Rest(bay=bay, sku=sku, reason=reason, until=date.fromisoformat(until))
            for bay, sku, reason, until in rows
        ]
        # The manager's word counts where both spoke: it comes last.
        told = [
            Rest(bay=bay, sku=one.sku, reason=one.note or one.reason, until=one.until)
            for one in self._told_rests()
            if one.bay in (ANYWHERE, bay)
        ]
        today = self._today()
        return tuple(one for one in (*here, *told) if one.until >= today)

    def let_rest(self, checklist: Checklist, moment: Moment) -> frozenset[str]:
        """Mark what rests on a new checklist, within the transaction that keeps it.

        Returns:
            The planned positions that rest.
        """
        found = resting(checklist, self.resting(checklist.bay), today=self._today())
        for item, rest in found:
            said = ItemMarked(
                checklist=checklist.id, item=item.id, state="cannot_do", at=moment.at, by="rest",
                reason=rest.reason, until=rest.until,
            )  # fmt: skip
            self.keep_mark(said, moment)
        return frozenset(place for item, _ in found for place in item.positions)

    def keep_mark(self, said: ItemMarked, moment: Moment) -> None:
        """Keep how an item stands and tell the hub, within a transaction."""
        with self._disk.transaction() as db:
            db.execute(
                "insert or replace into items (checklist, item, state, reason, at) "
                "values (?, ?, ?, ?, ?)",
                (said.checklist, said.item, said.state, said.reason, said.at.isoformat()),
            )
            self._outbox.append([said], moment)
