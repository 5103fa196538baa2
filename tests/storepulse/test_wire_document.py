"""The AsyncAPI document says what the code says, and what is written down is that document."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from storepulse.actions import Action
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.events import (
    EVENT_TYPES,
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
from storepulse.node_config import NodeConfig
from storepulse.phones import OpenCode
from storepulse.topics import CHANNELS, Address, Channel
from storepulse.wire import (
    ACKNOWLEDGEMENT_JSON,
    NODE_STATE_JSON,
    Acknowledgement,
    Clock,
    Key,
    Message,
    NodeState,
    encode_actions,
    encode_batch,
    encode_config,
    unpack,
)
from storepulse.wire_document import message_schema, wire_document

WRITTEN_DOWN: Final = Path(__file__).parents[2] / "docs" / "asyncapi.json"
ADDRESS: Final = Address("chain", "shop-17", "node-1")
NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLOCK: Final = Clock(boot="b", monotonic_s=12.5, synchronised=True)
WORDS: Final = Sentence(en="Do it", zh="做")
PHONE: Final = "11111111-2222-4333-8444-555555555555"
ITEM: Final = ChecklistItem(
    id="i", kind="missing", sentence=WORDS, box_xyxy_px=(1.0, 2.0, 3.0, 4.0), confidence=0.9,
    anchor_mm=(10.0, 20.0),
)  # fmt: skip
SAID: Final[tuple[Event, ...]] = (
    ChecklistMade(
        checklist=Checklist(
            id="c", shop="shop-17", bay="b", photo=PHONE, planogram="p", planogram_version=1,
            made_at=NOON, items=(ITEM,),
        )
    ),
    ItemMarked(checklist="c", item="i", state="done", at=NOON),
    ActionMarked(action="a", event="ticked", at=NOON),
    ReceptionTapped(id="r", at=NOON),
    ExperienceBegun(ticket="t", at=NOON),
    DealMade(id="d", at=NOON, ticket="t", amount=12.5),
    TapUndone(tap="r", at=NOON),
    NumbersMerged(first=1, last=9),
    PhonePaired(phone=PHONE, token_sha256="0" * 64, name="n", code_sha256="1" * 64, at=NOON),
    PhoneEnded(phone=PHONE, at=NOON),
)  # fmt: skip


def hold(channel: Channel, payload: bytes) -> None:
    """Raise where a payload is not what the document says of its channel."""
    validator_of(channel).validate(json.loads(unpack(payload)))


@cache
def validator_of(channel: Channel) -> Draft202012Validator:
    schema = message_schema(channel)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def batch_of(*bodies: Fact | Event) -> bytes:
    messages = [
        Message(
            key=Key(node="node-1", epoch="e", number=number), said_at=NOON, clock=CLOCK, body=body
        )
        for number, body in enumerate(bodies, 1)
    ]
    return encode_batch(ADDRESS, messages)


def fact(**changes: Any) -> Fact:
    told: dict[str, Any] = {
        "id": "f", "shop": "shop-17", "metric": "dwell_mean", "start": NOON, "end": NOON,
        "value": 2.4, "low": 2.1, "high": 2.8, "n": 31, "coverage": 0.9, "method": "m/1",
        "source": ADDRESS.path,
    }  # fmt: skip
    return Fact(**(told | changes))


def test_what_is_written_down_is_what_the_code_speaks() -> None:
    assert json.loads(WRITTEN_DOWN.read_text(encoding="utf-8")) == wire_document(), (
        "write it anew: storepulse hub wire > docs/asyncapi.json"
    )


def test_every_channel_is_told() -> None:
    told = {one["address"].split("{node}/")[1] for one in wire_document()["channels"].values()}
    assert told == set(CHANNELS)


@settings(deadline=None)  # the first one builds the validator
@given(st.floats(-1e9, 1e9), st.integers(0, 10**9), st.floats(0, 1))
def test_facts_are_as_told(value: float, n: int, coverage: float) -> None:
    hold("up/facts", batch_of(fact(value=value, low=value, high=value, n=n, coverage=coverage)))


def test_a_fact_among_events_is_not_as_told() -> None:
    with pytest.raises(ValidationError):
        hold("up/events", batch_of(fact()))


def test_a_batch_without_its_key_is_not_as_told() -> None:
    events = json.loads(unpack(batch_of(fact())))
    del events[0]["id"]
    with pytest.raises(ValidationError):
        hold("up/facts", json.dumps(events).encode())


@pytest.mark.parametrize("event", SAID, ids=lambda event: type(event).__name__)
def test_events_are_as_told(event: Event) -> None:
    hold("up/events", batch_of(event))


def test_every_event_was_tried() -> None:
    assert {type(event) for event in SAID} == set(EVENT_TYPES.values())


def test_what_goes_down_is_as_told() -> None:
    action = Action(
        id="a", shop="shop-17", kind="talk_track", dimension="people", day="2026-11-20",
        title=WORDS, text=WORDS, reason="under 8", created_at=NOON, due_at=NOON,
    )  # fmt: skip
    hold("down/actions", encode_actions([action]))
    config = NodeConfig(
        revision=3, codes=(OpenCode(sha256="0" * 64, ends_at=NOON),),
        ended=(PHONE,),
    )  # fmt: skip
    hold("down/config", encode_config(config))
    hold("down/acks", ACKNOWLEDGEMENT_JSON.dump_json(Acknowledgement(epoch="e", through=7)))


@pytest.mark.parametrize(
    "state", [NodeState(online=False), NodeState(online=True, clock=CLOCK, at=NOON, config=3)]
)
def test_a_nodes_state_is_as_told(state: NodeState) -> None:
    hold("state", NODE_STATE_JSON.dump_json(state))
