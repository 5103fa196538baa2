"""Which planograms a node should hold, as the hub tells it. The words only: fetches nothing."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from storepulse.phones import check_sha256

PLAN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""What an id must be to stand in a file's name and in an address."""
PLAN_BYTES_MAX: Final = 24 * 1024 * 1024
"""One planogram with its pictures; one made from a photo has about 1 MB."""
PLANS_MAX: Final = 1000
"""Of one shop: a hundred bays with ten versions that are still to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDue:
    """A published planogram that a shop's nodes should hold: in force there, or yet to start."""

    planogram: str
    version: int
    sha256: str
    """Of the file as the hub gives it."""
    bays: tuple[str, ...]
    """Of the node's shop."""
    starts_on: date | None = None
    """In the shop's own calendar; None: at once."""

    def __post_init__(self) -> None:
        if not PLAN_NAME.fullmatch(self.planogram):
            raise ValueError(f"planogram {self.planogram!r} cannot be a file's name")
        if self.version < 1:
            raise ValueError(f"version must be 1 or more, got {self.version}")
        check_sha256("sha256", self.sha256)
        if not self.bays:
            raise ValueError(f"planogram {self.planogram} is for no bay")

    @property
    def key(self) -> str:
        """ID@VERSION, by which a node says that it holds it."""
        return f"{self.planogram}@{self.version}"
