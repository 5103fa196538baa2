"""A code is read however it was typed; what node and hub say of phones survives the wire."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.events import EVENT_JSON, EVENT_TYPES, Event, PhoneEnded, PhonePaired, type_of
from storepulse.node_config import NodeConfig
from storepulse.phones import (
    BadPairingCode,
    OpenCode,
    code_sha256,
    new_pairing_code,
    read_pairing_code,
    token_sha256,
)
from storepulse.topics import Address
from storepulse.wire import (
    NODE_STATE_JSON,
    BadPayload,
    Clock,
    Key,
    Message,
    NodeState,
    Refused,
    decode_batch,
    decode_config,
    encode_batch,
    encode_config,
    pack,
    unpack,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PHONE = "3f9c1f6e-0000-4000-8000-000000000001"
HASH = token_sha256("a token")
PAIRED = PhonePaired(phone=PHONE, token_sha256=HASH, name="李's phone", code_sha256=HASH, at=NOON)


def test_codes_differ_and_are_read_as_they_are_shown() -> None:
    codes = {new_pairing_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(read_pairing_code(code) == code and len(code) == 9 for code in codes)
    assert not set("".join(codes)) & set("ILOU")


@pytest.mark.parametrize("typed", ["7km3q2zd", " 7KM3 Q2ZD ", "7-K-M-3-Q2ZD", "7KM3-Q2ZD"])
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    assert read_pairing_code(typed) == "7KM3-Q2ZD"
    assert code_sha256(typed) == code_sha256("7KM3-Q2ZD")


def test_letters_that_do_not_occur_are_read_as_what_they_look_like() -> None:
    assert read_pairing_code("iL0o-ABCD") == "1100-ABCD"


@pytest.mark.parametrize("typed", ["", "7KM3-Q2Z", "7KM3-Q2ZDD", "7KM3-Q2ZU", "货架货架货架货架"])
def test_what_is_no_code_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(BadPairingCode, match="8 letters"):
        read_pairing_code(typed)


@pytest.mark.parametrize("event", [PAIRED, PhoneEnded(phone=PHONE, at=NOON)])
def test_what_becomes_of_a_phone_survives_the_wire(event: Event) -> None:
    key = Key(node="n", epoch="e", number=1)
    clock = Clock(boot="b", monotonic_s=1.0, synchronised=True)
    said = Message(key=key, said_at=NOON, clock=clock, body=event)
    assert decode_batch(encode_batch(Address("c", "s", "n"), [said])) == [said]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"phone": "../../etc"}, id="no UUID"),
        pytest.param({"token_sha256": "a token"}, id="a token instead of its checksum"),
        pytest.param({"code_sha256": HASH.upper()}, id="another spelling of a checksum"),
        pytest.param({"name": "x" * 81}, id="too long a name"),
        pytest.param({"name": "a\nb"}, id="a name of two lines"),
    ],
)
def test_a_phone_that_cannot_be_is_refused_alone(change: dict[str, str]) -> None:
    key = Key(node="n", epoch="e", number=1)
    clock = Clock(boot="b", monotonic_s=1.0, synchronised=True)
    said = Message(key=key, said_at=NOON, clock=clock, body=PAIRED)
    (event,) = json.loads(unpack(encode_batch(Address("c", "s", "n"), [said])))
    event["data"] |= change
    (refused,) = decode_batch(json.dumps([event]).encode())
    assert isinstance(refused, Refused)
    assert next(iter(change)) in refused.reason or "phone" in refused.reason


def test_every_event_has_a_type_of_its_own() -> None:
    assert len(set(EVENT_TYPES.values())) == len(EVENT_TYPES) == len(EVENT_JSON)
    assert type_of(PAIRED) == "storepulse.phone.paired.v1"


uuids = st.uuids().map(str)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
moments = st.datetimes(timezones=st.just(UTC))


@given(
    st.builds(
        NodeConfig,
        revision=st.integers(0, 2**53),
        codes=st.lists(st.builds(OpenCode, sha256=hashes, ends_at=moments)).map(tuple),
        ended=st.lists(uuids).map(tuple),
    )
)
def test_a_configuration_survives_the_wire(config: NodeConfig) -> None:
    assert decode_config(encode_config(config)) == config


def test_a_later_versions_configuration_is_read_as_far_as_it_is_known() -> None:
    said = {"revision": 3, "codes": [], "ended": [PHONE], "policy": {"colour": "red"}}
    assert decode_config(json.dumps(said).encode()) == NodeConfig(revision=3, ended=(PHONE,))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"{}", id="no revision"),
        pytest.param(b'{"revision": -1}', id="a revision below nothing"),
        pytest.param(b'{"revision": 9007199254740993}', id="a revision that readers round"),
        pytest.param(b'{"revision": 1, "ended": ["x"]}', id="no phone"),
        pytest.param(
            b'{"revision": 1, "codes": [{"sha256": "x", "ends_at": "2026-11-20T12:00:00Z"}]}',
            id="no checksum",
        ),
        pytest.param(pack(b'{"revision": 1' * 1000), id="half of it, packed"),
    ],
)
def test_what_is_no_configuration_is_refused_whole(said: bytes) -> None:
    with pytest.raises(BadPayload, match=r"configuration|payload"):
        decode_config(said)


def test_a_code_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        OpenCode(sha256=HASH, ends_at=(NOON + timedelta(minutes=1)).replace(tzinfo=None))


def test_a_node_says_which_configuration_it_keeps_and_an_older_one_says_none() -> None:
    state = NodeState(online=True, config=7)
    assert NODE_STATE_JSON.validate_json(NODE_STATE_JSON.dump_json(state)) == state
    assert NODE_STATE_JSON.validate_json(b'{"online": true}').config == 0
    with pytest.raises(ValueError, match="config"):
        NodeState(online=True, config=-1)
