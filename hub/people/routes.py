"""The routes of sign-in, sessions, welcome links and people. Decides nothing itself.

What head office does to people goes through `Database.of_session`, so the database checks it, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from hub.audit import record
from hub.errors import Refused
from hub.ingest.fact_rules import as_storable
from hub.people.roles import Person, Right, Role, Scope
from hub.people.sessions import ManagesPeople, SignedIn, cookie_name
from hub.people.signing_in import SignedInNow, Welcome, look_at_link, sign_in, use_link
from hub.people.store import (
    KnownPerson,
    NoSuchPerson,
    about,
    change,
    end_person,
    end_sessions,
    invite,
    new_link,
    others_of_head_office,
    people,
    sessions_of,
)
from hub.people.tokens import link_path
from hub.store.database import Connection, Database

_COOKIE_S: Final = 30 * 24 * 3600
"""The longest that a session lasts; the database ends it earlier when it is not used."""
_LAST_LOCK: Final = 7_405_816  # any number that nobody else takes for an advisory lock

Token = Annotated[str, Path(min_length=1, max_length=100)]
Asked = Annotated[UUID, Path(alias="id")]


class LastOfHeadOffice(Refused):
    """Nobody could manage people any more."""

    status = 409
    code = "last_of_head_office"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameAndPassword:
    """What a person says to sign in."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """What a person says to a welcome link; `name` where it is the first person's."""

    password: str = field(repr=False)
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidScope:
    """A role and its reach: regions for the role region, shops for clerk and shop, else none."""

    role: Role
    regions: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson(SaidScope):
    """Somebody to be invited."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPerson:
    """A person as the API tells it."""

    id: UUID
    name: str
    role: Role
    regions: tuple[str, ...]
    shops: tuple[str, ...]
    rights: tuple[Right, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson(ToldPerson):
    """A person of the list. Not welcomed: the link was not used yet."""

    welcomed: bool
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who has signed in."""

    person: ToldPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A person and where the password is chosen: once, within 24 hours."""

    person: ToldPerson
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSession:
    """A session of whoever asks; `this`: the one that asks."""

    id: UUID
    made_at: datetime
    last_used_at: datetime
    where: str
    this: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """So many were ended."""

    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFor:
    """Whom a welcome link is for."""

    kind: Literal["first", "person"]
    name: str
    role: Role


def people_routes(database: Database) -> APIRouter:
    """Sign-in, sessions, links, people."""
    routes = APIRouter(prefix="/api", tags=["people"])
    _session_routes(routes, database)
    _welcome_routes(routes, database)
    _manage_routes(routes, database)
    return routes


def _session_routes(routes: APIRouter, database: Database) -> None:
    @routes.post("/session")
    def begin(said: NameAndPassword, request: Request, response: Response) -> Me:
        """Sign in: sets the session's cookie."""
        now = sign_in(
            database,
            said.name,
            said.password,
            address=_address(request),
            where=asking_address(request),
        )
        return _begun(now, request, response)

    @routes.get("/session")
    def me(session: SignedIn) -> Me:
        """Who has signed in."""
        return Me(person=told(session.person))

    @routes.delete("/session")
    def end(session: SignedIn, request: Request, response: Response) -> Ended:
        """Sign out."""
        with database.of_session(session) as connection:
            ended = end_sessions(connection, session.person.id, session.id)
        response.delete_cookie(
            cookie_name(request), path="/", secure=_is_secure(request), httponly=True,
            samesite="strict",
        )  # fmt: skip
        return Ended(ended=ended)

    @routes.get("/sessions")
    def mine(session: SignedIn) -> list[ToldSession]:
        """The sessions of whoever asks, the last used first."""
        with database.of_session(session) as connection:
            return [
                ToldSession(
                    id=one.id, made_at=one.made_at, last_used_at=one.last_used_at,
                    where=one.where, this=one.id == session.id,
                )
                for one in sessions_of(connection, session.person.id)
            ]  # fmt: skip

    @routes.delete("/sessions/{id}")
    def end_one(asked: Asked, session: SignedIn) -> Ended:
        """End one of one's own sessions, wherever it is."""
        with database.of_session(session) as connection:
            ended = end_sessions(connection, session.person.id, asked)
        if not ended:
            raise NoSuchPerson("there is no such session")
        return Ended(ended=ended)


