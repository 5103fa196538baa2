"""Sign in by name and password, or by a welcome link. Speaks no HTTP.

Whoever comes here has no session yet, so this asks the database as its owner, and nothing else does
for a stranger. Wrong tries are counted in the database: a second process, or the next start, knows.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from hub.errors import Refused
from hub.people.passwords import check_new_password, hash_password, password_fits
from hub.people.roles import Person, Role, Scope, clean_name, name_key
from hub.people.store import end_sessions, invite, others_of_head_office, people
from hub.people.tokens import new_token, token_sha256
from hub.store.database import Connection, Database
from hub.store.queries import question

_FREE_OF_NAME: Final = 5
_FREE_OF_ADDRESS: Final = 30
"""A whole head office may share one address."""
_WAIT_S_MAX: Final = 60
"""No longer: who tries a person's name on purpose must not lock that person out for good."""
_WHERE_CHARACTERS_MAX: Final = 200


class WrongPassword(Refused):
    """Name and password do not belong together; which of them is wrong is not said."""

    status = 401
    code = "wrong_password"


class TooManyTries(Refused):
    """Wrong so often that the next try has to wait."""

    status = 429
    code = "too_many_tries"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"wrong too often: try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class LinkGone(Refused):
    """A welcome link that was used, has ended, or never was."""

    status = 404
    code = "link_used_or_ended"

    def __init__(self) -> None:
        super().__init__("this link was used or has ended: ask head office for a new one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Whom a link is for. first: whoever opens it becomes the first person of head office."""

    kind: Literal["first", "person"]
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInNow:
    """A person, and the secret of the new session."""

    person: Person
    token: str


def sign_in(
    database: Database, name: str, password: str, *, address: str, where: str
) -> SignedInNow:
    """Begin a session for whoever has the name, if the password fits.

    Args:
        address: of whoever asks: wrong tries are counted by it and by the name.
        where: what the person will see of this session: address and browser.
    Raises:
        WrongPassword, TooManyTries: no session. Takes as long whether the name exists or not.
        TooBusy: many sign in just now.
    """
    of_name, of_address = _tries(name, address)
    with database.connection() as connection:
        _take_try(connection, of_address, _FREE_OF_ADDRESS)
        _take_try(connection, of_name, _FREE_OF_NAME)
        row = connection.execute(question("password"), {"name_key": name_key(name)}).fetchone()
    kept = None if row is None else row["password"]
    if not password_fits(kept, password) or row is None or kept is None:
        raise WrongPassword("name and password do not belong together")
    with database.connection() as connection:
        # In the order in which tries are taken: two that sign in never wait for each other.
        connection.execute(question("give_try_back"), {"who": of_address})
        connection.execute(question("forget_tries"), {"who": of_name})
        connection.execute(question("forget_old"))
        return _begin(connection, row["id"], kept, where)


def look_at_link(database: Database, token: str) -> Welcome:
    """Whom a link is for; leaves it as it is.

    Raises:
        LinkGone: it is good no more.
    """
    with database.connection() as connection:
        return _welcome(connection, token)


def use_link(
    database: Database, token: str, *, name: str | None, password: str, where: str
) -> SignedInNow:
    """Set the password of whomever a link is for, and begin a session. Other sessions end.

    Args:
        name: of the first person; a link for somebody who has a name needs none.
    Raises:
        LinkGone: it is good no more.
        BadPerson: the name or the password cannot be; the link stays good.
    """
    with database.connection() as connection:
        welcome = _welcome(connection, token)
    shown = clean_name(name or "") if welcome.kind == "first" else welcome.name
    check_new_password(password, name=shown)
    hashed = hash_password(password)
    with database.connection() as connection:
        # Again, and now for good: hashing took a while.
        row = connection.execute(
            question("take_link"), {"token_sha256": token_sha256(token)}
        ).fetchone()
        if row is None:
            raise LinkGone
        person: UUID | None = row["person"]
        if person is None:
            if others_of_head_office(connection):
                raise LinkGone
            person = _first_person(connection, shown)
        asked = {"person": person, "password": hashed}
        if connection.execute(question("set_password"), asked).fetchone() is None:
            raise LinkGone
        end_sessions(connection, person)
        connection.execute(question("end_links"), {"person": person})
        # Who lost the password may have tried it too often.
        connection.execute(question("forget_tries"), {"who": _tries(shown, "")[0]})
        return _begin(connection, person, hashed, where)


def _first_person(connection: Connection, name: str) -> UUID:
    known = people(connection, name=name)
    if known and known[0].person.role == "head_office":
        return known[0].person.id  # invited before, but never welcomed
    return invite(connection, name, Scope(role="head_office")).id


def _welcome(connection: Connection, token: str) -> Welcome:
    row = connection.execute(question("link"), {"token_sha256": token_sha256(token)}).fetchone()
    if row is None or (row["id"] is None and others_of_head_office(connection)):
        raise LinkGone
    if row["id"] is None:
        return Welcome(kind="first", name="", role="head_office")
    return Welcome(kind="person", name=row["name"], role=row["role"])


def _begin(connection: Connection, person: UUID, password: str, where: str) -> SignedInNow:
    token = new_token()
    row = connection.execute(
        question("new_session"),
        {
            "token_sha256": token_sha256(token), "person": person, "password": password,
            "seen_from": where[:_WHERE_CHARACTERS_MAX],
        },
    ).fetchone()  # fmt: skip
    if row is None:
        raise WrongPassword("name and password do not belong together (any more)")
    return SignedInNow(person=people(connection, among=person)[0].person, token=token)


def _take_try(connection: Connection, who: str, free: int) -> None:
    asked = {"who": who, "free": free, "wait_s_max": _WAIT_S_MAX}
    if connection.execute(question("take_try"), asked).fetchone() is None:
        row = connection.execute(question("wait_of_try"), asked).fetchone()
        # Both tries are rolled back: a try that has to wait makes nobody wait longer.
        raise TooManyTries(1 if row is None else max(1, round(row["wait_s"] + 0.5)))


def _tries(name: str, address: str) -> tuple[str, str]:
    """By what tries are counted; checksums, so that a name's length is no matter."""
    by_name = hashlib.sha256(name_key(name).encode(errors="replace")).hexdigest()
    return f"name:{by_name}", f"address:{_network(address)}"


def _network(address: str) -> str:
    """One household has more IPv6 addresses than could be counted: the network stands for them."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if known.version == 6 and not known.is_loopback:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(known)
