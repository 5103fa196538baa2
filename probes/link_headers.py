"""Find the 802.11 frame behind each link type's header, with signal and channel. Pure.

Reads nothing of the frame itself.
"""

import zlib
from collections.abc import Callable
from struct import unpack_from
from typing import Final, NamedTuple

DOT11: Final = 105
PRISM: Final = 119
RADIOTAP: Final = 127
AVS: Final = 163
PPI: Final = 192

_FCS_BYTES: Final = 4
_AVS_COOKIE: Final = 0x80211000
"""Upper 20 bits of the first word (big-endian); the lower 12 are the version."""


Found = tuple[int, int, int | None, int | None, bool]
"""Where the frame starts and ends in the record (without the frame check sequence), signal in dBm,
MHz, and whether the radio says that its bits are wrong. A bare tuple: a busy day makes millions."""


class _Layout(NamedTuple):
    """Where a radiotap header of one form keeps its fields; 0 for one that it lacks."""

    length: int
    flags_at: int
    channel_at: int
    signal_at: int


_RADIOTAP_FIELDS: Final = ((8, 8), (1, 1), (1, 1), (2, 4), (2, 2), (1, 1))
"""Alignment and bytes of the fields of bits 0 to 5; those after the signal are not read.
radiotap.org: TSFT, flags, rate, channel, FHSS, antenna signal."""
_RADIOTAP_FORMS_MAX: Final = 256
_forms: dict[bytes, _Layout] = {}


def _radiotap_layout(data: bytes) -> _Layout | None:
    """Read the chain of present words; None when it leaves the header."""
    (length,) = unpack_from("<H", data, 2)
    if data[0] != 0 or length < 8 or length > len(data):
        return None
    at = 4
    while True:
        if at + 4 > length:
            return None
        more = data[at + 3] & 0x80
        at += 4
        if not more:
            break
    (present,) = unpack_from("<I", data, 4)
    places = [0] * len(_RADIOTAP_FIELDS)
    for bit, (align, size) in enumerate(_RADIOTAP_FIELDS):
        if present >> bit & 1:
            at += -at % align
            if at + size > length:
                break
            places[bit] = at
            at += size
    return _Layout(length, places[1], places[3], places[5])


def _radiotap(data: bytes, cut: bool, fcs_noted: bool) -> Found | None:
    if len(data) < 8:
        return None
    # The first present word and the length fix the layout unless more words follow.
    form = data[:8]
    layout = _forms.get(form)
    if layout is None:
        layout = _radiotap_layout(data)
        if layout is None:
            return None
        if not data[7] & 0x80 and len(_forms) < _RADIOTAP_FORMS_MAX:
            _forms[form] = layout
    length, flags_at, channel_at, signal_at = layout
    end = len(data)
    if length > end:
        return None
    flags = data[flags_at] if flags_at else 0
    if (flags & 0x10 or fcs_noted) and not cut:
        end -= _FCS_BYTES
    signal = None
    if signal_at:
        signal = data[signal_at]
        if signal > 127:
            signal -= 256
    mhz = data[channel_at] | data[channel_at + 1] << 8 if channel_at else None
    return (length, end, signal, mhz, bool(flags & 0x40))


def _end_without_fcs(data: bytes, start: int, cut: bool, fcs_noted: bool) -> int:
    """Where no header tells whether a check sequence ends the frame, its own sum does."""
    end = len(data)
    if cut or end - start <= _FCS_BYTES:
        return end
    sum_fits = zlib.crc32(data[start:-_FCS_BYTES]) == int.from_bytes(data[-_FCS_BYTES:], "little")
    return end - _FCS_BYTES if fcs_noted or sum_fits else end


def _dot11(data: bytes, cut: bool, fcs_noted: bool) -> Found | None:
    return (0, _end_without_fcs(data, 0, cut, fcs_noted), None, None, False)


def _avs(data: bytes, cut: bool, fcs_noted: bool) -> Found | None:
    if len(data) < 8:
        return None
    (length,) = unpack_from(">I", data, 4)
    if not 8 <= length <= len(data):
        return None
    signal = mhz = None
    if length >= 52:
        channel, signal_kind = unpack_from(">I12xI", data, 28)
        if signal_kind == 2:  # dBm; 1 and 3 are raw figures of one card
            (signal,) = unpack_from(">i", data, 48)
        mhz = _mhz_of_channel(channel)
    return (length, _end_without_fcs(data, length, cut, fcs_noted), signal, mhz, False)


def _prism(data: bytes, cut: bool, fcs_noted: bool) -> Found | None:
    if len(data) < 24:
        return None
    (first,) = unpack_from(">I", data)
    if first & 0xFFFFF000 == _AVS_COOKIE:
        # Seen in the wild: an AVS header under Prism's link type.
        return _avs(data, cut, fcs_noted)
    # Written in the order of the machine that captured; the message code (0x41, 0x44) shows it.
    order = ">" if first < 0x1000 else "<"
    (length,) = unpack_from(order + "I", data, 4)
    if not 24 <= length <= len(data):
        return None
    signal = mhz = None
    if length >= 24 + 6 * 12:
        # Items of 12 bytes (id, status, length, value): third the channel, sixth the signal.
        mhz = _mhz_of_channel(unpack_from(order + "I", data, 24 + 2 * 12 + 8)[0])
        (value,) = unpack_from(order + "i", data, 24 + 5 * 12 + 8)
        signal = value if -120 <= value < 0 else None  # else a card's own scale
    return (length, _end_without_fcs(data, length, cut, fcs_noted), signal, mhz, False)


def _ppi(data: bytes, cut: bool, fcs_noted: bool) -> Found | None:
    if len(data) < 8:
        return None
    length, inner = unpack_from("<HI", data, 2)
    if not 8 <= length <= len(data) or inner != DOT11:
        return None
    signal = mhz = None
    bad_fcs = False
    at = 8
    while at + 4 <= length:
        kind, size = unpack_from("<HH", data, at)
        if kind == 2 and size >= 20 and at + 4 + size <= length:  # 802.11-common
            flags, _, mhz, _, _, _, signal = unpack_from("<HHHHBBb", data, at + 12)
            fcs_noted = fcs_noted or bool(flags & 1)
            bad_fcs = bool(flags & 4)
        at += 4 + size
    return (length, _end_without_fcs(data, length, cut, fcs_noted), signal, mhz, bad_fcs)


def _mhz_of_channel(channel: int) -> int | None:
    if 1 <= channel <= 13:
        return 2407 + 5 * channel
    if channel == 14:
        return 2484
    return 5000 + 5 * channel if 36 <= channel <= 177 else None


LINK_HEADERS: Final[dict[int, Callable[[bytes, bool, bool], Found | None]]] = {
    DOT11: _dot11,
    PRISM: _prism,
    RADIOTAP: _radiotap,
    AVS: _avs,
    PPI: _ppi,
}
"""Link type -> how to find the frame: (record's bytes, cut, check sequence noted) -> where it lies,
None where the header is damaged."""
