"""Actions as a list to work off: filtered, by worth, each with its history. Changes nothing.

The same questions for the owner of the machine and for a session, which sees its own shops only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import ACTION_JSON, Action, ActionRole, ActionState, Dimension

LIST_MAX: Final = 500
"""Most actions of one answer: nobody works off a longer list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep:
    """One thing that happened to an action."""

    at: datetime
    what: str
    """moved, escalated, reassigned or dismissed."""
    how: str
    """The event of a move, such as "ticked"; else empty."""
    came_from: str
    """The state before; for a turn the role before."""
    went_to: str
    reason: str
    by_whom: str | None
    """The person's name; None: the shop's node, or the hub itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """That silence was noticed, once."""

    to_role: ActionRole
    why: str
    """not_seen: nothing opened in time; not_done: the due time passed."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAction(Action):
    """An action with whom it is with now and what became of it."""

    shop_name: str
    region: str
    state: ActionState
    delivered_at: datetime | None
    seen_at: datetime | None
    assignee: UUID | None
    assignee_name: str | None
    escalation: Escalation | None
    history: tuple[ActionStep, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedActions:
    """Actions, open ones first and among them the most worth; `more` says that there are others."""

    actions: tuple[ListedAction, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which actions; None stands for all."""

    id: str | None = None
    shop: str | None = None
    shops: tuple[str, ...] | None = None
    region: str | None = None
    dimension: Dimension | None = None
    kind: str | None = None
    role: ActionRole | None = None
    states: tuple[ActionState, ...] | None = None
    escalated: bool | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """Somebody who could be given an action."""

    id: UUID
    name: str
    role: ActionRole


def listed_actions(connection: Connection, wanted: Filter, *, limit: int = 200) -> ListedActions:
    """The actions that a filter lets through, at most LIST_MAX."""
    limit = min(limit, LIST_MAX)
    asked = {one.name: getattr(wanted, one.name) for one in fields(wanted)}
    for name in ("states", "shops"):
        asked[name] = None if asked[name] is None else list(asked[name])
    rows = connection.execute(question("action_list"), asked | {"limit": limit + 1}).fetchall()
    shown = rows[:limit]
    steps = steps_of(connection, [row["id"] for row in shown])
    told = tuple(_listed(row, steps.get(row["id"], ())) for row in shown)
    return ListedActions(actions=told, more=len(rows) > limit)


def steps_of(connection: Connection, actions: Sequence[str]) -> dict[str, tuple[ActionStep, ...]]:
    """What became of each of these actions; one that nothing happened to is left out."""
    found: dict[str, list[ActionStep]] = {}
    for row in connection.execute(question("action_steps"), {"ids": list(actions)}):
        found.setdefault(row.pop("action"), []).append(ActionStep(**row))
    return {action: tuple(steps) for action, steps in found.items()}


def takers(connection: Connection, shop: str) -> list[Taker]:
    """Who works for a shop and has signed in; only of a session that leads the shop."""
    rows = connection.execute(question("who_takes"), {"shop": shop})
    return [Taker(**row) for row in rows]


def _listed(row: Mapping[str, Any], steps: tuple[ActionStep, ...]) -> ListedAction:
    action = ACTION_JSON.validate_python(row["body"], strict=False)
    said = {one.name: getattr(action, one.name) for one in fields(Action)}
    # What may have turned since it was pushed is told as it stands.
    said |= {name: row[name] for name in ("role", "shift", "worth")}
    escalation = None
    if row["escalated_at"] is not None:
        escalation = Escalation(
            to_role=row["escalated_to"], why=row["escalated_why"], at=row["escalated_at"]
        )
    told = {
        name: row[name]
        for name in (
            "shop_name", "region", "state", "delivered_at", "seen_at", "assignee", "assignee_name",
        )
    }  # fmt: skip
    return ListedAction(**said, **told, escalation=escalation, history=steps)
