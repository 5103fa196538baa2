"""What an override of a policy may change, as data: each names only what differs. Applies none."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict

from hub.codes.conditions import FurtherRule

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
OverrideKind = Literal["region", "format", "shop"]
KINDS: Final[tuple[OverrideKind, ...]] = ("region", "format", "shop")
"""In the order in which they are applied: what a shop's own override says, stands."""
_STRICT: Final = ConfigDict(extra="forbid")


def said(change: object) -> dict[str, Any]:
    """The fields of a change that say something."""
    return {
        field.name: getattr(change, field.name)
        for field in fields(change)  # type: ignore[arg-type]
        if getattr(change, field.name) is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """Another limit, or another number of days, for one colour."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    below: float | None = None
    days_running: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceChange:
    """What a figure needs to count, where it differs."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    coverage_min: float | None = None
    n_min: int | None = None
    valid_days: int | None = None
    hours_min: float | None = None
    running_within_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushChange:
    """Another playbook, or another due time."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    playbook: str | None = None
    due_hours: float | None = None
    also: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionChange:
    """What differs in one dimension."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    red: RuleChange | None = None
    orange: RuleChange | None = None
    yellow: RuleChange | None = None
    evidence: EvidenceChange | None = None
    push: PushChange | None = None
    further: tuple[FurtherRule, ...] | None = None
    """In place of all further rules of the dimension; an empty list switches them off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Where a policy differs for one region, one format or one shop."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    region: str | None = None
    format: str | None = None
    shop: str | None = None
    open_weekdays: tuple[Weekday, ...] | None = None
    change_probability: float | None = None
    unknown_days_max: int | None = None
    people: DimensionChange | None = None
    goods: DimensionChange | None = None
    place: DimensionChange | None = None
    conversion: DimensionChange | None = None

    def __post_init__(self) -> None:
        named = [getattr(self, kind) for kind in KINDS if getattr(self, kind) is not None]
        if len(named) != 1 or not named[0].strip():
            raise ValueError("an override names exactly one of region, format and shop")
        if len(said(self)) < 2:
            raise ValueError("an override changes something; name what differs")

    @property
    def kind(self) -> OverrideKind:
        """Of what it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def named(self) -> str:
        """The region, format or shop."""
        named: str = getattr(self, self.kind)
        return named
