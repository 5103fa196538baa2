"""Describe the wire between node and hub as an AsyncAPI 3.0 document, from the code that speaks it.

Opens no connection. `docs/asyncapi.json` is this document as written down; a test compares them.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from storepulse import __version__
from storepulse.actions import Action
from storepulse.events import EVENT_TYPES
from storepulse.facts import Fact
from storepulse.node_config import NodeConfig
from storepulse.topics import CHANNELS, ROOT, Channel
from storepulse.wire import BATCH_MAX, FACT_TYPE, Acknowledgement, NodeState

_REFERENCE: Final = "#/components/schemas/{model}"
_PACKED: Final = (
    "JSON; above 1 KiB packed with zstd, which the reader knows by its first four bytes "
    "(28 b5 2f fd)."
)
_MEANINGS: Final[Mapping[Channel, str]] = {
    "up/facts": "Facts of a node's outbox: QoS 1, in the order of their numbers.",
    "up/events": "Events of the same outbox, numbered with the facts.",
    "down/actions": "Actions for the shop, sent again until their receipts have come up.",
    "down/config": "Who may pair, and which planograms hold; sent again until `state` names it.",
    "down/acks": "How far the hub has stored an outbox: only then does the node delete.",
    "state": "What a node says of itself, retained; its last will says that it is gone.",
}
_SAID_BY_HUB: Final[tuple[Channel, ...]] = ("down/actions", "down/config", "down/acks")


def wire_document() -> dict[str, Any]:
    """The AsyncAPI document as plain JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "storepulse: what node and hub say to each other",
            "version": __version__,
            "description": (
                f"MQTT 3.1.1 below {ROOT}/CHAIN/SHOP/NODE. Batches are CloudEvents 1.0 (JSON). "
                "A node publishes and subscribes below its own name only."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {_name(channel): _channel(channel) for channel in CHANNELS},
        "operations": {_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def message_schema(channel: Channel) -> dict[str, Any]:
    """One channel's payload as a JSON Schema that stands by itself, to hold messages against."""
    schema: dict[str, Any] = dict(_messages()[_name(channel)]["payload"])
    return schema | {"components": {"schemas": _schemas()}}


def _name(channel: Channel) -> str:
    return channel.replace("/", "_")


def _channel(channel: Channel) -> dict[str, Any]:
    levels = {
        "chain": {"description": "Name of the chain."},
        "shop": {"description": "Name of the shop."},
        "node": {"description": "Name of the node, once in its shop."},
    }
    return {
        "address": f"{ROOT}/{{chain}}/{{shop}}/{{node}}/{channel}",
        "description": _MEANINGS[channel],
        "parameters": levels,
        "messages": {
            _name(channel): {"$ref": f"#/components/messages/{_name(channel)}"},
        },
    }


def _operation(channel: Channel) -> dict[str, Any]:
    """Told from the node's side: it receives what the hub says."""
    qos = {"mqtt": {"qos": 1, "retain": channel == "state"}}
    return {
        "action": "receive" if channel in _SAID_BY_HUB else "send",
        "channel": {"$ref": f"#/channels/{_name(channel)}"},
        "bindings": qos,
    }


def _messages() -> dict[str, Any]:
    payloads: Mapping[Channel, dict[str, Any]] = {
        "up/facts": _batch("FactEvent"),
        "up/events": _batch("EventEvent"),
        "down/actions": {"type": "array", "items": _refer("Action")},
        "down/config": _refer("NodeConfig"),
        "down/acks": _refer("Acknowledgement"),
        "state": _refer("NodeState"),
    }
    return {
        _name(channel): {"title": channel, "summary": _PACKED, "payload": payload}
        for channel, payload in payloads.items()
    }


def _batch(event: str) -> dict[str, Any]:
    return {"type": "array", "maxItems": BATCH_MAX, "items": _refer(event)}


def _refer(name: str) -> dict[str, Any]:
    return {"$ref": _REFERENCE.format(model=name)}


def _schemas() -> dict[str, Any]:
    kinds: list[type] = [
        Fact,
        *EVENT_TYPES.values(),
        Action,
        NodeConfig,
        Acknowledgement,
        NodeState,
    ]
    told, definitions = TypeAdapter.json_schemas(
        # What is written, not what would be taken: all that a message holds is named.
        [(kind, "serialization", TypeAdapter(kind)) for kind in kinds],
        ref_template=_REFERENCE,
    )
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    for (kind, _), schema in told.items():
        if "$ref" not in schema:
            schemas[kind.__name__] = schema
    schemas["FactEvent"] = _cloud_event(FACT_TYPE, _refer("Fact"))
    schemas["EventEvent"] = {
        "oneOf": [_cloud_event(name, _refer(kind.__name__)) for name, kind in EVENT_TYPES.items()]
    }
    return dict(sorted(schemas.items()))


def _cloud_event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """The envelope, https://github.com/cloudevents/spec/blob/v1.0.2, with our three extensions."""
    attributes: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "NODE/EPOCH/NUMBER: the key that is stored once."},
        "source": {"type": "string", "description": "/storepulse/CHAIN/SHOP/NODE"},
        "type": {"const": kind},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "boot": {"type": "string", "description": "Which start of the node's machine."},
        "monotonic": {"type": "string", "description": "Seconds since then, as a decimal number."},
        "synchronised": {
            "type": "boolean",
            "description": "Whether the wall clock was set; if not, the hub finds the time.",
        },
        "data": data,
    }
    return {
        "type": "object",
        "title": kind,
        "required": list(attributes),
        "properties": attributes,
    }
