"""Turn a captured record into a probe frame that holds no address and no network name. Pure.

The sender's address becomes a keyed hash in the first function that touches it; the key lives in
this process's memory only. Of the network asked for, only whether there was one is kept.
"""

import secrets
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple
from zlib import crc32

from probes.captures import Record
from probes.link_headers import LINK_HEADERS

_HEADER_BYTES: Final = 24
_HTC_BYTES: Final = 4
_PROBE_REQUEST: Final = 0x40
"""First byte of frame control: version 0, management, subtype 4."""
_TIE_BITS: Final = 0xFFFF


class Frame(NamedTuple):
    """One probe request. A tuple: a busy day makes millions.

    `sender` and `elements` are keyed hashes of 64 bits: equal within one run, nothing outside it.
    """

    time_s: float
    sender: int
    random_address: bool
    """The locally administered bit: the phone made this address up."""
    sequence: int
    """0 to 4095, the phone's own count of frames."""
    signal_dbm: int | None
    mhz: int | None
    directed: bool
    """A network was asked for by name (the name is not kept)."""
    elements: int
    """What the phone says it can do, less what changes from frame to frame."""
    tie: int = 0
    """Puts frames of one moment in an order that is the same under every key: 16 bits of a check
    sum over the whole record, too few to tell addresses by, dropped with the frame."""


@dataclass(slots=True)
class FrameCounts:
    """What became of the records; every record is counted in `frames` and once below it."""

    frames: int = 0
    probe_requests: int = 0
    other: int = 0
    """Whole Wi-Fi frames that are no probe request."""
    damaged: int = 0
    """A header that contradicts itself or is cut."""
    not_wifi: dict[int, int] = field(default_factory=dict)
    """Records by link type that has no Wi-Fi frames."""
    bad_fcs: int = 0
    """Of the probe requests: the radio says the bits are wrong. Not used further."""
    without_time: int = 0
    """Of the probe requests: the file keeps no time. Not used further."""
    elements_cut: int = 0
    """Of the probe requests: elements damaged or cut. Used with the whole ones."""


class FrameReader:
    """Reads records into frames under one key.

    Args:
        key: 16 to 64 random bytes, never written anywhere; by default a new one.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._hash = blake2b(key=key or secrets.token_bytes(32), digest_size=8)
        self.counts = FrameCounts()

    def read(self, record: Record) -> Frame | None:
        """Read one record; None (counted) when it is no usable probe request."""
        time_s, link, data, cut, fcs_noted = record
        counts = self.counts
        counts.frames += 1
        find = LINK_HEADERS.get(link)
        if find is None:
            counts.not_wifi[link] = counts.not_wifi.get(link, 0) + 1
            return None
        found = find(data, cut, fcs_noted)
        if found is None:
            counts.damaged += 1
            return None
        start, end, signal_dbm, mhz, bad_fcs = found
        if end - start < 2 or data[start] != _PROBE_REQUEST:
            if end - start < 2:
                counts.damaged += 1
            else:
                counts.other += 1
            return None
        if end - start < _HEADER_BYTES:
            counts.damaged += 1
            return None
        counts.probe_requests += 1
        if bad_fcs:
            counts.bad_fcs += 1
            return None
        if time_s is None:
            counts.without_time += 1
            return None
        # The one place that sees the address: bytes 10 to 15 of the header.
        hashed = self._hash.copy()
        hashed.update(data[start + 10 : start + 16])
        sender = int.from_bytes(hashed.digest(), "little")
        random_address = bool(data[start + 10] & 2)
        sequence = data[start + 22] >> 4 | data[start + 23] << 4
        ordered = data[start + 1] & 0x80
        body = start + _HEADER_BYTES + (_HTC_BYTES if ordered else 0)
        directed, lasting, whole = lasting_elements(data, body, end)
        if not whole:
            counts.elements_cut += 1
        hashed = self._hash.copy()
        hashed.update(lasting)
        elements = int.from_bytes(hashed.digest(), "little")
        return Frame(
            time_s, sender, random_address, sequence, signal_dbm, mhz, directed, elements,
            crc32(data) & _TIE_BITS,
        )  # fmt: skip


_SSID: Final = 0
_DS_CHANNEL: Final = 3
_VENDOR: Final = 221
_EXTENSION: Final = 255
_TAG_ONLY: Final = frozenset({1, 50, 127})
"""Rates, extended rates and extended capabilities change between a phone's broadcast and directed
probes: that they are there counts, what they say does not."""
_CHANGING_VENDOR: Final = b"\x00\x50\xf2\x08"
_CHANGING_EXTENSION: Final = 2  # FILS request parameters


def lasting_elements(data: bytes, at: int, end: int) -> tuple[bool, bytes, bool]:
    """Walk the information elements; keep what one phone says every time.

    Returns:
        Whether a network was asked for by name; the lasting elements, joined (to be hashed at
        once: WPS elements can hold an address); whether all elements were whole.
    """
    directed = False
    kept: list[bytes] = []
    while at + 2 <= end:
        kind = data[at]
        after = at + 2 + data[at + 1]
        if after > end:
            return directed, b"".join(kept), False
        if kind == _SSID:
            directed = directed or any(data[at + 2 : after])
        elif kind in _TAG_ONLY:
            kept.append(data[at : at + 1])
        elif kind == _VENDOR:
            if data[at + 2 : at + 6] != _CHANGING_VENDOR:
                kept.append(data[at:after])
        elif kind == _EXTENSION:
            if after > at + 2 and data[at + 2] != _CHANGING_EXTENSION:
                kept.append(data[at:after])
        elif kind != _DS_CHANNEL:
            kept.append(data[at:after])
        at = after
    return directed, b"".join(kept), at == end
