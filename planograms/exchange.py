"""Planogram files of all formats on disk: find the format, read all of it, write all of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from planograms.errors import BadPlanogram
from planograms.files import read_file, write_file
from planograms.formats.azure import looks_like_azure, read_azure, write_azure
from planograms.formats.csv_file import read_csv, write_csv
from planograms.formats.own import read_own, write_own
from planograms.formats.psa import read_psa
from planograms.formats.psa_text import SIGNATURE
from planograms.formats.psa_write import write_psa
from planograms.model import Planogram

Read = Callable[[bytes, str, datetime], tuple[Planogram, ...]]
Write = Callable[[Sequence[Planogram], str], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """One form of planogram files."""

    name: str
    endings: tuple[str, ...]
    meaning: str
    read: Read
    write: Write


def _read_excel(content: bytes, name: str, made_at: datetime) -> tuple[Planogram, ...]:
    with workbooks(name):
        from planograms.formats.excel import read_excel
    return read_excel(content, name=name, made_at=made_at)


def _write_excel(planograms: Sequence[Planogram], name: str) -> bytes:
    with workbooks(name):
        from planograms.formats.excel import write_excel
    return write_excel(planograms)


@contextmanager
def workbooks(name: str) -> Iterator[None]:
    """Import what reads workbooks only when asked for: a node needs none.

    Raises:
        BadPlanogram: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise BadPlanogram(
            f"{name}: Excel files need {error.name}, which is not installed: "
            "pip install 'storepulse[excel]', or save the table as CSV"
        ) from error


def _write_azure(planograms: Sequence[Planogram], name: str) -> bytes:
    if len(planograms) != 1:
        raise BadPlanogram(
            f"{name}: an Azure file holds one planogram, {len(planograms)} were given; write one "
            "file for each"
        )
    return write_azure(planograms[0])


FORMATS: Final[Mapping[str, Format]] = {
    each.name: each
    for each in (
        Format("json", (".json",), "our own JSON (`planogram schema`)",
               lambda content, name, at: read_own(content, name=name, made_at=at),
               lambda planograms, _: write_own(planograms)),
        Format("psa", (".psa",), "ProSpace / JDA / Blue Yonder schematic",
               lambda content, name, at: read_psa(content, name=name, made_at=at),
               lambda planograms, name: write_psa(planograms, name=name)),
        Format("csv", (".csv", ".tsv", ".txt"), "a table, one row for each position",
               lambda content, name, at: read_csv(content, name=name, made_at=at),
               lambda planograms, _: write_csv(planograms)),
        Format("excel", (".xlsx",), "the same table as a workbook", _read_excel, _write_excel),
        Format("azure", (), "Azure's shelf planogram JSON",
               lambda content, name, at: read_azure(content, name=name, made_at=at), _write_azure),
    )
}  # fmt: skip
"""By the name that --format takes."""


def read_planograms(
    path: Path, *, made_at: datetime, format_: str | None = None
) -> tuple[Planogram, ...]:
    """All planograms of a file, in any format.

    Args:
        made_at: of planograms whose format does not say it.
        format_: one of `FORMATS`; None: by the file's content and ending.
    Raises:
        BadPlanogram: says file, line, field and what is allowed; then nothing is read.
    """
    content = read_file(path)
    chosen = _format(format_) if format_ else format_of(path, content)
    found = chosen.read(content, str(path), made_at)
    ids = [planogram.id for planogram in found]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise BadPlanogram(f"{path}: planogram {id_!r} is there twice; each may be there once")
    return found


def format_of(path: Path, content: bytes) -> Format:
    """The format of a file, by what it begins with, then by its ending.

    Raises:
        BadPlanogram: neither tells.
    """
    if content.lstrip(b"\xef\xbb\xbf").lstrip().startswith(SIGNATURE.encode()):
        return FORMATS["psa"]
    if content.startswith(b"PK\x03\x04"):
        return FORMATS["excel"]
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return FORMATS["azure" if _is_azure(content) else "json"]
    return _by_ending(path)


def _is_azure(content: bytes) -> bool:
    try:
        return looks_like_azure(json.loads(content))
    except (ValueError, RecursionError):
        return False


def _by_ending(path: Path) -> Format:
    for each in FORMATS.values():
        if path.suffix.lower() in each.endings:
            return each
    endings = ", ".join(ending for each in FORMATS.values() for ending in each.endings)
    raise BadPlanogram(
        f"{path}: its format cannot be told; the name should end in one of {endings}, or say it "
        f"with --format ({', '.join(FORMATS)})"
    )


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise BadPlanogram(f"--format {name}: allowed are {', '.join(FORMATS)}")
    return FORMATS[name]


def write_planograms(
    path: Path, planograms: Sequence[Planogram], *, format_: str | None = None
) -> None:
    """Write planograms into one file; its ending tells the format where `format_` does not.

    Raises:
        BadPlanogram: the format cannot hold them, or the file cannot be written.
    """
    chosen = _format(format_) if format_ else _by_ending(path)
    write_file(path, chosen.write(planograms, str(path)))
