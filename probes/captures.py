"""Read capture files, record by record, in bounded memory (disk). Knows nothing of 802.11.

Classic pcap (both byte orders, micro- and nanoseconds) and pcapng (sections and interfaces, both
byte orders), plain or gzip, known by their first bytes and not by their names. Reads forward only,
so a pipe will do.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from struct import Struct, unpack_from
from typing import Final, Literal, NamedTuple

from probes.errors import CaptureRefused
from storepulse.units import KIB, MIB

STDIN: Final = Path("-")
"""The path that stands for a pipe to this process."""
CHUNK_BYTES: Final = 256 * KIB
RECORD_BYTES_MAX: Final = 256 * KIB
"""Longest record believed: the largest snapshot length that capture programs set (262,144)."""
BLOCK_BYTES_MAX: Final = 16 * MIB
"""Longest pcapng block believed (Wireshark's own limit)."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_PCAPNG_MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_PCAP_MAGICS: Final[dict[bytes, tuple[str, float, int]]] = {
    # first bytes: byte order, seconds a tick, bytes of a record header
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9, 16),
    # Kuznetzov's form, written by some old kernels: eight more bytes in each record header.
    b"\x34\xcd\xb2\xa1": ("<", 1e-6, 24),
    b"\xa1\xb2\xcd\x34": (">", 1e-6, 24),
}
_PCAP_HEADER_BYTES: Final = 24
_FCS_NOTED: Final = 1 << 26
"""Bit of a pcap header's link field: its upper four bits are the length of the check sequence."""


class Record(NamedTuple):
    """One captured frame with the header of its link type. A tuple: a big capture makes millions.

    `time_s` is None where the file keeps none (pcapng simple packet blocks).
    """

    time_s: float | None
    link: int
    data: bytes
    cut: bool
    """The capture kept only the beginning of the frame (snapshot length)."""
    fcs_noted: bool
    """The file says that frames end in a check sequence (needed where no header does)."""


