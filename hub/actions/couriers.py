"""Bring actions down to their nodes, again and again until each node's receipt has come up.

Decides nothing about actions, and opens no connection: it is handed a way to publish.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from hub.actions.store import Unsent, note_sent, unsent_actions
from hub.store.database import Database
from storepulse.topics import Address
from storepulse.wire import encode_actions

Publish = Callable[[str, bytes], Awaitable[None]]
"""Topic and payload; returns when the broker has taken it."""

PARCEL_MAX: Final = 50
"""Most actions in one message: about 100 kB."""


def parcels(unsent: Sequence[Unsent]) -> Iterator[tuple[Address, list[Unsent]]]:
    """Put together what goes to the same node, at most PARCEL_MAX in one; order is kept."""
    for to, group in groupby(unsent, key=lambda one: one.to):
        ours = list(group)
        for first in range(0, len(ours), PARCEL_MAX):
            yield to, ours[first : first + PARCEL_MAX]


async def send_to_node(
    database: Database, publish: Publish, address: Address, *, now: datetime
) -> int:
    """Send a node that has just come back all that it has not receipted; returns how many."""
    return await _send(database, publish, now=now, sent_before=now, node_path=address.path)


async def send_due(database: Database, publish: Publish, *, now: datetime, resend_s: float) -> int:
    """Send what is new, and what was sent `resend_s` ago without a receipt since."""
    sent_before = now - timedelta(seconds=resend_s)
    return await _send(database, publish, now=now, sent_before=sent_before, node_path=None)


async def _send(
    database: Database,
    publish: Publish,
    *,
    now: datetime,
    sent_before: datetime,
    node_path: str | None,
) -> int:
    def look() -> list[Unsent]:
        with database.connection() as connection:
            return unsent_actions(connection, sent_before=sent_before, node_path=node_path)

    def note(parcel: Sequence[Unsent]) -> None:
        with database.connection() as connection:
            note_sent(connection, [one.action for one in parcel], at=now)

    sent = 0
    for to, parcel in parcels(await asyncio.to_thread(look)):
        payload = encode_actions([one.action for one in parcel])
        await publish(to.topic("down/actions"), payload)
        # Noted after it left: killed in between, it goes again, and the node knows it by its id.
        await asyncio.to_thread(note, parcel)
        sent += len(parcel)
    return sent
