"""Keep what a door counter said until its day is told (disk). Holds nothing of any phone.

One JSON line for each passage; a line that a crash cut short is left out. When days have been told,
what is left is written anew, and the file is replaced as a whole.
"""

import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from probes.sources.port import Passage

_NAME: Final = "passages.jsonl"


class DoorJournal:
    """One counter's passages, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / _NAME

    def read(self) -> tuple[list[Passage], date | None]:
        """What is kept, and the last day that was told."""
        passages: list[Passage] = []
        told: date | None = None
        lines = self._file.read_text("utf-8").splitlines() if self._file.exists() else []
        for line in lines:
            try:
                plain = json.loads(line)
                if "told" in plain:
                    told = date.fromisoformat(plain["told"])
                else:
                    passages.append(Passage(plain["at"], plain["in"], plain["out"]))
            except (ValueError, KeyError, TypeError):
                continue
        return passages, told

    def append(self, passages: Iterable[Passage]) -> None:
        """Keep more; on the disk when this returns."""
        text = "".join(map(_line, passages))
        if not text:
            return
        # A line that was cut short must not swallow the next one.
        cut = self._file.exists() and not self._file.read_bytes().endswith(b"\n")
        with self._file.open("a", encoding="utf-8") as file:
            file.write("\n" + text if cut else text)
            file.flush()
            os.fsync(file.fileno())

    def replace(self, passages: Iterable[Passage], told: date | None) -> None:
        """Keep only these, and the last day that was told."""
        part = self._file.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            if told is not None:
                file.write(json.dumps({"told": told.isoformat()}) + "\n")
            file.writelines(map(_line, passages))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._file)


def _line(one: Passage) -> str:
    return json.dumps({"at": one.time_s, "in": one.entered, "out": one.left}) + "\n"
