"""Planograms as a CSV file. Pure: bytes in and out; what the columns mean is said in `tables`."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from planograms.formats.places import Place
from planograms.formats.tables import COLUMNS, Line, planograms_of, rows_of
from planograms.model import Planogram

_SIGNS: Final = ",;\t"


def read_csv(content: bytes, *, name: str, made_at: datetime) -> tuple[Planogram, ...]:
    """All planograms of a CSV file: UTF-8 or else Windows-1252; comma, semicolon or tab.

    Raises:
        BadPlanogram: says line, column and what is allowed; then nothing is read.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a spreadsheet in Europe or America writes when it is not told otherwise.
        text = content.decode("cp1252", errors="replace")
    head = text.partition("\n")[0]
    sign = max(_SIGNS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise Place(name, reader.line_num).wrong(
            f"cannot be read as a table: {error}; save it as CSV again"
        ) from error
    header = rows[0][1] if rows else []
    if not header:
        raise Place(name, 1).wrong("is empty; a header with the columns' names is needed")
    return planograms_of(header, _lines(rows[1:], header, name), name=name, made_at=made_at)


def _lines(
    rows: Sequence[tuple[int, list[str]]], header: Sequence[str], name: str
) -> Iterator[Line]:
    keys = [column.strip() for column in header]
    for number, cells in rows:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise Place(name, number).wrong(
                f"has {len(cells)} cells, the header {len(header)}; a text with a comma in it must "
                "stand in quotation marks"
            )
        yield Line(number, dict(zip(keys, cells, strict=False)))


def write_csv(planograms: Sequence[Planogram]) -> bytes:
    """One CSV file of some planograms: UTF-8 with its mark, so that spreadsheets read accents.

    Raises:
        BadPlanogram: one is in pixels.
    """
    header, rows = rows_of(planograms)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def template() -> bytes:
    """A CSV file with all columns and an example row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerow([column.example for column in COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")
