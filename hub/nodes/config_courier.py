"""Bring each node its configuration, again and again until its state says that it keeps it.

Opens no connection: it is handed a way to publish. What a node is told, `phones_store` knows.
"""

import asyncio
from datetime import datetime, timedelta

from hub.actions.couriers import Publish
from hub.phones.store import ConfigDue, configs_to_send, note_config_sent
from hub.store.database import Database
from storepulse.topics import Address
from storepulse.wire import encode_config


async def send_config_to_node(
    database: Database, publish: Publish, address: Address, *, now: datetime
) -> int:
    """Send a node that has just spoken what it does not keep yet; returns 1 if that was some."""
    return await _send(database, publish, now=now, sent_before=now, node_path=address.path)


async def send_configs_due(
    database: Database, publish: Publish, *, now: datetime, resend_s: float
) -> int:
    """Send what was changed, and what was sent `resend_s` ago without a receipt since."""
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
    def look() -> list[ConfigDue]:
        with database.connection() as connection:
            return configs_to_send(
                connection, now=now, sent_before=sent_before, node_path=node_path
            )

    def note(sent: ConfigDue) -> None:
        with database.connection() as connection:
            note_config_sent(connection, sent, at=now)

    due = await asyncio.to_thread(look)
    for one in due:
        await publish(one.to.topic("down/config"), encode_config(one.config))
        # Noted after it left: killed in between, it goes again, and the node knows its revision.
        await asyncio.to_thread(note, one)
    return len(due)
