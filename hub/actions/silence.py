"""Whether an action met with silence, and who is told: one level up, once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hub.actions.opening import open_minutes
from hub.actions.rules import Hours
from storepulse.actions import ActionRole, ActionState

Why = Literal["not_seen", "not_done"]

LEVEL_ABOVE: Final[Mapping[ActionRole, ActionRole | None]] = {
    "clerk": "region",
    "region": "head_office",
    "head_office": None,
}
_WAITING: Final = frozenset({"pushed", "delivered", "seen", "overdue"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An action as silence looks at it."""

    id: str
    shop: str
    timezone: str
    role: ActionRole
    state: ActionState
    created_at: datetime
    due_at: datetime
    seen_at: datetime | None
    escalated: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """What goes one level up, and why."""

    action: str
    from_role: ActionRole
    to_role: ActionRole
    why: Why


def silence(
    one: Watched,
    hours: Hours,
    *,
    unseen_minutes_max: float,
    weekdays: frozenset[int],
    now: datetime,
) -> Silence | None:
    """Who must hear that nobody acts; None while there is time, or somebody has been told.

    Nobody is above head office. An action that was given to another role after it had gone up does
    not go up again: whoever gave it away knows of it.

    Args:
        weekdays: on which the shop is open, 0 for Monday.
    """
    above = LEVEL_ABOVE[one.role]
    if one.escalated or above is None or one.state not in _WAITING:
        return None
    if one.due_at <= now:
        return Silence(one.id, one.role, above, "not_done")
    if one.seen_at is not None or one.state == "seen":
        return None
    waited = open_minutes(one.created_at, now, hours, timezone=one.timezone, weekdays=weekdays)
    if waited >= unseen_minutes_max:
        return Silence(one.id, one.role, above, "not_seen")
    return None
