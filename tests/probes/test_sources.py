"""Every source keeps one contract: hearings without an address, damage counted, evidence named."""

import asyncio
import csv
import io
import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import SourceFailed, SourceFailure, SourceRefused
from probes.frames import Frame, FrameReader
from probes.keys import NEVER
from probes.lists import Admission, PhoneList
from probes.modes import Listening
from probes.sighting_facts import facts_of_passages, facts_of_sightings
from probes.sources.access_points import Fortinet, Hostapd, PlainRows
from probes.sources.capture_files import CaptureFiles
from probes.sources.door import Door
from probes.sources.hopping import Hopper
from probes.sources.meraki import Meraki
from probes.sources.port import (
    Decoder,
    Evidence,
    Passage,
    Pushed,
    Senders,
    Sighting,
    Source,
)
from probes.sources.radio import Radio, open_radio
from probes.sources.webhook import meraki_webhook
from tests.probes.drawn_captures import NOON_S, DrawnPhone, pcap, probe, radiotap, write
from tests.probes.test_privacy import spellings

ADDRESS = b"\xa4\x50\x46\x12\x34\x56"
TEXT = ADDRESS.hex(":")
OPTED_OUT = b"\xa4\x50\x46\xab\xcd\xef"
ADMITS = Admission(PhoneList().with_address(OPTED_OUT))
ISO = "2025-11-20T12:00:00Z"

Make = Callable[[Path], Source]


def senders() -> Senders:
    return Senders(NEVER, admits=ADMITS)


def pushed(decoder: Decoder, *payloads: bytes) -> Source:
    return Pushed(decoder, iter([(NOON_S + n, payload) for n, payload in enumerate(payloads)]))


def meraki_2(**changed: Any) -> bytes:
    seen = [
        {"clientMac": mac, "seenTime": ISO, "seenEpoch": NOON_S, "rssi": 47}
        for mac in (TEXT, OPTED_OUT.hex(":"), "no address")
    ]
    post = {"version": "2.1", "secret": "s3", "type": "DevicesSeen", "data": {"observations": seen}}
    return json.dumps({**post, **changed}).encode()


def meraki_3(**changed: Any) -> bytes:
    seen = [
        {"clientMac": TEXT, "locations": [], "latestRecord": {"time": ISO, "nearestApRssi": "-40"}},
        {
            "clientMac": TEXT.upper(),
            "locations": [{"time": ISO, "rssiRecords": [{"rssi": -60}, {"rssi": -52}]}],
        },
        {"clientMac": OPTED_OUT.hex(":"), "latestRecord": {"time": ISO}},
        {"clientMac": TEXT},
    ]
    post = {"version": "3.0", "secret": "s3", "type": "WiFi", "data": {"observations": seen}}
    return json.dumps({**post, **changed}).encode()


def hostapd(address: str = TEXT, **more: Any) -> bytes:
    return json.dumps({"address": address, "signal": -61, "freq": 2437, **more}).encode()


FORTINET = (
    'date=2025-11-20 time=12:00:00 logid="0104043550" type="event" subtype="wireless" '
    'eventtime=1763640000000000000 tz="+0000" stamac="{}" signal=-55 noise=-95 ap="shop"'
)


def fortinet() -> bytes:
    lines = [FORTINET.format(a) for a in (TEXT, OPTED_OUT.hex(":"), "nobody")]
    return "\n".join([*lines, 'logid="0104043521" stamac="x"']).encode()


def rows() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([["MAC", "Time", "RSSI"], [TEXT, ISO, -50], [OPTED_OUT.hex("-"), ISO, 1]])
    writer.writerow(["junk", "then", ""])
    return text.getvalue().encode()


def from_captures(folder: Path) -> Source:
    frames = [radiotap(probe(DrawnPhone(a), 5)) for a in (ADDRESS, OPTED_OUT)]
    records = [(NOON_S, frames[0]), (NOON_S + 1, frames[1]), (NOON_S + 2, b"\0\0")]
    capture = write(folder / "shop.pcap.gz", pcap(records))
    return CaptureFiles([capture], FrameReader(admits=ADMITS), warn=lambda _: None)


