"""What travels between node and hub, as bytes: CloudEvents 1.0 batches and the small replies.

Knows the form only: no topic is chosen and no connection opened here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import zstandard
from pydantic import Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from storepulse.actions import ACTION_JSON, Action
from storepulse.errors import BadInput
from storepulse.events import EVENT_JSON, Event, type_of
from storepulse.facts import FACT_JSON, Fact
from storepulse.node_config import NODE_CONFIG_JSON, REVISION_MAX, NodeConfig
from storepulse.plans import PLANS_MAX
from storepulse.topics import Address
from storepulse.units import KIB, MIB

FACT_TYPE: Final = "storepulse.fact.v1"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_COMPRESS_ABOVE_BYTES: Final = KIB
PAYLOAD_BYTES_MAX: Final = 8 * MIB
"""A batch that unpacks to more is refused whole: no memory is spent on a bomb."""
BATCH_MAX: Final = 500
"""Most messages in one batch; a node's outbox sends fewer."""


class BadPayload(BadInput):
    """Bytes that are no batch of ours at all: nothing in them can be kept by its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the node's clocks said when it spoke.

    A fact told while the wall clock was not synchronised is re-timed by the hub: it knows the true
    time of another moment of the same boot.
    """

    boot: str
    monotonic_s: float
    synchronised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which message of which life of which node's outbox. Numbers count from 1, without holes."""

    node: str
    epoch: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One fact or event with its key and clock."""

    key: Key
    said_at: datetime
    clock: Clock
    body: Fact | Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message whose key could be read but whose body could not: kept in quarantine, in full."""

    key: Key
    reason: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """The hub has stored every message of this epoch up to and with `through`."""

    epoch: str
    through: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """What a node says of itself on connecting; `online` false is its last will."""

    online: bool
    clock: Clock | None = None
    at: datetime | None = None
    version: str = ""
    outbox: int = 0
    phones: str = ""
    """Address at which it serves phones and pictures, "" while it serves none."""
    config: int = 0
    """Revision of the configuration that it keeps: its receipt. 0: none yet."""
    plans: tuple[str, ...] = ()
    """The hub's planograms that it holds whole, each as ID@VERSION: the receipt for these."""

    def __post_init__(self) -> None:
        if not 0 <= self.config <= REVISION_MAX:
            raise ValueError(f"config must lie between 0 and 2**53, got {self.config}")
        if len(self.plans) > 2 * PLANS_MAX:
            raise ValueError(f"plans must name at most {2 * PLANS_MAX}, got {len(self.plans)}")


ACKNOWLEDGEMENT_JSON: TypeAdapter[Acknowledgement] = TypeAdapter(Acknowledgement)
NODE_STATE_JSON: TypeAdapter[NodeState] = TypeAdapter(NodeState)
_ACTIONS_JSON: TypeAdapter[tuple[Action, ...]] = TypeAdapter(tuple[Action, ...])


def pack(payload: bytes) -> bytes:
    """Compress what is worth it (zstd above 1 KiB; the reader knows it by its magic bytes)."""
    if len(payload) <= _COMPRESS_ABOVE_BYTES:
        return payload
    return zstandard.ZstdCompressor(level=3).compress(payload)


def unpack(payload: bytes) -> bytes:
    """Undo `pack`.

    Raises:
        BadPayload: it is damaged, or would unpack to more than 8 MiB.
    """
    if not payload.startswith(_ZSTD_MAGIC):
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise BadPayload(f"payload of {len(payload)} bytes; at most {PAYLOAD_BYTES_MAX}")
        return payload
    try:
        if 0 <= zstandard.frame_content_size(payload) <= PAYLOAD_BYTES_MAX:
            # Our own writers say how long it is: no room is made for the most that there may be.
            return zstandard.ZstdDecompressor().decompress(payload)
        with zstandard.ZstdDecompressor().stream_reader(payload) as reader:
            plain = reader.read(PAYLOAD_BYTES_MAX + 1)
    except zstandard.ZstdError as error:
        raise BadPayload(f"payload is no whole zstd frame: {error}") from error
    if len(plain) > PAYLOAD_BYTES_MAX:
        raise BadPayload(f"payload unpacks to more than {PAYLOAD_BYTES_MAX} bytes")
    return plain


