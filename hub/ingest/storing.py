"""Store payloads as they came off the wire, and say what is to be told. Speaks to no broker.

One call is one transaction, in the hub's own process or in a worker's (`hub.ingest.workers`).
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import psycopg

from hub.errors import NodeRefused
from hub.ingest.allowance import Allowances
from hub.ingest.batches import Heard, Stored, store_batches
from hub.ingest.faults import raise_alarms
from hub.ingest.sorting import Alarm
from hub.store.database import Database
from storepulse.errors import BadInput
from storepulse.topics import Address
from storepulse.wire import Acknowledgement, read_batch, unpack

Said: TypeAlias = Sequence[tuple[Address, bytes]]
"""Payloads and who said them, in the order in which they came."""

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Told:
    """What became of payloads. What it acknowledges is committed."""

    acknowledgements: list[tuple[Address, Acknowledgement]] = field(default_factory=list)
    unreadable: list[tuple[Address, str]] = field(default_factory=list)
    """Who said what cannot be kept by any key, and why not."""
    alarms: list[str] = field(default_factory=list)
    """Raised already; for the log."""
    troubles: list[str] = field(default_factory=list)
    """Faults of the hub's own: what they met is not acknowledged, and said again."""
    batches: int = 0
    messages: int = 0
    quarantined: int = 0


def store_payloads(
    database: Database,
    said: Said,
    *,
    received_at: datetime,
    allowances: Allowances | None = None,
) -> Told:
    """Read and store payloads of some nodes, each key once.

    Args:
        allowances: what is left to each node; None: they have no limit.
    Raises:
        DatabaseUnavailable: nothing was stored; try again.
    """
    told = Told()
    heard = []
    sizes: Counter[Address] = Counter()
    for address, payload in said:
        if allowances is not None and not allowances.has(address.path, received_at):
            _refuse(database, allowances, address, received_at, told)
            continue
        try:
            plain = unpack(payload)
            heard.append(Heard(address, read_batch(plain)))
            sizes[address] += len(plain)
        except BadInput as error:
            told.unreadable.append((address, str(error)))
        except Exception as error:
            # A fault of ours, met by what one node says: the others are heard all the same.
            log.exception("what %s said could not be read", address.path)
            told.unreadable.append((address, f"the hub failed at reading it: {error!r}"))
    if not heard:
        return told
    try:
        outcomes = store_batches(database, heard, received_at=received_at)
    except psycopg.Error as error:
        log.exception("what %d messages said could not be stored", len(heard))
        told.troubles.append(f"database: {error}")
        return told
    told.batches = len(heard)
    told.messages = sum(len(one.said) for one in heard)
    many: Counter[Address] = Counter()
    for one in heard:
        many[one.address] += len(one.said)
    for address, outcome in outcomes.items():
        if isinstance(outcome, Stored):
            if allowances is not None and outcome.kept:
                # What was known before takes no room.
                size = sizes[address] * outcome.kept // many[address]
                allowances.spend(address.path, outcome.kept, size, received_at)
            told.quarantined += len(outcome.quarantined)
            told.alarms += [f"{address.path}: {one.kind}: {one.detail}" for one in outcome.alarms]
            told.acknowledgements += [(address, one) for one in outcome.acknowledgements]
        elif isinstance(outcome, NodeRefused):
            told.unreadable.append((address, str(outcome)))
        else:
            # A fault of ours, not of the message: it is not acknowledged, so the node says it
            # again to a mended hub; meanwhile the other nodes are heard.
            told.troubles.append(f"database: {outcome}")
    return told


def _refuse(
    database: Database, allowances: Allowances, address: Address, received_at: datetime, told: Told
) -> None:
    """Let a payload go unread; an alarm says so once a day."""
    reason = allowances.why_none(address.path)
    if reason is not None:
        with database.connection() as connection:
            alarm = Alarm("too much said", reason)
            raise_alarms(connection, address.path, [alarm], at=received_at)
        told.alarms.append(f"{address.path}: {alarm.kind}: {alarm.detail}")
