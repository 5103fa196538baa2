"""Decide what becomes of each message of a node. Pure: no database, no broker, no clock.

The address of the topic is who speaks: a key or body that says otherwise is refused. What is
refused goes to quarantine and counts as stored, so that no message can hold up those behind it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any, Final, TypeAlias

from hub.ingest.fact_rules import as_storable, storable, why_no_time, why_refused
from hub.ingest.fact_texts import Written, sha256_of, written
from storepulse.events import (
    ActionMarked,
    ChecklistMade,
    DealMade,
    Event,
    ExperienceBegun,
    ItemMarked,
    NumbersMerged,
    PhoneEnded,
    PhonePaired,
    ReceptionTapped,
    TapUndone,
)
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Key, Message, NodeState, Refused, encode_body, encode_event

Tap: TypeAlias = ReceptionTapped | ExperienceBegun | DealMade
TAPS: Final = (ReceptionTapped, ExperienceBegun, DealMade)
"""What counts by its time: told under an unsynchronised clock it waits, like a fact."""

_NAME_MAX: Final = 200
"""Longest id of a tap, checklist, item, action or boot: they are keys of an index."""
_NUMBER_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Offset:
    """true time = monotonic + seconds. Exact by the node's own synchronised clock."""

    seconds: float
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store holds of what a batch talks about."""

    contents: Mapping[tuple[str, int], bytes] = field(default_factory=dict)
    """(epoch, number) to checksum, of the keys that are stored."""
    merged: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """Epoch to the ranges that tombstones cover."""
    offsets: Mapping[str, Offset] = field(default_factory=dict)
    """Boot to its offset."""
    action_shops: Mapping[str, str] = field(default_factory=dict)
    """The shop of each action that a batch marks."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that is kept aside in full, and why."""

    key: Key
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should look at."""

    kind: str
    detail: str


@dataclass(slots=True)
class Plan:
    """What is to be stored of one batch. Every new key is in `keys`, whatever became of it."""

    keys: dict[tuple[str, int], bytes] = field(default_factory=dict)
    facts: list[tuple[Key, Fact]] = field(default_factory=list)
    written: dict[tuple[str, int], Written] = field(default_factory=dict)
    """The texts of those facts that are kept just as they were said."""
    events: list[tuple[Key, datetime, Event]] = field(default_factory=list)
    waiting: list[Message] = field(default_factory=list)
    """Facts and taps whose time is not known yet."""
    quarantined: list[Quarantined] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    merged: list[tuple[str, int, int]] = field(default_factory=list)
    """Epoch, first and last of each tombstone."""
    offsets: dict[str, Offset] = field(default_factory=dict)
    """What the batch's own synchronised messages say of their boots."""
    repeated: int = 0


def with_storable_keys(
    said: Sequence[Message | Refused],
) -> tuple[list[Message | Refused], list[Alarm]]:
    """Leave out what cannot be kept by its key (NUL in the epoch); an alarm for each."""
    kept = [one for one in said if storable(one.key.epoch)]
    alarms = [
        Alarm("unreadable key", f"epoch {one.key.epoch!a}, number {one.key.number}")
        for one in said
        if not storable(one.key.epoch)
    ]
    return kept, alarms


def decide(
    address: Address,
    said: Sequence[Message | Refused],
    known: Known,
    *,
    received_at: datetime,
) -> Plan:
    """Say what becomes of each message of a batch, in its order.

    An empty batch gives an empty plan. Nothing is raised: whatever a node says has its place.
    """
    plan = Plan(offsets=_offsets_told(said, known))
    offsets = {**known.offsets, **plan.offsets}
    path = address.path
    contents, keys = known.contents, plan.keys
    for one in said:
        key = one.key
        place = (key.epoch, key.number)
        fact = one.body if isinstance(one, Message) and isinstance(one.body, Fact) else None
        texts = None if fact is None else written(fact)
        checksum = older_sha256(one) if texts is None else texts.sha256
        before = contents.get(place) or keys.get(place)
        if before is not None:
            plan.repeated += 1
            if before != checksum and before != older_sha256(one):
                detail = f"{key.epoch}/{key.number}: what came first stays"
                plan.alarms.append(Alarm("same key, other content", detail))
            continue
        keys[place] = checksum
        if isinstance(one, Refused):
            _set_aside(plan, one, one.reason)
            continue
        reason = why_not_taken(address, path, one, known, plan)
        if reason is not None:
            _set_aside(plan, one, reason)
            continue
        if fact and texts and one.clock.synchronised and fact.source != "unstated":
            # Kept as it was said, as nearly all are.
            plan.written[place] = texts
            plan.facts.append((key, fact))
            continue
        _place(plan, address, one, offsets.get(one.clock.boot), received_at)
    return plan


