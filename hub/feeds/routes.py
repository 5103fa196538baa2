"""The routes of feeds: deliveries come in, lists go out. Decides nothing.

A delivery has no session: its signature says who sent it (`hub.feeds.signing`).
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool

from hub.api.asked import Clock, NotThere
from hub.audit import record
from hub.audit.routes import ReadsAudit
from hub.errors import BadFeed, Refused
from hub.feeds.kinds import KINDS
from hub.feeds.reasons import FeedFailed, RunReason
from hub.feeds.running import take_again, take_delivery
from hub.feeds.store import ASIDE_MAX, Aside, ToldFeed, aside, feeds
from hub.people.sessions import ManagesPeople, SeesFaults
from hub.store.database import Database

_ID_MAX: Final = 2**63 - 1
FeedName = Annotated[str, Path(min_length=1, max_length=40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of a delivery's rows."""

    before: bool
    """It was taken before; nothing was done."""
    taken: int = 0
    same: int = 0
    aside: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Which row to take again; None: all."""

    id: int | None = None

    def __post_init__(self) -> None:
        if self.id is not None and not 0 <= self.id <= _ID_MAX:
            raise ValueError("id is none of a row")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldKind:
    """A kind of feed: what its rows tell, and by which columns."""

    name: str
    meaning: str
    columns: tuple[str, ...]
    fetched_from: str
    """The service that it comes from by itself; empty: it is sent, or read from a file."""


class NotSigned(Refused):
    """A signature that does not fit, or no such feed: which, is not said."""

    status = 401
    code = "bad_signature"


class SignedTooOld(Refused):
    """Signed well, but at another time."""

    status = 401
    code = "too_old"


class NotReadable(Refused):
    """No JSON of rows."""

    status = 400
    code = "unreadable"


class TooManyRows(Refused):
    """More rows than one delivery may have."""

    status = 413
    code = "too_large"


_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_REFUSALS: Final[dict[RunReason, type[Refused]]] = {
    RunReason.BAD_SIGNATURE: NotSigned,
    RunReason.TOO_OLD: SignedTooOld,
    RunReason.UNREADABLE: NotReadable,
    RunReason.TOO_LARGE: TooManyRows,
}


def feed_routes(database: Database, now: Clock) -> APIRouter:
    """Deliveries and lists."""
    routes = APIRouter(prefix="/api", tags=["feeds"])

    @routes.get("/feeds")
    def everything(session: SeesFaults) -> list[ToldFeed]:
        """The feeds and how they are."""
        with database.of_session(session) as connection:
            return feeds(connection)

    @routes.get("/feed-kinds")
    def kinds(session: SeesFaults) -> list[ToldKind]:  # noqa: ARG001
        """The kinds of feeds that there can be, with the columns of their rows."""
        return [
            ToldKind(name=one.name, meaning=one.meaning, columns=one.columns,
                     fetched_from=one.fetched_from)
            for one in KINDS.values()
        ]  # fmt: skip

    @routes.post("/feeds/{feed}/again")
    def send_again(feed: FeedName, said: Again, session: ManagesPeople) -> Delivered:
        """Take the rows that are aside once more, all or one: what was wrong may be mended."""
        with database.of_session(session) as connection:
            if not feeds(connection, feed):
                raise NotThere(f"there is no feed {feed!r}")
        try:
            done = take_again(database, feed, now=now(), only=said.id)
        except BadFeed as error:
            raise NotThere(str(error)) from error
        detail = {"taken": done.taken, "same": done.same, "aside": done.aside.total()}
        with database.of_session(session) as connection:
            record(connection, what="feed_sent_again", about=f"feed:{feed}", detail=detail)
        return Delivered(before=False, **detail)

    @routes.get("/feeds/{feed}/aside")
    def put_aside(
        feed: FeedName,
        session: ReadsAudit,
        after: Annotated[int, Query(ge=0, le=_ID_MAX)] = 0,
    ) -> list[Aside]:
        """Rows that could not be taken, with their reasons, oldest first."""
        with database.of_session(session) as connection:
            return aside(connection, feed, after=after, limit=ASIDE_MAX)

    @routes.post("/feeds/{feed}/rows")
    async def deliver(feed: FeedName, request: Request) -> Delivered:
        """Take {"rows": [...]} that is signed as Standard Webhooks says."""
        body = await request.body()
        headers = {name: request.headers.get(name, "") for name in _HEADERS}
        return await run_in_threadpool(_deliver, database, feed, headers, body, now)

    return routes


def _deliver(
    database: Database, feed: str, headers: dict[str, str], body: bytes, now: Clock
) -> Delivered:
    try:
        done = take_delivery(database, feed, headers=headers, body=body, now=now())
    except FeedFailed as failed:
        raise _REFUSALS[failed.reason](failed.detail) from failed
    if done is None:
        return Delivered(before=True)
    return Delivered(before=False, taken=done.taken, same=done.same, aside=done.aside.total())
