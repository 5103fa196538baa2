"""What of all that is called for is handed out now: by worth, with a cap and a cooldown. Pure.

Tasks that pile up are ignored, and the easiest is done first. So a person of a shift is given a
few, those that are worth most; the others are not pushed, and come when there is room and the code
still calls for them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.actions.kinds import slot_of
from hub.actions.opening import ShiftTime
from hub.actions.rules import ActionRules
from hub.codes.code import Code
from storepulse.actions import Action, ActionRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An action that was pushed before, as the plate sees it."""

    kind: str
    dimension: str
    bay: str
    role: ActionRole
    created_at: datetime
    over_at: datetime | None
    """When it was done or given up; None while it is open."""


def worth_of(code: Code, rules: ActionRules) -> float:
    """What an action for this code is worth, for the order only: 0 to the dimension's weight.

    How far the figure falls short of green, by how sure the colour is. What the playbook brought
    where it was tried comes to it when one is chosen (`hub.actions.choosing`).
    """
    if code.value is None or code.probability is None:
        return rules.worth_unknown
    short = (code.turns_green_at - code.value) / code.turns_green_at
    return rules.weights[code.dimension] * min(1.0, max(0.0, short)) * code.probability


def handed_out(
    called_for: Iterable[Action],
    given: Sequence[Given],
    rules: ActionRules,
    *,
    shift: ShiftTime,
    staff: int,
    now: datetime,
) -> list[Action]:
    """The actions of one shop that are pushed now, the most worth first.

    A place on the plate is taken by what is open, and by what this shift was given and has done: an
    action that is quickly ticked off makes no room for a longer list.

    Args:
        called_for: what the codes call for.
        given: what was pushed to the shop and is open, or was over within the longest cooldown.
        staff: people of the shift; counts as one where it is less.
    """
    room = {
        role: rules.open_at_once_max * max(1, staff) - _taken(given, role, shift)
        for role in ("clerk", "region", "head_office")
    }
    chosen: list[Action] = []
    known = {_stands_for(one) for one in given if _rests(one, rules, now)}
    for action in sorted(called_for, key=lambda one: (-one.worth, one.id)):
        stands_for = (slot_of(action.kind), action.dimension, action.dims.get("bay", ""))
        if stands_for in known or room[action.role] <= 0:
            continue
        known.add(stands_for)
        room[action.role] -= 1
        chosen.append(replace(action, shift=shift.name))
    return chosen


def _taken(given: Iterable[Given], role: ActionRole, shift: ShiftTime) -> int:
    return sum(
        one.role == role and (one.over_at is None or one.created_at >= shift.begins_at)
        for one in given
    )


def _rests(one: Given, rules: ActionRules, now: datetime) -> bool:
    """Whether another one like this must wait."""
    if one.over_at is None:
        return True
    return now < one.over_at + timedelta(hours=rules.cooldown_hours_of(one.kind))


def _stands_for(one: Given) -> tuple[str, str, str]:
    return (slot_of(one.kind), one.dimension, one.bay)
