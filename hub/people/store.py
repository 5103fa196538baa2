"""People, their reach, sessions and links in the database: read and write. Checks no right.

The same questions for the owner of the machine (`Database.connection`) and for somebody of head
office (`Database.of_session`), whom the database itself lets do only what the role may.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from hub.errors import Refused
from hub.people.roles import BadPerson, Person, Scope, clean_name, name_key
from hub.people.tokens import new_token, token_sha256
from hub.store.database import Connection
from hub.store.queries import question

LINK_LIFETIME: Final = timedelta(hours=24)
FIRST_LINK_LIFETIME: Final = timedelta(days=7)
"""And no longer than until the next start, which makes another."""


class NoSuchPerson(Refused):
    """Nobody of this id or name, or not any more."""

    status = 404
    code = "not_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """A person as a list shows it."""

    person: Person
    welcomed: bool
    """Has used a welcome link, so there is a password."""
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSession:
    """A session as its owner sees it."""

    id: UUID
    made_at: datetime
    last_used_at: datetime
    where: str
    """Address and browser as they were at sign-in."""


def people(
    connection: Connection, *, among: UUID | None = None, name: str | None = None
) -> list[KnownPerson]:
    """Everybody, or whoever has this id (`among`), or who has a name now."""
    asked = {"id": among, "name_key": None if name is None else name_key(name)}
    return [
        KnownPerson(
            person=Person(
                id=row["id"], name=row["name"], role=row["role"],
                regions=tuple(row["regions"]), shops=tuple(row["shops"]),
            ),
            welcomed=row["welcomed"], made_at=row["made_at"], ended_at=row["ended_at"],
        )
        for row in connection.execute(question("people"), asked)
    ]  # fmt: skip


def person_named(connection: Connection, name: str) -> Person:
    """Whoever has a name now.

    Raises:
        NoSuchPerson: nobody.
    """
    found = people(connection, name=name)
    if not found:
        raise NoSuchPerson(f"there is nobody called {name}: see `storepulse hub people list`")
    return found[0].person


def invite(connection: Connection, name: str, scope: Scope) -> Person:
    """Make a person, who signs in once a welcome link has been used.

    Raises:
        BadPerson: the name cannot be or is taken, or a region or shop is not known.
    """
    shown = clean_name(name)
    _check_known(connection, scope)
    asked = {"name": shown, "name_key": name_key(shown), "role": scope.role}
    row = connection.execute(question("new_person"), asked).fetchone()
    if row is None:
        raise BadPerson(f"there is somebody called {shown}: choose another name")
    _give(connection, row["id"], scope)
    return Person(
        id=row["id"], name=shown, role=scope.role, regions=scope.regions, shops=scope.shops
    )


def change(connection: Connection, person: UUID, scope: Scope) -> Person:
    """Give a person another role or reach; counts at once, for open sessions too.

    Raises:
        NoSuchPerson: nobody, or not any more.
        BadPerson: a region or shop is not known.
    """
    _check_known(connection, scope)
    done = connection.execute(question("set_role"), {"person": person, "role": scope.role})
    if done.rowcount == 0:
        raise NoSuchPerson("there is nobody of this id")
    connection.execute(question("clear_regions"), {"person": person})
    connection.execute(question("clear_shops"), {"person": person})
    _give(connection, person, scope)
    return people(connection, among=person)[0].person


def end_person(connection: Connection, person: UUID) -> None:
    """Shut a person out at once: sessions and links end with it.

    Raises:
        NoSuchPerson: nobody, or not any more.
    """
    if connection.execute(question("end_person"), {"person": person}).fetchone() is None:
        raise NoSuchPerson("there is nobody of this id")
    end_sessions(connection, person)
    connection.execute(question("end_links"), {"person": person})


def new_link(connection: Connection, person: UUID) -> str:
    """Make a welcome link, also the way back after a lost password; older ones end.

    Returns:
        Its secret.
    Raises:
        NoSuchPerson: nobody, or not any more.
    """
    if not any(one.ended_at is None for one in people(connection, among=person)):
        raise NoSuchPerson("there is nobody of this id")
    connection.execute(question("end_links"), {"person": person})
    token = new_token()
    connection.execute(
        question("new_link"),
        {"token_sha256": token_sha256(token), "person": person, "lifetime": LINK_LIFETIME},
    )
    return token


def others_of_head_office(connection: Connection, *, beside: UUID | None = None) -> int:
    """How many of head office can sign in, beside one."""
    row = connection.execute(question("others_of_head_office"), {"beside": beside}).fetchone()
    assert row is not None
    return int(row["others"])


def first_link(connection: Connection) -> str | None:
    """The secret of a link for the first person of head office; older ones end.

    None when somebody of head office can sign in. Only the owner of the machine can ask.
    """
    connection.execute(question("end_first_links"))
    if others_of_head_office(connection):
        return None
    token = new_token()
    connection.execute(
        question("new_link"),
        {"token_sha256": token_sha256(token), "person": None, "lifetime": FIRST_LINK_LIFETIME},
    )
    return token


def sessions_of(connection: Connection, person: UUID) -> list[KnownSession]:
    """A person's sessions that are good, the last used first."""
    return [
        KnownSession(
            id=row["id"], made_at=row["made_at"], last_used_at=row["last_used_at"],
            where=row["seen_from"],
        )
        for row in connection.execute(question("sessions_of"), {"person": person})
    ]  # fmt: skip


def end_sessions(connection: Connection, person: UUID, session: UUID | None = None) -> int:
    """End one of a person's sessions, or all; returns how many that were."""
    asked = {"person": person, "session": session}
    return len(connection.execute(question("end_sessions"), asked).fetchall())


def _check_known(connection: Connection, scope: Scope) -> None:
    for name, said in (("regions", scope.regions), ("shops", scope.shops)):
        rows = connection.execute(question(f"unknown_{name}"), {name: list(said)})
        unknown = [str(next(iter(row.values()))) for row in rows]
        if unknown:
            one = name.removesuffix("s")
            raise BadPerson(f"no list names {one} {', '.join(unknown)}: load the list of shops")


def _give(connection: Connection, person: UUID, scope: Scope) -> None:
    for name, said in (("regions", scope.regions), ("shops", scope.shops)):
        if said:
            connection.execute(question(f"give_{name}"), {"person": person, name: list(said)})
