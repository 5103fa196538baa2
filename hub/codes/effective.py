"""What a policy says of one shop: its overrides applied. Pure, but for `read_policy`.

A region's override is applied first, then that of the format, then the shop's own; each changes
only what it names. `parse_policy` tries every combination that could meet in a shop, so that a
policy which was read never contradicts itself later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from hub.codes.changes import KINDS, DimensionChange, Override, said
from hub.codes.policy import (
    POLICY_BYTES_MAX,
    POLICY_JSON,
    BadPolicy,
    DimensionPolicy,
    Policy,
    check_playbooks,
)
from hub.playbooks import Playbook, playbooks
from storepulse.actions import DIMENSIONS
from storepulse.wire import explain

_COMBINATIONS_MAX: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopKind:
    """What an override can go by."""

    shop: str
    region: str = ""
    format: str = ""


class EffectivePolicy:
    """A policy as it holds in each shop; what several shops share is put together once."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._places = {(str(one.kind), one.named): n for n, one in enumerate(policy.overrides)}
        # Without the overrides, of which a large chain has many: none of them is its own any more.
        self._made: dict[tuple[int, ...], Policy] = {}
        self._made[()] = replace(policy, overrides=()) if policy.overrides else policy

    def at(self, kind: ShopKind) -> Policy:
        """The policy of one shop, without any overrides left in it."""
        if not self._places:
            return self._policy
        found = (self._places.get((name, getattr(kind, name))) for name in KINDS)
        numbers = tuple(number for number in found if number is not None)
        if numbers not in self._made:
            self._made[numbers] = _overridden(self._policy, numbers)
        return self._made[numbers]


def effective(policy: Policy, kind: ShopKind) -> Policy:
    """The same for one shop alone."""
    return EffectivePolicy(policy).at(kind)


def _overridden(policy: Policy, numbers: tuple[int, ...]) -> Policy:
    """Raises ValueError where the overrides contradict each other."""
    found = replace(policy, overrides=())
    for number in numbers:
        found = _changed(found, policy.overrides[number])
    return found


def _changed(policy: Policy, override: Override) -> Policy:
    what = {name: value for name, value in said(override).items() if name not in KINDS}
    for dimension in DIMENSIONS:
        if dimension in what:
            try:
                what[dimension] = _dimension(policy.of(dimension), what[dimension])
            except ValueError as error:
                raise ValueError(f"{dimension}: {error}") from error
    return replace(policy, **what)


def _dimension(part: DimensionPolicy, change: DimensionChange) -> DimensionPolicy:
    what = said(change)
    rules = tuple(
        replace(rule, **said(what[rule.colour])) if rule.colour in what else rule
        for rule in part.rules
    )
    return replace(
        part,
        rules=rules,
        evidence=replace(part.evidence, **said(what["evidence"]))
        if "evidence" in what
        else part.evidence,
        push=replace(part.push, **said(what["push"])) if "push" in what else part.push,
        further=what.get("further", part.further),
    )


def parse_policy(
    text: str | bytes, *, called: str, books: Mapping[str, Playbook] | None = None
) -> Policy:
    """Read a policy from JSON text; `called` names it in the error.

    Args:
        books: the playbooks that a push may name; None: those that come with storepulse.
    Raises:
        BadPolicy: it is not JSON, lacks a field, has one too many, a value out of range, names a
            playbook that there is not, or has overrides that contradict each other.
    """
    try:
        policy = POLICY_JSON.validate_json(text, strict=False)
    except ValidationError as error:
        raise BadPolicy(f"policy {called}: {explain(error)}") from error
    check_policy(policy, called=called, books=books)
    return policy


def check_policy(
    policy: Policy, *, called: str, books: Mapping[str, Playbook] | None = None
) -> None:
    """What the types alone cannot see: playbooks, and overrides that could meet in a shop.

    Args:
        books: as for `parse_policy`; a hub gives its own, edited ones.
    Raises:
        BadPolicy: names the field, or the overrides that do not go together.
    """
    known = playbooks() if books is None else books
    check_playbooks(policy, known, called=called)
    for numbers in _meeting(policy.overrides, called=called):
        try:
            check_playbooks(_overridden(policy, numbers), known, called=called)
        except ValueError as error:
            where = " with ".join(
                f"overrides.{number} ({policy.overrides[number].kind} "
                f"{policy.overrides[number].named})"
                for number in numbers
            )
            raise BadPolicy(f"policy {called}: {where}: {error}") from error


def _meeting(overrides: tuple[Override, ...], *, called: str) -> Iterator[tuple[int, ...]]:
    """The combinations of overrides that could meet: at most one of each kind. Singles first."""
    kinds = [
        [None, *(number for number, one in enumerate(overrides) if one.kind == kind)]
        for kind in KINDS
    ]
    if len(kinds[0]) * len(kinds[1]) * len(kinds[2]) > _COMBINATIONS_MAX:
        raise BadPolicy(
            f"policy {called}: overrides: more than {_COMBINATIONS_MAX} combinations of region, "
            "format and shop could meet; name fewer of them"
        )
    found = [tuple(n for n in some if n is not None) for some in product(*kinds)]
    yield from sorted((some for some in found if some), key=lambda some: (len(some), some))


def read_policy(path: Path, *, books: Mapping[str, Playbook] | None = None) -> Policy:
    """Read a policy file.

    Args:
        books: as for `parse_policy`.
    Raises:
        BadPolicy: it cannot be read, or is no policy.
    """
    try:
        if path.stat().st_size > POLICY_BYTES_MAX:
            raise BadPolicy(f"policy {path}: larger than {POLICY_BYTES_MAX} bytes")
        text = path.read_bytes()
    except OSError as error:
        raise BadPolicy(f"policy {path} cannot be read: {error.strerror}") from error
    return parse_policy(text, called=str(path), books=books)
