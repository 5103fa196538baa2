"""Everything kept of one person: give it out, and erase it. For the owner of the machine.

What is *of* a person lies in rows whose column `person` refers to people: sessions, links,
accounts, regions, shops, choices. Erasing deletes them. Other columns that refer to people (by,
made_by, assignee, ...) say who did something: they keep an id that names nobody any more, as the
audit log does. A later migration's tables are found by the same rule, in the database's own
catalogue.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from hub.audit import MACHINE, record
from hub.people.signing_in import tries_of_name
from hub.people.store import NoSuchPerson, about, end_person, people
from hub.store.database import Connection
from hub.store.queries import question

_OF_A_PERSON: Final = "person"
_ROWS_MAX: Final = 10_000
"""Of one table; a person's own rows are some dozens."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column that refers to people."""

    table: str
    column: str
    secret: tuple[str, ...]
    """Columns that hold checksums and sealed words: nobody reads them out of an export."""


def places(connection: Connection) -> list[Place]:
    """Every column of the hub's own tables that refers to people, by table."""
    rows = connection.execute(question("places_of_people"))
    return [Place(row["table_name"], row["column_name"], tuple(row["secret"])) for row in rows]


def data_of(connection: Connection, person: UUID) -> dict[str, Any]:
    """Everything kept of a person, as JSON; no password, no checksum.

    Raises:
        NoSuchPerson: nobody of this id.
    """
    known = people(connection, among=person)
    if not known:
        raise NoSuchPerson("there is nobody of this id")
    one = known[0]
    told: dict[str, Any] = {
        "person": {
            "id": str(person), "name": one.person.name, "role": one.person.role,
            "made_at": one.made_at.isoformat(),
            "ended_at": None if one.ended_at is None else one.ended_at.isoformat(),
        }
    }  # fmt: skip
    for place in places(connection):
        query = sql.SQL(
            "select to_jsonb(t) - %s::text[] as said from {} t where {} = %s limit {}"
        ).format(
            sql.Identifier("storepulse", place.table), sql.Identifier(place.column),
            sql.Literal(_ROWS_MAX),
        )  # fmt: skip
        found = connection.execute(query, [list(place.secret), person])
        told[f"{place.table}.{place.column}"] = [row["said"] for row in found]
    found = connection.execute(
        "select to_jsonb(t) as said from audit t where person = %s or about = %s order by id",
        [person, about(person)],
    )
    told["audit"] = [row["said"] for row in found]
    return told


def erase(connection: Connection, person: UUID, *, who: UUID | str = MACHINE) -> None:
    """Shut a person out, and erase name, password, accounts, sessions and all else that is theirs.

    What the person did stays done, under an id that names nobody.

    Raises:
        NoSuchPerson: nobody of this id, or erased before.
    """
    known = people(connection, among=person)
    if not known or known[0].person.name == erased_name(person):
        raise NoSuchPerson("there is nobody of this id")
    if known[0].ended_at is None:
        end_person(connection, person, who=who)
    for place in places(connection):
        if place.column == _OF_A_PERSON:
            connection.execute(
                sql.SQL("delete from {} where person = %s").format(
                    sql.Identifier("storepulse", place.table)
                ),
                [person],
            )
    connection.execute(question("forget_tries"), {"who": tries_of_name(known[0].person.name)})
    name = erased_name(person)
    connection.execute(question("erase_person"), {"person": person, "name": name})
    record(connection, who=who, what="person_erased", about=about(person))


def erased_name(person: UUID) -> str:
    """What stands where a name stood."""
    return f"erased {person}"