WarningKind = Literal[
    "cut_in_record", "impossible_record", "damaged_gzip", "unknown_interface", "not_wifi",
    "frame_without_time", "out_of_order",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaptureWarning:
    """Something about a capture that a person should know; reading went on or ended in order."""

    kind: WarningKind
    capture: str
    message: str


class Capture:
    """One capture file that is read once, forward.

    Raises (on construction):
        CaptureRefused: not there, empty, no capture, or cut inside its header.
    """

    def __init__(self, path: Path, *, warn: Callable[[CaptureWarning], None]) -> None:
        piped = path == STDIN
        self.name = "standard input" if piped else path.name
        self._warn = warn
        try:
            self._file = open(0, "rb", closefd=False) if piped else path.open("rb")  # noqa: SIM115
            self.bytes_total = 0 if piped else path.stat().st_size
        except OSError as error:
            raise CaptureRefused(f"cannot read {path}: {error.strerror}") from error
        self._buffer = b""
        self._ended = False
        self._of_no_interface = 0
        try:
            self._start()
        except BaseException:
            self._file.close()
            raise

    @property
    def bytes_read(self) -> int:
        """Of the file as it lies on the disk, so that progress needs no unpacking first."""
        return self._file.tell() if not self._file.closed and self._file.seekable() else 0

    def _start(self) -> None:
        first = self._file.peek(2)
        if not first:
            raise CaptureRefused(f"{self.name} is empty (0 bytes)")
        self._plain: BufferedReader | gzip.GzipFile = self._file
        if first.startswith(_GZIP_MAGIC):
            self._plain = gzip.GzipFile(fileobj=self._file)
        magic = self._take(4)
        if magic in _PCAP_MAGICS:
            self._read = self._pcap
            self._magic = magic
            header = self._take(_PCAP_HEADER_BYTES - 4)
            if len(header) < _PCAP_HEADER_BYTES - 4:
                raise CaptureRefused(
                    f"{self.name} is cut inside its header ({4 + len(header)} of "
                    f"{_PCAP_HEADER_BYTES} bytes): nothing can be read"
                )
            self._header = header
        elif magic == _PCAPNG_MAGIC:
            self._read = self._pcapng
            if len(self._peek(24)) < 24:
                raise CaptureRefused(
                    f"{self.name} is cut inside its section header: nothing can be read"
                )
            if self._peek(8)[4:] not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                raise CaptureRefused(f"{self.name}: a pcapng file without its byte-order mark")
        else:
            raise CaptureRefused(
                f"{self.name} is no capture: .pcap and .pcapng are read, plain or gzip"
                + (f" (it has {len(magic)} bytes)" if len(magic) < 4 else "")
            )

    def close(self) -> None:
        """Close the file; reading ends."""
        self._file.close()

    def records(self) -> Iterator[Record]:
        """Yield the whole records in file order; a cut or impossible one ends with a warning."""
        try:
            yield from self._read()
            if self._of_no_interface:
                self._tell(
                    "unknown_interface",
                    f"{self._of_no_interface} frames are damaged or of no known interface",
                )
        finally:
            self.close()

    # --- bytes

    def _more(self) -> bool:
        """Read on; False at the end, or where a gzip stream is damaged (told)."""
        if self._ended:
            return False
        try:
            chunk = self._plain.read1(CHUNK_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            self._tell("damaged_gzip", "the gzip stream is cut or damaged: read up to there")
            chunk = b""
        self._ended = not chunk
        self._buffer += chunk
        return bool(chunk)

    def _peek(self, count: int) -> bytes:
        while len(self._buffer) < count and self._more():
            pass
        return self._buffer[:count]

    def _take(self, count: int) -> bytes:
        taken = self._peek(count)
        self._buffer = self._buffer[len(taken) :]
        return taken

    def _tell(self, kind: WarningKind, message: str) -> None:
        self._warn(CaptureWarning(kind, self.name, f"{self.name}: {message}"))

    # --- classic pcap

    def _pcap(self) -> Iterator[Record]:
        order, tick_s, head_bytes = _PCAP_MAGICS[self._magic]
        (link_field,) = unpack_from(order + "I", self._header, 16)
        link = link_field & 0xFFFF
        fcs_noted = bool(link_field & _FCS_NOTED and link_field >> 28)
        head = Struct(order + "IIII")
        at = 0
        count = 0
        while True:
            buffer = self._buffer
            end = len(buffer)
            while at + head_bytes <= end:
                seconds, ticks, kept, length = head.unpack_from(buffer, at)
                if kept > RECORD_BYTES_MAX:
                    self._tell(
                        "impossible_record",
                        f"record {count + 1} claims {kept} bytes: read up to there",
                    )
                    return
                start = at + head_bytes
                if start + kept > end:
                    break
                at = start + kept
                count += 1
                yield Record(
                    seconds + ticks * tick_s, link, buffer[start:at], kept < length, fcs_noted
                )
            self._buffer = buffer[at:]
            at = 0
            if not self._more():
                if self._buffer:
                    self._tell(
                        "cut_in_record",
                        f"cut inside a record: the {count} whole frames before it were read",
                    )
                return

    # --- pcapng

    def _pcapng(self) -> Iterator[Record]:
        self._buffer = _PCAPNG_MAGIC + self._buffer
        order = "<"
        interfaces: list[_Interface] = []
        count = 0
        while True:
            head = self._peek(12)
            if len(head) < 12:
                if head:
                    self._tell("cut_in_record", f"cut inside a block after {count} frames")
                return
            if head.startswith(_PCAPNG_MAGIC):
                order = "<" if head[8:] == b"\x4d\x3c\x2b\x1a" else ">"
                interfaces = []
            kind, total = unpack_from(order + "II", head)
            if total < 12 or total % 4 or total > BLOCK_BYTES_MAX:
                self._tell("impossible_record", f"a block claims {total} bytes: read up to there")
                return
            block = self._take(total)
            if len(block) < total:
                self._tell(
                    "cut_in_record",
                    f"cut inside a block: the {count} whole frames before it were read",
                )
                return
            body = block[8:-4]
            if kind == 1:
                interfaces.append(_interface(body, order))
                continue
            if kind not in _PACKET_BLOCKS:
                continue
            record = _PACKET_BLOCKS[kind](body, order, interfaces)
            if record is None:
                # Told once, at the end: a bad file would else fill the log with them.
                self._of_no_interface += 1
                continue
            count += 1
            yield record


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    kept_bytes_max: int
    tick_s: float
    offset_s: int
    fcs_noted: bool


def _interface(body: bytes, order: str) -> _Interface:
    """Read an interface description; what is missing takes the format's default."""
    if len(body) < 8:
        return _Interface(-1, 0, 1e-6, 0, False)
    link, _, kept = unpack_from(order + "HHI", body)
    tick_s, offset_s, fcs = 1e-6, 0, False
    at = 8
    while at + 4 <= len(body):
        code, length = unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == 9 and length == 1:
            tick_s = 2.0 ** -(value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** -value[0]
        elif code == 14 and length == 8:
            (offset_s,) = unpack_from(order + "q", value)
        elif code == 13 and length == 1:
            fcs = value[0] > 0
        at += 4 + length + (-length) % 4
    return _Interface(link, kept, tick_s, offset_s, fcs)


def _enhanced(body: bytes, order: str, interfaces: list[_Interface]) -> Record | None:
    if len(body) < 20:
        return None
    number, high, low, kept, length = unpack_from(order + "IIIII", body)
    return _timed(body, interfaces, number, high, low, kept, length)


def _obsolete(body: bytes, order: str, interfaces: list[_Interface]) -> Record | None:
    if len(body) < 20:
        return None
    number, _, high, low, kept, length = unpack_from(order + "HHIIII", body)
    return _timed(body, interfaces, number, high, low, kept, length)


def _timed(
    body: bytes, interfaces: list[_Interface], number: int, high: int, low: int, kept: int,
    length: int,
) -> Record | None:  # fmt: skip
    if number >= len(interfaces) or 20 + kept > len(body):
        return None
    face = interfaces[number]
    time_s = ((high << 32) | low) * face.tick_s + face.offset_s
    return Record(time_s, face.link, body[20 : 20 + kept], kept < length, face.fcs_noted)


def _simple(body: bytes, order: str, interfaces: list[_Interface]) -> Record | None:
    if len(body) < 4 or not interfaces:
        return None
    (length,) = unpack_from(order + "I", body)
    face = interfaces[0]
    kept = min(length, face.kept_bytes_max or length)
    if 4 + kept > len(body):
        return None
    return Record(None, face.link, body[4 : 4 + kept], kept < length, face.fcs_noted)


_PACKET_BLOCKS: Final = {2: _obsolete, 3: _simple, 6: _enhanced}
