"""The routes by which a person chooses notices and sees what became of them. Sends nothing."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body

from hub.api.asked import Clock, utc_now
from hub.care.keyring import Keyring, Keys
from hub.errors import Refused
from hub.notices.choice import (
    BROWSERS,
    MAIL,
    SERVICES,
    BadChoice,
    NoticeChoice,
    NoticeKind,
    SentKind,
    check_channels,
)
from hub.notices.push import KeptBrowser, WebPush, drop_browser, keep_browser, my_browsers
from hub.notices.store import channels_of, insert_test, mine, save_choice
from hub.people.roles import Role, Session
from hub.people.sessions import SignedIn
from hub.store.database import Connection, Database
from storepulse.web_push import Subscription


class NoKeys(Refused):
    """This hub was started without its key file."""

    status = 409  # a matter of settings: a later try is refused again
    code = "no_keys"


class NothingChosen(Refused):
    """There is no channel that a test could go to."""

    status = 409
    code = "nothing_chosen"


class NoPush(Refused):
    """This hub sends no messages to browsers."""

    status = 409
    code = "no_push"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidChoice:
    """What a person chooses; no channels take the choice back."""

    channels: tuple[str, ...]
    """Mail addresses, addresses of services as in wecombot://KEY, and "browsers"."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidEndpoint:
    """A browser, by its address at its push service."""

    endpoint: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidBrowser(SaidEndpoint):
    """What `pushManager.subscribe` gave, and how its person reads where nothing was chosen yet."""

    p256dh: str
    auth: str = field(repr=False)
    timezone: str = "UTC"
    language: Literal["en", "zh"] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class MyBrowsers:
    """My browsers in which notices are shown."""

    key: str
    """For `pushManager.subscribe` (applicationServerKey); "": this hub sends none."""
    browsers: tuple[KeptBrowser, ...]


def notice_routes(
    database: Database, keys: Keys | None, *, services: Collection[str] = SERVICES,
    mail: bool = False, push: WebPush | None = None, now: Clock = utc_now,
) -> APIRouter:  # fmt: skip
    """The routes over the database, each for whoever asks alone.

    Args:
        keys: None: nothing can be chosen.
        mail: whether the hub has a mail server.
        push: how it sends to browsers; None: it does not.
    """
    routes = APIRouter(prefix="/api/notices", tags=["notices"])
    possible = tuple(
        sorted(services) + ([MAIL] if mail else []) + ([BROWSERS] if push is not None else [])
    )

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
        check_channels(said.channels, services, mail=mail, browsers=push is not None)
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

    @routes.get("/browsers")
    def browsers(session: SignedIn) -> MyBrowsers:
        """The key by which a browser subscribes, and my browsers in which notices are shown."""
        with database.of_session(session) as connection:
            return _browsers(connection)

    @routes.post("/browsers", status_code=201)
    def show_here(said: SaidBrowser, session: SignedIn) -> MyBrowsers:
        """Show my notices in this browser, too: what `pushManager.subscribe` gave. Quiet hours and
        kinds are those of my choice; without one, escalations are shown."""
        if push is None or keys is None:
            raise NoPush("this hub sends no messages to browsers")
        one = Subscription(said.endpoint, said.p256dh, said.auth)
        keyring = keys()
        with database.of_session(session) as connection:
            keep_browser(connection, one, keyring, hosts=push.hosts)
            choice = with_browsers(_chosen(session, keyring), said, session.person.role)
            if choice is not None:
                save_choice(connection, choice, keyring)
            return _browsers(connection)

    @routes.delete("/browsers")
    def show_no_more(said: Annotated[SaidEndpoint, Body()], session: SignedIn) -> MyBrowsers:
        """Show nothing in this browser any more; when it was the last, the channel goes, too."""
        with database.of_session(session) as connection:
            drop_browser(connection, said.endpoint)
            left = _browsers(connection)
            if not left.browsers and keys is not None:
                choice = without_browsers(_chosen(session, keys()))
                if choice is not None:
                    save_choice(connection, choice, keys())
            return left

    def _chosen(session: Session, keyring: Keyring) -> NoticeChoice | None:
        # As the owner: a session does not read its channels, which are sealed.
        with database.connection() as owner:
            return channels_of(owner, session.person.id, keyring)[1]

    def _browsers(connection: Connection) -> MyBrowsers:
        key = "" if push is None or keys is None else push.key.public
        return MyBrowsers(key=key, browsers=tuple(my_browsers(connection)))

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


def with_browsers(
    choice: NoticeChoice | None, said: SaidBrowser, role: Role
) -> NoticeChoice | None:
    """A choice with browsers among its channels; None where they are already. Pure."""
    if choice is None:
        # Nothing goes up to a clerk; what is pushed to the shop is a clerk's.
        kinds: tuple[NoticeKind, ...] = ("pushed",) if role == "clerk" else ("escalation",)
        return NoticeChoice(
            channels=(BROWSERS,), kinds=kinds, timezone=said.timezone, language=said.language
        )
    if BROWSERS in choice.channels:
        return None
    return replace(choice, channels=(*choice.channels, BROWSERS))


def without_browsers(choice: NoticeChoice | None) -> NoticeChoice | None:
    """A choice without browsers among its channels; None where they were not. Pure."""
    if choice is None or BROWSERS not in choice.channels:
        return None
    return replace(choice, channels=tuple(one for one in choice.channels if one != BROWSERS))


def _mine(connection: Connection, possible: tuple[str, ...]) -> MyNotices:
    chosen = mine(connection, "my_notice_choice")
    choice = None
    if chosen:
        row = chosen[0]
        lists = {name: tuple(row[name]) for name in ("services", "kinds")}
        choice = ToldChoice(**row | lists)
    told = tuple(ToldNotice(**row) for row in mine(connection, "my_notices"))
    return MyNotices(choice=choice, possible=possible, notices=told)
