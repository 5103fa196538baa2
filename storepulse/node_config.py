"""What the hub tells one node, as a value: phones, planograms, rounds, rests. Opens nothing."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter

from storepulse.phones import OpenCode, check_phone_id
from storepulse.plans import PLANS_MAX, PlanDue
from storepulse.rounds import RESTS_MAX, ROUNDS_MAX, RestDue, RoundDue

REVISION_MAX: Final = 2**53
"""Beyond it JavaScript and JSON readers round."""


_PAGES_CHARACTERS_MAX: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """What the hub tells one node. Each is whole; a node ignores one older than what it has."""

    revision: int
    codes: tuple[OpenCode, ...] = ()
    """Of the hub's making, open for the node's shop; a node's own codes are its own affair."""
    ended: tuple[str, ...] = ()
    """Phones of this node that may do nothing any more."""
    timezone: str = "UTC"
    """Of the shop: its calendar says on which day a planogram starts."""
    plans: tuple[PlanDue, ...] = ()
    """The planograms that the node should hold; it fetches them at the hub's door."""
    ticket_pages: str = ""
    """Address behind which a ticket's secret stands in its QR; "": the hub has not said."""
    rounds: tuple[RoundDue, ...] = ()
    """Which photos are due when: in force, or yet to start."""
    rests: tuple[RestDue, ...] = ()
    """Of which products nothing is asked for some days."""

    def __post_init__(self) -> None:
        if not 0 <= self.revision <= REVISION_MAX:
            raise ValueError(f"revision must lie between 0 and 2**53, got {self.revision}")
        for phone in self.ended:
            check_phone_id(phone)
        for what, many, most in (
            ("planograms", self.plans, PLANS_MAX), ("rounds", self.rounds, ROUNDS_MAX),
            ("rests", self.rests, RESTS_MAX),
        ):  # fmt: skip
            if len(many) > most:
                raise ValueError(f"at most {most} {what}, got {len(many)}")
        pages = self.ticket_pages
        if pages and not (
            pages.startswith(("https://", "http://")) and len(pages) <= _PAGES_CHARACTERS_MAX
        ):
            raise ValueError(f"ticket_pages must be an address, got {pages!r}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"timezone {self.timezone!r} is none") from error


NODE_CONFIG_JSON: TypeAdapter[NodeConfig] = TypeAdapter(NodeConfig)