def _welcome_routes(routes: APIRouter, database: Database) -> None:
    @routes.get("/welcome/{token}")
    def look(token: Token) -> LinkFor:
        """Whom a welcome link is for."""
        found: Welcome = look_at_link(database, token)
        return LinkFor(kind=found.kind, name=found.name, role=found.role)

    @routes.post("/welcome/{token}")
    def use(token: Token, said: NewPassword, request: Request, response: Response) -> Me:
        """Choose a password by a welcome link, once, and sign in."""
        now = use_link(
            database, token, name=said.name, password=said.password, where=asking_address(request)
        )
        return _begun(now, request, response)


def _manage_routes(routes: APIRouter, database: Database) -> None:
    @routes.get("/people")
    def everybody(session: ManagesPeople) -> list[ListedPerson]:
        """Everybody, also who has ended."""
        with database.of_session(session) as connection:
            return [_listed(one) for one in people(connection)]

    @routes.post("/people", status_code=201)
    def new(said: NewPerson, session: ManagesPeople) -> Invited:
        """Invite somebody."""
        scope = _scope(said)
        with database.of_session(session) as connection:
            person = invite(connection, said.name, scope)
            return _invited(connection, person)

    @routes.patch("/people/{id}")
    def other_role(asked: Asked, said: SaidScope, session: ManagesPeople) -> Me:
        """Give somebody another role or reach; counts at once."""
        scope = _scope(said)
        with database.of_session(session) as connection:
            if scope.role != "head_office":
                _refuse_last(connection, asked)
            return Me(person=told(change(connection, asked, scope)))

    @routes.delete("/people/{id}")
    def end(asked: Asked, session: ManagesPeople) -> Ended:
        """Shut somebody out at once."""
        with database.of_session(session) as connection:
            _refuse_last(connection, asked)
            end_person(connection, asked)
        return Ended(ended=1)

    @routes.delete("/people/{id}/sessions")
    def end_all(asked: Asked, session: ManagesPeople) -> Ended:
        """End all sessions of somebody."""
        with database.of_session(session) as connection:
            ended = end_sessions(connection, asked)
            record(connection, what="sessions_ended", about=about(asked), detail={"ended": ended})
            return Ended(ended=ended)

    @routes.post("/people/{id}/link", status_code=201)
    def link(asked: Asked, session: ManagesPeople) -> Invited:
        """A new welcome link for somebody, also after a lost password; older ones end."""
        with database.of_session(session) as connection:
            known = people(connection, among=asked)
            if not known:
                raise NoSuchPerson("there is nobody of this id")
            return _invited(connection, known[0].person)


def told(person: Person) -> ToldPerson:
    """A person with its rights."""
    return ToldPerson(
        id=person.id, name=person.name, role=person.role, regions=person.regions,
        shops=person.shops, rights=person.rights,
    )  # fmt: skip


def _listed(known: KnownPerson) -> ListedPerson:
    person = known.person
    return ListedPerson(
        id=person.id, name=person.name, role=person.role, regions=person.regions,
        shops=person.shops, rights=person.rights if known.ended_at is None else (),
        welcomed=known.welcomed, made_at=known.made_at, ended_at=known.ended_at,
    )  # fmt: skip


def _scope(said: SaidScope) -> Scope:
    def once(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(names))

    return Scope(role=said.role, regions=once(said.regions), shops=once(said.shops))


def _invited(connection: Connection, person: Person) -> Invited:
    return Invited(person=told(person), link=link_path(new_link(connection, person.id)))


def _refuse_last(connection: Connection, person: UUID) -> None:
    # One at a time: two who end each other at once would both find the other still there.
    connection.execute("select pg_advisory_xact_lock(%s)", [_LAST_LOCK])
    if not others_of_head_office(connection, beside=person):
        raise LastOfHeadOffice("nobody else of head office could sign in: invite somebody first")


def keep_cookie(response: Response, request: Request, token: str) -> None:
    """Give a browser the secret of its session."""
    settings: dict[str, Any] = {"httponly": True, "samesite": "strict", "path": "/"}
    response.set_cookie(
        cookie_name(request), token, max_age=_COOKIE_S, secure=_is_secure(request), **settings
    )


def _begun(now: SignedInNow, request: Request, response: Response) -> Me:
    keep_cookie(response, request, now.token)
    return Me(person=told(now.person))


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def asking_address(request: Request) -> str:
    """Address and browser, as the session's owner will see them."""
    return as_storable(f"{_address(request)} {request.headers.get('user-agent', '')}".strip())