def why_not_taken(
    address: Address, path: str, message: Message, known: Known, plan: Plan
) -> str | None:
    """Say why a message cannot be taken; None: it can. `path` is the address's."""
    key, body = message.key, message.body
    if key.node != address.node:
        return f"the key names node {key.node!r}, but {path} said it"
    clock = message.clock
    if not isfinite(clock.monotonic_s) or not _is_name(clock.boot):
        return "the clock's boot or monotonic time cannot be read"
    if isinstance(body, NumbersMerged):
        return "last is out of range" if body.last > _NUMBER_MAX else None
    if isinstance(body, Fact):
        if _is_merged(key, known, plan):
            return "this number was merged into a coarser fact before: taken again it counts twice"
        return _why_fact_not_taken(address, path, body)
    return _why_event_not_taken(address, body, known)


def _is_merged(key: Key, known: Known, plan: Plan) -> bool:
    if not plan.merged and not known.merged:
        return False
    ranges = [
        *known.merged.get(key.epoch, ()),
        *((first, last) for epoch, first, last in plan.merged if epoch == key.epoch),
    ]
    return any(first <= key.number <= last for first, last in ranges)


def _why_fact_not_taken(address: Address, path: str, fact: Fact) -> str | None:
    if fact.shop != address.shop:
        return f"the fact is about shop {fact.shop!r}, but {path} said it"
    # A name without a slash is a feed that the node passes on (a till); a path claims to be a node.
    source = fact.source
    if source.startswith("/") and not f"{source}/".startswith(f"{path}/"):
        return f"the fact names {source!r} as its source, but {path} said it"
    return why_refused(fact)


def _why_event_not_taken(address: Address, event: Event, known: Known) -> str | None:
    reason = why_unstorable(encode_body(event)[1])
    if reason is not None:
        return reason
    match event:
        case ChecklistMade(checklist=checklist):
            names = [checklist.id, *(item.id for item in checklist.items)]
            if checklist.shop != address.shop:
                return f"the checklist is of shop {checklist.shop!r}, but {address.path} said it"
        case ItemMarked():
            names = [event.checklist, event.item]
        case ActionMarked():
            names = [event.action]
            if known.action_shops.get(event.action) != address.shop:
                return f"shop {address.shop} has no action {event.action!r}"
        case ReceptionTapped():
            names = [event.id]
        case ExperienceBegun():
            names = [event.ticket]
        case DealMade():
            names = [event.id, event.id if event.ticket is None else event.ticket]
        case TapUndone():
            names = [event.tap]
        case PhonePaired() | PhoneEnded():
            names = [event.phone]
        case NumbersMerged():
            names = []
    if not all(_is_name(name) for name in names):
        return f"an id must have 1 to {_NAME_MAX} characters"
    return None


@lru_cache(maxsize=4096)
def _is_name(text: str) -> bool:
    return 1 <= len(text) <= _NAME_MAX and storable(text)


def why_unstorable(value: Any) -> str | None:
    """Say why a JSON value cannot be kept; None: it can."""
    if isinstance(value, str) and not storable(value):
        return "a text holds characters that no text can (NUL, half a surrogate pair)"
    if isinstance(value, float) and not isfinite(value):
        return "a number is not finite"
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        inside = (part for pair in value.items() for part in pair)
    elif isinstance(value, list):
        inside = value
    return next((reason for reason in map(why_unstorable, inside) if reason), None)


def _place(
    plan: Plan, address: Address, message: Message, offset: Offset | None, received_at: datetime
) -> None:
    body = message.body
    if isinstance(body, NumbersMerged):
        plan.merged.append((message.key.epoch, body.first, body.last))
        plan.events.append((message.key, received_at, body))
        return
    if not message.clock.synchronised:
        if offset is None and isinstance(body, (Fact, *TAPS)):
            plan.waiting.append(message)
            return
        try:
            # Its time is not known: the moment of receipt is the nearest that can be said.
            body = at_time(body, received_at) if offset is None else retimed(message, offset)
        except OverflowError:
            _set_aside(plan, message, "its clocks give a time outside the calendar")
            return
    # A fact was looked at before: once more where it was moved, perhaps out of the calendar.
    unmoved = isinstance(body, Fact) and body is message.body
    reason = None if unmoved else why_not_placed(body, received_at)
    if reason is not None:
        _set_aside(plan, message, reason)
        return
    if isinstance(body, Fact):
        plan.facts.append((message.key, sourced(body, address)))
    else:
        plan.events.append((message.key, time_of(body, received_at), body))


