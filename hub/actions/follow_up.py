"""What later words say of a correction action: worked off, confirmed, or not so. Pure.

Which event it is, not where it leads: the table of moves in `storepulse.actions` says that.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from hub.codes.days import ANNOTATIONS
from hub.codes.policy import Policy
from storepulse.actions import Action, ActionEvent, ActionState
from storepulse.facts import Fact

_CLOSED: Final = frozenset({"done", "cannot_do", "not_true", "confirmed"})
EXPOSURE: Final = ("exposure_main_push", "facing_compliance")
"""What a photo tells of how a bay stands; the first, where there is any, before the second."""


def follow_up(
    action: Action,
    state: ActionState,
    *,
    since: datetime,
    items: Mapping[str, tuple[str, datetime]],
    facts: Iterable[Fact],
    policy: Policy,
) -> ActionEvent | None:
    """The event that follows for an action that names a checklist; None if nothing is new.

    Args:
        since: when the action came into its state.
        items: how each item of its checklist stands, and since when.
        facts: goods facts of the shop; only those of the bay that end after `since` say something.
    """
    if action.checklist is None:
        return None
    if state != "done":
        closed = bool(items) and all(how in _CLOSED for how, _ in items.values())
        return "ticked" if closed and state in ("pushed", "delivered", "seen", "overdue") else None
    if any(how == "reopened" and at > since for how, at in items.values()):
        return "later_fact_differs"
    if items and all(how == "confirmed" for how, _ in items.values()):
        return "later_fact_agrees"
    if _green_again(action, facts, since=since, policy=policy):
        return "later_fact_agrees"
    return None


def _green_again(action: Action, facts: Iterable[Fact], *, since: datetime, policy: Policy) -> bool:
    bay = action.dims.get("bay", "")
    later = [
        fact
        for fact in facts
        if fact.end > since
        and fact.value is not None
        and fact.metric in EXPOSURE
        and fact.dims.get("bay", bay) == bay
        and set(fact.dims) - ANNOTATIONS <= {"bay"}
    ]
    main_push = [fact for fact in later if fact.metric == EXPOSURE[0]]
    newest = max(main_push or later, key=lambda fact: (fact.end, fact.id), default=None)
    return newest is not None and (newest.value or 0.0) >= policy.goods.green_from
