"""Tell open pages that something changed. Says not what: they ask the API again.

The database notifies whatever process writes codes or actions (triggers, migration 5); one thread
of this process listens and wakes every open stream of server-sent events.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import Final

import psycopg
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from hub.database import Database
from hub.errors import DatabaseUnavailable

CHANNEL: Final = "storepulse_shown"
"""A notification of this name says that a board or a shop's page shows something new."""
_STILL_HERE_S: Final = 15.0
"""So often a silent stream says that it lives: proxies end silent ones, and so a lost phone is
noticed."""
_LOOK_EVERY_S: Final = 0.5
_RETRY_S: Final = 5.0

log = logging.getLogger(__name__)


class News:
    """How often something changed, and a way to wait for the next time. Of one event loop."""

    def __init__(self) -> None:
        self.number = 0
        self.ended = False
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Something changed: wake all that wait."""
        self.number += 1
        self._wake()

    def end(self) -> None:
        """Wake all that wait for the last time: their streams end."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    async def later_than(self, seen: int, *, at_most_s: float = _STILL_HERE_S) -> int:
        """The number once it is not `seen` any more, or `seen` again after `at_most_s`."""
        if self.number == seen and not self.ended:
            try:
                await asyncio.wait_for(self._changed.wait(), at_most_s)
            except TimeoutError:
                return seen
        return self.number


async def events_of(news: News) -> AsyncIterator[str]:
    """The stream of one page: `changed` at once and whenever something changed."""
    seen = news.number
    # What changed before the page began to listen, it has not seen: it asks once now.
    yield f"retry: 2000\nevent: changed\ndata: {seen}\n\n"
    while not news.ended:
        number = await news.later_than(seen)
        yield f"event: changed\ndata: {number}\n\n" if number != seen else ": still here\n\n"
        seen = number


def news_routes(news: News) -> APIRouter:
    """GET /api/events."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get(
        "/events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def events() -> StreamingResponse:
        """Server-sent events: `changed` whenever a code or an action is written."""
        return StreamingResponse(
            events_of(news), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    return routes


async def hear_news(database: Database, news: News, *, retry_s: float = _RETRY_S) -> None:
    """Listen to the database and tell the news until cancelled."""
    stop = threading.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        loop.call_soon_threadsafe(news.tell)

    try:
        while True:
            try:
                await asyncio.to_thread(_listen, database, tell, stop)
            except DatabaseUnavailable as error:
                log.warning("open pages are not told of changes: %s", error)
            await asyncio.sleep(retry_s)
    finally:
        stop.set()
        news.end()


def _listen(database: Database, tell: Callable[[], None], stop: threading.Event) -> None:
    with database.connection() as connection:
        connection.commit()
        connection.autocommit = True
        try:
            connection.execute(f"listen {CHANNEL}")
            # What changed while nobody listened.
            tell()
            while not stop.is_set():
                for _ in connection.notifies(timeout=_LOOK_EVERY_S, stop_after=1):
                    tell()
        finally:
            _give_back(connection)


def _give_back(connection: psycopg.Connection[dict[str, object]]) -> None:
    if not connection.closed:
        try:
            connection.execute("unlisten *")
            connection.autocommit = False
        except psycopg.Error:
            connection.close()
