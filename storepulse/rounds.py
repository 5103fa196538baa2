"""Rounds and rests as the hub tells a node of them. The words only: works nothing out.

A round is the photos that are due: of which bays, on which weekdays, in which windows of a shop's
day. A rest says that of a product nothing is asked for some days, and why.
"""

from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from typing import Final, Literal, get_args

from storepulse.plans import PLAN_NAME

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
"""As `date.weekday` counts them."""
RestReason = Literal["delivery_due", "promotion_change", "other"]
REST_REASONS: Final[tuple[RestReason, ...]] = get_args(RestReason)

BAY_MAX: Final = 100
BAYS_MAX: Final = 500
WINDOWS_MAX: Final = 24
ROUNDS_MAX: Final = 100
"""Of one shop, versions that are still to start included."""
RESTS_MAX: Final = 1000
"""Of one shop at once."""
ANYWHERE: Final = ""
"""As the bay of a rest: in every bay of the shop."""
_NOTE_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When the photos of a round may be taken, by the shop's own clock."""

    opens: time
    due: time
    """Who comes later is late: the photo counts all the same."""

    def __post_init__(self) -> None:
        if self.opens.tzinfo is not None or self.due.tzinfo is not None:
            raise ValueError("times of a round are those of the shop: leave the zone out")
        if self.due <= self.opens:
            raise ValueError(
                f"a window must be due after it opens, and on the same day: got "
                f"{self.opens:%H:%M} to {self.due:%H:%M}"
            )


ONCE_A_DAY: Final = Window(opens=time(0, 0), due=time(23, 59))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDue:
    """One version of a round, as it is for one shop."""

    round: str
    version: int
    name: str
    windows: tuple[Window, ...]
    bays: tuple[str, ...] = ()
    """In walking order; none: every bay that has a planogram."""
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    """None: from this version on the round is not for this shop any more."""
    starts_on: date | None = None
    """In the shop's own calendar; None: at once."""

    def __post_init__(self) -> None:
        if not PLAN_NAME.fullmatch(self.round):
            raise ValueError(
                f"round {self.round[:40]!r}: use up to 100 letters (a to z), digits, dots, dashes "
                "and underscores, starting with a letter or digit"
            )
        if self.version < 1:
            raise ValueError(f"version must be 1 or more, got {self.version}")
        if not 0 < len(self.name.strip()) <= 200:
            raise ValueError("a round needs a name of up to 200 characters")
        if not 0 < len(self.windows) <= WINDOWS_MAX:
            raise ValueError(f"a round has 1 to {WINDOWS_MAX} windows, got {len(self.windows)}")
        if len(self.bays) > BAYS_MAX:
            raise ValueError(f"a round has at most {BAYS_MAX} bays, got {len(self.bays)}")
        for bay in self.bays:
            if not 0 < len(bay.strip()) <= BAY_MAX:
                raise ValueError(f"a bay has 1 to {BAY_MAX} characters, got {bay[:40]!r}")
        for what, said in (("bay", self.bays), ("weekday", self.weekdays)):
            if len(set(said)) != len(said):
                raise ValueError(f"a {what} is named twice in round {self.round}")
        order = sorted(self.windows, key=lambda window: window.opens)
        for before, after in pairwise(order):
            if after.opens < before.due:
                raise ValueError(
                    f"windows of round {self.round} overlap: {before.opens:%H:%M} to "
                    f"{before.due:%H:%M} and {after.opens:%H:%M} to {after.due:%H:%M}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDue:
    """Of one product nothing is asked at one bay of a shop, up to and with a day."""

    bay: str
    """`ANYWHERE`: in all bays."""
    sku: str
    reason: RestReason
    until: date
    """The last day, in the shop's own calendar."""
    note: str = ""

    def __post_init__(self) -> None:
        if len(self.bay) > BAY_MAX:
            raise ValueError(f"a bay has at most {BAY_MAX} characters")
        if not 0 < len(self.sku.strip()) <= 200:
            raise ValueError("a rest needs the SKU of a product, of up to 200 characters")
        if len(self.note) > _NOTE_MAX:
            raise ValueError(f"a note has at most {_NOTE_MAX} characters, got {len(self.note)}")
