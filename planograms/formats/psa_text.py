"""The text of a ProSpace schematic file: code page, lines, cells, escapes. Knows no column.

Not CSV: nothing is quoted, a backslash escapes a comma, itself, a quotation mark and line ends; an
unknown escape keeps its backslash. Facts and their sources: docs/planogram-formats.md.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from planograms.formats.places import Place

SIGNATURE: Final = "PROSPACE SCHEMATIC FILE"
DEFAULT_ENCODING: Final = "cp1252"
_CODE_PAGE: Final = re.compile(r"^;\s*codepage\s*=\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_UTF_8: Final = "65001"
_HEAD_BYTES: Final = 4096

_TO_ESCAPE: Final = {"\\": "\\\\", ",": "\\,", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_FROM_ESCAPE: Final = {escape[1]: sign for sign, escape in _TO_ESCAPE.items()}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_TO_WRITE: Final = re.compile(r'[\\,"\n\r\t]')


def unescaped(cell: str) -> str:
    """What a cell says; an unknown escape, or a lone backslash at the end, stays as it is."""
    if "\\" not in cell:
        return cell
    return _ESCAPE.sub(lambda found: _FROM_ESCAPE.get(found[1], found[0]), cell)


def escaped(value: str) -> str:
    """A value as a cell: `unescaped` gives it back."""
    return _TO_WRITE.sub(lambda found: _TO_ESCAPE[found[0]], value)


def split(line: str) -> list[str]:
    """The cells of a line, still escaped; joined by commas they are the line again."""
    if "\\" not in line:
        return line.split(",")
    out, begin, place = [], 0, 0
    while place < len(line):
        if line[place] == "\\":
            place += 2
            continue
        if line[place] == ",":
            out.append(line[begin:place])
            begin = place + 1
        place += 1
    return [*out, line[begin:]]


@dataclass(frozen=True, slots=True)
class Record:
    """One line that is a record. Column 0 is its name."""

    line: int
    cells: tuple[str, ...]
    """Still escaped."""

    @property
    def name(self) -> str:
        """Such as Position."""
        return self.cells[0].strip()

    def text(self, column: int) -> str:
        """What a column says, without blanks about it; "" where the record is shorter."""
        return unescaped(self.cells[column]).strip() if column < len(self.cells) else ""


def record_of(line: str, number: int) -> Record | None:
    """The record on a line; None for a comment or a blank line."""
    bare = line.rstrip("\r")
    if not bare.strip() or bare.lstrip().startswith(";"):
        return None
    return Record(number, tuple(split(bare)))


@dataclass(frozen=True, slots=True)
class SchematicText:
    """A file's lines, with what is needed to write them back byte by byte."""

    encoding: str
    newline: str
    lines: tuple[str, ...]
    """Without "\\n"; joined by it they are the file."""


def read_text(content: bytes, *, name: str) -> SchematicText:
    """Decode a file by the code page that it names, else by what its bytes can be.

    UTF-8 comes before Windows-1252, for a text with accents is hardly ever valid UTF-8 by chance,
    and files that say 1252 and are UTF-8 occur; another code page that is named comes first.

    Raises:
        BadPlanogram: no schematic file, an unknown code page, or bytes that it has not.
    """
    place = Place(name, 1)
    head = content[:_HEAD_BYTES].decode("latin-1")
    if not head.removeprefix("\xef\xbb\xbf").lstrip().startswith(SIGNATURE):
        raise place.wrong(f"begins with {head[:30]!r}; a PSA file begins with {SIGNATURE!r}")
    found = _CODE_PAGE.search(head)
    encoding = _encoding(found[1] if found else "", place)
    for tried in dict.fromkeys(
        ("utf-8", encoding) if encoding == DEFAULT_ENCODING else (encoding, "utf-8")
    ):
        try:
            text = content.decode(tried)
        except UnicodeDecodeError as error:
            wrong = error
            continue
        if tried == "utf-8" and text.isascii():
            tried = encoding
        newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
        return SchematicText(tried, newline, tuple(text.split("\n")))
    line = content[: wrong.start].count(b"\n") + 1
    raise Place(name, line).wrong(
        f"byte {content[wrong.start]:#04x} is no sign of code page {wrong.encoding}; save the file "
        "with its code page named in a line such as '; Codepage=1252'"
    )


def _encoding(code_page: str, place: Place) -> str:
    if not code_page:
        return DEFAULT_ENCODING
    encoding = "utf-8" if code_page == _UTF_8 else f"cp{code_page}"
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise place.at("Codepage").wrong(
            f"{code_page} is not known; allowed are Windows code pages such as 1252, 1250, 936, "
            "and 65001 (UTF-8)"
        ) from None


def write_text(text: SchematicText, *, name: str) -> bytes:
    """Encode a file.

    Raises:
        BadPlanogram: a sign that the file's code page has not; says where.
    """
    whole = "\n".join(text.lines)
    try:
        return whole.encode(text.encoding)
    except UnicodeEncodeError as error:
        line = whole[: error.start].count("\n") + 1
        raise Place(name, line).wrong(
            f"{whole[error.start]!r} is no sign of the file's code page ({text.encoding}); write "
            "the name without it"
        ) from error
