"""Keep what a door counter said until its day is told (disk). Holds nothing of any phone.

One JSON line for each passage; a line that a crash cut short is left out. When days have been told,
what is left is written anew, and the file is replaced as a whole.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from probes.errors import SourceFailed, SourceFailure
from probes.sources.port import Passage
from probes.sources.reading import time_of

_NAME: Final = "passages.jsonl"


class DoorJournal:
    """One counter's passages, in a folder of its own.

    Raises:
        SourceFailed: here and below, the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def read(self) -> tuple[list[Passage], date | None]:
        """What is kept, and the last day that was told. Lines that are none are left out."""
        passages: list[Passage] = []
        told: date | None = None
        try:
            # What a power cut left need not be text.
            text = self._file.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return [], None
        except OSError as error:
            raise self._unusable(error) from error
        for line in text.splitlines():
            try:
                plain = json.loads(line)
                if "told" in plain:
                    told = date.fromisoformat(plain["told"])
                else:
                    passages.append(
                        Passage(time_of(plain["at"]), int(plain["in"]), int(plain["out"]))
                    )
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue
        return passages, told

    def append(self, passages: Iterable[Passage]) -> None:
        """Keep more; on the disk when this returns, and none of them when it raises."""
        text = "".join(map(_line, passages))
        if not text:
            return
        size = self._file.stat().st_size if self._file.exists() else 0
        try:
            # A line that was cut short must not swallow the next one.
            cut = size and not self._file.read_bytes().endswith(b"\n")
            with self._file.open("a", encoding="utf-8") as file:
                file.write("\n" + text if cut else text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            # They come again with the file that they came with: half of them must not stay.
            with suppress(OSError):
                os.truncate(self._file, size)
            raise self._unusable(error) from error

    def replace(self, passages: Iterable[Passage], told: date | None) -> None:
        """Keep only these, and the last day that was told."""
        part = self._file.with_suffix(".part")
        try:
            with part.open("w", encoding="utf-8") as file:
                if told is not None:
                    file.write(json.dumps({"told": told.isoformat()}) + "\n")
                file.writelines(map(_line, passages))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._file)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> SourceFailed:
        return SourceFailed(
            SourceFailure.NOT_PERMITTED,
            f"the door's counts cannot be kept in {self._file.parent}: {error.strerror or error}; "
            "--keep names the folder (a node's is in its data folder)",
        )


def _line(one: Passage) -> str:
    return json.dumps({"at": one.time_s, "in": one.entered, "out": one.left}) + "\n"
