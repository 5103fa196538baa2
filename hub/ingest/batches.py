"""Store what nodes said: some batches, one transaction. Speaks to no broker.

What it returns may be acknowledged: it is committed by then.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import psycopg

from hub.actions.store import move_action, note_delivered, note_withdrawal_kept, shops_of_actions
from hub.errors import DatabaseUnavailable, NodeRefused
from hub.ingest.fact_rules import as_storable, storable
from hub.ingest.facts_store import SaidFact, insert_facts, insert_keys
from hub.ingest.faults import insert_quarantined, raise_alarms
from hub.ingest.sorting import (
    TAPS,
    Alarm,
    Known,
    Offset,
    Plan,
    Quarantined,
    decide,
    offset_of,
    raw_of,
    retimed,
    sourced,
    time_of,
    why_not_placed,
    with_storable_keys,
)
from hub.ingest.streams_store import (
    Stream,
    acknowledgements,
    advance_streams,
    insert_event,
    insert_merged,
    insert_waiting,
    known_contents,
    known_merged,
    known_offsets,
    learn_offset,
    lock_streams,
    take_waiting,
)
from hub.nodes.store import revoked_among
from hub.phones.store import phone_ended, phone_paired
from hub.shops_store import node_said_state, see_node, see_nodes
from hub.store.database import Connection, Database
from hub.taps.store import insert_checklist, insert_tap, mark_item, undo_tap
from storepulse.events import (
    ActionMarked,
    ChecklistMade,
    Event,
    ItemMarked,
    PhoneEnded,
    PhonePaired,
    TapUndone,
)
from storepulse.facts import FACT_JSON, Fact
from storepulse.topics import Address
from storepulse.wire import NODE_STATE_JSON, Acknowledgement, Key, Message, NodeState, Refused

_UNSTORABLE: Final = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
)
"""What the database raises for a value that it can never hold: a retry changes nothing."""
_DETAIL_MAX: Final = 500

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stored:
    """What became of a batch. `acknowledgements` may go down now."""

    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    new: int = 0
    repeated: int = 0
    waiting: int = 0
    retimed: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)


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
        except _UNSTORABLE:
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
        except _UNSTORABLE as error:
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
    known = _what_is_known(connection, streams, said)
    plans = {
        address: decide(address, some, known[address], received_at=received_at)
        for address, some in said.items()
    }
    by_place = {(one.node_path, one.epoch): one.stream for one in streams}
    stored = _keep_plans(connection, plans, by_place, received_at)
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
        told = Acknowledgement(epoch=stream.epoch, through=reached[stream.stream])
        stored[addresses[stream.node_path]].acknowledgements.append(told)
    return stored


def _what_is_known(
    connection: Connection,
    streams: Sequence[Stream],
    said: Mapping[Address, Sequence[Message | Refused]],
) -> dict[Address, Known]:
    by_place = {(one.node_path, one.epoch): one.stream for one in streams}
    numbers: dict[int, list[int]] = {}
    boots: set[tuple[str, str]] = set()
    marked: list[str] = []
    for address, some in said.items():
        path = address.path
        for one in some:
            key = one.key
            numbers.setdefault(by_place[path, key.epoch], []).append(key.number)
        told = [one for one in some if isinstance(one, Message)]
        boots.update((path, boot) for boot in {one.clock.boot for one in told})
        marked += [one.body.action for one in told if isinstance(one.body, ActionMarked)]
    contents: dict[str, dict[tuple[str, int], bytes]] = {}
    of_stream = {one.stream: one for one in streams}
    for (stream, number), checksum in known_contents(connection, numbers).items():
        here = of_stream[stream]
        contents.setdefault(here.node_path, {})[here.epoch, number] = checksum
    merged: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for stream, ranges in known_merged(connection, of_stream).items():
        here = of_stream[stream]
        merged.setdefault(here.node_path, {})[here.epoch] = ranges
    offsets: dict[str, dict[str, Offset]] = {}
    for (path, boot), offset in known_offsets(connection, boots).items():
        offsets.setdefault(path, {})[boot] = offset
    action_shops = shops_of_actions(connection, marked)
    return {
        address: Known(
            contents=contents.get(address.path, {}), merged=merged.get(address.path, {}),
            offsets=offsets.get(address.path, {}), action_shops=action_shops,
        )
        for address in said
    }  # fmt: skip


def _keep_plans(
    connection: Connection,
    plans: Mapping[Address, Plan],
    by_place: Mapping[tuple[str, str], int],
    received_at: datetime,
) -> dict[Address, Stored]:
    stored = {
        address: Stored(
            repeated=plan.repeated, waiting=len(plan.waiting), quarantined=plan.quarantined,
            alarms=plan.alarms, new=len(plan.keys) - len(plan.quarantined),
        )
        for address, plan in plans.items()
    }  # fmt: skip
    keys = [
        (by_place[address.path, place[0]], place[1], checksum)
        for address, plan in plans.items()
        if len(plan.written) < len(plan.keys)  # facts bring their own
        for place, checksum in plan.keys.items()
        if place not in plan.written
    ]
    insert_keys(connection, keys, received_at=received_at)
    facts = []
    for address, plan in plans.items():
        at = {epoch: by_place[address.path, epoch] for epoch in {epoch for epoch, _ in plan.keys}}
        insert_merged(connection, [(at[epoch], low, high) for epoch, low, high in plan.merged])
        if plan.waiting:
            insert_waiting(connection, address, at, plan.waiting, received_at=received_at)
        for boot, offset in plan.offsets.items():
            learn_offset(connection, address, boot, offset, at=received_at)
        facts += [
            (address, key, _said_fact(plan, at[key.epoch], key, fact)) for key, fact in plan.facts
        ]
    _keep_facts(connection, facts, stored, received_at)
    for address, plan in plans.items():
        for key, at_moment, event in plan.events:
            stream = by_place[address.path, key.epoch]
            insert_event(
                connection, address, stream, key, event, at=at_moment, received_at=received_at
            )
            _apply(connection, address, event, received_at, stored[address])
        _retime(connection, address, plan.offsets, stored[address], received_at)
        _keep_faults(connection, address, stored[address], received_at)
    return stored


def _said_fact(plan: Plan, stream: int, key: Key, fact: Fact) -> SaidFact:
    texts = plan.written.get((key.epoch, key.number))
    return SaidFact(fact, stream, key.number, texts, new_key=texts is not None)


def _keep_faults(
    connection: Connection, address: Address, stored: Stored, received_at: datetime
) -> None:
    if stored.quarantined:
        insert_quarantined(connection, address, stored.quarantined, received_at=received_at)
    if stored.alarms:
        raise_alarms(connection, address.path, stored.alarms, at=received_at)


def _keep_facts(
    connection: Connection,
    told: Sequence[tuple[Address, Key, SaidFact]],
    stored: Mapping[Address, Stored],
    received_at: datetime,
) -> None:
    outcomes = insert_facts(connection, [said for _, _, said in told], received_at=received_at)
    if outcomes.count("new") == len(told):
        return
    for (address, key, said), outcome in zip(told, outcomes, strict=True):
        if outcome == "new":
            continue
        here, fact = stored[address], said.fact
        here.new -= 1
        if outcome == "same":
            here.repeated += 1
            continue
        reason = f"the fact id {fact.id!r} is taken by other content: what came first stays"
        raw = FACT_JSON.dump_json(fact).decode()
        here.quarantined.append(Quarantined(key, reason, raw))
        detail = f"{key.epoch}/{key.number}: {fact.id}"
        here.alarms.append(Alarm("same fact id, other content", detail))


def _apply(
    connection: Connection, address: Address, event: Event, received_at: datetime, stored: Stored
) -> None:
    match event:
        case ChecklistMade(checklist=checklist):
            if not insert_checklist(connection, checklist, node_path=address.path):
                stored.alarms.append(Alarm("checklist id is taken", checklist.id))
        case ItemMarked():
            mark_item(connection, address.shop, event)
        case ActionMarked():
            # Whatever the node says of an action, it holds it: no need to send it again.
            note_delivered(connection, event.action, at=received_at)
            if event.event == "withdrawal_stored":
                note_withdrawal_kept(connection, event.action, at=received_at)
            move_action(connection, event.action, event.event, at=event.at, reason=event.reason)
        case TapUndone():
            undo_tap(connection, address.shop, event)
        case PhonePaired():
            alarm = phone_paired(connection, address, event, received_at=received_at)
            stored.alarms += [] if alarm is None else [alarm]
        case PhoneEnded():
            alarm = phone_ended(connection, address, event)
            stored.alarms += [] if alarm is None else [alarm]
        case _ if isinstance(event, TAPS):
            insert_tap(connection, address.shop, event)


def _retime(
    connection: Connection,
    address: Address,
    learned: dict[str, Offset],
    stored: Stored,
    received_at: datetime,
) -> None:
    """Move what waited for these boots to its place in time."""
    if not learned:
        return
    facts = []
    for stream, message in take_waiting(connection, address, learned):
        key = message.key
        try:
            body = retimed(message, learned[message.clock.boot])
            reason = why_not_placed(body, received_at)
        except OverflowError:
            reason = "its clocks give a time outside the calendar"
        if reason is not None:
            stored.quarantined.append(Quarantined(key, reason, raw_of(message)))
            continue
        stored.retimed += 1
        if isinstance(body, Fact):
            said = SaidFact(sourced(body, address), stream, key.number)
            facts.append((address, key, said))
            continue
        at = time_of(body, received_at)
        insert_event(connection, address, stream, key, body, at=at, received_at=received_at)
        _apply(connection, address, body, received_at, stored)
    before = stored.new
    _keep_facts(connection, facts, {address: stored}, received_at)
    stored.new = before  # these keys were counted when they came


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
            _retime(connection, address, best, stored, received_at)
            _keep_faults(connection, address, stored, received_at)
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
