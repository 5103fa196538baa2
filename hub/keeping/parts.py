"""What an export holds: a table of its parts, in the order in which they are imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Meeting = Literal["refuse", "keep"]
"""What happens where this hub has the same key with other content: nothing is imported at all, or
this hub's own stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePart:
    """A table that goes out and comes in row by row, as JSON."""

    name: str
    table: str
    key: tuple[str, ...]
    meeting: Meeting
    leave_out: tuple[str, ...] = ()
    """Columns that mean nothing in another hub: who did it, and when it came."""
    only: str = "true"
    """Which rows go out, as SQL."""
    unless: str = "false"
    """Which rows (`said`) do not come in, as SQL over this hub's tables."""


TABLES: Final = (
    TablePart(name="policies", table="policies", key=("version",), meeting="refuse",
              leave_out=("published_at", "published_by")),
    TablePart(name="action_rules", table="action_rules", key=("version",), meeting="refuse",
              leave_out=("published_at",)),
    TablePart(name="playbooks", table="playbooks", key=("name", "version"), meeting="refuse",
              leave_out=("by", "published_at")),
    TablePart(name="planograms", table="plan_versions", key=("planogram", "version"),
              meeting="refuse", leave_out=("published_by",)),
    TablePart(name="planogram_places", table="plan_places",
              key=("planogram", "version", "shop", "bay"), meeting="refuse"),
    TablePart(name="planogram_drafts", table="plan_drafts", key=("planogram",), meeting="keep",
              leave_out=("changed_by", "changed_at", "revision")),
    TablePart(name="kept_days", table="kept_days", key=("metric",), meeting="keep"),
    # What was said by facts that are kept no longer; the other days are added up anew from the
    # facts, and so is this one where the other hub still has them.
    TablePart(name="removed_figures", table="day_figures", key=("shop", "metric", "day"),
              meeting="keep", only="removed is not null",
              unless="exists (select from facts where facts.shop = said.shop"
                     " and facts.metric = said.metric"
                     " and facts.started_at between said.day - 1 and said.day + 2)"),
    TablePart(name="receptions", table="receptions", key=("shop", "id"), meeting="keep"),
    TablePart(name="experiences", table="experiences", key=("shop", "ticket"), meeting="keep"),
    TablePart(name="deals", table="deals", key=("shop", "id"), meeting="keep"),
    TablePart(name="undone_taps", table="undone_taps", key=("shop", "tap"), meeting="keep"),
)  # fmt: skip
"""A hub without one of these tables (an older one) leaves it out."""

BY_NAME: Final[Mapping[str, TablePart]] = {part.name: part for part in TABLES}
SHOPS, PEOPLE, FACTS = "shops", "people", "facts"
ORDER: Final = (SHOPS, *BY_NAME, PEOPLE, FACTS)
