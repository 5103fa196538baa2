"""Read the same records by scapy, field by field, to compare. Slow on purpose: the reference.

The only module that imports scapy (GPL-2.0), and only when called.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from probes.captures import Capture, Record
from probes.errors import CaptureRefused, SourceFailure, SourceRefused
from probes.frames import Frame, FrameReader, lasting_elements
from probes.keys import HASH_BYTES
from probes.link_headers import DOT11, PPI, PRISM, RADIOTAP

_KEY: Final = b"to compare, not to keep secret"
_LINKS: Final = (DOT11, PRISM, RADIOTAP, PPI)
Fields = tuple[int, bool, int, int | None, int | None, bool, int]
"""Sender, random address, count, signal, MHz, directed, elements."""


@dataclass(slots=True)
class Comparison:
    """What both said of the same probe requests."""

    alike: int = 0
    apart: list[str] = field(default_factory=list)
    """Capture, record and field in which they differ; nothing of what it holds."""
    not_read_by_scapy: int = 0
    """AVS headers, and frames that scapy does not take for probe requests."""
    captures: int = 0
    refused: int = 0


_NAMES: Final = ("sender", "random", "sequence", "signal", "mhz", "directed", "elements")


def compare(captures: Sequence[Path], *, frames_max: int | None = None) -> Comparison:
    """Compare all probe requests of these captures that both read.

    Raises:
        SourceRefused: scapy is not installed.
    """
    dissect = _dissectors()
    found = Comparison()
    for path in captures:
        try:
            capture = Capture(path, warn=lambda _: None)
        except CaptureRefused:
            found.refused += 1
            continue
        found.captures += 1
        reader = FrameReader(_KEY)
        for number, record in enumerate(capture.records()):
            if frames_max is not None and number >= frames_max:
                break
            ours = reader.read(record)
            if ours is None:
                continue
            theirs = by_scapy(record, dissect)
            if theirs is None:
                found.not_read_by_scapy += 1
                continue
            _note(found, f"{path.name} record {number + 1}", ours, theirs)
    return found


def _note(found: Comparison, where: str, ours: Frame, theirs: Fields) -> None:
    mine: Fields = (
        ours.sender, ours.random_address, ours.sequence, ours.signal_dbm, ours.mhz, ours.directed,
        ours.elements,
    )  # fmt: skip
    differ = [
        name
        for name, one, other in zip(_NAMES, mine, theirs, strict=True)
        # Where scapy shows no signal or channel for a link type, there is nothing to compare.
        if one != other and not (name in ("signal", "mhz") and other is None)
    ]
    if differ:
        found.apart.append(f"{where}: {', '.join(differ)}")
    else:
        found.alike += 1


def _dissectors() -> dict[int, Any]:
    try:
        from scapy.layers import dot11, ppi
    except ImportError as error:
        raise SourceRefused(
            SourceFailure.NO_SYSTEM, "scapy is needed for the comparison: pip install scapy"
        ) from error
    classes = (dot11.Dot11, dot11.PrismHeader, dot11.RadioTap, ppi.PPI)
    return dict(zip(_LINKS, classes, strict=True))


def by_scapy(record: Record, dissect: dict[int, Any]) -> Fields | None:
    """The fields of one record as scapy reads them; None where it sees no probe request."""
    from scapy.layers.dot11 import Dot11, Dot11Elt, Dot11ProbeReq, RadioTap

    layer = dissect.get(record.link)
    try:
        packet = layer(record.data) if layer is not None else None
    except Exception:
        return None  # scapy raises whatever its fields do on damaged frames
    if packet is None or Dot11ProbeReq not in packet:
        return None
    header = packet[Dot11]
    address = bytes.fromhex(header.addr2.replace(":", ""))
    elements, element = b"", packet.getlayer(Dot11Elt)
    directed = False
    while isinstance(element, Dot11Elt):
        own = bytes(element)[: 2 + element.len]
        if len(own) == 2 + element.len:
            elements += own
        directed = directed or (element.ID == 0 and any(own[2:]))
        element = element.payload
    signal = mhz = None
    if RadioTap in packet:
        signal, mhz = packet[RadioTap].dBm_AntSignal, packet[RadioTap].ChannelFrequency
    lasting = lasting_elements(elements, 0, len(elements)).lasting
    return (
        _hashed(address), bool(address[0] & 2), header.SC >> 4, signal, mhz, directed,
        _hashed(lasting),
    )  # fmt: skip


def _hashed(data: bytes) -> int:
    hashed = blake2b(data, key=_KEY, digest_size=HASH_BYTES)
    return int.from_bytes(hashed.digest(), "little")
