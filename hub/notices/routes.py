"""The routes by which a person chooses notices and sees what became of them. Sends nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from fastapi import APIRouter

from hub.care.keyring import Keys
from hub.errors import Refused
from hub.notices.choice import MAIL, SERVICES, NoticeChoice, NoticeKind, check_channels
from hub.notices.store import mine, save_choice
from hub.people.sessions import SignedIn
from hub.store.database import Connection, Database


class NoKeys(Refused):
    """This hub was started without its key file."""

    status = 503
    code = "no_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidChoice:
    """What a person chooses; no channels take the choice back."""

    channels: tuple[str, ...]
    """Mail addresses, and addresses of services as in wecombot://KEY."""
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
    kind: NoticeKind
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
    mail: bool = False,
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
        choice = NoticeChoice(
            channels=said.channels, kinds=said.kinds, quiet_from=said.quiet_from,
            quiet_until=said.quiet_until, digest_at=said.digest_at, timezone=said.timezone,
            language=said.language,
        )  # fmt: skip
        with database.of_session(session) as connection:
            save_choice(connection, choice, keys())
            return _mine(connection, possible)

    return routes


def _mine(connection: Connection, possible: tuple[str, ...]) -> MyNotices:
    chosen = mine(connection, "my_notice_choice")
    choice = None
    if chosen:
        row = chosen[0]
        lists = {name: tuple(row[name]) for name in ("services", "kinds")}
        choice = ToldChoice(**row | lists)
    told = tuple(ToldNotice(**row) for row in mine(connection, "my_notices"))
    return MyNotices(choice=choice, possible=possible, notices=told)
