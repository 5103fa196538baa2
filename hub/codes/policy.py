"""The policy: thresholds, rules and evidence needed, as data. Judges no shop.

Read from JSON by `read_policy`; `policy_schema` is the JSON Schema that the same types give. What
a policy says of one shop, overrides included, is `hub.codes.effective`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, ClassVar, Final, Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hub.codes.changes import Override, Weekday
from hub.codes.colours import COLOURS
from hub.codes.conditions import FurtherRule
from hub.playbooks import Playbook
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.errors import BadInput
from storepulse.wire import explain

WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
_STRICT: Final = ConfigDict(extra="forbid")
POLICY_BYTES_MAX: Final = 1_000_000
FURTHER_MAX: Final = 12
OVERRIDES_MAX: Final = 2000
_ALSO_MAX: Final = 10


class BadPolicy(BadInput):
    """A policy that cannot be used; the message names the field and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A colour, and the limit below which a shop gets it on so many days running.

    A figure exactly at the limit is not below it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    colour: Literal["red", "orange", "yellow"]
    below: float
    days_running: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.below < 1e6:
            raise ValueError(f"below must lie above 0 and below 1000000, got {self.below}")
        if not 1 <= self.days_running <= 7:
            raise ValueError(f"days_running must be 1 to 7, got {self.days_running}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a figure needs to count. Short of it the code is unknown, never guessed."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    coverage_min: float = 0.5
    n_min: int = 0
    """Fewest observations (visits, experiences); not asked of facts that do not say their n."""
    valid_days: int = 1
    """For how many open days a figure stands until a newer one replaces it, its own included."""
    hours_min: float = 0.0
    """While a day is running, its sum counts only from this span on: a morning is not a day."""
    running_within_days: int = 7
    """The days of a rule with `days_running` must lie within so many open days."""

    def __post_init__(self) -> None:
        if not 0 <= self.coverage_min <= 1:
            raise ValueError(f"coverage_min must lie between 0 and 1, got {self.coverage_min}")
        if not 0 <= self.n_min <= 1_000_000:
            raise ValueError(f"n_min must be 0 to 1000000, got {self.n_min}")
        if not 1 <= self.valid_days <= 14:
            raise ValueError(f"valid_days must be 1 to 14, got {self.valid_days}")
        if not 0 <= self.hours_min <= 24:
            raise ValueError(f"hours_min must be 0 to 24, got {self.hours_min}")
        if not 1 <= self.running_within_days <= 28:
            raise ValueError(f"running_within_days must be 1 to 28, got {self.running_within_days}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Which playbook is pushed, and how soon it is due."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    playbook: str
    due_hours: float
    also: tuple[str, ...] = ()
    """Others that may stand in its place, in this order while no trial says which is worth more."""

    def __post_init__(self) -> None:
        for name in self.named:
            if not name.isidentifier():
                raise ValueError(f"playbook must be a playbook's name, got {name!r}")
        if len(self.also) > _ALSO_MAX or len(set(self.named)) != len(self.named):
            raise ValueError(f"also: at most {_ALSO_MAX} others, each once, got {self.also}")
        if not 0 < self.due_hours <= 24 * 28:
            raise ValueError(f"due_hours must be above 0, at most 672, got {self.due_hours}")

    @property
    def named(self) -> tuple[str, ...]:
        """All of them, the default first."""
        return (self.playbook, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionPolicy:
    """How one dimension is coloured: the worst rule that holds, else green."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    rules: tuple[Rule, ...]
    """One for each of red, orange and yellow, worst first, limits not rising."""
    evidence: Evidence
    push: Push
    """What a red code pushes."""
    further: tuple[FurtherRule, ...] = ()
    """Rules by other metrics: a colour that the dimension then has at least."""

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.further]
        if len(names) > FURTHER_MAX or len(set(names)) != len(names):
            raise ValueError(f"further: at most {FURTHER_MAX} rules, each with a name of its own")
        colours = tuple(rule.colour for rule in self.rules)
        if colours != tuple(reversed(COLOURS[1:])):
            raise ValueError(
                f"rules must be one each for red, orange, yellow, in this order; got {colours}"
            )
        for worse, better in zip(self.rules, self.rules[1:], strict=False):
            if worse.below > better.below:
                raise ValueError(
                    f"the limit of {worse.colour} ({worse.below:g}) must not lie above that of "
                    f"{better.colour} ({better.below:g})"
                )
            if worse.below == better.below and worse.days_running <= better.days_running:
                raise ValueError(
                    f"{worse.colour} and {better.colour} have the same limit: {worse.colour} then "
                    "needs more days_running"
                )
        if self.rules[-1].days_running != 1:
            raise ValueError("the yellow rule must have days_running 1")
        if self.evidence.running_within_days < max(rule.days_running for rule in self.rules):
            raise ValueError("running_within_days must be at least the longest days_running")

    @property
    def green_from(self) -> float:
        """The value from which on a shop is green."""
        return self.rules[-1].below


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of how codes are judged, in force from a day on."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    version: int
    name: str
    starts_on: date
    open_weekdays: tuple[Weekday, ...] = WEEKDAYS
    change_probability: float = 0.8
    """A code leaves its colour only at this certainty."""
    history_days: int = 28
    """How far back the fold over days begins, without a colour."""
    unknown_days_max: int = 2
    """Unknown for more open days than this is itself an action."""
    people: DimensionPolicy
    goods: DimensionPolicy
    place: DimensionPolicy
    conversion: DimensionPolicy
    evidence_missing: Push
    overrides: tuple[Override, ...] = ()
    """Applied by region, then by format, then by shop."""

    def __post_init__(self) -> None:
        if self.version < 1:
            raise ValueError(f"version counts from 1, got {self.version}")
        if not self.name.strip():
            raise ValueError("name must not be empty")
        if not self.open_weekdays or len(set(self.open_weekdays)) != len(self.open_weekdays):
            raise ValueError("open_weekdays must name at least one day, each once")
        if not 0.5 < self.change_probability < 1:
            raise ValueError(
                f"change_probability must lie above 0.5 and below 1, got {self.change_probability}"
            )
        if not 1 <= self.history_days <= 366:
            raise ValueError(f"history_days must be 1 to 366, got {self.history_days}")
        if not 0 <= self.unknown_days_max <= 28:
            raise ValueError(f"unknown_days_max must be 0 to 28, got {self.unknown_days_max}")
        places = [(one.kind, one.named) for one in self.overrides]
        if len(places) > OVERRIDES_MAX or len(set(places)) != len(places):
            raise ValueError(
                f"overrides: at most {OVERRIDES_MAX}, and each region, format and shop once"
            )
        self._check_dimensions()

    def _check_dimensions(self) -> None:
        for name in ("goods", "conversion"):
            if self.of(name).green_from > 1:
                raise ValueError(f"{name}.rules: limits are shares, from 0 to 1")
        if any(rule.days_running != 1 for rule in self.conversion.rules):
            raise ValueError(
                "conversion.rules: days_running must be 1, its window is 28 days already"
            )

    def of(self, dimension: Dimension) -> DimensionPolicy:
        """The part for one dimension."""
        part: DimensionPolicy = getattr(self, dimension)
        return part

    def is_open(self, day: date) -> bool:
        """Whether shops are open on this weekday."""
        return WEEKDAYS[day.weekday()] in self.open_weekdays

    def last_open(self, day: date) -> date:
        """The day itself or the newest open day before it."""
        while not self.is_open(day):
            day -= timedelta(days=1)
        return day

    def open_days_between(self, first: date, last: date) -> tuple[date, ...]:
        """The open days from `first` to `last`, both included, oldest first."""
        return _open_days_between(self.open_weekdays, first, last)


@lru_cache(maxsize=4096)
def _open_days_between(weekdays: tuple[Weekday, ...], first: date, last: date) -> tuple[date, ...]:
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(day for day in span if WEEKDAYS[day.weekday()] in weekdays)


@lru_cache(maxsize=4096)
def open_days(weekdays: tuple[Weekday, ...], *, until: date, count: int) -> tuple[date, ...]:
    """The last `count` open days, oldest first, the last not after `until`."""
    days: list[date] = []
    while len(days) < count:
        if WEEKDAYS[until.weekday()] in weekdays:
            days.append(until)
        until -= timedelta(days=1)
    return tuple(reversed(days))


POLICY_JSON: TypeAdapter[Policy] = TypeAdapter(Policy)


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, as the types above give it."""
    return POLICY_JSON.json_schema()


def check_playbooks(policy: Policy, books: Mapping[str, Playbook], *, called: str) -> None:
    """Raise BadPolicy where a push names a playbook that is not among these, or not for it."""
    _check_playbook(policy.evidence_missing, "any", books, where=f"{called}: evidence_missing")
    for dimension in DIMENSIONS:
        push = policy.of(dimension).push
        _check_playbook(push, dimension, books, where=f"{called}: {dimension}.push")


def _check_playbook(
    push: Push, dimension: str, books: Mapping[str, Playbook], *, where: str
) -> None:
    fitting = [name for name, one in books.items() if one.dimension == dimension]
    for field, names in (("playbook", [push.playbook]), ("also", push.also)):
        for name in names:
            if name not in fitting:
                raise BadPolicy(
                    f"policy {where}.{field}: {name!r} is none for this; there are "
                    f"{', '.join(sorted(fitting))}"
                )


def policy_from(body: Mapping[str, Any], *, called: str) -> Policy:
    """Read a policy from parsed JSON, as the database keeps it. Raises BadPolicy."""
    try:
        return POLICY_JSON.validate_python(body, strict=False)
    except ValidationError as error:
        raise BadPolicy(f"policy {called}: {explain(error)}") from error


@cache
def default_policy() -> Policy:
    """The policy that comes with storepulse (`hub/default_policy.json`)."""
    return policy_from(default_json(), called="hub/default_policy.json")


def default_json() -> dict[str, Any]:
    """The same as JSON, to start a policy of one's own from."""
    text = (files("hub.codes") / "default_policy.json").read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text)
    return body
