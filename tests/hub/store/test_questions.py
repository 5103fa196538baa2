"""What the hub asks its database is understood for sessions as it is for the owner."""

import re
from importlib.resources import files
from typing import Any

import psycopg

from hub.errors import DatabaseUnavailable
from hub.store.database import Database
from tests.hub.staff import session_for

GROUPING = [
    one.name.removesuffix(".sql")
    for one in files("hub.store.queries").iterdir()
    if one.name.endswith(".sql") and "group by" in one.read_text()
]


def numbered(text: str) -> str:
    """A question as PREPARE takes it: psycopg's names become numbers."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"%%|%\((\w+)\)[sbt]", number, text)


def why_not(connection: Any, name: str) -> str | None:
    """What the database has against a question; None when it would answer."""
    text = files("hub.store.queries").joinpath(f"{name}.sql").read_text()
    try:
        with connection as asked:
            asked.execute(f"prepare {name} as {numbered(text)}".encode())
            asked.execute(f"deallocate {name}".encode())
    except (psycopg.Error, DatabaseUnavailable) as error:
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        return type(cause).__name__
    return None


def test_a_question_that_groups_is_understood_through_the_views_of_sessions_too(
    database: Database,
) -> None:
    """A table's key stands for its other columns; of a view, no key is known."""
    session, _ = session_for(database, "head_office")
    of_owner = {name for name in GROUPING if why_not(database.connection(), name) is None}
    assert len(of_owner) > 10
    broken = {name: why_not(database.of_session(session), name) for name in of_owner}
    assert [name for name, why in broken.items() if why == "GroupingError"] == []
