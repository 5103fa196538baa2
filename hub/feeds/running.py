"""Run feeds: fetch, take, note how it went; when due, by hand, by a delivery. Judges no row."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Final

import psycopg

from hub.errors import BadFeed, DatabaseUnavailable
from hub.feeds.intake import Taken, take_rows
from hub.feeds.reasons import FeedFailed, RunReason
from hub.feeds.signing import check_delivery
from hub.feeds.sources import Asked, Source, source_for
from hub.feeds.store import (
    ASIDE_MAX,
    Feed,
    aside,
    due_feeds,
    feed_ran,
    feed_secret,
    feed_shops,
    hold_feed,
    see_delivery,
)
from hub.store.database import Connection, Database

_ROWS_AT_ONCE: Final = 500
"""In one transaction: a file of a year must not hold up the others."""
_LOOK_S: Final = 5.0
ROWS_MAX: Final = 1000
"""Of one delivery."""

log = logging.getLogger(__name__)


def run_feed(
    database: Database, name: str, *, now: datetime, source: Source | None = None
) -> Taken:
    """Fetch a feed's rows and take them; how it went is noted either way.

    Args:
        source: another than the feed's own, for a file given by hand.
    Raises:
        BadFeed: there is no such feed.
        FeedFailed: nothing, or not all, could be fetched. What came before is taken.
        DatabaseUnavailable: try again; rows that were taken stay taken.
    """
    with database.connection() as connection:
        feed = _held(connection, name)
        shops = feed_shops(connection)
    done = Taken()
    try:
        rows = (source or source_for(feed.place, feed.options)).fetch(
            Asked(shops=list(shops.values()), now=now)
        )
        for some in _portions(rows):
            with database.connection() as connection:
                done += take_rows(connection, _held(connection, name), some, now=now)
    except FeedFailed as failed:
        with database.connection() as connection:
            feed_ran(connection, name, now=now, reason=failed.reason, detail=failed.detail)
        raise
    with database.connection() as connection:
        feed_ran(connection, name, now=now, reason=None, detail="")
    return done


def take_delivery(
    database: Database, name: str, *, headers: Mapping[str, str], body: bytes, now: datetime
) -> Taken | None:
    """Take a webhook's delivery: {"rows": [...]}, signed.

    Returns:
        What became of the rows; None for a delivery that was taken before.
    Raises:
        FeedFailed: bad_signature, too_old, unreadable, too_large. A stranger's try is not noted.
    """
    delivery = headers.get("webhook-id", "")
    with database.connection() as connection:
        # Not held before the signature fits: a stranger must not make the sender wait.
        check_delivery(
            feed_secret(connection, name), delivery=delivery,
            timestamp=headers.get("webhook-timestamp", ""),
            signatures=headers.get("webhook-signature", ""), body=body, now=now,
        )  # fmt: skip
        feed = _held(connection, name)
        try:
            rows = _rows_of(body)
        except FeedFailed as failed:
            feed_ran(connection, name, now=now, reason=failed.reason, detail=failed.detail)
            connection.commit()
            raise
        if not see_delivery(connection, name, delivery, now=now):
            return None
        done = take_rows(connection, feed, rows, now=now)
        feed_ran(connection, name, now=now, reason=None, detail="")
        return done


def take_again(database: Database, name: str, *, now: datetime, only: int | None = None) -> Taken:
    """Send a feed's rows that are aside again, all or one.

    Raises:
        BadFeed: there is no such feed, or no such row.
    """
    done, after = Taken(), 0
    while True:
        with database.connection() as connection:
            feed = _held(connection, name)
            waiting = aside(connection, name, only=only, limit=ASIDE_MAX, after=after)
            if only is not None and not waiting:
                raise BadFeed(f"feed {name} has no row {only} aside")
            if not waiting:
                return done
            after = waiting[-1].id
            done += take_rows(connection, feed, [one.said for one in waiting], now=now)
        if only is not None:
            return done


def run_due(database: Database, *, now: datetime) -> dict[str, Taken | FeedFailed]:
    """Run every feed whose time has come; one that fails holds up no other."""
    with database.connection() as connection:
        names = due_feeds(connection, now=now)
    ended: dict[str, Taken | FeedFailed] = {}
    for name in names:
        try:
            ended[name] = run_feed(database, name, now=now)
        except FeedFailed as failed:
            ended[name] = failed
            log.warning("feed %s: %s: %s", name, failed.reason, failed.detail)
        except (BadFeed, psycopg.Error) as error:
            # Ended meanwhile, or its options are of another version: later, and with a word of it.
            log.warning("feed %s: %s", name, error)
            with database.connection() as connection:
                feed_ran(connection, name, now=now, reason=RunReason.UNREADABLE, detail=str(error))
    return ended


async def keep_fed(database: Database, *, now: Callable[[], datetime]) -> None:
    """Run what is due, until cancelled."""
    while True:
        try:
            await asyncio.to_thread(run_due, database, now=now())
        except DatabaseUnavailable as error:
            log.warning("feeds wait: %s", error)
        except Exception:
            # A fault in one reader must not end ingest, the board and the other feeds.
            log.exception("feeds could not be run; trying again")
        await asyncio.sleep(_LOOK_S)


def _held(connection: Connection, name: str) -> Feed:
    feed = hold_feed(connection, name)
    if feed is None:
        raise BadFeed(f"there is no feed {name}: see `storepulse hub feed list`")
    return feed


def _portions(
    rows: Iterable[Mapping[str, object]],
) -> Iterator[list[Mapping[str, object]]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield some


def _rows_of(body: bytes) -> list[Mapping[str, object]]:
    try:
        said = json.loads(body)
        rows = said["rows"] if isinstance(said, dict) else None
    except (ValueError, KeyError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        raise FeedFailed(RunReason.UNREADABLE, 'the body must be {"rows": [{...}, ...]}')
    if len(rows) > ROWS_MAX:
        raise FeedFailed(RunReason.TOO_LARGE, f"at most {ROWS_MAX} rows in one delivery")
    return rows
