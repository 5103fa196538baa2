"""Frames are read behind every header, and hold no address."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.captures import Record
from probes.frames import Frame, FrameReader
from tests.probes.drawn_captures import DrawnPhone, avs, ppi, prism, probe, radiotap

PHONE = DrawnPhone(ssid=b"homenet")
PROBE = probe(PHONE, 77)
FCS = struct.pack("<I", zlib.crc32(PROBE))


def read(data: bytes, link: int = 127, *, cut: bool = False) -> Frame | None:
    return FrameReader(b"key").read(Record(5.0, link, data, cut, False))


def elements_of(phone: DrawnPhone, extra: bytes = b"") -> int:
    frame = read(radiotap(probe(phone, extra=extra)))
    assert frame is not None
    return frame.elements


@pytest.mark.parametrize(
    ("link", "data", "signal_dbm", "mhz"),
    [
        pytest.param(105, PROBE, None, None, id="bare"),
        pytest.param(105, PROBE + FCS, None, None, id="bare with check sequence"),
        pytest.param(127, radiotap(PROBE), -50, 2437, id="radiotap"),
        pytest.param(127, radiotap(PROBE + FCS, flags=0x10), -50, 2437, id="radiotap with FCS"),
        pytest.param(119, prism(PROBE), -40, 2437, id="Prism"),
        pytest.param(119, prism(PROBE, order=">"), -40, 2437, id="Prism, big-endian"),
        pytest.param(119, avs(PROBE), -40, 2437, id="AVS under Prism's number"),
        pytest.param(163, avs(PROBE), -40, 2437, id="AVS"),
        pytest.param(192, ppi(PROBE), -40, 2437, id="PPI"),
    ],
)
def test_one_frame_is_the_same_behind_every_header(
    link: int, data: bytes, signal_dbm: int | None, mhz: int | None
) -> None:
    frame = read(data, link)
    bare = read(PROBE, 105)
    assert frame is not None
    assert bare is not None
    assert (frame.sender, frame.elements, frame.sequence) == (bare.sender, bare.elements, 77)
    assert (frame.signal_dbm, frame.mhz) == (signal_dbm, mhz)
    assert frame.directed
    assert frame.random_address


@pytest.mark.parametrize(
    ("data", "link", "counted"),
    [
        pytest.param(radiotap(PROBE[:20]), 127, "damaged", id="header cut"),
        pytest.param(b"\0\0", 127, "damaged", id="radiotap cut"),
        pytest.param(b"", 127, "damaged", id="nothing"),
        pytest.param(b"\1" + radiotap(PROBE)[1:], 127, "damaged", id="radiotap of another version"),
        pytest.param(b"\0\0\xff\x7f" + radiotap(PROBE)[4:], 127, "damaged", id="header too long"),
        pytest.param(radiotap(probe(PHONE, control=0x80)), 127, "other", id="a beacon"),
        pytest.param(radiotap(PROBE, flags=0x40), 127, "bad_fcs", id="radio says wrong bits"),
    ],
)
def test_what_is_no_usable_probe_is_counted(data: bytes, link: int, counted: str) -> None:
    reader = FrameReader()
    assert reader.read(Record(1.0, link, data, False, False)) is None
    assert getattr(reader.counts, counted) == 1
    assert reader.counts.frames == 1


def test_a_link_type_without_wifi_is_counted_by_its_number() -> None:
    reader = FrameReader()
    assert reader.read(Record(1.0, 1, b"ethernet", False, False)) is None
    assert reader.counts.not_wifi == {1: 1}


def test_a_frame_without_time_is_left_out() -> None:
    reader = FrameReader()
    assert reader.read(Record(None, 105, PROBE, False, False)) is None
    assert (reader.counts.probe_requests, reader.counts.without_time) == (1, 1)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"\x03\x01\x06", id="channel"),
        pytest.param(b"\xdd\x06\x00\x50\xf2\x08\x01\x02", id="Microsoft type 8"),
        pytest.param(b"\xff\x03\x02\x09\x09", id="FILS request"),
    ],
)
def test_elements_that_change_from_frame_to_frame_do_not_count(extra: bytes) -> None:
    assert elements_of(PHONE, extra) == elements_of(PHONE)


def test_the_network_asked_for_does_not_count_but_that_there_was_one_does() -> None:
    other = DrawnPhone(ssid=b"another net")
    assert elements_of(other) == elements_of(PHONE) == elements_of(DrawnPhone())
    broadcast = read(radiotap(probe(DrawnPhone())))
    assert broadcast is not None
    assert not broadcast.directed


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"\xdd\x05\x00\x10\x18\x02\x00", id="a maker's element"),
        pytest.param(b"\xff\x03\x23\x01\x08", id="Wi-Fi 6"),
    ],
)
def test_elements_that_last_do_count(extra: bytes) -> None:
    assert elements_of(PHONE, extra) != elements_of(PHONE)


def test_two_runs_share_no_hash() -> None:
    record = Record(1.0, 105, PROBE, False, False)
    first, second = FrameReader().read(record), FrameReader().read(record)
    assert first is not None
    assert second is not None
    assert first.sender != second.sender
    assert first.elements != second.elements


def test_a_global_address_is_known_by_its_bit() -> None:
    frame = read(probe(DrawnPhone(address=b"\x00\x11\x22\x33\x44\x55")), 105)
    assert frame is not None
    assert not frame.random_address


@settings(deadline=None)
@given(
    link=st.sampled_from([105, 119, 127, 163, 192]),
    data=st.binary(max_size=200),
    head=st.sampled_from([b"", radiotap(PROBE), prism(PROBE), avs(PROBE), ppi(PROBE)]),
    end=st.integers(0, 400),
    cut=st.booleans(),
)
def test_no_bytes_crash_the_parser(
    link: int, data: bytes, head: bytes, end: int, cut: bool
) -> None:
    reader = FrameReader(b"key")
    reader.read(Record(1.0, link, (head[: end % 200] + data)[:end], cut, False))
    counts = reader.counts
    assert counts.frames == counts.probe_requests + counts.other + counts.damaged