def from_radio(folder: Path) -> Source:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for address in (ADDRESS, OPTED_OUT):
        theirs.send(radiotap(probe(DrawnPhone(address), 5)))
    theirs.send(b"\0\0")
    radio = Radio("wlan9", ours, 127, FrameReader(admits=ADMITS), now=lambda: NOON_S)
    theirs.close()
    return radio


SOURCES: dict[str, tuple[Make, Evidence]] = {
    "captures": (from_captures, Evidence.FRAMES),
    "radio": (from_radio, Evidence.FRAMES),
    "meraki 2": (lambda _: pushed(Meraki("s3", senders()), meraki_2()), Evidence.ADDRESSES),
    "meraki 3": (lambda _: pushed(Meraki("s3", senders()), meraki_3()), Evidence.ADDRESSES),
    "hostapd": (
        lambda _: pushed(
            Hostapd(senders()), hostapd(), hostapd(OPTED_OUT.hex(":")), hostapd("x"), b'{"assoc":1}'
        ),
        Evidence.EVENTS,
    ),
    "fortinet": (lambda _: pushed(Fortinet(senders()), fortinet()), Evidence.ADDRESSES),
    "rows": (lambda _: pushed(PlainRows(senders()), rows()), Evidence.ADDRESSES),
    "door": (
        lambda _: pushed(Door(), b"time,in,out\n2025-11-20T12:00:00Z,3,1\nx,1,1\n"),
        Evidence.PASSAGES,
    ),
}


def hear(source: Source) -> list[Any]:
    heard = []
    try:
        heard += list(collect(source, heard_so_far := []))
    except SourceFailed as failed:
        assert failed.reason is SourceFailure.WENT_DOWN  # noqa: PT017  (a socket pair's end)
        heard = heard_so_far
    return heard


def collect(source: Source, kept: list[Any]) -> Iterator[Any]:
    for one in source.hearings():
        kept.append(one)
        yield one


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_hears_counts_damage_and_lets_no_address_through(
    name: str, tmp_path: Path
) -> None:
    make, evidence = SOURCES[name]
    source = make(tmp_path)
    heard = hear(source)
    assert source.evidence is evidence
    assert source.name
    assert source.damaged == 1
    assert len(heard) == (2 if name == "meraki 3" else 1)
    for one in heard:
        assert one.time_s == pytest.approx(NOON_S, abs=1)
        if isinstance(one, Frame):
            assert not one.random_address
        elif isinstance(one, Sighting):
            assert one.evidence is evidence
            assert one.random_address is False
            assert one.signal_dbm is None or one.signal_dbm < 0
    said = repr(heard).encode() + repr(vars(source)).encode()
    assert not [s for a in (ADDRESS, OPTED_OUT) for s in spellings(a) if s in said]


def test_every_evidence_has_a_source() -> None:
    assert {evidence for _, evidence in SOURCES.values()} == set(Evidence)


@pytest.mark.parametrize(
    "decoder",
    [
        pytest.param(Meraki("s3", senders()), id="meraki"),
        pytest.param(Hostapd(senders()), id="hostapd"),
        pytest.param(Fortinet(senders()), id="fortinet"),
        pytest.param(PlainRows(senders()), id="rows"),
        pytest.param(Door(), id="door"),
    ],
)
@settings(deadline=None, max_examples=60)
@given(payload=st.one_of(
    st.binary(max_size=80),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["version", "secret", "data", "observations", "address", "time", "in",
                             "type", "clientMac", "locations", "latestRecord", "probe"]),
            inner, max_size=4),
        max_leaves=8,
    ).map(lambda plain: json.dumps(plain).encode()),
))  # fmt: skip
def test_no_payload_breaks_a_decoder(decoder: Decoder, payload: bytes) -> None:
    with suppress(SourceRefused):
        decoder.decode(payload, NOON_S)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(meraki_2(secret="other"), SourceFailure.WRONG_SECRET, id="another secret"),
        pytest.param(meraki_3(secret=None), SourceFailure.WRONG_SECRET, id="no secret"),
        pytest.param(meraki_2(version="1.0"), SourceFailure.OTHER_VERSION, id="version 1"),
        pytest.param(meraki_2(data=[]), SourceFailure.WRONG_SHAPE, id="no observations"),
        pytest.param(b"{", SourceFailure.WRONG_SHAPE, id="no JSON"),
    ],
)
def test_meraki_refuses_what_is_not_its_own(payload: bytes, reason: SourceFailure) -> None:
    with pytest.raises(SourceRefused) as refused:
        Meraki("s3", senders()).decode(payload, NOON_S)
    assert refused.value.reason is reason


