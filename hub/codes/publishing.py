"""Try, publish and list policies: the rim between the database and the pure modules.

A version, once published, stays as it is. It starts today or later: yesterday's codes are judged
by the policy of yesterday, also when they are computed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from hub import audit
from hub.codes.code import Code
from hub.codes.computing import (
    Policies,
    codes_of_shop_days,
    day_shown,
    ensure_default_policy,
    read_policies,
    shops_with_days,
)
from hub.codes.effective import EffectivePolicy, ShopKind, check_policy
from hub.codes.policy import POLICY_JSON, BadPolicy, Policy
from hub.codes.store import policies as stored_policies
from hub.codes.touched import known_shops
from hub.codes.trial import TRIED_DAYS, Trial, tried
from hub.playbooks.store import playbooks_in_force
from hub.store.database import Connection
from hub.store.queries import question


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A published version, as a list tells it."""

    version: int
    name: str
    starts_on: date
    published_at: datetime | None
    """None for the default one of a hub that has not run yet."""
    published_by: str
    """A person's name; empty for what the machine itself published."""
    in_force: bool
    """On the day asked for."""


def list_policies(connection: Connection, on: date) -> list[PolicyVersion]:
    """All published versions, newest first; empty where no hub has run yet."""
    in_force = read_policies(connection).in_force(on).version
    return [
        PolicyVersion(
            version=one.version, name=one.name, starts_on=one.starts_on,
            published_at=one.published_at, published_by=one.published_by,
            in_force=one.version == in_force,
        )
        for one in reversed(stored_policies(connection))
    ]  # fmt: skip


def policy_of_version(connection: Connection, version: int) -> Policy | None:
    """A published version; None where there is none of this number."""
    published = read_policies(connection).published
    return next((one for one in published if one.version == version), None)


def next_draft(connection: Connection, on: date) -> Policy:
    """The newest published policy as a draft of the next version, starting on a day."""
    newest = max(read_policies(connection).published, key=lambda one: one.version)
    return replace(newest, version=newest.version + 1, starts_on=on)


def try_policy(
    connection: Connection, draft: Policy, *, now: datetime, days: int = TRIED_DAYS,
    last: date | None = None,
) -> Trial:  # fmt: skip
    """What a draft would have changed in these days, at the shops that the connection shows.

    Both sides are computed from the same facts, as of now; nothing is written.
    """
    shops = known_shops(connection)
    last = last or day_shown(connection) or now.date()
    first = last - timedelta(days=days - 1)
    wanted = {shop: [first + timedelta(days=n) for n in range(days)] for shop in shops}
    as_it_was = read_policies(connection)
    # Whenever it would start: it is tried as if it had been in force all the while.
    under_draft = Policies(as_it_was.published, draft)

    def pairs() -> Iterator[tuple[Code, Code]]:
        for shop, facts in shops_with_days(connection, wanted, as_it_was, under_draft):
            of_days = wanted[facts.shop]
            before = codes_of_shop_days(facts, shop, of_days, as_it_was, now)
            after = codes_of_shop_days(facts, shop, of_days, under_draft, now)
            for old, new in zip(before, after, strict=True):
                yield from zip(old, new, strict=True)

    of_draft = EffectivePolicy(draft)

    def of_shop(shop: str) -> Policy:
        known = shops[shop]
        return of_draft.at(ShopKind(shop=shop, region=known.region, format=known.format))

    return tried(draft, pairs(), first=first, last=last, of_shop=of_shop)


def publish_as_session(connection: Connection, draft: Policy, *, who: UUID) -> Policy:
    """Publish over a session's connection: the database finds who it is and whether it may.

    Raises:
        BadPolicy: the version is not the next one, or it starts in the past.
        PermissionError: the session may not.
    """
    check_policy(draft, called="draft", books=playbooks_in_force(connection))
    _put(connection, draft, question("publish_policy"), {"body": Jsonb(_json(draft))}, who)
    return draft


def publish_as_owner(connection: Connection, draft: Policy) -> Policy:
    """Publish on the hub's own machine. Raises BadPolicy as above."""
    check_policy(draft, called="draft", books=playbooks_in_force(connection))
    # Where no hub has run yet, the past is judged by what comes with storepulse all the same.
    ensure_default_policy(connection)
    asked = {
        "version": draft.version, "name": draft.name, "starts_on": draft.starts_on,
        "body": Jsonb(_json(draft)),
    }  # fmt: skip
    _put(connection, draft, question("put_policy"), asked, None)
    return draft


def _put(
    connection: Connection, draft: Policy, sql: Any, asked: dict[str, Any], who: UUID | None
) -> None:
    row = connection.execute(sql, asked).fetchone()
    assert row is not None
    if row["became"] == "not_yours":
        raise PermissionError("this session may not publish policies")
    if row["became"] == "taken":
        raise BadPolicy(
            f"policy draft: version: must be {row['next']}, the next one; got {draft.version}. "
            "Somebody may have published meanwhile: look at the difference, then set it"
        )
    if row["became"] == "past":
        raise BadPolicy(
            f"policy draft: starts_on: must be {row['first_day']} or later, got {draft.starts_on}: "
            "codes of days that are over are not judged anew"
        )
    audit.record(
        connection, who=who or audit.MACHINE, what="policy_published",
        about=f"policy:{draft.version}",
        detail={"name": draft.name, "starts_on": draft.starts_on.isoformat()},
    )  # fmt: skip


def _json(policy: Policy) -> Any:
    return POLICY_JSON.dump_python(policy, mode="json")


def differences(old: Any, new: Any, where: str = "") -> list[tuple[str, Any, Any]]:
    """The fields in which two policies, as JSON, differ: (field, old, new); None: is not there."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in [*old, *(name for name in new if name not in old)]:
            at = f"{where}.{name}" if where else str(name)
            found += differences(old.get(name), new.get(name), at)
        return found
    if isinstance(old, list) and isinstance(new, list) and (
        len(old) == len(new) or all(isinstance(one, dict) for one in [*old, *new])
    ):  # fmt: skip
        found = []
        for number in range(max(len(old), len(new))):
            pair = [side[number] if number < len(side) else None for side in (old, new)]
            found += differences(pair[0], pair[1], f"{where}.{number}")
        return found
    return [] if old == new else [(where, old, new)]


def policy_json(policy: Policy) -> dict[str, Any]:
    """A policy as a file holds it."""
    body: dict[str, Any] = _json(policy)
    return body
