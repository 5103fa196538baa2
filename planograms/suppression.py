"""Findings that rest for some days, with a reason: a delivery is due, a promotion changes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from storepulse.checklists import Checklist, ChecklistItem

REST_DAYS_MAX: Final = 31
"""What rests longer is no delivery that is due: the planogram should change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Of one product nothing is asked at one bay, up to and with a day."""

    bay: str
    sku: str
    reason: str
    until: date

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("a finding rests for a reason: say it")


def last_day(today: date, days: int) -> date:
    """The day up to which something rests: 0 for today only.

    Raises:
        ValueError: below 0, or more than `REST_DAYS_MAX`.
    """
    if not 0 <= days <= REST_DAYS_MAX:
        raise ValueError(f"rest_days must lie between 0 and {REST_DAYS_MAX}, got {days}")
    return today + timedelta(days=days)


def resting(
    checklist: Checklist, rests: Iterable[Rest], *, today: date
) -> tuple[tuple[ChecklistItem, Rest], ...]:
    """The items of a checklist that rest on a day, each with why; an ended rest ends by itself."""
    known = {one.sku: one for one in rests if one.bay == checklist.bay and one.until >= today}
    return tuple(
        (item, known[item.sku])
        for item in checklist.items
        if item.sku is not None and item.sku in known
    )
