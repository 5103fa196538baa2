"""Keep what a door counter said until its day is told (disk). Holds nothing of any phone.

One JSON line for each payload, with the key by which it is known when it comes again; a line that a
crash cut short is left out whole. When days are told, what is left is written anew together with
the facts that are told now, and the file is replaced as a whole: facts that got lost on their way
are told once more, word for word.
"""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from probes.errors import SourceFailed, SourceFailure
from probes.sources.port import Passage
from probes.sources.reading import time_of
from storepulse.facts import FACT_JSON, Fact
from storepulse.secret_files import PUBLIC, sync_folder, write_whole

_NAME: Final = "passages.jsonl"
_KEYS_MAX: Final = 1000
"""Of the newest payloads: more than a broker has under way at once, and a folder has one."""


@dataclass(slots=True)
class Kept:
    """What the journal holds."""

    passages: list[Passage] = field(default_factory=list)
    told: date | None = None
    """The last day that was told."""
    facts: list[Fact] = field(default_factory=list)
    """Those of the last telling."""
    keys: dict[str, None] = field(default_factory=dict)
    """Of the newest payloads, the oldest first."""


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
        self._keys = self.read().keys

    def knows(self, key: str) -> bool:
        """Whether a payload of this key was kept, of the newest ones."""
        return key in self._keys

    def read(self) -> Kept:
        """All that is kept. Lines that are none are left out."""
        kept = Kept()
        try:
            # What a power cut left need not be text.
            text = self._file.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return kept
        except OSError as error:
            raise self._unusable(error) from error
        for line in text.splitlines():
            with suppress(ValueError, KeyError, TypeError, OverflowError, RecursionError):
                _read_line(json.loads(line), kept)
        _forget_old(kept.keys)
        return kept

    def append(self, passages: Sequence[Passage], key: str = "") -> None:
        """Keep more; on the disk when this returns, and none of them when it raises.

        Args:
            key: of the payload that told them; "" for one that cannot come again.
        """
        if not passages:
            return
        line = json.dumps(_plain(passages) | ({"key": key} if key else {})) + "\n"
        size = 0
        try:
            size = self._file.stat().st_size if self._file.exists() else 0
            with self._file.open("ab+") as file:
                # A line that was cut short must not swallow the next one.
                file.seek(max(0, size - 1))
                cut = size and file.read(1) != b"\n"
                file.write((b"\n" if cut else b"") + line.encode())
                file.flush()
                os.fsync(file.fileno())
            if not size:
                sync_folder(self._file.parent)
        except OSError as error:
            # They come again with the payload that they came with: nothing of it must stay.
            with suppress(OSError):
                os.truncate(self._file, size)
            raise self._unusable(error) from error
        self._remember(key)

    def replace(
        self, passages: Sequence[Passage], told: date | None, facts: Sequence[Fact]
    ) -> None:
        """Keep only these, the last day that is told, and the facts that tell it."""
        lines: list[dict[str, Any]] = [{"keys": list(self._keys)}]
        if told is not None:
            plain = [FACT_JSON.dump_python(fact, mode="json") for fact in facts]
            lines.append({"told": told.isoformat(), "facts": plain})
        if passages:
            lines.append(_plain(passages))
        text = "".join(json.dumps(line) + "\n" for line in lines)
        try:
            write_whole(self._file, text.encode(), mode=PUBLIC)
        except OSError as error:
            raise self._unusable(error) from error

    def _remember(self, key: str) -> None:
        if key:
            self._keys[key] = None
            _forget_old(self._keys)

    def _unusable(self, error: OSError) -> SourceFailed:
        return SourceFailed(
            SourceFailure.NOT_PERMITTED,
            f"the door's counts cannot be kept in {self._file.parent}: {error.strerror or error}; "
            "--keep names the folder (a node's is in its data folder)",
        )


def _plain(passages: Iterable[Passage]) -> dict[str, Any]:
    return {"passages": [[one.time_s, one.entered, one.left] for one in passages]}


def _read_line(plain: Any, kept: Kept) -> None:
    """Add what one line says.

    Raises:
        ValueError, KeyError, TypeError, OverflowError: it is no line of ours; nothing was added.
    """
    if "told" in plain:
        told = date.fromisoformat(plain["told"])
        kept.facts = [FACT_JSON.validate_python(one) for one in plain.get("facts", ())]
        kept.told = told
    elif "keys" in plain:
        kept.keys.update(dict.fromkeys(map(str, plain["keys"])))
    elif "at" in plain:  # as older versions wrote it
        kept.passages.append(_passage(plain["at"], plain["in"], plain["out"]))
    else:
        kept.passages += [_passage(*one) for one in plain["passages"]]
        if "key" in plain:
            kept.keys[str(plain["key"])] = None


def _passage(at: Any, entered: Any, left: Any) -> Passage:
    return Passage(time_of(at), int(entered), int(left))


def _forget_old(keys: dict[str, None]) -> None:
    for key in list(keys)[:-_KEYS_MAX]:
        del keys[key]