def why_not_placed(body: Fact | Event, received_at: datetime) -> str | None:
    """Say why a message cannot stand at its time; None: it can.

    A tap of the year 1 would have every day since counted, and hold up the codes of all shops.
    """
    if isinstance(body, Fact):
        return why_refused(body)
    return why_no_time("its time", time_of(body, received_at))


def sourced(fact: Fact, address: Address) -> Fact:
    """A fact that does not say who tells it is the node's that said it."""
    return replace(fact, source=address.path) if fact.source == "unstated" else fact


def retimed(message: Message, offset: Offset) -> Fact | Event:
    """What a message says, moved from the node's wrong wall clock to the true time.

    Raises:
        OverflowError: that lies outside the calendar.
    """
    true_s = offset.seconds + message.clock.monotonic_s
    shift = timedelta(seconds=true_s - message.said_at.timestamp())
    body = message.body
    if isinstance(body, Fact):
        return replace(
            body, start=body.start.astimezone(UTC) + shift, end=body.end.astimezone(UTC) + shift
        )
    told = time_of(body, message.said_at)
    return at_time(body, told.astimezone(UTC) + shift)


def time_of(event: Event, otherwise: datetime) -> datetime:
    """When an event happened by its own words; `otherwise` for one that does not say."""
    match event:
        case ChecklistMade(checklist=checklist):
            return checklist.made_at
        case NumbersMerged():
            return otherwise
        case _:
            # Events without a zone can only come from a node of ours that errs: read them as UTC.
            return event.at if event.at.tzinfo else event.at.replace(tzinfo=UTC)


def at_time(body: Fact | Event, at: datetime) -> Fact | Event:
    """The same event at another time; a fact keeps its window."""
    match body:
        case ChecklistMade(checklist=checklist):
            return ChecklistMade(checklist=replace(checklist, made_at=at))
        case Fact() | NumbersMerged():
            return body
        case _:
            return replace(body, at=at)


def _offsets_told(said: Sequence[Message | Refused], known: Known) -> dict[str, Offset]:
    told: dict[str, Offset] = {}
    for one in said:
        if isinstance(one, Refused) or not one.clock.synchronised:
            continue
        boot, monotonic_s = one.clock.boot, one.clock.monotonic_s
        before = known.offsets.get(boot)
        if (before and before.exact) or not isfinite(monotonic_s) or not _is_name(boot):
            continue
        told[boot] = Offset(one.said_at.timestamp() - monotonic_s, exact=True)
    return told


def offset_of(state: NodeState, *, received_at: datetime) -> tuple[str, Offset] | None:
    """What a state that was just said (not a retained one) tells of its boot.

    A node whose clock is synchronised says its own time; else the moment of receipt stands for it.
    """
    clock = state.clock
    if clock is None or not isfinite(clock.monotonic_s) or not _is_name(clock.boot):
        return None
    if clock.synchronised and state.at is not None and state.at.tzinfo is not None:
        return clock.boot, Offset(state.at.timestamp() - clock.monotonic_s, exact=True)
    return clock.boot, Offset(received_at.timestamp() - clock.monotonic_s, exact=False)


def _set_aside(plan: Plan, one: Message | Refused, reason: str) -> None:
    plan.quarantined.append(Quarantined(one.key, as_storable(reason), raw_of(one)))


def raw_of(one: Message | Refused) -> str:
    """A message in full, as JSON that the store can hold; another hub can read it again."""
    if isinstance(one, Refused):
        return as_storable(one.raw)
    return as_storable(json.dumps(encode_event(one), ensure_ascii=False))


def older_sha256(one: Message | Refused) -> bytes:
    """The checksum of type and data: an event's, and by older versions of the hub a fact's, too."""
    if isinstance(one, Message):
        return sha256_of(list(encode_body(one.body)))
    try:
        said = json.loads(one.raw)
        return sha256_of([said.get("type"), said.get("data")])
    except (ValueError, AttributeError, RecursionError):
        return sha256_of(one.raw)


def advance(through: int, numbers: Iterable[int], ranges: Iterable[tuple[int, int]]) -> int:
    """The highest number below which nothing is missing.

    Args:
        through: what is known to be complete.
        numbers: stored numbers above it, in any order.
        ranges: first and last of what tombstones cover, in any order.
    """
    for first, last in sorted([*((number, number) for number in numbers), *ranges]):
        if first > through + 1:
            break
        through = max(through, last)
    return through
