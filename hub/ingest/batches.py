"""Store what nodes said: some batches, one transaction. Speaks to no broker.

What it returns may be acknowledged: it is committed by then.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg

from hub.errors import DatabaseUnavailable, NodeRefused
from hub.ingest.fact_rules import as_storable, storable
from hub.ingest.faults import let_go, raise_alarms
from hub.ingest.plans_store import Stored as Stored
from hub.ingest.plans_store import keep_faults, keep_plans, retime, what_is_known
from hub.ingest.sorting import Alarm, Plan, decide, offset_of, raw_of, with_storable_keys
from hub.ingest.streams_store import (
    acknowledgements,
    advance_streams,
    known_offsets,
    learn_offset,
    lock_streams,
)
from hub.nodes.store import revoked_among
from hub.shops_store import node_said_state, see_node, see_nodes
from hub.store.database import Connection, Database
from storepulse.topics import Address
from storepulse.wire import NODE_STATE_JSON, Acknowledgement, Message, NodeState, Refused

UNSTORABLE: Final = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
)
"""What the database raises for a value that it can never hold: a retry changes nothing."""
_DETAIL_MAX: Final = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one node said, in the order in which it came."""

    address: Address
    said: Sequence[Message | Refused]


class NotStored(Exception):
    """Nothing of this node's was stored, for a fault of the hub's own: it says it again."""


Outcome = Stored | NodeRefused | NotStored


def store_batch(
    database: Database,
    address: Address,
    said: Sequence[Message | Refused],
    *,
    received_at: datetime,
) -> Stored:
    """Store a batch, each key once, and say how far its streams are complete.

    Raises:
        DatabaseUnavailable: nothing was stored; try again.
    """
    said, alarms = with_storable_keys(said)
    with database.connection() as connection:
        raise_alarms(connection, address.path, alarms, at=received_at)
        try:
            # A savepoint where an alarm was raised, else the transaction itself.
            with connection.transaction():
                return _store_one(connection, address, said, received_at)
        except UNSTORABLE:
            # Our rules let something through that the database cannot hold. It must not come back
            # for ever and hold up the rest: one at a time, the culprit alone goes to quarantine.
            return _store_singly(connection, address, said, received_at)


def store_batches(
    database: Database, heard: Sequence[Heard], *, received_at: datetime
) -> dict[Address, Outcome]:
    """Store what several nodes said in one transaction, each key once; what became of each node's.

    One that the database cannot hold, or that a fault of ours meets, holds up no other: then each
    node's is stored by itself.

    Raises:
        DatabaseUnavailable: nothing was stored; try again.
    """
    said: dict[Address, list[Message | Refused]] = {}
    for one in heard:
        said.setdefault(one.address, []).extend(one.said)
    with database.connection() as connection:
        shut_out = revoked_among(connection, said)
    outcomes: dict[Address, Outcome] = {
        address: NodeRefused(f"node {address.path} is revoked: what it says is not stored")
        for address in shut_out
    }
    let_in = {address: some for address, some in said.items() if address not in shut_out}
    if not all(map(storable, {one.key.epoch for some in let_in.values() for one in some})):
        return outcomes | _store_apart(database, let_in, received_at)
    try:
        with database.connection() as connection:
            return outcomes | _store(connection, let_in, received_at)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        log.warning("%d nodes are stored one by one: %r", len(let_in), error)
        return outcomes | _store_apart(database, let_in, received_at)


def _store_apart(
    database: Database, said: Mapping[Address, Sequence[Message | Refused]], received_at: datetime
) -> dict[Address, Outcome]:
    outcomes: dict[Address, Outcome] = {}
    for address, some in said.items():
        try:
            outcomes[address] = store_batch(database, address, some, received_at=received_at)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.exception("what %s said could not be stored", address.path)
            outcomes[address] = NotStored(str(error) or repr(error))
    return outcomes


def _store_singly(
    connection: Connection,
    address: Address,
    said: Sequence[Message | Refused],
    received_at: datetime,
) -> Stored:
    whole = Stored()
    for one in said:
        try:
            with connection.transaction():
                part = _store_one(connection, address, [one], received_at)
        except UNSTORABLE as error:
            reason = " ".join(str(error).split())[:_DETAIL_MAX]
            refused = Refused(key=one.key, reason=f"not storable: {reason}", raw=raw_of(one))
            with connection.transaction():
                part = _store_one(connection, address, [refused], received_at)
        # The last word on each epoch is the newest.
        kept = {ack.epoch: ack for ack in (*whole.acknowledgements, *part.acknowledgements)}
        whole.acknowledgements = list(kept.values())
        whole.new += part.new
        whole.repeated += part.repeated
        whole.waiting += part.waiting
        whole.retimed += part.retimed
        whole.let_go += part.let_go
        whole.kept += part.kept
        whole.quarantined += part.quarantined
        whole.alarms += part.alarms
    return whole


