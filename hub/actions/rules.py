"""How actions are handed out: opening hours, shifts, cap, cooldown, when silence counts. As data.

Judges nothing and reads no database. A chain's own rules are a JSON file like `default_rules.json`
beside this module; `rules_schema` is its JSON Schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from storepulse.actions import DIMENSIONS, Dimension
from storepulse.errors import BadInput
from storepulse.units import MIB
from storepulse.wire import explain

_STRICT: Final = ConfigDict(extra="forbid")
_BYTES_MAX: Final = 4 * MIB


class BadRules(BadInput):
    """Rules that cannot be used; the message names the field and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a shop is open, by its own clock. Past midnight is not possible."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    opens: time
    closes: time

    def __post_init__(self) -> None:
        _check_span("closes", self.opens, self.closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A part of the day that the same people work."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    name: str
    begins: time
    ends: time

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 40:
            raise ValueError(f"a shift's name has 1 to 40 characters, got {self.name!r}")
        _check_span("ends", self.begins, self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRules:
    """One version of the rules."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    version: int
    hours: Hours
    shop_hours: Mapping[str, Hours]
    """Of shops that have others."""
    shifts: tuple[Shift, ...]
    open_at_once_max: int
    """Most actions that one person of a shift is given; those worth most go first."""
    cooldown_hours: Mapping[str, float]
    """By kind: for so long after one is over, no other of the same kind (and bay)."""
    cooldown_hours_else: float
    unseen_minutes_max: float
    """So long in opening time nobody opened it: silence. It then goes one level up."""
    weights: Mapping[Dimension, float]
    """What a dimension counts in the order of actions."""
    worth_unknown: float
    """What an action for missing evidence counts."""
    withdrawn_days_after_due: float = 7.0
    """So long after its due time nobody is asked for it any more."""

    def __post_init__(self) -> None:
        if self.version < 1:
            raise ValueError(f"version counts from 1, got {self.version}")
        if not self.shifts:
            raise ValueError("shifts must name at least one")
        in_order = sorted(self.shifts, key=lambda one: one.begins)
        for one, next_one in pairwise(in_order):
            if next_one.begins < one.ends:
                raise ValueError(f"shifts {one.name} and {next_one.name} overlap")
        if len({one.name for one in self.shifts}) != len(self.shifts):
            raise ValueError("two shifts have one name")
        if not 1 <= self.open_at_once_max <= 50:
            raise ValueError(f"open_at_once_max must be 1 to 50, got {self.open_at_once_max}")
        for hours in (*self.cooldown_hours.values(), self.cooldown_hours_else):
            if not 0 <= hours <= 24 * 28:
                raise ValueError(f"cooldown hours must be 0 to 672, got {hours}")
        if not 1 <= self.unseen_minutes_max <= 24 * 60:
            raise ValueError(f"unseen_minutes_max must be 1 to 1440, got {self.unseen_minutes_max}")
        if not 0 < self.withdrawn_days_after_due <= 28:
            raise ValueError(
                "withdrawn_days_after_due must be above 0 and at most 28, got "
                f"{self.withdrawn_days_after_due}"
            )
        if set(self.weights) != set(DIMENSIONS):
            raise ValueError(f"weights must name {', '.join(DIMENSIONS)}")
        for weight in (*self.weights.values(), self.worth_unknown):
            if not 0 <= weight <= 100:
                raise ValueError(f"a weight must be 0 to 100, got {weight}")

    def hours_of(self, shop: str) -> Hours:
        """When a shop is open."""
        return self.shop_hours.get(shop, self.hours)

    def cooldown_hours_of(self, kind: str) -> float:
        """How long after one of this kind no other comes."""
        return self.cooldown_hours.get(kind, self.cooldown_hours_else)


RULES_JSON: Final[TypeAdapter[ActionRules]] = TypeAdapter(ActionRules)


def rules_schema() -> dict[str, Any]:
    """The JSON Schema of a file of rules."""
    return RULES_JSON.json_schema()


def rules_from(body: Mapping[str, Any], *, called: str) -> ActionRules:
    """Read rules from parsed JSON. Raises BadRules."""
    try:
        return RULES_JSON.validate_python(body, strict=False)
    except ValidationError as error:
        raise BadRules(f"rules {called}: {explain(error)}") from error


def read_rules(path: Path) -> ActionRules:
    """Read a file of rules.

    Raises:
        BadRules: it cannot be read, or is none.
    """
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise BadRules(f"rules {path}: larger than {_BYTES_MAX} bytes")
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRules(f"rules {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadRules(f"rules {path}: not JSON: {error}") from error
    return rules_from(body, called=str(path))


@cache
def default_rules() -> ActionRules:
    """The rules that come with storepulse."""
    text = (files("hub.actions") / "default_rules.json").read_text(encoding="utf-8")
    return rules_from(json.loads(text), called="hub/actions/default_rules.json")


def _check_span(name: str, first: time, last: time) -> None:
    if first.tzinfo is not None or last.tzinfo is not None:
        raise ValueError("times are by the shop's own clock, without a zone")
    if last <= first:
        raise ValueError(f"{name} must lie after {first:%H:%M}, got {last:%H:%M}")
