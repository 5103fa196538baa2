"""Turn a captured record into a probe frame that holds no address and no network name. Pure.

The sender's address becomes a keyed hash in the first function that touches it; the key lives in
this process's memory only. Of the network asked for, only whether there was one is kept.

This is the hot path: a phone says the same elements and the same address many times in a moment, so
what they hash to is remembered for a few thousand records, no longer than the records themselves
lie in the buffers of whoever reads them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from math import inf
from typing import Final, NamedTuple
from zlib import crc32

from probes.captures import Record
from probes.keys import NEVER, KeyRing, Turns
from probes.link_headers import LINK_HEADERS

_HEADER_BYTES: Final = 24
PROBE_REQUEST: Final = 0x40
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
    elements_exact: int = 0
    """The same with extended capabilities in full, which may change from frame to frame: where they
    agree it is the surer sign."""
    shape: int = 0
    """Which elements there are, in which order, whatever they say: a phone with two lists of
    elements often keeps this, and so do other phones of its maker."""
    others: tuple[tuple[int, int], ...] = ()
    """`sender` and `elements` under each key beside the first (`Turns.keys`)."""


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
    left_out: int = 0
    """Of the probe requests: senders who opted out, or, in consent mode, did not agree."""
    elements_cut: int = 0
    """Of the probe requests: elements damaged or cut. Used with the whole ones."""


_REMEMBERED: Final = 4096
"""Records after which what they hashed to is forgotten: a power of two."""
_make: Final = tuple.__new__
"""A frame without the detour over its own constructor, which costs as much as all the rest."""


class _OtherKey:
    """Hashes senders and elements under one of the keys beside the first."""

    def __init__(self, turns: Turns) -> None:
        self._ring = KeyRing(turns)
        self._from_s, self._until_s = inf, -inf
        self._hash = self._ring.hash_of(turns.number(0.0))
        self._senders: dict[bytes, int] = {}
        self._bodies: dict[bytes, int] = {}

    def forget(self) -> None:
        self._senders.clear()
        self._bodies.clear()

    def hashes(self, time_s: float, address: bytes, body: bytes) -> tuple[int, int]:
        """Of the sender and of the elements that last."""
        if not self._from_s <= time_s < self._until_s:
            number = self._ring.turns.number(time_s)
            self._from_s, self._until_s = self._ring.turns.span_s(number)
            self._hash = self._ring.hash_of(number)
            self.forget()
        sender = self._senders.get(address)
        if sender is None:
            sender = self._senders[address] = _hashed(self._hash, address)
        elements = self._bodies.get(body)
        if elements is None:
            lasting = lasting_elements(body, 0, len(body)).lasting
            elements = self._bodies[body] = _hashed(self._hash, lasting)
        return sender, elements


def _hashed(started: blake2b, data: bytes) -> int:
    """A keyed hash of 64 bits; `started` is left as it is."""
    hashed = started.copy()
    hashed.update(data)
    return int.from_bytes(hashed.digest(), "little")


class FrameReader:
    """Reads records into frames under keys of its own.

    Args:
        key: 16 to 64 bytes for runs that must be repeatable, with `NEVER` only; by default random
            ones, never written anywhere.
        turns: when the key changes.
        admits: asked with the raw address before anything else is done with it (opt-out, consent);
            a frame that it refuses is counted and dropped.
    """

    def __init__(
        self,
        key: bytes | None = None,
        *,
        turns: Turns = NEVER,
        admits: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._ring = KeyRing(turns, key)
        self._admits = admits
        self._from_s, self._until_s = inf, -inf
        self._hash = self._ring.hash_of(turns.number(0.0))
        self._others = [_OtherKey(other) for other in turns.others]
        self._senders: dict[bytes, int] = {}
        self._bodies: dict[bytes, tuple[bool, int, bool, int, int]] = {}
        self.counts = FrameCounts()

    def forget(self) -> None:
        """Drop what was remembered of the last records. Called by itself every few thousand."""
        self._senders.clear()
        self._bodies.clear()
        for other in self._others:
            other.forget()

    def read(self, record: Record) -> Frame | None:
        """Read one record; None (counted) when it is no usable probe request."""
        time_s, link, data, cut, fcs_noted = record
        counts = self.counts
        counts.frames += 1
        if not counts.frames % _REMEMBERED:
            self.forget()
        find = LINK_HEADERS.get(link)
        if find is None:
            counts.not_wifi[link] = counts.not_wifi.get(link, 0) + 1
            return None
        found = find(data, cut, fcs_noted)
        if found is None:
            counts.damaged += 1
            return None
        start, end, signal_dbm, mhz, bad_fcs = found
        if end - start < _HEADER_BYTES or data[start] != PROBE_REQUEST:
            if end - start >= 2 and data[start] != PROBE_REQUEST:
                counts.other += 1
            else:
                counts.damaged += 1
            return None
        counts.probe_requests += 1
        if bad_fcs:
            counts.bad_fcs += 1
            return None
        if time_s is None:
            counts.without_time += 1
            return None
        if not self._from_s <= time_s < self._until_s:
            self._turn(time_s)
        # The one place that sees the address, bytes 10 to 15 of the header (`_OtherKey` hashes
        # it, too).
        address = data[start + 10 : start + 16]
        sender = self._senders.get(address)
        if sender is None:
            if self._admits is not None and not self._admits(address):
                counts.left_out += 1
                return None
            sender = self._senders[address] = _hashed(self._hash, address)
        # An HT control field (order bit) is four bytes longer.
        at = start + (28 if data[start + 1] & 0x80 else 24)
        body = data[at:end]
        known = self._bodies.get(body)
        if known is None:
            told = lasting_elements(body, 0, len(body))
            known = self._bodies[body] = (
                told.directed, _hashed(self._hash, told.lasting), told.whole,
                _hashed(self._hash, told.lasting + told.capabilities),
                _hashed(self._hash, told.shape),
            )  # fmt: skip
        if not known[2] or at > end:
            counts.elements_cut += 1
        others = self._others
        return _make(
            Frame,
            (
                time_s,
                sender,
                data[start + 10] & 2 != 0,
                data[start + 22] >> 4 | data[start + 23] << 4,
                signal_dbm,
                mhz,
                known[0],
                known[1],
                crc32(data) & _TIE_BITS,
                known[3],
                known[4],
                tuple([key.hashes(time_s, address, body) for key in others]) if others else (),
            ),
        )

    def _turn(self, time_s: float) -> None:
        """Take the key that holds at this time; nothing hashed before is known after."""
        number = self._ring.turns.number(time_s)
        self._from_s, self._until_s = self._ring.turns.span_s(number)
        self._hash = self._ring.hash_of(number)
        self.forget()


_SSID: Final = 0
_DS_CHANNEL: Final = 3
_VENDOR: Final = 221
_EXTENSION: Final = 255
_CAPABILITIES: Final = 127
_TAG_ONLY: Final = frozenset({1, 50, _CAPABILITIES})
"""Rates, extended rates and extended capabilities change between a phone's broadcast and directed
probes: that they are there counts, what they say does not."""
_CHANGING_VENDOR: Final = b"\x00\x50\xf2\x08"
_CHANGING_EXTENSION: Final = 2  # FILS request parameters


class Told(NamedTuple):
    """What the elements of one probe request say."""

    directed: bool
    """A network was asked for by name."""
    lasting: bytes
    """What one phone says every time, joined (to be hashed at once: WPS elements can hold an
    address)."""
    whole: bool
    """All elements were whole."""
    capabilities: bytes
    """The extended capabilities, which are not among the lasting ones."""
    shape: bytes
    """The tags of the lasting ones, and the makers of vendor elements."""


def lasting_elements(data: bytes, at: int, end: int) -> Told:
    """Walk the information elements; keep what one phone says every time."""
    directed = False
    kept: list[bytes] = []
    shape: list[bytes] = []
    capabilities = b""
    while at + 2 <= end:
        kind = data[at]
        after = at + 2 + data[at + 1]
        if after > end:
            return Told(directed, b"".join(kept), False, capabilities, b"".join(shape))
        if kind == _SSID:
            directed = directed or any(data[at + 2 : after])
        elif kind in _TAG_ONLY:
            kept.append(data[at : at + 1])
            shape.append(data[at : at + 1])
            if kind == _CAPABILITIES:
                capabilities += data[at:after]
        elif kind == _VENDOR:
            if data[at + 2 : at + 6] != _CHANGING_VENDOR:
                kept.append(data[at:after])
                shape.append(data[at : at + 1] + data[at + 2 : at + 6])
        elif kind == _EXTENSION:
            if after > at + 2 and data[at + 2] != _CHANGING_EXTENSION:
                kept.append(data[at:after])
                shape.append(data[at : at + 1] + data[at + 2 : at + 3])
        elif kind != _DS_CHANNEL:
            kept.append(data[at:after])
            shape.append(data[at : at + 1])
        at = after
    return Told(directed, b"".join(kept), at == end, capabilities, b"".join(shape))
