"""Actions that came down from the hub: kept once, receipted, and what became of them."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from edge.clock import Moment
from edge.disk import Disk
from edge.errors import Contradicts, NotHere
from edge.once import first_time
from edge.outbox import Outbox
from storepulse.actions import ACTION_JSON, Action, ActionState, next_state
from storepulse.events import ActionMarked, NodeActionEvent

log = logging.getLogger(__name__)

StaffEvent = Literal["opened", "ticked", "declined"]
_CLOSED: Final = frozenset({"done", "cannot_do", "confirmed", "withdrawn"})
RECEIPT_AGAIN_AFTER: Final = timedelta(minutes=10)
"""A hub that still sends an action so long after it acknowledged the receipt has lost it."""


@dataclass(frozen=True, slots=True)
class KeptAction:
    """An action and how it stands on this node."""

    action: Action
    state: ActionState
    received_at: datetime


class Inbox:
    """The actions of one node."""

    def __init__(self, disk: Disk, outbox: Outbox) -> None:
        self._disk = disk
        self._outbox = outbox

    def receive(self, actions: Sequence[Action], moment: Moment) -> tuple[str, ...]:
        """Keep each action and its receipt in one transaction; returns the ids that are new.

        One that comes again as withdrawn goes off the list, unless somebody here has done it or
        said why not: that stands, and the hub hears of it.

        An action that comes again gets no second receipt: the first lies in the outbox until the
        hub has it. Only a hub that acknowledged the receipt and still asks, minutes later, has
        gone back to an older state, and is told again.
        """
        new = []
        with self._disk.transaction() as db:
            for action in actions:
                row = db.execute(
                    "select receipt, receipt_at, state, withdrawal from actions where id = ?",
                    (action.id,),
                ).fetchone()
                if row is None:
                    self._keep(db, action, moment)
                    new.append(action.id)
                elif action.withdrawn is not None and row[3] is None:
                    self._withdraw(db, action, row[2], moment)
                elif action.withdrawn is None and self._asked_again(row[0], row[1], moment):
                    log.warning("the hub asks for the receipt of %s again", action.id)
                    receipt = self._say(action.id, "receipt_stored", moment)
                    db.execute(
                        "update actions set receipt = ?, receipt_at = ? where id = ?",
                        (receipt, moment.at.isoformat(), action.id),
                    )
                elif row[3] is not None and self._asked_again(row[3], row[1], moment):
                    log.warning("the hub asks again whether %s is withdrawn", action.id)
                    db.execute(
                        "update actions set withdrawal = ?, receipt_at = ? where id = ?",
                        (
                            self._say(action.id, "withdrawal_stored", moment),
                            moment.at.isoformat(), action.id,
                        ),
                    )  # fmt: skip
        return tuple(new)

    def _keep(self, db: sqlite3.Connection, action: Action, moment: Moment) -> None:
        receipt = self._say(action.id, "receipt_stored", moment)
        db.execute(
            "insert into actions (id, action, received_at, state, receipt, receipt_at)"
            " values (?, ?, ?, ?, ?, ?)",
            (
                action.id, ACTION_JSON.dump_json(action).decode(), moment.at.isoformat(),
                next_state("pushed", "receipt_stored"), receipt, moment.at.isoformat(),
            ),
        )  # fmt: skip
        if action.withdrawn is not None:
            # It was on its way when it was withdrawn: it stands in the history only.
            self._withdraw(db, action, "delivered", moment)

    def _withdraw(
        self, db: sqlite3.Connection, action: Action, state: ActionState, moment: Moment
    ) -> None:
        assert action.withdrawn is not None
        heard = self._say(action.id, "withdrawal_stored", moment)
        db.execute(
            "update actions set action = ?, state = ?, withdrawal = ?, receipt_at = ?"
            " where id = ?",
            (
                ACTION_JSON.dump_json(action).decode(), next_state(state, action.withdrawn.why),
                heard, moment.at.isoformat(), action.id,
            ),
        )  # fmt: skip

    def _asked_again(self, number: int, said_at: str, moment: Moment) -> bool:
        """Whether the hub acknowledged a receipt and, minutes later, still asks for it."""
        return (
            number <= self._outbox.acknowledged()
            and moment.at - datetime.fromisoformat(said_at) >= RECEIPT_AGAIN_AFTER
        )

    def mark(
        self, action: str, event: StaffEvent, moment: Moment, *, uuid: str | None, reason: str = ""
    ) -> KeptAction:
        """Say what a member of staff did with an action; the same UUID says it once.

        Without a UUID, saying again what the action is already is not told to the hub again.

        Raises:
            NotHere: no such action on this node.
            Contradicts: the UUID was used for something else, or the action is closed.
        """
        about = json.dumps(["action", action, event, reason], ensure_ascii=False)
        with self._disk.transaction() as db:
            kept = self.one(action)
            state = next_state(kept.state, event)
            known = (
                state == kept.state if uuid is None else not first_time(db, uuid, about, moment.at)
            )
            if known and (uuid is not None or kept.state not in _CLOSED):
                return kept
            if state == kept.state and kept.state in _CLOSED:
                raise Contradicts(f"action {action} is already {kept.state}: nothing was changed")
            db.execute("update actions set state = ? where id = ?", (state, action))
            said = ActionMarked(action=action, event=event, at=moment.at, reason=reason)
            self._outbox.append([said], moment)
        return KeptAction(kept.action, state, kept.received_at)

    def one(self, action: str) -> KeptAction:
        """One action. Raises `NotHere`."""
        with self._disk.reading() as db:
            row = db.execute(
                "select action, state, received_at from actions where id = ?", (action,)
            ).fetchone()
        if row is None:
            raise NotHere(f"no action {action!r} on this node")
        return _kept(row)

    def all(self) -> list[KeptAction]:
        """All actions, the newest first."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select action, state, received_at from actions order by received_at desc, id"
            ).fetchall()
        return [_kept(row) for row in rows]

    def _say(self, action: str, event: NodeActionEvent, moment: Moment) -> int:
        """Tell the hub; returns the number of the message."""
        said = ActionMarked(action=action, event=event, at=moment.at)
        (key,) = self._outbox.append([said], moment)
        return key.number


def _kept(row: tuple[str, ActionState, str]) -> KeptAction:
    return KeptAction(ACTION_JSON.validate_json(row[0]), row[1], datetime.fromisoformat(row[2]))
