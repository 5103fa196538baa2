"""The routes of what is kept of a person: give it out, erase it; whose accounts are linked.

What is kept lies in tables that no session may read, so it is read and erased as the owner; first
the database is asked as the session whether it knows the person, which it says to head office only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path

from hub.audit import record
from hub.people.erasing import data_of, erase
from hub.people.roles import Session
from hub.people.routes import LastOfHeadOffice
from hub.people.sessions import ManagesPeople
from hub.people.store import NoSuchPerson, about, others_of_head_office, people
from hub.store.database import Database
from hub.store.queries import question

Asked = Annotated[UUID, Path(alias="id")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """An account of elsewhere by which somebody signs in; not its name there."""

    person: UUID
    issuer: str
    linked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Who was erased: an id that names nobody any more."""

    erased: UUID


def person_data_routes(database: Database) -> APIRouter:
    """The routes over an open database, for head office."""
    routes = APIRouter(prefix="/api", tags=["people"])

    @routes.get("/people-accounts")
    def accounts(session: ManagesPeople) -> list[LinkedAccount]:
        """Whose accounts of elsewhere are linked (OpenID Connect)."""
        with database.of_session(session) as connection:
            known = [one.person.id for one in people(connection)]
        with database.connection() as owner:
            rows = owner.execute(question("linked_accounts"), {"people": known})
            return [LinkedAccount(**row) for row in rows]

    @routes.get("/people/{id}/data")
    def data(asked: Asked, session: ManagesPeople) -> dict[str, Any]:
        """Everything that is kept of somebody, for whoever asks what we know; no secret."""
        _check_known(database, session, asked)
        with database.connection() as owner:
            told = data_of(owner, asked)
            record(owner, who=session.person.id, what="data_given_out", about=about(asked))
            return told

    @routes.post("/people/{id}/erase")
    def erase_it(asked: Asked, session: ManagesPeople) -> Erased:
        """Erase somebody's name, password, accounts and sessions, for good."""
        _check_known(database, session, asked)
        with database.connection() as owner:
            (known,) = people(owner, among=asked)
            is_head = known.person.role == "head_office"
            if is_head and not others_of_head_office(owner, beside=asked):
                raise LastOfHeadOffice("nobody of head office would be left")
            erase(owner, asked, who=session.person.id)
        return Erased(erased=asked)

    return routes


def _check_known(database: Database, session: Session, person: UUID) -> None:
    with database.of_session(session) as connection:
        if not people(connection, among=person):
            raise NoSuchPerson("there is nobody of this id")
