"""Feeds and what was kept aside, in the database. Reads no row and fetches none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from hub.audit import MACHINE, record
from hub.errors import BadFeed
from hub.feeds.kinds import KINDS, Kind
from hub.feeds.reasons import BadRow, RowReason, RunReason
from hub.feeds.rows import FeedShop, Row, row_sha256
from hub.feeds.signing import REMEMBERED, new_secret
from hub.feeds.sources import WEBHOOK, source_for
from hub.shops_store import shops as read_shops
from hub.store.database import Connection
from hub.store.queries import question

EVERY_S_MIN: Final = 60
EVERY_S: Final = 6 * 3600
ASIDE_MAX: Final = 1000
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_CHARACTERS_MAX: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as it runs."""

    name: str
    kind: Kind
    place: str
    options: Mapping[str, str]
    secret: bytes | None
    every_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFeed:
    """A feed as a list shows it."""

    name: str
    kind: str
    place: str
    every_s: int
    made_at: datetime
    ended_at: datetime | None
    last_run_at: datetime | None
    last_ok_at: datetime | None
    """The age of what it says is counted from here."""
    next_run_at: datetime | None
    failures: int
    reason: str
    detail: str
    taken: int
    same: int
    aside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A row that could not be taken, and why."""

    id: int
    feed: str
    said: Mapping[str, Any]
    reason: RowReason
    detail: str
    first_at: datetime
    last_at: datetime
    tries: int


def add_feed(
    connection: Connection,
    name: str,
    *,
    kind: str,
    place: str,
    options: Mapping[str, str],
    every_s: int,
    now: datetime,
    who: UUID | str = MACHINE,
) -> bytes | None:
    """Make a feed; it first runs at once.

    Returns:
        The secret with which a webhook's sender signs; None for what is fetched.
    Raises:
        BadFeed: a name, kind or place that cannot be, or a name that is taken.
    """
    if not _NAME.fullmatch(name) or len(name) > _NAME_CHARACTERS_MAX:
        raise BadFeed(f"{name!r} is no name of a feed: small letters, digits, single hyphens")
    if kind not in KINDS:
        raise BadFeed(f"kind {kind!r} is none of {', '.join(KINDS)}")
    service = KINDS[kind].fetched_from
    if place != WEBHOOK:
        if service and place != service and place in {one.fetched_from for one in KINDS.values()}:
            raise BadFeed(f"{kind} come from {service}, not from {place}")
        source_for(place, options)
    if every_s < EVERY_S_MIN:
        raise BadFeed(f"at least {EVERY_S_MIN} s lie between two runs")
    secret = new_secret() if place == WEBHOOK else None
    made = connection.execute(
        question("new_feed"),
        {
            "name": name, "kind": kind, "place": place, "options": Jsonb(dict(options)),
            "secret": secret, "every_s": every_s,
            "next_run_at": None if place == WEBHOOK else now,
        },
    ).fetchone()  # fmt: skip
    if made is None:
        raise BadFeed(f"there is (or was) a feed {name}: choose another name")
    # No address and no option: either may hold a key.
    record(connection, who=who, what="feed_added", about=f"feed:{name}", detail={"kind": kind})
    return secret


def end_feed(connection: Connection, name: str, *, who: UUID | str = MACHINE) -> None:
    """End a feed: what it said stays.

    Raises:
        BadFeed: there is none.
    """
    if connection.execute(question("end_feed"), {"name": name}).fetchone() is None:
        raise BadFeed(f"there is no feed {name}: see `storepulse hub feed list`")
    record(connection, who=who, what="feed_ended", about=f"feed:{name}")


def feeds(connection: Connection, name: str | None = None) -> list[ToldFeed]:
    """The feeds that have not ended, by name; or one, whatever became of it."""
    rows = connection.execute(question("feeds"), {"name": name})
    return [ToldFeed(**row) for row in rows]


def hold_feed(connection: Connection, name: str) -> Feed | None:
    """A feed for the rest of the transaction; None when there is none (any more)."""
    row = connection.execute(question("hold_feed"), {"name": name}).fetchone()
    if row is None or row["kind"] not in KINDS:
        return None
    secret = None if row["secret"] is None else bytes(row["secret"])
    return Feed(**row | {"kind": KINDS[row["kind"]], "secret": secret})


def feed_secret(connection: Connection, name: str) -> bytes | None:
    """The secret of a webhook; None where there is no such feed, or it is fetched."""
    row = connection.execute(question("feed_secret"), {"name": name}).fetchone()
    return None if row is None or row["secret"] is None else bytes(row["secret"])


def due_feeds(connection: Connection, *, now: datetime) -> list[str]:
    """The feeds whose time has come, the longest due first."""
    return [row["name"] for row in connection.execute(question("due_feeds"), {"now": now})]


def feed_ran(
    connection: Connection, name: str, *, now: datetime, reason: RunReason | None, detail: str
) -> None:
    """Note how a run ended; sets when the next one is due, later after each failure."""
    asked = {"name": name, "now": now, "reason": reason or "", "detail": detail[:500]}
    connection.execute(question("feed_ran"), asked)


def count_rows(connection: Connection, name: str, *, taken: int, same: int) -> None:
    """Add to the feed's counters."""
    connection.execute(question("feed_counted"), {"name": name, "taken": taken, "same": same})


def keep_aside(
    connection: Connection, feed: str, bad: Sequence[tuple[Row, BadRow]], *, now: datetime
) -> None:
    """Keep bad rows with their reasons; one that is there already is tried once more."""
    with connection.cursor() as cursor:
        cursor.executemany(
            question("new_aside"),
            [
                {
                    "feed": feed, "sha256": row_sha256(row), "said": Jsonb(dict(row)),
                    "reason": why.reason, "detail": why.detail[:500], "now": now,
                }
                for row, why in bad
            ],
        )  # fmt: skip


def clear_aside(connection: Connection, feed: str, good: Sequence[Row]) -> None:
    """What could be taken now is aside no more."""
    if good:
        asked = {"feed": feed, "sha256": [row_sha256(row) for row in good]}
        connection.execute(question("clear_aside"), asked)


def aside(
    connection: Connection,
    feed: str,
    *,
    only: int | None = None,
    after: int = 0,
    limit: int = ASIDE_MAX,
) -> list[Aside]:
    """What a feed has aside, oldest first, beyond the id `after`."""
    asked = {"feed": feed, "id": only, "after": after, "limit": limit}
    return [
        Aside(**row | {"reason": RowReason(row["reason"])})
        for row in connection.execute(question("feed_aside"), asked)
    ]


def see_delivery(connection: Connection, feed: str, delivery: str, *, now: datetime) -> bool:
    """Remember a delivery; False when it was here before."""
    connection.execute(question("forget_deliveries"), {"until": now - REMEMBERED})
    asked = {"feed": feed, "id": delivery, "now": now}
    return connection.execute(question("new_delivery"), asked).fetchone() is not None


def feed_shops(connection: Connection) -> dict[str, FeedShop]:
    """The shops that a list has named."""
    return {
        shop.shop: FeedShop(
            shop=shop.shop, timezone=shop.timezone, region=shop.region,
            latitude=shop.latitude, longitude=shop.longitude,
        )
        for shop in read_shops(connection)
        if shop.assigned
    }  # fmt: skip
