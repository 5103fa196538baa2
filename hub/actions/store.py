"""Actions in the database and their moves, by compare and set. Decides none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from hub.actions.plate import Given
from hub.actions.rules import RULES_JSON, ActionRules, default_rules, rules_from
from hub.actions.silence import Silence, Watched
from hub.actions.withdrawing import Standing
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import (
    ACTION_JSON,
    Action,
    ActionEvent,
    ActionState,
    Withdrawal,
    next_state,
)
from storepulse.topics import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAction:
    """An action to be pushed.

    `node_path` None: to the node that made its checklist, else to the shop's first node.
    `subject` tells two of one shop, kind, dimension and day apart, e.g. the ticket.
    """

    action: Action
    node_path: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAction:
    """An action and where it stands."""

    action: Action
    subject: str
    state: ActionState
    node_path: str | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step of an action."""

    action: str
    from_state: ActionState
    to_state: ActionState
    event: ActionEvent
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unsent:
    """An action that its node has not receipted yet."""

    to: Address
    action: Action


def insert_actions(connection: Connection, new: Sequence[NewAction]) -> list[str]:
    """Store actions as pushed; returns the ids that are new.

    One whose id, or whose (shop, kind, dimension, day, subject), is there already changes nothing.
    """
    inserted = []
    for one in new:
        action = one.action
        row = connection.execute(
            question("new_action"),
            {
                "id": action.id, "shop": action.shop, "kind": action.kind,
                "dimension": action.dimension, "day": date.fromisoformat(action.day),
                "subject": one.subject, "body": Jsonb(ACTION_JSON.dump_python(action, mode="json")),
                "created_at": action.created_at, "due_at": action.due_at,
                "node_path": one.node_path, "checklist": action.checklist,
                "role": action.role, "shift": action.shift, "worth": action.worth,
            },
        ).fetchone()  # fmt: skip
        if row is not None:
            inserted.append(row["id"])
    return inserted


def move_action(
    connection: Connection, action: str, event: ActionEvent, *, at: datetime, reason: str = ""
) -> Move | None:
    """Move an action by an event, and record the move.

    Returns:
        The move; None when there is no such action, or the event changes nothing in its state.
    """
    while True:
        row = connection.execute(question("action_states"), {"ids": [action]}).fetchone()
        if row is None:
            return None
        before: ActionState = row["state"]
        after = next_state(before, event)
        if after == before:
            return None
        step = {"id": action, "from": before, "to": after}
        if connection.execute(question("move_action"), step).fetchone() is None:
            # Somebody moved it first: the event meets a new state. Ends, as moves lead forward.
            continue
        connection.execute(
            question("new_action_move"), step | {"event": event, "at": at, "reason": reason}
        )
        return Move(
            action=action, from_state=before, to_state=after, event=event, at=at, reason=reason
        )


def note_delivered(connection: Connection, action: str, *, at: datetime) -> None:
    """The node holds the action: it is not sent again. The first time counts."""
    connection.execute(question("action_delivered"), {"id": action, "at": at})