def encode_body(body: Fact | Event) -> tuple[str, dict[str, Any]]:
    """The CloudEvents type of a body, and its data as plain JSON values."""
    if isinstance(body, Fact):
        return FACT_TYPE, FACT_JSON.dump_python(body, mode="json")
    kind = type_of(body)
    return kind, EVENT_JSON[kind].dump_python(body, mode="json")


def decode_body(kind: str, data: object) -> Fact | Event:
    """Read a body of a known type.

    Raises:
        ValueError: unknown type, or data that is not of its form; the text says where.
    """
    if kind == FACT_TYPE:
        return FACT_JSON.validate_python(_as_object(data), strict=False)
    if kind not in EVENT_JSON:
        raise ValueError(f"unknown type {kind!r}")
    return EVENT_JSON[kind].validate_python(_as_object(data), strict=False)


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"synchronised must be true or false, got {value!r}")
    return value


def _as_object(data: object) -> object:
    if not isinstance(data, dict):
        raise ValueError("data must be an object")
    return data


def encode_batch(address: Address, messages: Sequence[Message]) -> bytes:
    """Write messages as a CloudEvents JSON batch, compressed where that is worth it."""
    events = [encode_event(message) | {"source": address.path} for message in messages]
    return pack(json.dumps(events, ensure_ascii=False, separators=(",", ":")).encode())


def encode_event(message: Message) -> dict[str, Any]:
    """One message as a CloudEvent of plain JSON values, without its source."""
    kind, data = encode_body(message.body)
    return {
        "specversion": "1.0",
        "id": f"{message.key.node}/{message.key.epoch}/{message.key.number}",
        "type": kind,
        "time": message.said_at.isoformat(),
        "datacontenttype": "application/json",
        "boot": message.clock.boot,
        "monotonic": repr(message.clock.monotonic_s),
        "synchronised": message.clock.synchronised,
        "data": data,
    }


def decode_event(text: str) -> Message | Refused:
    """Read one message that was kept as text (`encode_event`, `Refused.raw`).

    Raises:
        BadPayload: it is no JSON, or has no key.
    """
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPayload(f"the message is not JSON: {error}") from error
    return _decode_event(event)


def decode_batch(payload: bytes) -> list[Message | Refused]:
    """Read a batch; a message that cannot be read is refused alone, by its key.

    Raises:
        BadPayload: the whole cannot be read, or a message has no key to keep it by.
    """
    return read_batch(unpack(payload))


def read_batch(plain: bytes) -> list[Message | Refused]:
    """Read a batch that is unpacked already; the same as `decode_batch` for the rest."""
    try:
        return _decode_facts(plain)
    except ValueError:
        pass  # not facts alone, or something is wrong with one: word by word
    try:
        events = json.loads(plain)
    except (ValueError, RecursionError) as error:
        raise BadPayload(f"payload is not JSON: {error}") from error
    if not isinstance(events, list) or len(events) > BATCH_MAX:
        raise BadPayload(f"payload must be a batch (an array) of at most {BATCH_MAX} CloudEvents")
    return [_decode_event(event) for event in events]


class _FactEvent(TypedDict):
    """A CloudEvent that is a fact, as our own nodes write it."""

    specversion: Literal["1.0"]
    id: Annotated[str, Strict()]
    type: Literal["storepulse.fact.v1"]
    time: Annotated[str, Strict()]
    boot: Annotated[str, Strict()]
    monotonic: Annotated[str, Strict()]
    synchronised: Annotated[bool, Strict()]
    data: Fact


_FACT_EVENTS: TypeAdapter[list[_FactEvent]] = TypeAdapter(list[_FactEvent])


