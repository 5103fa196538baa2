"""Find needles in haystacks of many megabytes. Pure, but for reading the files it is given.

Every position is looked up in a table by its first six bytes, and what the table lets through is
compared in full: nothing is missed, whatever the number of needles.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import zstandard

_KEY_BYTES: Final = 6
_TABLE_BITS: Final = 24
_PIECE_BYTES: Final = 4 * 1024 * 1024
_UNPACKED_BYTES_MAX: Final = 64 * 1024 * 1024
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_GZIP: Final = b"\x1f\x8b\x08"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_FOUND_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Leak:
    """A needle that was found. Says where and of what kind, and does not repeat it."""

    place: str
    offset: int
    kind: str


class LeakSearch:
    """Searches for one set of needles (6 bytes or more each)."""

    def __init__(self, needles: Mapping[bytes, str]) -> None:
        self.needles = len(needles)
        self.bytes_searched = 0
        self._by_key: dict[bytes, list[tuple[bytes, str]]] = {}
        for needle, kind in needles.items():
            if len(needle) < _KEY_BYTES:
                raise ValueError("a needle needs six bytes or more")
            self._by_key.setdefault(needle[:_KEY_BYTES], []).append((needle, kind))
        self._table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
        if self._by_key:
            keys = np.frombuffer(b"".join(self._by_key), dtype=np.uint8)
            self._table[_places(keys.reshape(-1, _KEY_BYTES).T)] = True

    def search(self, place: str, data: bytes) -> list[Leak]:
        """Leaks in these bytes, and in the gzip and zstd streams that begin within them."""
        found = self._plain(place, data)
        for magic, unpack in ((_GZIP, _gunzipped), (_ZSTD, _unzstd)):
            at = data.find(magic)
            while at >= 0 and len(found) < _FOUND_MAX:
                inner = unpack(data, at)
                if inner:
                    found += self._plain(f"{place} (unpacked at {at})", inner)
                at = data.find(magic, at + 1)
        return found[:_FOUND_MAX]

    def _plain(self, place: str, data: bytes) -> list[Leak]:
        self.bytes_searched += len(data)
        found: list[Leak] = []
        whole = np.frombuffer(data, dtype=np.uint8)
        for begin in range(0, max(len(data) - _KEY_BYTES + 1, 0), _PIECE_BYTES):
            piece = whole[begin : begin + _PIECE_BYTES + _KEY_BYTES - 1]
            count = len(piece) - _KEY_BYTES + 1
            places = _places(np.stack([piece[n : n + count] for n in range(_KEY_BYTES)]))
            for at in np.flatnonzero(self._table[places]):
                here = begin + int(at)
                for needle, kind in self._by_key.get(data[here : here + _KEY_BYTES], ()):
                    if data.startswith(needle, here):
                        found.append(Leak(place, here, kind))
                        if len(found) >= _FOUND_MAX:
                            return found
        return found


def _places(columns: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Place in the table of each key; `columns` is (6, n), byte by byte."""
    keys = np.zeros(columns.shape[1], dtype=np.uint64)
    for column in columns:
        keys = keys << np.uint64(8) | column
    mixed: npt.NDArray[np.intp] = (keys * _MULTIPLIER >> np.uint64(64 - _TABLE_BITS)).astype(
        np.intp
    )
    return mixed


def _gunzipped(data: bytes, at: int) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(data[at:], _UNPACKED_BYTES_MAX)
    except zlib.error:
        return b""


def _unzstd(data: bytes, at: int) -> bytes:
    try:
        with zstandard.ZstdDecompressor(max_window_size=_UNPACKED_BYTES_MAX).stream_reader(
            data[at:]
        ) as reader:
            return reader.read(_UNPACKED_BYTES_MAX)
    except (zstandard.ZstdError, MemoryError):
        return b""


def files_under(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every plain file below a folder, with its name and all of its bytes."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield str(file.relative_to(folder)), file.read_bytes()
            yield f"name of {file.name}", str(file.relative_to(folder)).encode()
