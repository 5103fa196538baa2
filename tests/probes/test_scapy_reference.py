"""Our parser says what scapy says, field by field, on drawn captures of every form it knows."""

import logging
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from probes.scapy_reference import compare
from tests.probes.drawn_captures import (
    NOON_S,
    DrawnPhone,
    pcap,
    ppi,
    prism,
    probe,
    radiotap,
    write,
)

pytest.importorskip("scapy.layers.dot11")
logging.getLogger("scapy").setLevel(logging.ERROR)

ELEMENTS = [
    b"\x01\x04\x02\x04\x0b\x16\x2d\x1a" + bytes(range(26)),
    b"\x01\x04\x82\x84\x8b\x96\x32\x08" + bytes(8) + b"\x03\x01\x06\x7f\x08" + b"\4\0\x40" * 2
    + b"\1\2\xbf\x0c" + bytes(12) + b"\xff\x03\x23\x01\x08\xdd\x07\x00\x50\xf2\x08\x00\x12\x00",
    b"\x01\x01\x02\xdd\x05\x00\x10\x18\x02\x00",
]  # fmt: skip
PHONES = [
    DrawnPhone(bytes([first, 2, 3, 4, 5, number]), elements, name)
    for number, elements in enumerate(ELEMENTS)
    for first in (0x02, 0xA4)
    for name in (b"", b"homenet", b"\0\0\0")
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("link", "wrap"),
    [
        pytest.param(127, lambda f: radiotap(f, signal_dbm=-61, mhz=5180), id="radiotap"),
        pytest.param(127, lambda f: radiotap(f + struct.pack("<I", 1), flags=0x10), id="with FCS"),
        pytest.param(105, lambda f: f, id="bare"),
        pytest.param(119, prism, id="Prism"),
        pytest.param(192, ppi, id="PPI"),
    ],
)
def test_every_field_is_the_same(tmp_path: Path, link: int, wrap: Callable[[bytes], bytes]) -> None:
    frames = [wrap(probe(phone, 97 * n)) for n, phone in enumerate(PHONES)]
    capture = write(
        tmp_path / "drawn.pcap", pcap([(NOON_S + n, f) for n, f in enumerate(frames)], link=link)
    )
    found = compare([capture])
    assert found.apart == []
    assert (found.alike, found.not_read_by_scapy) == (len(PHONES), 0)


@pytest.mark.filterwarnings("ignore")
def test_a_field_that_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.frames._DS_CHANNEL", 45)  # drops another element
    capture = write(tmp_path / "one.pcap", pcap([(NOON_S, radiotap(probe(PHONES[0])))]))
    # Both ways use one list of lasting elements: the same change on both sides shows nothing ...
    assert compare([capture]).apart == []
    # ... a change of what one side reads does.
    monkeypatch.setattr("probes.scapy_reference._hashed", lambda data: 0)
    assert compare([capture]).apart == ["one.pcap record 1: sender, elements"]
