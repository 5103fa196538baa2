"""The routes by which a person chooses notices and sees what became of them. Sends nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from hub.api.asked import Clock, utc_now
from hub.care.keyring import Keyring, Keys
from hub.errors import Refused
from hub.notices.choice import (
    MAIL,
    SERVICES,
    BadChoice,
    NoticeChoice,
    NoticeKind,
    SentKind,
    check_channels,
)
from hub.notices.store import channels_of, insert_test, mine, save_choice
from hub.people.sessions import SignedIn
from hub.store.database import Connection, Database


class NoKeys(Refused):
    """This hub was started without its key file."""

    status = 503
    code = "no_keys"


class NothingChosen(Refused):
    """There is no channel that a test could go to."""

    status = 409
    code = "nothing_chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidChoice:
    """What a person chooses; no channels take the choice back."""

    channels: tuple[str, ...]
    """Mail addresses, and addresses of services as in wecombot://KEY."""
    keep: tuple[int, ...] = ()
    """Which of the channels that are chosen now stay: places in the list of their services."""
    kinds: tuple[NoticeKind, ...] = ("escalation",)
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time | None = None
    timezone: str = "UTC"
    language: Literal["en", "zh"] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChoice:
    """A choice, without the addresses of its channels."""

    services: tuple[str, ...]
    kinds: tuple[NoticeKind, ...]
    quiet_from: time | None
    quiet_until: time | None
    digest_at: time | None
    timezone: str
    language: Literal["en", "zh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldNotice:
    """A notice and what became of it: sent, given up after several tries, or still to go."""

    id: int
    kind: SentKind
    title: str
    body: str
    made_at: datetime
    next_try_at: datetime
    tries: int
    sent_at: datetime | None
    gave_up_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyNotices:
    """What was chosen (None: nothing), what can be, and the newest 50 notices."""

    choice: ToldChoice | None
    possible: tuple[str, ...]
    notices: tuple[ToldNotice, ...]


def notice_routes(
    database: Database, keys: Keys | None, *, services: Collection[str] = SERVICES,
    mail: bool = False, now: Clock = utc_now,
) -> APIRouter:  # fmt: skip
    """The routes over the database, each for whoever asks alone.

    Args:
        keys: None: nothing can be chosen.
        mail: whether the hub has a mail server.
    """
    routes = APIRouter(prefix="/api/notices", tags=["notices"])
    possible = tuple(sorted(services) + ([MAIL] if mail else []))

    @routes.get("")
    def notices(session: SignedIn) -> MyNotices:
        """My choice, and what became of my notices."""
        with database.of_session(session) as connection:
            return _mine(connection, possible)

    @routes.put("")
    def choose(said: SaidChoice, session: SignedIn) -> MyNotices:
        """Choose channels, quiet hours and the time of the digest; no channels: none any more."""
        if keys is None:
            raise NoKeys("this hub has no key file: channels cannot be kept")
        check_channels(said.channels, services, mail=mail)
        keyring = keys()
        kept = _kept(database, session.person.id, said.keep, keyring)
        choice = NoticeChoice(
            channels=(*kept, *said.channels), kinds=said.kinds, quiet_from=said.quiet_from,
            quiet_until=said.quiet_until, digest_at=said.digest_at, timezone=said.timezone,
            language=said.language,
        )  # fmt: skip
        with database.of_session(session) as connection:
            save_choice(connection, choice, keyring)
            return _mine(connection, possible)

    @routes.post("/test")
    def test(session: SignedIn) -> MyNotices:
        """Send a message to my channels now, quiet hours or not; at most one in a minute."""
        with database.of_session(session) as connection:
            before = _mine(connection, possible)
        if before.choice is None:
            raise NothingChosen("choose a channel first")
        with database.connection() as owner:
            insert_test(owner, session.person.id, now(), before.choice.language)
        with database.of_session(session) as connection:
            return _mine(connection, possible)

    return routes


def _kept(
    database: Database, person: UUID, places: Collection[int], keyring: Keyring
) -> tuple[str, ...]:
    if not places:
        return ()
    # As the owner: to a session its own channels are sealed, too.
    with database.connection() as owner:
        channels, _ = channels_of(owner, person, keyring)
    if not all(0 <= place < len(channels) for place in places):
        raise BadChoice("one of the channels to keep is not chosen any more: load the page again")
    return tuple(channels[place] for place in sorted(set(places)))


def _mine(connection: Connection, possible: tuple[str, ...]) -> MyNotices:
    chosen = mine(connection, "my_notice_choice")
    choice = None
    if chosen:
        row = chosen[0]
        lists = {name: tuple(row[name]) for name in ("services", "kinds")}
        choice = ToldChoice(**row | lists)
    told = tuple(ToldNotice(**row) for row in mine(connection, "my_notices"))
    return MyNotices(choice=choice, possible=possible, notices=told)
