"""Store what was decided of nodes' messages, and look up what that needs. Decides of no message.

Within the caller's transaction, which has locked the streams.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.actions.store import move_action, note_delivered, note_withdrawal_kept, shops_of_actions
from hub.ingest.facts_store import SaidFact, insert_facts, insert_keys
from hub.ingest.faults import insert_quarantined, raise_alarms
from hub.ingest.sorting import (
    TAPS,
    Alarm,
    Known,
    Offset,
    Plan,
    Quarantined,
    raw_of,
    retimed,
    sourced,
    time_of,
    why_not_placed,
)
from hub.ingest.streams_store import (
    Stream,
    insert_event,
    insert_merged,
    insert_waiting,
    known_contents,
    known_merged,
    known_offsets,
    learn_offset,
    take_waiting,
)
from hub.phones.store import phone_ended, phone_paired
from hub.store.database import Connection
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
from storepulse.wire import Acknowledgement, Key, Message, Refused


@dataclass(slots=True)
class Stored:
    """What became of a batch. `acknowledgements` may go down now."""

    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    new: int = 0
    repeated: int = 0
    waiting: int = 0
    retimed: int = 0
    let_go: int = 0
    """Refused messages for which quarantine has no room: the node keeps them."""
    kept: int = 0
    """New keys: each takes room, whatever became of its message."""
    quarantined: list[Quarantined] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)


def what_is_known(
    connection: Connection,
    streams: Sequence[Stream],
    said: Mapping[Address, Sequence[Message | Refused]],
) -> dict[Address, Known]:
    """What the database holds of what these nodes talk about."""
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


def keep_plans(
    connection: Connection,
    plans: Mapping[Address, Plan],
    by_place: Mapping[tuple[str, str], int],
    received_at: datetime,
) -> dict[Address, Stored]:
    """Store what was decided; what became of each node's. `by_place`: streams by path and epoch."""
    stored = {
        address: Stored(
            repeated=plan.repeated, waiting=len(plan.waiting), quarantined=plan.quarantined,
            alarms=plan.alarms, new=len(plan.keys) - len(plan.quarantined), kept=len(plan.keys),
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
    streams: dict[str, dict[str, int]] = {}
    for (path, epoch), stream in by_place.items():
        streams.setdefault(path, {})[epoch] = stream
    for address, plan in plans.items():
        at = streams.get(address.path, {})  # none where nothing was said
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
        retime(connection, address, plan.offsets, stored[address], received_at)
        keep_faults(connection, address, stored[address], received_at)
    return stored


def _said_fact(plan: Plan, stream: int, key: Key, fact: Fact) -> SaidFact:
    texts = plan.written.get((key.epoch, key.number))
    return SaidFact(fact, stream, key.number, texts, new_key=texts is not None)


def keep_faults(
    connection: Connection, address: Address, stored: Stored, received_at: datetime
) -> None:
    """Keep what was refused and what should be looked at."""
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


def retime(
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
