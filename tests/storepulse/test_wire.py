"""The wire keeps what is said, refuses what it cannot read, and is never filled by a bomb."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from storepulse import wire
from storepulse.events import ItemMarked
from storepulse.facts import Fact
from storepulse.topics import Address, BadName, NotOurTopic, every_node, read_topic
from storepulse.wire import (
    PAYLOAD_BYTES_MAX,
    BadPayload,
    Clock,
    Key,
    Message,
    Refused,
    decode_batch,
    encode_batch,
    pack,
    unpack,
)

ADDRESS = Address("chain", "shop-17", "node-1")
CLOCK = Clock(boot="b", monotonic_s=12.5, synchronised=True)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

finite = st.floats(-1e9, 1e9)
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    low, value, high = sorted(draw(st.tuples(finite, finite, finite)))
    return Fact(
        id=draw(names),
        shop=draw(names),
        metric="dwell_mean",
        start=NOON,
        end=NOON + timedelta(seconds=draw(st.integers(0, 10**6))),
        value=value,
        low=low,
        high=high,
        n=draw(st.none() | st.integers(0, 10**6)),
        coverage=draw(st.floats(0, 1)),
        dims=draw(st.dictionaries(names, names, max_size=3)),
    )


def message(body: Fact | ItemMarked, number: int = 1) -> Message:
    key = Key(node="node-1", epoch="e", number=number)
    return Message(key=key, said_at=NOON, clock=CLOCK, body=body)


@given(st.lists(facts(), max_size=5))
def test_a_fact_survives_the_wire(bodies: list[Fact]) -> None:
    said = [message(body, number) for number, body in enumerate(bodies, start=1)]
    assert decode_batch(encode_batch(ADDRESS, said)) == said


def test_an_event_survives_the_wire() -> None:
    said = message(ItemMarked(checklist="c", item="1", state="done", at=NOON))
    assert decode_batch(encode_batch(ADDRESS, [said])) == [said]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        pytest.param({"type": "storepulse.unheard.v1"}, "unknown type", id="unknown type"),
        pytest.param({"data": 3}, "object", id="data is no object"),
        pytest.param({"time": "2026-11-20T12:00:00"}, "time zone", id="time without a zone"),
        pytest.param({"synchronised": "no"}, "synchronised", id="a clock that is neither"),
        pytest.param({"specversion": "0.3"}, "specversion", id="another CloudEvents"),
        pytest.param({"monotonic": 10**400}, "too large", id="a number that no float can hold"),
    ],
)
def test_one_unreadable_message_is_refused_alone(change: dict[str, object], word: str) -> None:
    good = message(ItemMarked(checklist="c", item="1", state="done", at=NOON), 2)
    bad, fine = json.loads(unpack(encode_batch(ADDRESS, [message(good.body, 1), good])))  # type: ignore[arg-type]
    refused, kept = decode_batch(json.dumps([bad | change, fine]).encode())
    assert isinstance(refused, Refused)
    assert word in refused.reason
    assert refused.key.number == 1
    assert kept == good


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"{}", id="not a batch"),
        pytest.param(b"[{}]", id="a message without a key"),
        pytest.param(b'[{"id": "node/epoch/0"}]', id="a number below one"),
        pytest.param(b"\x28\xb5\x2f\xfd broken", id="a broken frame"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_bytes_that_are_no_batch_are_refused_whole(payload: bytes) -> None:
    with pytest.raises(BadPayload):
        decode_batch(payload)


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    bomb = zstandard.ZstdCompressor().compress(b" " * (PAYLOAD_BYTES_MAX + 1))
    with pytest.raises(BadPayload, match="more than"):
        unpack(bomb)


@given(st.binary(max_size=5000))
def test_packing_can_be_undone(payload: bytes) -> None:
    if not payload.startswith(b"\x28\xb5\x2f\xfd"):
        assert unpack(pack(payload)) == payload


def test_a_topic_reads_back_as_it_was_built() -> None:
    topic = ADDRESS.topic("up/facts")
    assert topic == "storepulse/1/chain/shop-17/node-1/up/facts"
    assert read_topic(topic) == (ADDRESS, "up/facts")
    assert every_node("state") == "storepulse/1/+/+/+/state"


@pytest.mark.parametrize("topic", ["storepulse/1/a/b/c/up/other", "storepulse/2/a/b/c/state", "x"])
def test_a_topic_that_is_not_ours_is_refused(topic: str) -> None:
    with pytest.raises(NotOurTopic):
        read_topic(topic)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "-x", "x" * 65])
def test_a_name_that_could_escape_its_topic_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        Address("chain", name, "node")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_quick_way_to_read_facts_reads_what_the_long_way_does(data: st.DataObject) -> None:
    clock = Clock(boot="b", monotonic_s=1.5, synchronised=True)
    fact = Fact(
        id="f", shop="17", metric="visitors", start=NOON, end=NOON, value=2.0, low=1.0, high=3.0,
        n=4, dims={"bay": "b1"},
    )  # fmt: skip
    key = Key(node="n1", epoch="e", number=1)
    message = Message(key=key, said_at=NOON, clock=clock, body=fact)
    events = json.loads(encode_batch(Address("c", "17", "n1"), [message]))
    odd = st.sampled_from(
        [None, True, 0, 3, 2.5, -1, "", "x", "3", "2026-11-20T12:00:00", "2026-11-20T12:00:00Z",
         "2026-11-20", 1763640000, [], {}, "NaN", "1.0", "n1/e/2", "n1/e/0", "é", "\ud800"]
    )  # fmt: skip
    for _ in range(data.draw(st.integers(0, 2))):
        where = data.draw(st.sampled_from([events[0], events[0]["data"]]))
        name = data.draw(st.sampled_from(sorted(where)))
        if data.draw(st.booleans()):
            where[name] = data.draw(odd)
        else:
            del where[name]
        if name == "data":
            break
    payload = json.dumps(events).encode()
    assert _outcome(lambda: decode_batch(payload)) == _outcome(
        lambda: [wire._decode_event(one) for one in json.loads(payload)]
    )


def _outcome(read: Callable[[], object]) -> object:
    try:
        return read()
    except BadPayload as error:
        return str(error)
