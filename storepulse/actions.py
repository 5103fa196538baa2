"""An action: something pushed to someone, with a due time and a state. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from pydantic import TypeAdapter

from storepulse.checklists import Sentence

Dimension = Literal["people", "goods", "place", "conversion"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("people", "goods", "place", "conversion")

ActionState = Literal[
    "pushed", "delivered", "seen", "done", "cannot_do", "confirmed", "overdue", "withdrawn",
]  # fmt: skip

ActionEvent = Literal[
    "receipt_stored", "opened", "ticked", "declined", "later_fact_agrees", "later_fact_differs",
    "due_time_passed", "dismissed", "expired", "cause_gone", "withdrawal_stored",
]  # fmt: skip

WithdrawnWhy = Literal["dismissed", "expired", "cause_gone"]
"""Somebody who leads the shop took it off the list; nobody did it long after its due time; the code
that called for it is not red (or unknown) any more, or its trial is over."""

ActionRole = Literal["clerk", "region", "head_office"]
ACTION_ROLES: Final[tuple[ActionRole, ...]] = ("clerk", "region", "head_office")
"""To whom an action can be addressed, each one level above the one before."""

_WITHDRAWN: Final[Mapping[ActionEvent, ActionState]] = {
    "dismissed": "withdrawn", "expired": "withdrawn", "cause_gone": "withdrawn",
}  # fmt: skip

ACTION_MOVES: Final[Mapping[ActionState, Mapping[ActionEvent, ActionState]]] = {
    "pushed": {
        "receipt_stored": "delivered", "opened": "seen", "ticked": "done",
        "declined": "cannot_do", "due_time_passed": "overdue", **_WITHDRAWN,
    },
    "delivered": {
        "opened": "seen", "ticked": "done", "declined": "cannot_do", "due_time_passed": "overdue",
        **_WITHDRAWN,
    },
    "seen": {
        "ticked": "done", "declined": "cannot_do", "due_time_passed": "overdue", **_WITHDRAWN,
    },
    "done": {"later_fact_agrees": "confirmed", "later_fact_differs": "seen"},
    "overdue": {"opened": "seen", "ticked": "done", "declined": "cannot_do", **_WITHDRAWN},
    "cannot_do": {},
    "confirmed": {},
    # Who did it before the word came down did it all the same.
    "withdrawn": {"ticked": "done"},
}  # fmt: skip
"""Every state, also the final ones; an event that is not listed changes nothing."""


def next_state(state: ActionState, event: ActionEvent) -> ActionState:
    """Where an action stands after an event; the same state when the event does not apply."""
    return ACTION_MOVES[state].get(event, state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """That nobody need do an action any more."""

    at: datetime
    why: WithdrawnWhy
    reason: str = ""
    """In somebody's words, or the hub's."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at needs a time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the hub asks of someone, why, and by when. Travels to the node as it is."""

    id: str
    shop: str
    kind: str
    """A playbook's name, e.g. "correction_checklist", "talk_track"."""
    dimension: Dimension
    day: str
    """The shop's local day whose code called for it, ISO 8601."""
    title: Sentence
    text: Sentence
    reason: str
    """The rule that decided, in words."""
    reason_zh: str = ""
    """The same in Chinese; empty in an action of an older hub."""
    created_at: datetime
    due_at: datetime
    checklist: str | None = None
    """Id of the node's own checklist that this asks to be worked off; never a second list."""
    evidence: tuple[str, ...] = ()
    """Ids of the facts behind it."""
    dims: Mapping[str, str] = field(default_factory=dict)
    role: ActionRole = "clerk"
    shift: str = ""
    """Name of the shift that it is meant for; empty: any."""
    worth: float = 0.0
    """By what actions are ordered, the highest first: no money, see `hub.actions.worth`."""
    figure: Sentence | None = None
    """The figure that called for it, with its unit."""
    limit: Sentence | None = None
    """The figure to reach."""
    picture: str = ""
    """Id of the judged photo that shows it; empty: there is none."""
    video: str = ""
    """Where its video is; empty: there is none."""
    chosen_because: Sentence | None = None
    """Why this playbook and no other: a trial, what trials showed, the policy's order. None: there
    was nothing to choose."""
    withdrawn: Withdrawal | None = None
    """The action comes down once more with this in it, and the node takes it off its list."""

    def __post_init__(self) -> None:
        for name in ("created_at", "due_at"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"{name} needs a time zone")


ACTION_JSON: TypeAdapter[Action] = TypeAdapter(Action)
