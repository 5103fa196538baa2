"""Planograms as an Excel workbook. Pure: bytes in and out; columns are said in `tables`."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from math import isfinite
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import IllegalCharacterError
from openpyxl.worksheet.worksheet import Worksheet

from planograms.errors import BadPlanogram
from planograms.formats.places import Place
from planograms.formats.tables import COLUMNS, Line, planograms_of, rows_of
from planograms.model import Planogram

SHEET: Final = "planograms"
UNPACKED_BYTES_MAX: Final = 256 * 1024 * 1024
ROWS_MAX: Final = 100_000


def read_excel(content: bytes, *, name: str, made_at: datetime) -> tuple[Planogram, ...]:
    """All planograms of a workbook's sheet "planograms", else of its first sheet.

    Raises:
        BadPlanogram: says line, column and what is allowed; then nothing is read.
    """
    rows = _rows(content, name)
    header = [_text(cell) for cell in (rows[0] if rows else ())]
    if not any(header):
        raise Place(name, 1).wrong("is empty; a header with the columns' names is needed")
    keys = [column.strip() for column in header]
    lines = [
        Line(number, dict(zip(keys, (_text(cell) for cell in row), strict=False)))
        for number, row in enumerate(rows[1:], 2)
    ]
    return planograms_of(header, lines, name=name, made_at=made_at)


def _rows(content: bytes, name: str) -> list[tuple[object, ...]]:
    place = Place(name)
    try:
        # A workbook is a zip file; a small one must not ask for gigabytes.
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > UNPACKED_BYTES_MAX:
                raise place.wrong(f"unpacks to more than {UNPACKED_BYTES_MAX} bytes; split it")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
            out: list[tuple[object, ...]] = []
            for row in sheet.iter_rows(values_only=True):
                out.append(tuple(row))
                if len(out) > ROWS_MAX:
                    raise place.wrong(f"has more than {ROWS_MAX} rows; split it")
        finally:
            book.close()
    except BadPlanogram:
        raise
    except Exception as error:
        # Of a damaged workbook zipfile, zlib, the XML parser and openpyxl each say their own.
        raise place.wrong(
            "is no Excel workbook, or a damaged one; save it as .xlsx again"
        ) from error
    return out


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def write_excel(planograms: Sequence[Planogram]) -> bytes:
    """One workbook of some planograms.

    Raises:
        BadPlanogram: one is in pixels, or holds a sign that a workbook cannot.
    """
    header, rows = rows_of(planograms)
    return _workbook(header, rows)


def template() -> bytes:
    """A workbook with all columns, an example, and a sheet that explains the columns."""
    return _workbook([column.name for column in COLUMNS], [[column.example for column in COLUMNS]])


_NUMBER_MAX: Final = 1e15
"""Excel keeps fifteen digits."""
_NUMBERS: Final = frozenset(
    {"version", "row", "facings_wide", "facings_high", "facings_deep", "price", "value_a_day"}
)


def _workbook(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = SHEET
    for number, cells in enumerate([header, *rows], 1):
        for column, text in enumerate(cells, 1):
            if not text:
                continue
            cell = sheet.cell(number, column)
            numeric = number > 1 and (header[column - 1] in _NUMBERS
                                      or header[column - 1].endswith("_mm"))  # fmt: skip
            # A column of others may be called so and hold anything.
            value = _number(text) if numeric else None
            if value is not None:
                cell.value = value
                continue
            # As text: a GTIN keeps its zeros, and nothing becomes a formula.
            try:
                cell.value = text
            except (ValueError, IllegalCharacterError) as error:
                raise BadPlanogram(
                    f"{header[column - 1]} {text!r} holds a sign that Excel cannot keep"
                ) from error
            cell.data_type = "s"
            cell.number_format = "@"
    _dress(sheet, header)
    _explain(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _number(text: str) -> float | int | None:
    """The number that a text says; None where it says none that a workbook can hold."""
    try:
        value = float(text) if "." in text else int(text)
    except ValueError:
        return None
    return value if isfinite(value) and abs(value) < _NUMBER_MAX else None


def _dress(sheet: Worksheet, header: Sequence[str]) -> None:
    needed = {column.name for column in COLUMNS if column.needed}
    for number, name in enumerate(header, 1):
        cell = sheet.cell(1, number)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", start_color="FFDCE6F1" if name in needed else "FFF2F2F2")
        sheet.column_dimensions[get_column_letter(number)].width = max(10, len(name) + 3)
    sheet.freeze_panes = "B2"


def _explain(book: Workbook) -> None:
    sheet = book.create_sheet("columns")
    sheet.append(["column", "needed", "what it says", "example"])
    for column in COLUMNS:
        sheet.append([column.name, "yes" if column.needed else "", column.meaning, column.example])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in (("A", 18), ("B", 9), ("C", 70), ("D", 24)):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=2):
        row[2].alignment = Alignment(wrap_text=True)
