"""A fact: one figure about one shop and window, with its doubt. Says nothing of colours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a node or a feed saw in one window; immutable once said.

    `value` None says that the window was looked at and the evidence was too little: unknown, not
    zero. `low` and `high` are the 5th and 95th percentile. A figure that is counted rather than
    estimated (taps, till) may leave them out: it is then exact.

    Raises:
        ValueError: a field contradicts another or leaves its range.
    """

    id: str
    shop: str
    metric: str
    start: datetime
    end: datetime
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    """How many observations stand behind the figure (visits, facings, taps)."""
    coverage: float = 1.0
    """Share of what should have been seen that was seen, 0 to 1."""
    independent: float = 0.0
    """Share of the error's variance that is this window's own, 0 to 1.

    Windows of one source and method share the rest (their calibration error): added up, that part
    counts as fully correlated.
    """
    dims: Mapping[str, str] = field(default_factory=dict)
    """What the figure is broken down by, e.g. {"product": "p3", "bay": "b1"}."""
    method: str = "unstated"
    """Name and version of how it was estimated, e.g. "probes.visits/1"."""
    source: str = "unstated"
    """Who says so: a node's path or a feed's name."""

    def __post_init__(self) -> None:
        for name in ("id", "shop", "metric"):
            text = getattr(self, name)
            if not text.strip() or len(text) > 200:
                raise ValueError(f"{name} must have 1 to 200 characters")
        for name in ("start", "end"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"{name} needs a time zone, e.g. 2026-11-20T10:00:00+08:00")
        if self.end < self.start:
            raise ValueError(f"end {self.end.isoformat()} lies before start")
        for name in ("coverage", "independent"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.n is not None and self.n < 0:
            raise ValueError(f"n must not be negative, got {self.n}")
        self._check_interval()

    def _check_interval(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high come together or not at all")
        if self.value is None:
            return
        if not isfinite(self.value):
            raise ValueError("value must be a finite number or null")
        if self.low is not None and self.high is not None:
            if not (isfinite(self.low) and isfinite(self.high)):
                raise ValueError("low and high must be finite numbers")
            if not self.low <= self.value <= self.high:
                raise ValueError(
                    f"low <= value <= high is needed, got {self.low}, {self.value}, {self.high}"
                )

    @property
    def exact(self) -> bool:
        """A counted figure: no interval was given, or one of no width."""
        return self.value is not None and (self.low is None or self.low == self.high)


FACT_JSON: TypeAdapter[Fact] = TypeAdapter(Fact)
