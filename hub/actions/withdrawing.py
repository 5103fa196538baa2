"""Whether an open action need not be done any more, and why. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.actions.kinds import CHECKLIST_KIND, LAYOUT_KIND, MISSING_KIND
from storepulse.actions import ActionState, WithdrawnWhy


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An open action, the newest code of its dimension, and how its trial stands."""

    id: str
    kind: str
    state: ActionState
    day: date
    """Whose code called for it."""
    due_at: datetime
    code_day: date | None
    """Of the newest code from that day on; None: there is none."""
    colour: str | None
    trial_state: str | None
    """None: it is of no trial."""
    trial_ends_on: date | None
    today: date
    """In the shop's own calendar."""


def why_withdrawn(one: Standing, *, days_after_due: float, now: datetime) -> WithdrawnWhy | None:
    """Why nobody need do it any more; None: it stands.

    Somebody who has opened it may finish it on the day on which its code turns: only a later day's
    code takes it out of their hands. A code that is not known takes nothing away.
    """
    if now >= one.due_at + timedelta(days=days_after_due):
        return "expired"
    if one.kind == LAYOUT_KIND:
        return None if _is_tried(one) else "cause_gone"
    if one.code_day is None or one.colour in (None, "unknown"):
        return None
    if one.state == "seen" and one.code_day <= one.day:
        return None
    if one.state == "overdue" and one.kind == CHECKLIST_KIND:
        # A policy may judge by overdue checklists: only what is done on the shelf ends them.
        return None
    # Evidence that was missing is there as soon as any colour is; else red called for it.
    return "cause_gone" if one.kind == MISSING_KIND or one.colour != "red" else None


def reason_of(one: Standing, why: WithdrawnWhy) -> str:
    """Why, in words for the history."""
    if why == "expired":
        return f"not done, and due since {one.due_at:%Y-%m-%d}"
    if one.kind == LAYOUT_KIND:
        return "its trial is over"
    return f"code of {one.code_day} is {one.colour}"


def _is_tried(one: Standing) -> bool:
    if one.trial_state == "rolled_out":
        return True
    ends_on = one.trial_ends_on
    return one.trial_state == "running" and ends_on is not None and one.today <= ends_on
