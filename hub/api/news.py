"""Tell open pages at which shops of theirs something changed. Says not what: they ask again.

The database notifies whatever process writes codes or actions (triggers, migrations 5 and 7); one
thread of this process listens and wakes the open streams of server-sent events. A stream ends when
its session does: the database notifies of that, too.
"""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from hub.errors import DatabaseUnavailable
from hub.people.roles import Session
from hub.people.sessions import ReadsFigures
from hub.store.database import Database
from hub.store.queries import question

CHANNEL: Final = "storepulse_shown"
"""A notification of this name says that the shop it names shows something new."""
PEOPLE_CHANNEL: Final = "storepulse_people"
"""And this one that a session, a person or a right ended or changed."""
_STILL_HERE_S: Final = 15.0
"""So often a silent stream says that it lives, and looks whether its session does: proxies end
silent ones, and so a lost phone is noticed."""
_LOOK_EVERY_S: Final = 0.5
_RETRY_S: Final = 5.0
_NAMED_MAX: Final = 200
"""Of more shops that changed at once the names are not told: a page asks for all of them."""

log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[frozenset[str] | None]]
"""The shops that a stream may hear of now; None: its session has ended."""


@dataclass(frozen=True, slots=True)
class Change:
    """That something changed at shops which a page may hear of; `shops` None: perhaps at all."""

    shops: frozenset[str] | None

    def with_more(self, other: "Change | None") -> "Change":
        """This one and another as one."""
        if other is None:
            return self
        if self.shops is None or other.shops is None:
            return Change(None)
        return named(self.shops | other.shops)


def named(shops: frozenset[str] | None) -> Change:
    """A change at these shops; of too many no names are kept."""
    return Change(None if shops is None or len(shops) > _NAMED_MAX else shops)


class OpenPage:
    """One open stream: what it may hear of, and what happened since it was last asked."""

    def __init__(self) -> None:
        self.shops: frozenset[str] = frozenset()
        self._change: Change | None = None
        self._look_again = False
        self._woken = asyncio.Event()

    def tell(self, shops: Collection[str] | None) -> None:
        """Something changed at these shops; None: nobody knows where."""
        mine = None if shops is None else self.shops.intersection(shops)
        if mine is None or mine:
            self._change = named(mine).with_more(self._change)
            self._woken.set()

    def look_again(self) -> None:
        """The session may have ended, or see other shops."""
        self._look_again = True
        self._woken.set()

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()

    async def waited(self, *, at_most_s: float) -> tuple[Change | None, bool]:
        """What changed, and whether to look again; the latter after the time, too."""
        try:
            await asyncio.wait_for(self._woken.wait(), at_most_s)
        except TimeoutError:
            self._look_again = True
        self._woken.clear()
        said = (self._change, self._look_again)
        self._change, self._look_again = None, False
        return said


class News:
    """The open pages of this process. Of one event loop."""

    def __init__(self) -> None:
        self.number = 0
        """How often something was told."""
        self.ended = False
        self._pages: set[OpenPage] = set()

    def tell(self, shops: Collection[str] | None = None) -> None:
        """Something changed at these shops (None: anywhere): tell who may hear it."""
        self.number += 1
        for page in self._pages:
            page.tell(shops)

    def tell_of_people(self) -> None:
        """A session or a right may have ended: every page looks."""
        for page in self._pages:
            page.look_again()

    def end(self) -> None:
        """Wake all pages for the last time: their streams end."""
        self.ended = True
        for page in self._pages:
            page.wake()

    @contextmanager
    def open_page(self) -> Iterator[OpenPage]:
        """A page that is told until it is closed."""
        page = OpenPage()
        self._pages.add(page)
        try:
            yield page
        finally:
            self._pages.discard(page)


async def events_of(
    news: News, look: Look, *, still_here_s: float = _STILL_HERE_S
) -> AsyncIterator[str]:
    """The stream of one page: `changed` at once and at each change, `ended` with the session."""
    number = 0
    # First open, then look: what ends or changes in between is not missed.
    with news.open_page() as page:
        may_hear = await look()
        if may_hear is not None:
            page.shops = may_hear
            # What changed before the page began to listen, it has not seen: it asks once now.
            yield "retry: 2000\n" + _changed(number, Change(None))
        while may_hear is not None and not news.ended:
            change, look_again = await page.waited(at_most_s=still_here_s)
            if news.ended:
                return
            if look_again:
                may_hear = await look()
                if may_hear is None:
                    break
                if may_hear != page.shops:
                    change = Change(None)
                page.shops = may_hear
            number += change is not None
            yield ": still here\n\n" if change is None else _changed(number, change)
    if may_hear is None:
        yield "event: ended\ndata: signed_out\n\n"


def _changed(number: int, change: Change) -> str:
    shops = None if change.shops is None else sorted(change.shops)
    return f"event: changed\ndata: {json.dumps({'number': number, 'shops': shops})}\n\n"


def shops_heard(database: Database, session: Session) -> frozenset[str] | None:
    """The shops whose figures a session may see; None when it has ended or may see none at all."""
    with database.of_session(session) as connection:
        row = connection.execute(question("shops_heard")).fetchone()
    assert row is not None
    return frozenset(row["shops"]) if row["may"] else None


def news_routes(database: Database, news: News) -> APIRouter:
    """GET /api/events."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get(
        "/events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def events(session: ReadsFigures) -> StreamingResponse:
        """Server-sent events: `changed` when a shop's code or action is, `ended` at sign-out.

        `changed` carries {"number", "shops"}: which shops, or null where it may be any.
        """

        async def look() -> frozenset[str] | None:
            return await asyncio.to_thread(shops_heard, database, session)

        return StreamingResponse(
            events_of(news, look),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    return routes


async def hear_news(database: Database, news: News, *, retry_s: float = _RETRY_S) -> None:
    """Listen to the database and tell the news until cancelled."""
    stop = threading.Event()
    loop = asyncio.get_running_loop()

    def tell(shops: Collection[str] | None) -> None:
        loop.call_soon_threadsafe(news.tell, shops)

    def tell_of_people() -> None:
        loop.call_soon_threadsafe(news.tell_of_people)

    try:
        while True:
            try:
                await asyncio.to_thread(_listen, database, tell, tell_of_people, stop)
            except DatabaseUnavailable as error:
                log.warning("open pages are not told of changes: %s", error)
            except Exception:
                # A fault of ours must not end ingest and codes; pages ask again when they open.
                log.exception("open pages are not told of changes; trying again")
            await asyncio.sleep(retry_s)
    finally:
        stop.set()
        news.end()


def _listen(
    database: Database,
    tell: Callable[[Collection[str] | None], None],
    tell_of_people: Callable[[], None],
    stop: threading.Event,
) -> None:
    with database.connection() as connection:
        connection.commit()
        connection.autocommit = True
        try:
            for channel in (CHANNEL, PEOPLE_CHANNEL):
                connection.execute(f"listen {channel}")
            # What changed while nobody listened.
            tell(None)
            tell_of_people()
            while not stop.is_set():
                heard = list(connection.notifies(timeout=_LOOK_EVERY_S, stop_after=1))
                shops = {one.payload for one in heard if one.channel == CHANNEL}
                if shops:
                    tell(shops)
                if any(one.channel == PEOPLE_CHANNEL for one in heard):
                    tell_of_people()
        finally:
            _give_back(connection)


def _give_back(connection: psycopg.Connection[dict[str, object]]) -> None:
    if not connection.closed:
        try:
            connection.execute("unlisten *")
            connection.autocommit = False
        except psycopg.Error:
            connection.close()
