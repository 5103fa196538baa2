"""People for the tests: signed in by the database, without the second that a password takes."""

from collections.abc import Sequence
from uuid import UUID

from hub.people.roles import Person, Role, Session, name_key
from hub.people.sessions import find_session
from hub.people.tokens import new_token, token_sha256
from hub.store.database import Database


def make_person(
    database: Database,
    name: str,
    role: Role,
    *,
    regions: Sequence[str] = (),
    shops: Sequence[str] = (),
) -> Person:
    """A person as the store has it after the welcome link; the password fits nothing."""
    with database.connection() as connection:
        row = connection.execute(
            "insert into people (name, name_key, role, password) values (%s, %s, %s, '-')"
            " returning id",
            [name, name_key(name), role],
        ).fetchone()
        assert row is not None
        for region in regions:
            connection.execute("insert into person_regions values (%s, %s)", [row["id"], region])
        for shop in shops:
            connection.execute("insert into person_shops values (%s, %s)", [row["id"], shop])
    return Person(
        id=row["id"], name=name, role=role, regions=tuple(regions), shops=tuple(shops)
    )  # fmt: skip


def sign_in_quietly(database: Database, person: UUID) -> str:
    """A session's secret."""
    token = new_token()
    with database.connection() as connection:
        connection.execute(
            "insert into sessions (token_sha256, person) values (%s, %s)",
            [token_sha256(token), person],
        )
    return token


def session_for(
    database: Database,
    role: Role,
    *,
    regions: Sequence[str] = (),
    shops: Sequence[str] = (),
    name: str | None = None,
) -> tuple[Session, str]:
    """A new person's session and its secret."""
    person = make_person(database, name or f"a {role}", role, regions=regions, shops=shops)
    token = sign_in_quietly(database, person.id)
    session = find_session(database, token)
    assert session is not None
    assert session.person == person
    return session, token
