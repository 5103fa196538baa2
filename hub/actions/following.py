"""Look after the actions that name a checklist: what its items and later photos say of them.

The rim: what it means is decided in `hub.actions.follow_up`. A few questions for all of a chain's
actions at once, and the photos only of shops of which something new was heard.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from hub.actions.follow_up import EXPOSURE, follow_up
from hub.actions.store import StoredAction, actions_by_checklist, move_action
from hub.codes.computing import Policies, read_policies, shop_kinds
from hub.codes.touched import in_state_since
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import Action
from storepulse.facts import Fact

_LOOK_BACK: Final = timedelta(days=63)
"""The longest due time (28 days), so many days for a later photo, and a week."""
_PHOTOS_FOR: Final = timedelta(days=28)
"""So long after its day a later photo says something of what was done."""


def follow_checklists(
    connection: Connection, heard_of: Collection[str] | None, *, now: datetime
) -> int:
    """Move on what was worked off, or is confirmed or not by later photos; returns how many.

    Args:
        heard_of: shops whose facts have changed since this was asked last; None: perhaps all.
    """
    followed = actions_by_checklist(connection, since=now - _LOOK_BACK)
    if not followed:
        return 0
    items = _items(connection, [one.action for one in followed])
    since_of = in_state_since(connection, [one.action.id for one in followed])
    kinds = shop_kinds(connection, {one.action.shop for one in followed})
    policies: Policies | None = None
    moved = 0
    for one in followed:
        action = one.action
        since = since_of.get(action.id, action.created_at)
        facts: Sequence[Fact] = ()
        if one.state == "done" and (heard_of is None or action.shop in heard_of):
            facts = _later_photos(connection, one)
        policies = policies or read_policies(connection)
        event = follow_up(
            action, one.state, since=since, items=items.get((action.shop, action.checklist), {}),
            facts=facts,
            policy=policies.in_force_at(kinds[action.shop], date.fromisoformat(action.day)),
        )  # fmt: skip
        if event is not None:
            done = move_action(connection, action.id, event, at=now, reason="hub: later words")
            moved += done is not None
    return moved


def _items(
    connection: Connection, actions: Sequence[Action]
) -> dict[tuple[str, str | None], dict[str, tuple[str, datetime]]]:
    asked = {
        "shops": [one.shop for one in actions], "checklists": [one.checklist for one in actions]
    }  # fmt: skip
    found: dict[tuple[str, str | None], dict[str, tuple[str, datetime]]] = {}
    for row in connection.execute(question("items_of_checklists"), asked):
        standing = (row["state"], row["changed_at"])
        found.setdefault((row["shop"], row["checklist"]), {})[row["item"]] = standing
    return found


def _later_photos(connection: Connection, one: StoredAction) -> list[Fact]:
    first = date.fromisoformat(one.action.day)
    dated = facts_of_days(
        connection, first, first + _PHOTOS_FOR, shops=[one.action.shop], metrics=EXPOSURE
    )
    return [each.fact for each in dated]
