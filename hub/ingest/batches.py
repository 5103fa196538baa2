"""Store what a node said: one batch, one transaction. Speaks to no broker.

What it returns may be acknowledged: it is committed by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import psycopg

from hub.actions.store import move_action, note_delivered, note_withdrawal_kept, shops_of_actions
from hub.ingest.fact_rules import as_storable, why_refused
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.ingest.sorting import (
    TAPS,
    Alarm,
    Known,
    Offset,
    Quarantined,
    decide,
    offset_of,
    raw_of,
    retimed,
    sourced,
    time_of,
    with_storable_keys,
)
from hub.ingest.streams_store import (
    Stream,
    acknowledgements,
    advance_streams,
    insert_event,
    insert_keys,
    insert_merged,
    insert_quarantined,
    insert_waiting,
    known_contents,
    known_merged,
    known_offsets,
    learn_offset,
    lock_streams,
    raise_alarms,
    take_waiting,
)
from hub.phones.store import phone_ended, phone_paired
from hub.shops_store import node_said_state, see_node
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
                return _store(connection, address, said, received_at)
        except _UNSTORABLE:
            # Our rules let something through that the database cannot hold. It must not come back
            # for ever and hold up the rest: one at a time, the culprit alone goes to quarantine.
            return _store_singly(connection, address, said, received_at)


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
                part = _store(connection, address, [one], received_at)
        except _UNSTORABLE as error:
            reason = " ".join(str(error).split())[:_DETAIL_MAX]
            refused = Refused(key=one.key, reason=f"not storable: {reason}", raw=raw_of(one))
            with connection.transaction():
                part = _store(connection, address, [refused], received_at)
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


def _store(
    connection: Connection,
    address: Address,
    said: Sequence[Message | Refused],
    received_at: datetime,
) -> Stored:
    see_node(connection, address, at=received_at)
    streams = lock_streams(connection, address, {one.key.epoch for one in said})
    messages = [one for one in said if isinstance(one, Message)]
    marked = [one.body.action for one in messages if isinstance(one.body, ActionMarked)]
    known = Known(
        contents=known_contents(connection, streams, [one.key for one in said]),
        merged=known_merged(connection, streams),
        offsets=known_offsets(connection, address, {one.clock.boot for one in messages}),
        action_shops=shops_of_actions(connection, marked),
    )
    plan = decide(address, said, known, received_at=received_at)
    stored = Stored(
        repeated=plan.repeated,
        waiting=len(plan.waiting),
        quarantined=plan.quarantined,
        alarms=plan.alarms,
        new=len(plan.keys) - len(plan.quarantined),
    )
    insert_keys(connection, streams, plan.keys, received_at=received_at)
    insert_merged(connection, streams, plan.merged)
    insert_waiting(connection, address, streams, plan.waiting, received_at=received_at)
    for boot, offset in plan.offsets.items():
        learn_offset(connection, address, boot, offset, at=received_at)
    facts = [(streams[key.epoch].stream, key, fact) for key, fact in plan.facts]
    _keep_facts(connection, facts, stored, received_at)
    for key, at, event in plan.events:
        stream = streams[key.epoch]
        insert_event(connection, address, stream, key, event, at=at, received_at=received_at)
        _apply(connection, address, event, received_at, stored)
    _retime(connection, address, plan.offsets, stored, received_at)
    insert_quarantined(connection, address, stored.quarantined, received_at=received_at)
    raise_alarms(connection, address.path, stored.alarms, at=received_at)
    stored.acknowledgements = advance_streams(connection, streams)
    return stored


def _keep_facts(
    connection: Connection,
    told: Sequence[tuple[int, Key, Fact]],
    stored: Stored,
    received_at: datetime,
) -> None:
    said = [SaidFact(fact, stream, key.number) for stream, key, fact in told]
    outcomes = insert_facts(connection, said, received_at=received_at)
    for (_, key, fact), outcome in zip(told, outcomes, strict=True):
        if outcome == "new":
            continue
        stored.new -= 1
        if outcome == "same":
            stored.repeated += 1
            continue
        reason = f"the fact id {fact.id!r} is taken by other content: what came first stays"
        raw = FACT_JSON.dump_json(fact).decode()
        stored.quarantined.append(Quarantined(key, reason, raw))
        detail = f"{key.epoch}/{key.number}: {fact.id}"
        stored.alarms.append(Alarm("same fact id, other content", detail))


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
            reason = why_refused(body) if isinstance(body, Fact) else None
        except OverflowError:
            reason = "its clocks give a time outside the calendar"
        if reason is not None:
            stored.quarantined.append(Quarantined(key, reason, raw_of(message)))
            continue
        stored.retimed += 1
        if isinstance(body, Fact):
            facts.append((stream, key, sourced(body, address)))
            continue
        at = time_of(body, received_at)
        place = Stream(stream, key.epoch, 0)
        insert_event(connection, address, place, key, body, at=at, received_at=received_at)
        _apply(connection, address, body, received_at, stored)
    before = stored.new
    _keep_facts(connection, facts, stored, received_at)
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
            best = known_offsets(connection, address, [boot])
            stored = Stored()
            _retime(connection, address, best, stored, received_at)
            insert_quarantined(connection, address, stored.quarantined, received_at=received_at)
            raise_alarms(connection, address.path, stored.alarms, at=received_at)
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
