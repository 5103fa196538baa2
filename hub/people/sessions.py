"""Who asks: finds the session of a request by its cookie, and whether it has a right.

`needs("read_figures")` is a FastAPI dependency that gives the Session. It only decides what is said
to whom; which shops a session sees, the database decides (`Database.of_session`).
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from hub.errors import Refused
from hub.people.roles import Person, Right, Session
from hub.people.tokens import token_sha256
from hub.store.database import Connection, Database
from hub.store.queries import question

_PLAIN_COOKIE: Final = "storepulse"
_SECURE_COOKIE: Final = "__Host-storepulse"
"""A browser takes it only over HTTPS and for this one host."""
_TOKEN_CHARACTERS_MAX: Final = 100


class SignedOut(Refused):
    """No session, or one that has ended."""

    status = 401
    code = "signed_out"


class NotYours(Refused):
    """Signed in, but without the right. Says nothing of what is there."""

    status = 403
    code = "not_yours"


def cookie_name(request: Request) -> str:
    """Over HTTPS the name that binds the cookie to host and lock; plain http is loopback only."""
    return _SECURE_COOKIE if request.url.scheme == "https" else _PLAIN_COOKIE


def said_token(request: Request) -> str | None:
    """The secret that a request brings, if it could be one."""
    token = request.cookies.get(cookie_name(request), "")
    return token if 0 < len(token) <= _TOKEN_CHARACTERS_MAX else None


def find_session(database: Database, token: str) -> Session | None:
    """The session of a secret, as used now; None when there is none, or not any more."""
    sha256 = token_sha256(token)
    with database.of_token(sha256) as connection:
        return session_of(connection, sha256)


def session_of(connection: Connection, sha256: bytes) -> Session | None:
    """The session of a connection of `of_token`."""
    row = connection.execute(question("use_session")).fetchone()
    if row is None:
        return None
    return Session(id=row["session"], person=_person(row), token_sha256=sha256)


def _person(row: dict[str, Any]) -> Person:
    return Person(
        id=row["person"], name=row["name"], role=row["role"], regions=tuple(row["regions"]),
        shops=tuple(row["shops"]),
    )  # fmt: skip


def perhaps_signed_in(request: Request) -> Session | None:
    """FastAPI dependency: whoever has signed in, or nobody."""
    token = said_token(request)
    return None if token is None else find_session(request.app.state.database, token)


def signed_in(request: Request) -> Session:
    """FastAPI dependency: whoever has signed in, with whatever rights.

    Raises:
        SignedOut: nobody has.
    """
    session = perhaps_signed_in(request)
    if session is None:
        raise SignedOut("sign in first")
    return session


PerhapsSignedIn = Annotated[Session | None, Depends(perhaps_signed_in)]
SignedIn = Annotated[Session, Depends(signed_in)]


@cache
def needs(right: Right) -> Callable[[Session], Session]:
    """A FastAPI dependency that gives the Session of somebody who has a right.

    The same object for the same right, so that `app.dependency_overrides` can name it.
    """

    def check(session: SignedIn) -> Session:
        if right not in session.person.rights:
            raise NotYours("this is not among what your role may do")
        return session

    return check


ReadsFigures = Annotated[Session, Depends(needs("read_figures"))]
SeesNodes = Annotated[Session, Depends(needs("see_nodes"))]
SeesFaults = Annotated[Session, Depends(needs("see_faults"))]
PairsPhones = Annotated[Session, Depends(needs("pair_phones"))]
ManagesPeople = Annotated[Session, Depends(needs("manage_people"))]
TriesPolicies = Annotated[Session, Depends(needs("try_policy"))]
EditsPolicies = Annotated[Session, Depends(needs("edit_policy"))]
SeesPlans = Annotated[Session, Depends(needs("see_plans"))]
EditsPlans = Annotated[Session, Depends(needs("edit_plans"))]
ProposesTrials = Annotated[Session, Depends(needs("propose_trials"))]
RunsTrials = Annotated[Session, Depends(needs("run_trials"))]
RestsFindings = Annotated[Session, Depends(needs("rest_findings"))]
