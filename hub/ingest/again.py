"""Take up again what another version of the hub refused: after an upgrade it may be understood.

A node that is newer than its hub says words that the hub does not know. They were kept aside and
acknowledged, so the node does not say them again: this is their way in. Each version of the hub
tries each message once. What it refuses, too, stays aside.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from hub.errors import DatabaseUnavailable
from hub.ingest.batches import UNSTORABLE
from hub.ingest.plans_store import keep_plans, what_is_known
from hub.ingest.sorting import Known, decide
from hub.ingest.streams_store import lock_streams
from hub.nodes.store import revoked_among
from hub.store.database import Connection, Database
from hub.store.queries import question
from storepulse import __version__
from storepulse.errors import BadInput
from storepulse.topics import Address, read_path
from storepulse.wire import BadPayload, Message, decode_event

_AT_ONCE: Final = 500
_AGAIN_S: Final = 60.0
_REST_S: Final = 86_400.0
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
"""What a text was refused for that no database can hold: the rest of it is not what was said."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Refused:
    id: int
    node_path: str
    raw: str
    received_at: datetime


_Group: TypeAlias = Sequence[_Refused]


async def keep_trying_again(database: Database, *, now: Callable[[], datetime]) -> None:
    """Do it at the start, and look once a day for what another hub over this database left."""
    while True:
        try:
            taken = await asyncio.to_thread(take_up_again, database, now=now)
        except DatabaseUnavailable as error:
            log.warning("what was refused could not be tried again: %s", error)
            await asyncio.sleep(_AGAIN_S)
            continue
        if taken:
            log.info("%d messages that another version refused are understood now", taken)
        await asyncio.sleep(_REST_S)


def take_up_again(
    database: Database, *, now: Callable[[], datetime], version: str = __version__
) -> int:
    """Try what other versions refused, oldest first; returns how many messages were taken.

    Raises:
        DatabaseUnavailable: the rest is tried the next time.
    """
    taken = after = 0
    with database.connection() as connection:
        # What is set aside anew meanwhile is not tried twice.
        newest = connection.execute("select max(id) as id from quarantine").fetchone()
    assert newest is not None
    while True:
        asked = {
            "after": after, "through": newest["id"], "version": version, "limit": _AT_ONCE
        }  # fmt: skip
        with database.connection() as connection:
            rows = connection.execute(question("refused_by_others"), asked).fetchall()
        if not rows:
            return taken
        after = rows[-1]["id"]
        groups: dict[tuple[str, datetime], list[_Refused]] = {}
        for row in rows:
            one = _Refused(**row)
            groups.setdefault((one.node_path, one.received_at), []).append(one)
        for group in groups.values():
            taken += _try_group(database, group, now(), version)


def _try_group(database: Database, group: _Group, at: datetime, version: str) -> int:
    """Try what one node said at one moment, in one transaction."""
    try:
        with database.connection() as connection:
            return _store_again(connection, group, at, version)
    except UNSTORABLE as error:
        if len(group) > 1:
            return sum(_try_group(database, [one], at, version) for one in group)
        log.warning("a message that was refused cannot be stored: %s", error)
    with database.connection() as connection:
        _stay(connection, [one.id for one in group], version)
    return 0


def _store_again(connection: Connection, group: _Group, at: datetime, version: str) -> int:
    asked = {"ids": [one.id for one in group], "version": version}
    free = {row["id"] for row in connection.execute(question("lock_quarantined"), asked)}
    tried = [one for one in group if one.id in free]
    if not tried:
        return 0
    address, understood = _understood(connection, tried)
    if address is None or not understood:
        _stay(connection, [one.id for one in tried], version)
        return 0
    received_at = tried[0].received_at
    said = list(understood.values())
    streams = lock_streams(connection, {(address.path, one.key.epoch) for one in said})
    known = what_is_known(connection, streams, {address: said})[address]
    # By their keys they are known: as refused. The numbers are stored, and stay as they are.
    known = Known(merged=known.merged, offsets=known.offsets, action_shops=known.action_shops)
    plan = decide(address, said, known, received_at=received_at)
    plan.keys.clear()
    plan.written.clear()
    refused = {one.key for one in plan.quarantined}
    plan.quarantined = []
    by_place = {(one.node_path, one.epoch): one.stream for one in streams}
    keep_plans(connection, {address: plan}, by_place, at)
    taken = [row for row, one in understood.items() if one.key not in refused]
    connection.execute(question("remove_quarantined"), {"ids": taken})
    _stay(connection, [one.id for one in tried if one.id not in taken], version)
    return len(taken)


def _understood(connection: Connection, tried: _Group) -> tuple[Address | None, dict[int, Message]]:
    """Who said it, and by its row's id what can be read now."""
    try:
        address = read_path(tried[0].node_path)
    except BadInput:
        return None, {}
    if revoked_among(connection, [address]):
        return None, {}
    understood = {}
    for one in tried:
        if _REPLACED in one.raw:
            continue
        try:
            message = decode_event(one.raw)
        except BadPayload:  # as hubs of before this kept it: without its key
            continue
        if isinstance(message, Message):
            understood[one.id] = message
    return address, understood


def _stay(connection: Connection, ids: Sequence[int], version: str) -> None:
    connection.execute(question("tried_quarantined"), {"ids": list(ids), "version": version})
