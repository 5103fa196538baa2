"""The audit log in the database: add a line, read lines. There is no way to change one.

A line belongs into the transaction of the change that it tells of: both are there, or neither is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from hub.store.database import Connection
from hub.store.queries import question

MACHINE: Final = "machine"
"""Whoever gives commands on the hub's own machine: the hub does not know them by name."""
LINES_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One change. `name`, `about_name`: as people are called now, empty once they are erased."""

    id: int
    at: datetime
    person: UUID | None
    """Who, if somebody was signed in."""
    who: str
    """"person", "machine", or the part of the hub that did it."""
    name: str
    what: str
    about: str
    about_name: str
    detail: Mapping[str, Any]


def record(
    connection: Connection,
    *,
    who: UUID | str = MACHINE,
    what: str,
    about: str,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add a line to the log, in the transaction of the change.

    Args:
        connection: of the owner, or of a session (`Database.of_session`).
        who: a person's id, or what else did it. Over a session's connection it is not looked at:
            the database writes down whose session it is.
        what: happened, in small letters: "policy_published", "code_corrected".
        about: of what, as KIND:KEY: "policy:7", "person:3f9c…", "code:17/goods/2026-11-20". No
            name of a person: the id finds it while it may be found.
        detail: JSON, what was before and after; no name, no secret.
    Raises:
        psycopg.errors.InsufficientPrivilege: a connection of a session that has ended.
    """
    person = who if isinstance(who, UUID) else None
    connection.execute(
        question("record_audit"),
        {
            "person": person, "who": "person" if person else who, "what": what, "about": about,
            "detail": Jsonb(dict(detail or {})),
        },
    )  # fmt: skip


def lines(
    connection: Connection, *, before: int | None = None, about: str | None = None,
    what: str | None = None, person: UUID | None = None, first: date | None = None,
    last: date | None = None, limit: int = 100,
) -> list[Line]:  # fmt: skip
    """The newest lines first, at most `limit`.

    Args:
        before: those before this line (its id).
        about: of one thing; `what`: of one kind of change; `person`: by one.
        first: from this day on, `last`: up to it, in UTC.
    """
    asked = {
        "before": before, "about": about, "what": what, "person": person, "first": first,
        "last": last, "limit": min(limit, LINES_MAX),
    }  # fmt: skip
    return [Line(**row) for row in connection.execute(question("audit"), asked)]
