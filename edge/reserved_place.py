"""One number on the disk in a place that was made before: it can be noted on a full disk, too.

A file of 512 bytes, a sector, which is written over in place. SQLite needs new room for each
transaction; this does not (but on a file system that copies on write).
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal
from zlib import crc32

from storepulse.secret_files import write_whole

_BYTES: Final = 512


class ReservedPlace:
    """Holds the highest number of one epoch that was noted."""

    def __init__(self, file: Path) -> None:
        """Make the file where it is missing; without room for it, `note` notes nothing."""
        self._file = file
        if not file.exists():
            with suppress(OSError):
                write_whole(file, _line("", 0))

    def note(self, epoch: str, number: int) -> bool:
        """Write a number over what is there; returns whether it is on the disk."""
        try:
            held = os.open(self._file, os.O_WRONLY)
            try:
                os.pwrite(held, _line(epoch, number), 0)
                os.fdatasync(held)
            finally:
                os.close(held)
        except OSError:
            return False
        return True

    def read(self, epoch: str) -> int | Literal["unknown"]:
        """The number of this epoch, 0 where none was noted; "unknown": the file is damaged."""
        try:
            told = json.loads(self._file.read_bytes())
            if told.pop("crc32") != _checksum(told):
                return "unknown"
            return int(told["number"]) if told["epoch"] == epoch else 0
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "unknown"


def _line(epoch: str, number: int) -> bytes:
    told: dict[str, str | int] = {"epoch": epoch, "number": number}
    line = json.dumps(told | {"crc32": _checksum(told)}).encode() + b"\n"
    assert len(line) <= _BYTES
    return line.rjust(_BYTES)


def _checksum(told: dict[str, str | int]) -> int:
    return crc32(json.dumps(told, sort_keys=True).encode())
