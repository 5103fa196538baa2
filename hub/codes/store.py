"""Codes and policies in the database. Computes none; a stored code is never overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from hub.store.database import Connection
from hub.store.queries import question

_CODES_LOCK: Final = 7_405_815  # one writer of codes at a time: versions count without holes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCode:
    """One dimension of one shop on one day, as it was computed. `version` counts from 1."""

    shop: str
    dimension: str
    day: date
    computed_at: datetime
    policy_version: int
    colour: str
    probability: float | None
    """None when unknown."""
    value: float | None
    low: float | None
    high: float | None
    rule: str
    turns_green_at: Any = None
    """Any JSON value."""
    turning: str | None = None
    facts: tuple[str, ...] = ()
    unit: str = ""
    turns_green_when: str = ""
    rule_zh: str = ""
    """In Chinese; empty in a code of before migration 10."""
    turns_green_when_zh: str = ""
    unknown_days: int = 0
    version: int = 0
    """Set when it is stored; what is given is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy:
    """A published version of the policy; `body` is its JSON."""

    version: int
    name: str
    starts_on: date
    body: Any
    published_at: datetime | None = field(default=None, compare=False)
    """Set by the database, which also knows who it was; not part of what was published."""
    published_by: str = field(default="", compare=False)


def insert_codes(connection: Connection, codes: Sequence[StoredCode]) -> list[StoredCode]:
    """Store codes as new versions; those that say what the newest version says are left out.

    Returns:
        What was stored now, with its version.
    """
    if not codes:
        return []
    connection.execute("select pg_advisory_xact_lock(%s)", [_CODES_LOCK])
    days = [code.day for code in codes]
    before = {
        (code.shop, code.dimension, code.day): code
        for code in codes_of_days(
            connection, min(days), max(days), shops=sorted({code.shop for code in codes})
        )
    }
    stored = []
    for code in codes:
        place = (code.shop, code.dimension, code.day)
        known = before.get(place)
        if known is not None and _says_the_same(known, code):
            continue
        new = StoredCode(**_fields(code) | {"version": known.version + 1 if known else 1})
        before[place] = new
        stored.append(new)
    with connection.cursor() as cursor:
        cursor.executemany(question("new_code"), [_row(code) for code in stored])
    return stored


def codes_of_days(
    connection: Connection, first: date, last: date, *, shops: Sequence[str] | None = None
) -> list[StoredCode]:
    """The newest version of every code of these days, by shop, dimension and day."""
    rows = connection.execute(
        question("latest_code"),
        {"first": first, "last": last, "shops": None if shops is None else list(shops)},
    )
    return [StoredCode(**row | {"facts": tuple(row["facts"])}) for row in rows]


def insert_policy(connection: Connection, policy: StoredPolicy) -> bool:
    """Publish a policy; False when its version is there already (and stays as it was)."""
    done = connection.execute(
        question("new_policy"),
        {
            "version": policy.version, "name": policy.name, "starts_on": policy.starts_on,
            "body": Jsonb(policy.body),
        },
    )  # fmt: skip
    return done.rowcount == 1


def policies(connection: Connection) -> list[StoredPolicy]:
    """All published policies, by version; empty before the first."""
    return [
        StoredPolicy(
            version=row["version"],
            name=row["name"],
            starts_on=row["starts_on"],
            body=row["body"],
            published_at=row["published_at"],
            published_by=row["published_by"],
        )
        for row in connection.execute(question("policies"))
    ]


def _fields(code: StoredCode) -> dict[str, Any]:
    return {name: getattr(code, name) for name in StoredCode.__dataclass_fields__}


def _says_the_same(known: StoredCode, new: StoredCode) -> bool:
    left_out: dict[str, Any] = {"computed_at": None, "version": None}
    if not known.rule_zh:
        # Of before migration 10: to say the same in one more language is no correction.
        left_out |= {"rule_zh": None, "turns_green_when_zh": None}
    return _fields(known) | left_out == _fields(new) | left_out


def _row(code: StoredCode) -> dict[str, Any]:
    turns = None if code.turns_green_at is None else Jsonb(code.turns_green_at)
    return _fields(code) | {"turns_green_at": turns, "facts": list(code.facts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeVersion:
    """What one version of a code said, without its words."""

    dimension: str
    day: date
    version: int
    computed_at: datetime
    policy_version: int
    colour: str
    probability: float | None
    value: float | None
    turning: str | None


def code_versions(connection: Connection, shop: str, first: date, last: date) -> list[CodeVersion]:
    """Every version of one shop's codes of these days, by dimension, day and version."""
    asked = {"shop": shop, "first": first, "last": last}
    return [CodeVersion(**row) for row in connection.execute(question("code_versions"), asked)]
