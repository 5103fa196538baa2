"""Archives with a manifest: members with their checksums, checked before anything is believed.

A tar file (gzip for exports), its members first, `manifest.json` last: {"kind", "format",
"made_at", "storepulse", "migration", "members": {NAME: {"sha256", "bytes", "rows"}}}. Knows no
table.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Literal

from hub.errors import BadArchive
from storepulse import __version__
from storepulse.secret_files import sync_folder
from storepulse.units import MIB

Kind = Literal["export", "backup"]
FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_MANIFEST_BYTES_MAX: Final = 512 * MIB
"""A backup names every picture: two lines for each of a million photos."""
_CHUNK: Final = MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive."""

    sha256: str
    bytes: int
    rows: int | None = None
    """Lines of JSON, where it is made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive says of itself."""

    kind: Kind
    made_at: str
    storepulse: str
    migration: int
    members: Mapping[str, Member]


@dataclass(slots=True)
class Writing:
    """An archive that is being written."""

    tar: tarfile.TarFile
    members: dict[str, Member] = field(default_factory=dict)

    def add(self, name: str, file: IO[bytes], *, rows: int | None = None) -> None:
        """Add an open file from its beginning."""
        file.seek(0, os.SEEK_END)
        info = tarfile.TarInfo(name)
        info.size, info.mode = file.tell(), 0o600
        file.seek(0)
        summed = _Summing(file)
        self.tar.addfile(info, summed)
        self.members[name] = Member(sha256=summed.sha256.hexdigest(), bytes=info.size, rows=rows)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a small member."""
        self.add(name, io.BytesIO(content))


class _Summing(io.RawIOBase):
    """Sums up what is read through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self.sha256.update(content)
        return len(content)


@contextmanager
def writing(file: Path, *, kind: Kind, migration: int, made_at: datetime) -> Iterator[Writing]:
    """Write an archive; it takes its name when it is whole, and only its owner may read it.

    Raises:
        BadArchive: it cannot be written, or the name is taken.
    """
    if file.exists():
        raise BadArchive(f"{file} is there already: choose another name")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.absolute().parent)
    except OSError as error:
        raise BadArchive(f"{file} cannot be written: {error.strerror}") from error
    making = Path(name)
    try:
        with os.fdopen(handle, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz" if kind == "export" else "w") as tar:
                archive = Writing(tar)
                yield archive
                said = {
                    "kind": kind, "format": FORMAT, "made_at": made_at.isoformat(),
                    "storepulse": __version__, "migration": migration,
                    "members": {name: _json(one) for name, one in archive.members.items()},
                }  # fmt: skip
                archive.add_bytes(_MANIFEST, json.dumps(said, indent=1).encode())
            raw.flush()
            os.fsync(raw.fileno())
        making.rename(file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise BadArchive(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        making.unlink(missing_ok=True)


def _json(member: Member) -> dict[str, Any]:
    said: dict[str, Any] = {"sha256": member.sha256, "bytes": member.bytes}
    return said if member.rows is None else said | {"rows": member.rows}


@dataclass(frozen=True, slots=True)
class Reading:
    """An archive whose every member was found to be what the manifest says."""

    tar: tarfile.TarFile
    manifest: Manifest

    def open(self, name: str) -> IO[bytes]:
        """A member from its beginning."""
        found = self.tar.extractfile(name)
        assert found is not None
        return found


@contextmanager
def reading(file: Path, *, kind: Kind) -> Iterator[Reading]:
    """Open an archive and check all of it, before the first row of it counts.

    Raises:
        BadArchive: it is none, of another kind, of a later format, damaged or not whole.
    """
    with ExitStack() as opened:
        try:
            tar = opened.enter_context(tarfile.open(file, "r:*"))
            manifest = _manifest(tar, file, kind)
            _check_members(tar, file, manifest)
        except tarfile.TarError as error:
            # What tarfile says of a strange file is a line for each way of packing that it tried.
            raise BadArchive(
                f"{file} is no archive of a hub, or it was cut off or damaged on its way: give a "
                f"file that storepulse hub {kind} wrote"
            ) from error
        except (EOFError, OSError, zlib.error) as error:
            raise BadArchive(f"{file} cannot be read: {error}") from error
        yield Reading(tar, manifest)


def _manifest(tar: tarfile.TarFile, file: Path, kind: Kind) -> Manifest:
    try:
        info = tar.getmember(_MANIFEST)
        if not info.isfile() or info.size > _MANIFEST_BYTES_MAX:
            raise ValueError("its manifest is no file of a manifest's size")
        raw = tar.extractfile(info)
        assert raw is not None
        said = json.loads(raw.read())
        if said["format"] > FORMAT:
            raise BadArchive(
                f"{file} was written by storepulse {said['storepulse']}, which is newer: update"
            )
        found = Manifest(
            kind=said["kind"], made_at=said["made_at"], storepulse=said["storepulse"],
            migration=int(said["migration"]),
            members={name: Member(**one) for name, one in said["members"].items()},
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadArchive(f"{file} is no (whole) archive of a hub: {error}") from error
    if found.kind != kind:
        other = "restore" if found.kind == "backup" else "import"
        raise BadArchive(f"{file} is an archive of kind {found.kind}: `storepulse hub {other}`")
    return found


def _check_members(tar: tarfile.TarFile, file: Path, manifest: Manifest) -> None:
    there = {one.name for one in tar.getmembers()} - {_MANIFEST}
    if there != set(manifest.members):
        raise BadArchive(f"{file} does not hold what its manifest says: was it cut off?")
    for name, member in manifest.members.items():
        raw = tar.extractfile(name) if tar.getmember(name).isfile() else None
        if raw is None:
            raise BadArchive(f"{file}: {name} is no file")
        summed = hashlib.sha256()
        while chunk := raw.read(_CHUNK):
            summed.update(chunk)
        if summed.hexdigest() != member.sha256:
            raise BadArchive(f"{file}: {name} was changed or damaged since it was written")