def test_meraki_3_takes_the_strongest_access_point_and_says_dbm_only_where_it_is() -> None:
    three = Meraki("s3", senders()).decode(meraki_3(), NOON_S)
    assert [one.signal_dbm for one in three if isinstance(one, Sighting)] == [-40, -52]
    two = Meraki("s3", senders()).decode(meraki_2(), NOON_S)
    assert [one.signal_dbm for one in two if isinstance(one, Sighting)] == [None]
    assert Meraki("s3", senders()).decode(meraki_3(type="BLE"), NOON_S) == []


said: list[str] = []
"""What the web hook told its owner."""


def post(method: str, body: bytes = b"") -> tuple[int, bytes, list[Any]]:
    taken: list[Any] = []
    sent: list[Any] = []

    async def take(hearings: Any) -> None:
        taken.extend(hearings)

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    webhook = meraki_webhook(
        Meraki("s3", senders()), validator="abc123", take=take, now=lambda: NOON_S,
        refuse=lambda reason, _: said.append(reason),
    )  # fmt: skip
    asyncio.run(webhook({"type": "http", "method": method}, receive, send))
    return sent[0]["status"], sent[1]["body"], taken


def test_the_webhook_answers_its_validator_and_takes_posts_with_the_secret_only() -> None:
    assert post("GET")[:2] == (200, b"abc123")
    status, _, taken = post("POST", meraki_3())
    assert (status, len(taken)) == (200, 2)
    status, answer, taken = post("POST", meraki_3(secret="guess"))
    assert (status, taken) == (403, [])
    assert b"guess" not in answer
    assert said == ["a post was refused: the post carries another secret"]
    assert post("POST", b"x" * (5 * 1024 * 1024))[0] == 413
    assert post("POST", b"x")[0] == 400
    assert post("PUT")[0] == 405


def test_hostapd_tells_kinds_apart_by_capabilities_and_has_no_count_of_frames() -> None:
    decoder = Hostapd(senders())
    kinds = [
        decoder.decode(hostapd(ht_capabilities=caps), NOON_S)[0]
        for caps in ({"ldpc": True}, {"ldpc": False}, {"ldpc": True})
    ]
    first, second, third = (one.kind for one in kinds if isinstance(one, Sighting))
    assert first == third != second
    assert not hasattr(kinds[0], "sequence")
    bare = decoder.decode(hostapd(), NOON_S)[0]
    assert isinstance(bare, Sighting)
    assert bare.kind is None


def test_sightings_make_unknown_facts_that_say_why() -> None:
    heard = Hostapd(senders()).decode(hostapd(), NOON_S)
    facts = facts_of_sightings(
        [one for one in heard if isinstance(one, Sighting)],
        listening=Listening(), shop="17", source="n",
    )  # fmt: skip
    assert {f.metric for f in facts} == {"dwell_mean", "bounce_45s", "visitors", "occupancy"}
    assert {(f.value, f.n) for f in facts} == {(None, None)}
    assert all("count of frames" in f.dims["unknown_because"] for f in facts)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9)), max_size=30))