def _decode_facts(plain: bytes) -> list[Message | Refused]:
    """Read a batch of facts alone in one pass: what most batches are, in half of the time.

    Raises:
        ValueError: it is not that simple; `_decode_event` says what each message is.
    """
    events = _FACT_EVENTS.validate_json(plain)
    if len(events) > BATCH_MAX:
        raise ValueError("too many")
    messages: list[Message | Refused] = []
    for event in events:
        said_at = datetime.fromisoformat(event["time"])
        if said_at.tzinfo is None:
            raise ValueError("time needs a time zone")
        node, epoch, number = event["id"].split("/")
        clock = Clock(
            boot=event["boot"], monotonic_s=float(event["monotonic"]),
            synchronised=event["synchronised"],
        )  # fmt: skip
        key = _checked_key(node, epoch, int(number))
        messages.append(Message(key=key, said_at=said_at, clock=clock, body=event["data"]))
    return messages


def _checked_key(node: str, epoch: str, number: int) -> Key:
    if number < 1 or number >= 2**63 or not node or not 1 <= len(epoch) <= 64:
        raise ValueError("out of range")
    return Key(node=node, epoch=epoch, number=number)


def _decode_event(event: object) -> Message | Refused:
    key = _read_key(event)
    assert isinstance(event, dict)
    try:
        if event.get("specversion") != "1.0":
            raise ValueError(f"specversion must be '1.0', got {event.get('specversion')!r}")
        said_at = datetime.fromisoformat(event["time"])
        if said_at.tzinfo is None:
            raise ValueError("time needs a time zone")
        clock = Clock(
            boot=str(event["boot"]),
            monotonic_s=float(event["monotonic"]),
            synchronised=_yes_or_no(event["synchronised"]),
        )
        body = decode_body(str(event["type"]), event["data"])
    except ValidationError as error:
        return Refused(key=key, reason=explain(error), raw=json.dumps(event, ensure_ascii=False))
    except KeyError as error:
        reason = f"attribute {error.args[0]!r} is missing"
        return Refused(key=key, reason=reason, raw=json.dumps(event, ensure_ascii=False))
    except (ValueError, TypeError, OverflowError) as error:
        return Refused(key=key, reason=str(error), raw=json.dumps(event, ensure_ascii=False))
    return Message(key=key, said_at=said_at, clock=clock, body=body)


def _read_key(event: object) -> Key:
    try:
        assert isinstance(event, dict)
        node, epoch, number = str(event["id"]).split("/")
        numbered = int(number)
    except (AssertionError, KeyError, ValueError) as error:
        raise BadPayload("a message has no id of the form NODE/EPOCH/NUMBER") from error
    try:
        return _checked_key(node, epoch, numbered)
    except ValueError as error:
        raise BadPayload(f"message id {event['id']!r} is out of range") from error


def explain(error: ValidationError) -> str:
    """Say in one line what is wrong with a value and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {message}{more}" if where else f"{message}{more}"


def encode_actions(actions: Sequence[Action]) -> bytes:
    """Write the actions that go down to a node."""
    return pack(_ACTIONS_JSON.dump_json(tuple(actions)))


def decode_actions(payload: bytes) -> tuple[Action, ...]:
    """Read the actions that came down.

    Raises:
        BadPayload: they are not of our form.
    """
    try:
        return _ACTIONS_JSON.validate_json(unpack(payload))
    except ValidationError as error:
        raise BadPayload(f"actions cannot be read: {explain(error)}") from error


def encode_config(config: NodeConfig) -> bytes:
    """Write the configuration that goes down to a node."""
    return pack(NODE_CONFIG_JSON.dump_json(config))


def decode_config(payload: bytes) -> NodeConfig:
    """Read the configuration that came down; what a later version adds to it is passed over.

    Raises:
        BadPayload: it is not of our form.
    """
    try:
        return NODE_CONFIG_JSON.validate_json(unpack(payload))
    except ValidationError as error:
        raise BadPayload(f"configuration cannot be read: {explain(error)}") from error


__all__ = [
    "ACKNOWLEDGEMENT_JSON", "ACTION_JSON", "BATCH_MAX", "FACT_TYPE", "NODE_STATE_JSON",
    "Acknowledgement", "BadPayload", "Clock", "Key", "Message", "NodeState", "Refused",
    "decode_actions", "decode_batch", "decode_body", "decode_config", "decode_event",
    "encode_actions", "encode_batch", "encode_body", "encode_config", "encode_event", "explain",
    "pack", "read_batch", "unpack",
]  # fmt: skip
