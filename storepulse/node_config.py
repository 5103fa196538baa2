"""What the hub tells one node, as a value: codes, ended phones, planograms. Opens no connection."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter

from storepulse.phones import OpenCode, check_phone_id
from storepulse.plans import PLANS_MAX, PlanDue

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

    def __post_init__(self) -> None:
        if not 0 <= self.revision <= REVISION_MAX:
            raise ValueError(f"revision must lie between 0 and 2**53, got {self.revision}")
        for phone in self.ended:
            check_phone_id(phone)
        if len(self.plans) > PLANS_MAX:
            raise ValueError(f"at most {PLANS_MAX} planograms, got {len(self.plans)}")
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
