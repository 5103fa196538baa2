"""Sign in by an account of elsewhere, and link it: by a welcome link, or while signed in.

An account is known by issuer and subject alone. A mail address says nothing: providers hand them
out again, and some let people claim any. Whoever is not linked is nobody here.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from hub.audit import record
from hub.errors import Refused
from hub.people.passwords import TooBusy
from hub.people.provider import Begun, Provider
from hub.people.signing_in import WHERE_CHARACTERS_MAX, LinkGone, SignedInNow
from hub.people.store import about, end_sessions, people
from hub.people.tokens import new_token, token_sha256
from hub.store.database import Connection, Database
from hub.store.queries import question

TRY_LIFETIME: Final = timedelta(minutes=10)

_TRIES_MAX: Final = 5000
"""Under way at once: a stranger who begins and begins must not fill the disk."""


class NotLinked(Refused):
    """The provider vouches for somebody whom nobody here has been linked to."""

    status = 403
    code = "not_linked"


class LinkedElsewhere(Refused):
    """The account is another person's."""

    status = 409
    code = "linked_to_another"


class TryGone(Refused):
    """A sign-in that was never begun here, in another browser, or too long ago."""

    status = 401
    code = "try_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """Where the browser goes, and the secret that it must come back with."""

    address: str
    browser: str


def begin(
    database: Database,
    provider: Provider,
    *,
    redirect_uri: str,
    welcome: str | None = None,
    person: UUID | None = None,
) -> Began:
    """Begin a sign-in.

    Args:
        welcome: the secret of a welcome link, which it then uses up.
        person: whoever has signed in here, and wants to link the account.
    Raises:
        LinkGone: the welcome link is good no more; that of the first person is for a password.
        NotVouchedFor: the provider cannot be reached.
        TooBusy: very many have begun and not finished.
    """
    begun = Begun(state=new_token(), nonce=new_token(), verifier=secrets.token_urlsafe(48))
    address = provider.address(begun, redirect_uri=redirect_uri)
    browser = new_token()
    with database.connection() as connection:
        connection.execute(question("forget_oidc_tries"))
        if welcome is not None:
            row = connection.execute(
                question("link"), {"token_sha256": token_sha256(welcome)}
            ).fetchone()
            if row is None or row["id"] is None:
                raise LinkGone
        made = connection.execute(
            question("new_oidc_try"),
            {
                "state": token_sha256(begun.state), "browser": token_sha256(browser),
                "nonce": begun.nonce, "verifier": begun.verifier, "person": person,
                "welcome": None if welcome is None else token_sha256(welcome),
                "lifetime": TRY_LIFETIME, "tries_max": _TRIES_MAX,
            },
        )  # fmt: skip
        if made.rowcount == 0:
            raise TooBusy("very many sign in just now: try again in a few minutes")
    return Began(address=address, browser=browser)


def finish(
    database: Database,
    provider: Provider,
    *,
    code: str,
    state: str,
    browser: str,
    redirect_uri: str,
    where: str,
) -> SignedInNow:
    """Take what the provider sent the browser back with, and begin a session.

    Raises:
        TryGone: this browser began nothing of the kind, or it was finished before.
        NotVouchedFor: the provider vouches for nobody.
        NotLinked, LinkedElsewhere, LinkGone: it does, but for nobody who may come in by it.
    """
    with database.connection() as connection:
        # Gone with the first use, however it ends: a code or state that leaked is worth nothing.
        row = connection.execute(
            question("take_oidc_try"),
            {"state": token_sha256(state), "browser": token_sha256(browser)},
        ).fetchone()
    if row is None:
        raise TryGone("this sign-in was begun elsewhere or too long ago: begin again")
    begun = Begun(state=state, nonce=row["nonce"], verifier=row["verifier"])
    subject = provider.subject(code, begun, redirect_uri=redirect_uri)
    said = {"issuer": provider.client.issuer, "subject": subject}
    with database.connection() as connection:
        person: UUID | None = row["person"]
        if row["welcome_sha256"] is not None:
            person = _welcomed(connection, bytes(row["welcome_sha256"]))
        if person is not None:
            _link(connection, person, said)
        else:
            found = connection.execute(question("person_of_subject"), said).fetchone()
            if found is None:
                raise NotLinked(
                    "nobody here has been linked to this account: use your welcome link"
                )
            person = found["id"]
        return _session(connection, person, where)


def _welcomed(connection: Connection, welcome_sha256: bytes) -> UUID:
    row = connection.execute(question("take_link"), {"token_sha256": welcome_sha256}).fetchone()
    if row is None or row["person"] is None:
        raise LinkGone
    person: UUID = row["person"]
    end_sessions(connection, person)
    connection.execute(question("end_links"), {"person": person})
    return person


def _link(connection: Connection, person: UUID, said: dict[str, str]) -> None:
    if connection.execute(question("new_subject"), said | {"person": person}).fetchone() is None:
        raise LinkedElsewhere("this account belongs to another person here")
    if connection.execute(question("welcome_by_account"), {"person": person}).fetchone() is None:
        raise LinkGone
    record(
        connection, who=person, what="account_linked", about=about(person),
        detail={"issuer": said["issuer"]},
    )  # fmt: skip


def _session(connection: Connection, person: UUID, where: str) -> SignedInNow:
    token = new_token()
    row = connection.execute(
        question("new_account_session"),
        {
            "token_sha256": token_sha256(token), "person": person,
            "seen_from": where[:WHERE_CHARACTERS_MAX],
        },
    ).fetchone()  # fmt: skip
    if row is None:
        raise NotLinked("this person has been shut out")
    return SignedInNow(person=people(connection, among=person)[0].person, token=token)