def shops_of_actions(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The shop of each of these actions that is known."""
    rows = connection.execute(question("action_states"), {"ids": list(ids)})
    return {row["id"]: row["shop"] for row in rows}


def actions(
    connection: Connection,
    *,
    shops: Sequence[str] | None = None,
    day: date | None = None,
    states: Sequence[ActionState] | None = None,
) -> list[StoredAction]:
    """The actions, by day, shop, dimension and kind; None stands for all."""
    asked = {
        "shops": None if shops is None else list(shops), "day": day,
        "states": None if states is None else list(states),
    }  # fmt: skip
    return [_stored(row) for row in connection.execute(question("actions"), asked)]


def actions_by_checklist(connection: Connection, *, since: datetime) -> list[StoredAction]:
    """The actions that name a checklist, open or done, of those pushed since a moment."""
    rows = connection.execute(question("actions_by_checklist"), {"since": since})
    return [_stored(row) for row in rows]


def _stored(row: Mapping[str, Any]) -> StoredAction:
    return StoredAction(
        action=ACTION_JSON.validate_python(row["body"], strict=False),
        subject=row["subject"],
        state=row["state"],
        node_path=row["node_path"],
        delivered_at=row["delivered_at"],
    )


def moves_of(connection: Connection, action: str) -> list[Move]:
    """The steps of one action, oldest first."""
    return [Move(**row) for row in connection.execute(question("action_moves"), {"action": action})]


def due_actions(connection: Connection, *, now: datetime) -> list[str]:
    """Ids of the actions whose due time has passed and that are not overdue yet, oldest first."""
    return [row["id"] for row in connection.execute(question("due_actions"), {"now": now})]


def unsent_actions(
    connection: Connection,
    *,
    sent_before: datetime,
    node_path: str | None = None,
    limit: int = 500,
) -> list[Unsent]:
    """Actions without a receipt that were not sent since `sent_before`, by node, oldest first.

    A withdrawn one among them says so, and counts as sent when that was said.

    Without `node_path`: of all nodes that are not known to be offline.
    """
    asked: dict[str, Any] = {"node_path": node_path, "sent_before": sent_before, "limit": limit}
    return [
        Unsent(Address(row["chain"], row["shop"], row["node"]), _as_it_stands(row))
        for row in connection.execute(question("unsent_actions"), asked)
    ]


def _as_it_stands(row: Mapping[str, Any]) -> Action:
    action = ACTION_JSON.validate_python(row["body"], strict=False)
    if row["withdrawn_at"] is None:
        return action
    said = Withdrawal(
        at=row["withdrawn_at"], why=row["withdrawn_event"], reason=row["withdrawn_reason"]
    )
    return replace(action, withdrawn=said)


def note_withdrawal_kept(connection: Connection, action: str, *, at: datetime) -> None:
    """The node has taken it off its list: it is not told again. The first time counts."""
    connection.execute(question("withdrawal_kept"), {"id": action, "at": at})


def withdrawable_actions(connection: Connection, *, now: datetime) -> list[Standing]:
    """The open actions as withdrawing looks at them, oldest first."""
    rows = connection.execute(question("withdrawable_actions"), {"now": now})
    return [Standing(**row) for row in rows]


def given_actions(
    connection: Connection, shops: Sequence[str], *, since: datetime
) -> dict[str, list[Given]]:
    """What was pushed to these shops and is open, or was over since a moment."""
    found: dict[str, list[Given]] = {}
    asked = {"shops": list(shops), "since": since}
    for row in connection.execute(question("given_actions"), asked):
        found.setdefault(row.pop("shop"), []).append(Given(**row))
    return found


def read_rules_in_force(connection: Connection) -> ActionRules:
    """The rules published last, else those that come with storepulse."""
    row = connection.execute(question("rules_in_force")).fetchone()
    if row is None:
        return default_rules()
    return rules_from(row["body"], called=f"version {row['version']}")


def publish_rules(connection: Connection, rules: ActionRules) -> bool:
    """Put rules in force; False when their version is there already (nothing is changed)."""
    body = Jsonb(RULES_JSON.dump_python(rules, mode="json"))
    asked = {"version": rules.version, "body": body}
    return connection.execute(question("new_rules"), asked).fetchone() is not None


def videos(connection: Connection) -> dict[str, str]:
    """Where the video of each shop's reception is, for those that have one."""
    return {row["shop"]: row["address"] for row in connection.execute(question("videos"))}


def set_video(connection: Connection, shop: str, address: str) -> bool:
    """Say where a shop's video is; "" takes it away. False: there is no such shop."""
    asked = {"shop": shop, "address": address}
    return connection.execute(question("set_video"), asked).fetchone() is not None


def borne_out_actions(connection: Connection, *, since: datetime) -> dict[str, date]:
    """Done actions without a checklist that a code of a later day bears out, with that day.

    Of those pushed since a moment. What a checklist asked for, its items and photos confirm.
    """
    rows = connection.execute(question("borne_out_actions"), {"since": since})
    return {row["id"]: row["day"] for row in rows}


def watched_actions(connection: Connection, *, since: datetime) -> list[Watched]:
    """The open actions pushed since a moment that silence has not taken up, oldest first."""
    rows = connection.execute(question("watched_actions"), {"since": since})
    return [Watched(**row, escalated=False) for row in rows]


def insert_escalation(connection: Connection, found: Silence, *, at: datetime) -> bool:
    """Record that an action goes one level up; False when it has gone up before."""
    row = connection.execute(
        question("new_escalation"),
        {
            "action": found.action, "from_role": found.from_role, "to_role": found.to_role,
            "why": found.why, "at": at,
        },
    ).fetchone()  # fmt: skip
    return row is not None


def note_sent(connection: Connection, sent: Sequence[Action], *, at: datetime) -> None:
    """Remember when these actions were last sent, so that the timer does not send them at once."""
    withdrawn = [one.id for one in sent if one.withdrawn is not None]
    ids = [one.id for one in sent]
    connection.execute(question("actions_sent"), {"ids": ids, "withdrawn": withdrawn, "at": at})