def test_a_door_tells_nothing_about_fewer_than_five(rows: list[tuple[int, int]]) -> None:
    passages = [Passage(NOON_S + 600 * n, entered, 0) for n, entered in rows]
    facts = facts_of_passages(
        passages, error_share=0.05, timezone="Asia/Shanghai", shop="17", source="n"
    )
    assert all((fact.n or 0) >= 5 for fact in facts)
    total = sum(entered for _, entered in rows)
    outer = [
        f for f in facts
        if not any(o.start <= f.start and f.end <= o.end for o in facts if o is not f)
    ]  # fmt: skip
    assert sum(f.n or 0 for f in outer) == (total if total >= 5 else 0)


class TestRadio:
    """A radio fails with a reason, and says so in words."""

    def radio(self, wire: Any, **more: Any) -> Radio:
        clock = iter(range(10**6))
        return Radio(
            "wlan9", wire, 127, FrameReader(), now=lambda: NOON_S + 600 * next(clock), **more
        )

    def test_an_interface_that_goes_down_is_told(self) -> None:
        class Down:
            def __init__(self) -> None:
                self._kept, other = socket.socketpair()
                other.close()  # readable at once

            def fileno(self) -> int:
                return self._kept.fileno()

            def recv(self, size: int, /) -> bytes:
                raise OSError(100, "Network is down")

            def close(self) -> None:
                self._kept.close()

        with pytest.raises(SourceFailed, match="wlan9: the interface went down") as failed:
            list(self.radio(Down()).moments())
        assert failed.value.reason is SourceFailure.WENT_DOWN
        assert not isinstance(failed.value, SourceRefused)

    def test_a_radio_that_hears_nothing_for_an_hour_ends(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, theirs = socket.socketpair()
        monkeypatch.setattr("probes.sources.radio._TICK_S", 0.001)
        with theirs, pytest.raises(SourceFailed, match="60 minutes") as failed:
            assert len(list(self.radio(ours).moments())) > 1
        assert failed.value.reason is SourceFailure.SILENT

    def test_a_stopped_radio_ends_in_order(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        radio = self.radio(ours)
        with theirs:
            theirs.send(radiotap(probe(DrawnPhone(), 1)))
            for _ in radio.moments():
                radio.stop()
        assert radio.received == 1

    @pytest.mark.parametrize(
        ("kind", "up", "reason"),
        [
            pytest.param(1, True, SourceFailure.NOT_MONITOR, id="wired"),
            pytest.param(803, False, SourceFailure.WENT_DOWN, id="down"),
            pytest.param(None, False, SourceFailure.NO_SUCH_INTERFACE, id="not there"),
        ],
    )
    def test_an_interface_that_cannot_be_used_is_refused_with_the_reason(
        self, kind: int | None, up: bool, reason: SourceFailure
    ) -> None:
        def look(interface: str) -> tuple[int, bool]:
            if kind is None:
                raise OSError(19, "No such device")
            return kind, up

        with pytest.raises(SourceFailed) as failed:
            open_radio("wlan9", FrameReader(), now=lambda: 0.0, look=look)
        assert failed.value.reason is reason

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="packet sockets are Linux's")
    def test_the_kernel_is_asked(self) -> None:
        with pytest.raises(SourceFailed) as failed:
            open_radio("lo", FrameReader(), now=lambda: 0.0)
        assert failed.value.reason is SourceFailure.NOT_MONITOR

    def test_hopping_goes_round_and_leaves_refused_channels_out(self) -> None:
        tuned: list[int] = []

        def tune(interface: str, channel: int) -> bool:
            tuned.append(channel)
            return channel != 6

        hopper = Hopper("wlan9", (1, 6, 11), tune=tune)
        for second in range(0, 12, 1):
            hopper.step(float(second))
        assert tuned == [1, 6, 11, 1, 11, 1, 11]
        assert hopper.refused == [6]

    def test_a_radio_that_refuses_every_channel_says_so(self) -> None:
        hopper = Hopper("wlan9", (1, 6), tune=lambda *_: False)
        with pytest.raises(SourceRefused, match="refuses channels 1, 6") as refused:
            hopper.step(0.0)
        assert refused.value.reason is SourceFailure.NO_HOPPING