def _store_one(
    connection: Connection,
    address: Address,
    said: Sequence[Message | Refused],
    received_at: datetime,
) -> Stored:
    return _store(connection, {address: said}, received_at)[address]


def _store(
    connection: Connection,
    said: Mapping[Address, Sequence[Message | Refused]],
    received_at: datetime,
) -> dict[Address, Stored]:
    if not said:
        return {}
    see_nodes(connection, said, at=received_at)
    epochs = {address: {one.key.epoch for one in some} for address, some in said.items()}
    streams = lock_streams(
        connection, ((node.path, epoch) for node, some in epochs.items() for epoch in some)
    )
    known = what_is_known(connection, streams, said)
    plans = {
        address: decide(address, some, known[address], received_at=received_at)
        for address, some in said.items()
    }
    by_place = {(one.node_path, one.epoch): one.stream for one in streams}
    gone = {
        address: _leave_with_node(connection, address, plan, received_at)
        for address, plan in plans.items()
        if plan.quarantined
    }
    stored = keep_plans(connection, plans, by_place, received_at)
    for address, many in gone.items():
        stored[address].let_go = many
    new: dict[int, list[int]] = {}
    merged: dict[int, list[tuple[int, int]]] = {}
    for address, plan in plans.items():
        path = address.path
        for one in epochs[address]:
            new[by_place[path, one]] = [number for epoch, number in plan.keys if epoch == one]
        for epoch, ranges in known[address].merged.items():
            merged.setdefault(by_place[path, epoch], []).extend(ranges)
        for epoch, first, last in plan.merged:
            merged.setdefault(by_place[path, epoch], []).append((first, last))
    reached = advance_streams(connection, streams, new, merged)
    addresses = {address.path: address for address in said}
    for stream in streams:
        here = stored[addresses[stream.node_path]]
        if here.let_go and reached[stream.stream] == stream.through:
            # Nothing to say: a node that hears nothing asks again ever more slowly.
            continue
        told = Acknowledgement(epoch=stream.epoch, through=reached[stream.stream])
        here.acknowledgements.append(told)
    return stored


def _leave_with_node(
    connection: Connection, address: Address, plan: Plan, received_at: datetime
) -> int:
    """Take out of a plan what is refused and finds no room; returns how many.

    Their keys are not stored, so they are not acknowledged: the node keeps them and says them
    again, until a newer hub understands them or somebody has made room.
    """
    left = let_go(connection, address, plan.quarantined, at=received_at)
    for one in left:
        del plan.keys[one.key.epoch, one.key.number]
    plan.quarantined = plan.quarantined[: len(plan.quarantined) - len(left)]
    return len(left)


def note_state(
    database: Database,
    address: Address,
    state: NodeState,
    *,
    received_at: datetime,
    retained: bool,
) -> list[Acknowledgement]:
    """Keep what a node says of itself; returns how far its streams are, to be told to it again.

    A retained state was said some time ago: it tells whether the node is there, but nothing of its
    clocks. Nobody is told anything when the node is offline.

    Raises:
        DatabaseUnavailable: nothing was stored; try again.
    """
    with database.connection() as connection:
        see_node(connection, address, at=_seen_at(state, received_at, retained=retained))
        node_said_state(
            connection,
            address,
            online=state.online,
            config=state.config,
            state=NODE_STATE_JSON.dump_python(state, mode="json"),
        )
        told = None if retained else offset_of(state, received_at=received_at)
        if told is not None:
            boot, offset = told
            learn_offset(connection, address, boot, offset, at=received_at)
            known = known_offsets(connection, [(address.path, boot)])
            best = {told_of: offset for (_, told_of), offset in known.items()}
            stored = Stored()
            retime(connection, address, best, stored, received_at)
            keep_faults(connection, address, stored, received_at)
        return acknowledgements(connection, address) if state.online else []


def note_unreadable(
    database: Database, node_path: str, reason: str, *, received_at: datetime
) -> None:
    """Raise an alarm for bytes that cannot be kept by any key.

    Raises:
        DatabaseUnavailable: nothing was stored; try again.
    """
    with database.connection() as connection:
        alarm = Alarm("unreadable batch", as_storable(reason)[:_DETAIL_MAX])
        raise_alarms(connection, node_path, [alarm], at=received_at)


def _seen_at(state: NodeState, received_at: datetime, *, retained: bool) -> datetime:
    if retained and state.at is not None and state.at.tzinfo is not None:
        return min(state.at, received_at)
    return received_at
