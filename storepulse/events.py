"""Events that travel beside facts: what people and nodes did. Each is said once, by its key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from pydantic import TypeAdapter

from storepulse.checklists import Checklist
from storepulse.phones import check_phone_id, check_phone_name, check_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistMade:
    """The node judged a photo and made this checklist."""

    checklist: Checklist


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMarked:
    """A clerk, or the after photo, said how one item of a checklist stands."""

    checklist: str
    item: str
    state: Literal["done", "cannot_do", "not_true", "confirmed", "reopened"]
    at: datetime
    by: Literal["clerk", "after_photo", "rest"] = "clerk"
    reason: str = ""
    until: date | None = None
    """Of a cannot_do that will right itself: findings of this product rest up to this day."""


NodeActionEvent = Literal[
    "receipt_stored", "opened", "ticked", "declined", "withdrawal_stored",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMarked:
    """The node's receipt for an action ("receipt_stored"), what became of it afterwards, or the
    receipt for its withdrawal."""

    action: str
    event: NodeActionEvent
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionTapped:
    """A member of staff received a customer."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperienceBegun:
    """A customer began to try something; the ticket ties a later deal to it."""

    ticket: str
    at: datetime
    link_sha256: str = ""
    """Checksum of the secret behind the ticket's QR, which only the customer gets; "": no QR."""

    def __post_init__(self) -> None:
        if self.link_sha256:
            check_sha256("link_sha256", self.link_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class DealMade:
    """A deal that names the ticket of its experience; without one it counts for no experience."""

    id: str
    at: datetime
    ticket: str | None = None
    amount: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TapUndone:
    """The last reception, experience or deal was a slip of the finger. Names its id or ticket."""

    tap: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersMerged:
    """A tombstone: the numbers `first` to `last` were merged into coarser facts for want of disk.

    They count as stored, so that the stream has no gap.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise ValueError(f"1 <= first <= last is needed, got {self.first} to {self.last}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePaired:
    """A phone paired with the node by a code. Said again when the phone got another token."""

    phone: str
    token_sha256: str
    """Of the token in its cookie, which nobody but the phone has."""
    name: str
    code_sha256: str
    at: datetime

    def __post_init__(self) -> None:
        check_phone_id(self.phone)
        check_phone_name(self.name)
        check_sha256("token_sha256", self.token_sha256)
        check_sha256("code_sha256", self.code_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneEnded:
    """A phone is paired no more: it said so itself, or the node's owner did."""

    phone: str
    at: datetime

    def __post_init__(self) -> None:
        check_phone_id(self.phone)


Event = (
    ChecklistMade | ItemMarked | ActionMarked | ReceptionTapped | ExperienceBegun | DealMade
    | TapUndone | NumbersMerged | PhonePaired | PhoneEnded
)  # fmt: skip

EVENT_TYPES: Final[Mapping[str, type[Event]]] = {
    "storepulse.checklist.made.v1": ChecklistMade,
    "storepulse.item.marked.v1": ItemMarked,
    "storepulse.action.marked.v1": ActionMarked,
    "storepulse.reception.tapped.v1": ReceptionTapped,
    "storepulse.experience.begun.v1": ExperienceBegun,
    "storepulse.deal.made.v1": DealMade,
    "storepulse.tap.undone.v1": TapUndone,
    "storepulse.numbers.merged.v1": NumbersMerged,
    "storepulse.phone.paired.v1": PhonePaired,
    "storepulse.phone.ended.v1": PhoneEnded,
}
"""The CloudEvents type of each event, and back."""

EVENT_JSON: Final[Mapping[str, TypeAdapter[Event]]] = {
    name: TypeAdapter(kind) for name, kind in EVENT_TYPES.items()
}


def type_of(event: Event) -> str:
    """The CloudEvents type under which an event travels."""
    return next(name for name, kind in EVENT_TYPES.items() if type(event) is kind)
