"""Draw small captures of made-up phones and write them in every form that is read."""

import gzip
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Timed = tuple[float, bytes]

NOON_S = 1_763_640_000.0
"""A whole hour of UTC, so that windows and hours begin where tests say."""


@dataclass(frozen=True)
class DrawnPhone:
    """What one phone says of itself."""

    address: bytes = b"\x02\x11\x22\x33\x44\x55"
    elements: bytes = b"\x01\x04\x02\x04\x0b\x16\x2d\x03abc"
    ssid: bytes = b""


def probe(
    phone: DrawnPhone,
    sequence: int = 0,
    *,
    address: bytes | None = None,
    extra: bytes = b"",
    control: int = 0x40,
) -> bytes:
    """One 802.11 probe request without check sequence."""
    header = struct.pack("<BBH", control, 0, 0) + b"\xff" * 6
    header += (address or phone.address) + b"\xff" * 6 + struct.pack("<H", (sequence % 4096) << 4)
    return header + bytes([0, len(phone.ssid)]) + phone.ssid + phone.elements + extra


def radiotap(frame: bytes, *, signal_dbm: int = -50, mhz: int = 2437, flags: int = 0) -> bytes:
    """The frame behind a radiotap header with flags, channel and signal."""
    present = 1 << 1 | 1 << 3 | 1 << 5
    head = struct.pack("<BBHIBxHHb", 0, 0, 15, present, flags, mhz, 0xA0, signal_dbm)
    return head + frame


def prism(frame: bytes, *, order: str = "<") -> bytes:
    """The frame behind a Prism header of 144 bytes, signal -40 dBm on channel 6."""
    items = b""
    for number in range(10):
        value = {2: 6, 5: -40}.get(number, 0)
        items += struct.pack(order + "IHHi", number + 1 << 12 | 0x44, 0, 4, value)
    return struct.pack(order + "II16s", 0x44, 144, b"wlan0") + items + frame


def avs(frame: bytes) -> bytes:
    """The frame behind an AVS header, signal -40 dBm on channel 6."""
    head = struct.pack(">IIQQIIIIIIiiII", 0x80211001, 64, 0, 0, 4, 6, 0, 0, 0, 2, -40, 0, 0, 0)
    assert len(head) == 64
    return head + frame


def ppi(frame: bytes) -> bytes:
    """The frame behind a PPI header with an 802.11-common field, signal -40 dBm at 2437 MHz."""
    common = struct.pack("<QHHHHBBbb", 0, 0, 0, 2437, 0, 0, 0, -40, -90)
    return struct.pack("<BBHI", 0, 0, 32, 105) + struct.pack("<HH", 2, 20) + common + frame


def pcap(
    records: Iterable[Timed], *, link: int = 127, order: str = "<", nano: bool = False
) -> bytes:
    """A classic capture."""
    ticks = 1_000_000_000 if nano else 1_000_000
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for time_s, data in records:
        seconds = int(time_s)
        tick = round((time_s - seconds) * ticks)
        parts.append(struct.pack(order + "IIII", seconds, tick, len(data), len(data)) + data)
    return b"".join(parts)


def pcapng(records: Sequence[Timed], *, link: int = 127, order: str = "<") -> bytes:
    """A pcapng capture: one section, one interface, and a block nobody knows."""

    def block(kind: int, body: bytes) -> bytes:
        body += b"\0" * (-len(body) % 4)
        size = struct.pack(order + "I", 12 + len(body))
        return struct.pack(order + "I", kind) + size + body + size

    parts = [
        block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(1, struct.pack(order + "HHI", link, 0, 0)),
        block(0x0BAD, b"of no concern"),
    ]
    for time_s, data in records:
        ticks = round(time_s * 1e6)
        head = struct.pack(
            order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
        )
        parts.append(block(6, head + data))
    return b"".join(parts)


def write(path: Path, content: bytes) -> Path:
    """Write a capture, packed when its name ends in .gz."""
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@dataclass
class DrawnShop:
    """Visitors that come one after the other, each with a phone that bursts at its own pace."""

    records: list[Timed] = field(default_factory=list)
    addresses: list[bytes] = field(default_factory=list)

    def visit(
        self,
        number: int,
        start_s: float,
        length_s: float,
        *,
        pause_s: float = 20.0,
        kind: int = 0,
        signal_dbm: int = -50,
    ) -> None:
        """Bursts of three frames, a new address each burst, the count of frames going on."""
        elements = b"\x01\x04\x02\x04\x0b\x16\x2d\x04abc" + bytes([kind])
        sequence = number * 611
        at_s = start_s
        burst = 0
        while at_s <= start_s + length_s:
            address = bytes([0x02, 0x5E, number % 256, number // 256, burst % 256, 0x77])
            self.addresses.append(address)
            for step in range(3):
                frame = probe(DrawnPhone(address, elements, b"homenet"), sequence)
                self.records.append((at_s + 0.02 * step, radiotap(frame, signal_dbm=signal_dbm)))
                sequence += 1
            sequence += 4
            burst += 1
            at_s += pause_s

    def pcap(self) -> bytes:
        """All of it as one capture, in order of time."""
        return pcap(sorted(self.records))


def busy_shop(visits: int = 30, *, length_s: float = 180.0, every_s: float = 240.0) -> DrawnShop:
    """A shop where a visitor comes every few minutes."""
    shop = DrawnShop()
    for number in range(visits):
        shop.visit(number, NOON_S + number * every_s, length_s, kind=number % 7)
    return shop
