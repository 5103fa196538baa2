"""Compute codes from the facts in the database: reads facts, asks `hub.codes.code`, stores nothing.

The rim between the store and the pure codes, for the command line, the API and the scheduler.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Final

from hub.codes.code import Code, codes_of_days, first_day_needed
from hub.codes.days import ShopDays, local_day, shop_days
from hub.codes.effective import ShopKind, effective
from hub.codes.policy import POLICY_JSON, Policy, default_policy, policy_from
from hub.codes.store import StoredCode, StoredPolicy, insert_policy, policies
from hub.codes.touched import KnownShop, known_shops, newest_fact_day
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Connection
from storepulse.actions import DIMENSIONS
from storepulse.errors import BadInput
from storepulse.facts import Fact

CODE_METRICS: Final = (
    "receptions", "staff_on_duty", "exposure_main_push", "facing_compliance", "dwell_mean",
    "experiences", "experience_deals",
)  # fmt: skip
"""The metrics that codes are always made of; a policy's further rules look at others beside."""
_SHOPS_AT_ONCE: Final = 50
"""Facts of so many shops are held in memory: three weeks of a late shop must not exhaust it."""


class UnknownShop(BadInput):
    """A shop that neither a list nor a fact has named."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The published policies, and one that takes their place where it is given by hand."""

    published: Sequence[Policy]
    given: Policy | None = None

    def in_force(self, day: date) -> Policy:
        """The policy of a day: the one that started last, of those the highest version."""
        if self.given is not None:
            return self.given
        started = [policy for policy in self.published if policy.starts_on <= day]
        # Before the first one there was none: its oldest then stands in.
        if not started:
            return min(self.published, key=lambda one: (one.starts_on, one.version))
        return max(started, key=lambda one: (one.starts_on, one.version))

    def in_force_at(self, kind: ShopKind, day: date) -> Policy:
        """The same with the overrides of a shop applied."""
        return effective(self.in_force(day), kind)


def ensure_default_policy(connection: Connection) -> None:
    """Publish the policy that comes with storepulse, where no policy has been published."""
    if not policies(connection):
        policy = default_policy()
        insert_policy(
            connection,
            StoredPolicy(
                version=policy.version, name=policy.name, starts_on=policy.starts_on,
                body=POLICY_JSON.dump_python(policy, mode="json"),
            ),
        )  # fmt: skip


def read_policies(connection: Connection, given: Policy | None = None) -> Policies:
    """The published policies; where none is, the default one (nothing is written for it)."""
    published = [
        policy_from(one.body, called=f"version {one.version} of the database")
        for one in policies(connection)
    ]
    return Policies(published or [default_policy()], given)


def compute_codes(
    connection: Connection,
    wanted: Mapping[str, Sequence[date]],
    of_policy: Policies,
    *,
    now: datetime,
) -> Iterator[tuple[Code, ...]]:
    """The four codes of each wanted shop and day, shop by shop, computed from the facts.

    Raises:
        UnknownShop: a wanted shop is not known.
    """
    for shop, days in shops_with_days(connection, wanted, of_policy):
        yield from codes_of_shop_days(days, shop, wanted[days.shop], of_policy, now)


def shops_with_days(
    connection: Connection, wanted: Mapping[str, Sequence[date]], *of_policies: Policies
) -> Iterator[tuple[KnownShop, ShopDays]]:
    """Each wanted shop with the facts that its codes need under these policies, some at a time.

    Raises:
        UnknownShop: a wanted shop is not known.
    """
    shops = known_shops(connection, sorted(wanted))
    for shop in wanted:
        if shop not in shops:
            raise UnknownShop(f"shop {shop!r} is not known: no list and no fact names it")
    waiting = iter(sorted(shop for shop, days in wanted.items() if days))
    while some := list(islice(waiting, _SHOPS_AT_ONCE)):
        facts = _facts_of(connection, {shop: wanted[shop] for shop in some}, of_policies)
        for shop in some:
            yield shops[shop], shop_days(shop, facts.get(shop, []), shops[shop].timezone)


def _facts_of(
    connection: Connection, wanted: Mapping[str, Sequence[date]], of_policies: Sequence[Policies]
) -> dict[str, list[Fact]]:
    asked = {day for days in wanted.values() for day in days}
    used = {one.in_force(day) for one in of_policies for day in asked}
    first = min(first_day_needed(policy, day) for policy in used for day in asked)
    last = max(asked)
    facts: dict[str, list[Fact]] = {}
    for dated in facts_of_days(
        connection, first, last, shops=list(wanted), metrics=metrics_of(used)
    ):
        facts.setdefault(dated.fact.shop, []).append(dated.fact)
    return facts


def metrics_of(policies: Iterable[Policy]) -> list[str]:
    """The metrics whose facts these policies look at, overrides included."""
    found = set(CODE_METRICS)
    for policy in policies:
        for one in (policy, *policy.overrides):
            parts = (getattr(one, dimension) for dimension in DIMENSIONS)
            rules = (rule for part in parts if part is not None for rule in part.further or ())
            found |= {condition.metric for rule in rules for condition in rule.when}
    return sorted(found)


def codes_of_shop_days(
    known: ShopDays, shop: KnownShop, wanted: Sequence[date], of_policy: Policies, now: datetime
) -> Iterator[tuple[Code, ...]]:
    """The four codes of one shop on these days, each under the policy in force there and then."""
    kind = ShopKind(shop=known.shop, region=shop.region, format=shop.format)
    since = local_day(shop.since, shop.timezone)
    by_version: dict[int, list[date]] = {}
    for day in sorted(set(wanted)):
        by_version.setdefault(of_policy.in_force(day).version, []).append(day)
    for some in by_version.values():
        policy = of_policy.in_force_at(kind, some[0])
        yield from codes_of_days(known, policy, some, now=now, known_since=since).values()


def day_shown(connection: Connection, *, shops: Sequence[str] | None = None) -> date | None:
    """The newest day with a fact that codes are made of; None before the first fact."""
    return newest_fact_day(connection, CODE_METRICS, shops=shops)


def as_stored(code: Code, *, computed_at: datetime) -> StoredCode:
    """A code as the database keeps it."""
    return StoredCode(
        shop=code.shop, dimension=code.dimension, day=code.day, computed_at=computed_at,
        policy_version=code.policy_version, colour=code.colour, probability=code.probability,
        value=code.value, low=code.low, high=code.high, rule=code.rule,
        turns_green_at=code.turns_green_at, turning=code.turning, facts=code.facts,
        unit=code.unit, turns_green_when=code.turns_green_when, unknown_days=code.unknown_days,
        rule_zh=code.rule_zh, turns_green_when_zh=code.turns_green_when_zh,
    )  # fmt: skip
