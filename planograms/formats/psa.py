"""Read planograms from a ProSpace schematic file (PSA). Pure: bytes in, values out.

Records have no parent keys: a Position stands on the Fixture above it, a Fixture belongs to the
Planogram above it. What is not understood here is kept as it was and written back
(`psa_write`). Columns, codes and what is uncertain: docs/planogram-formats.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from planograms.errors import BadPlanogram
from planograms.formats.keeping import packed
from planograms.formats.places import Place, count, file_safe, number, told_at, unlike
from planograms.formats.psa_text import Record, SchematicText, read_text, record_of
from planograms.model import Planogram, Position, Product, Shelf
from planograms.trade_numbers import is_gtin

FORMAT: Final = "psa"
MM_PER_INCH: Final = 25.4
MM_PER_CM: Final = 10.0

COLUMNS: Final[Mapping[str, Mapping[str, int]]] = {
    "Project": {"name": 1, "key": 2, "measure": 12},
    "Planogram": {"name": 1, "key": 2, "width": 3, "height": 4, "depth": 5},
    "Segment": {"name": 1, "key": 2, "x": 3, "width": 4, "y": 5, "height": 6, "depth": 8},
    "Fixture": {
        "type": 1, "name": 2, "key": 3, "x": 4, "width": 5, "y": 6, "height": 7, "z": 8, "depth": 9,
        "style": 33,
    },
    "Position": {
        "upc": 1, "id": 2, "x": 4, "width": 5, "y": 6, "height": 7, "z": 8, "depth": 9,
        "style": 13, "wide": 14, "high": 15, "deep": 16, "orientation": 29,
    },
    "Product": {
        "upc": 1, "id": 2, "name": 3, "width": 5, "height": 6, "depth": 7, "short name": 9,
        "price": 33, "brand": 232,
    },
}  # fmt: skip
"""Record -> what we read -> its column; 0 is the record's name."""

_UNIT_STYLE: Final = 0
_PACKED_STYLES: Final = {1: (49, 50), 2: (57, 58), 3: (65, 66), 4: (73, 74)}
"""Merchandising style (tray, case, display, alternate) -> the product's columns that say how many
units of it one facing shows side by side and one above the other."""
_NO_SHELF_TYPES: Final = frozenset({10, 11})
"""Obstructions and signs: no goods stand on them."""
LEVEL_MM: Final = 30.0
"""Fixtures of neighbouring bays whose feet differ by less are one row."""
_SLACK_MM: Final = 5.0


@dataclass(frozen=True)
class Fixture:
    """A shelf or another place where goods stand, in millimetres from the planogram's zero."""

    record: Record
    x: float
    y: float
    width: float
    height: float
    style: int


@dataclass
class Section:
    """One Planogram record and what follows it."""

    record: Record
    begin: int
    """Number of its line in the file, from 0."""
    end: int
    """Of the line after its last."""
    fixtures: list[Record] = field(default_factory=list)
    positions: list[tuple[Record, int]] = field(default_factory=list)
    """With the number of their fixture."""


@dataclass(frozen=True)
class Schematic:
    """A file's records, sorted."""

    name: str
    mm: float
    """Millimetres for one of the file's units."""
    key: int
    products: tuple[Record, ...]
    sections: tuple[Section, ...]


def read_psa(content: bytes, *, name: str, made_at: datetime) -> tuple[Planogram, ...]:
    """All planograms of a file.

    Args:
        name: what messages call the file.
        made_at: of the planograms: the file does not say it.
    Raises:
        BadPlanogram: says line, column and what is allowed; then nothing is read.
    """
    text = read_text(content, name=name)
    schematic = sorted_records(text, name=name)
    if not schematic.sections:
        raise Place(name).wrong("holds no Planogram record; export one from the drawing program")
    ids = unlike(
        [
            file_safe(section.record.text(1), otherwise=f"planogram-{k}")
            for k, section in enumerate(schematic.sections, 1)
        ]
    )
    catalogue = Catalogue(schematic)
    head_end = schematic.sections[0].begin
    head = list(text.lines[:head_end])
    return tuple(
        _planogram(schematic, catalogue, section, id_, made_at, {
            "encoding": text.encoding, "newline": text.newline, "head": head,
            "section": list(text.lines[section.begin : section.end]),
        })
        for section, id_ in zip(schematic.sections, ids, strict=True)
    )  # fmt: skip


def sorted_records(text: SchematicText, *, name: str) -> Schematic:
    """Sort the records of a file by what they belong to.

    Raises:
        BadPlanogram: a Position without a Fixture, a Fixture without a Planogram, or a project
            whose unit is unknown.
    """
    products: list[Record] = []
    sections: list[Section] = []
    measure, key = 1, 0
    for at, line in enumerate(text.lines):
        record = record_of(line, at + 1)
        if record is None:
            continue
        place = Place(name, at + 1, record.name)
        if record.name == "Project":
            measure = int(number(record.text(12), place.at("Project column 12 (measure)"),
                                 default=1))  # fmt: skip
            key = int(number(record.text(2), place, default=0)) if record.text(2).isdigit() else 0
            if measure not in (0, 1):
                raise place.at("Project column 12 (measure)").wrong(
                    f"{measure} is not allowed; 0 (inches) and 1 (centimetres) are"
                )
        elif record.name == "Product":
            products.append(record)
        elif record.name == "Planogram":
            if sections:
                sections[-1].end = at
            sections.append(Section(record, at, len(text.lines)))
        elif record.name == "Fixture":
            if not sections:
                raise place.wrong("comes before any Planogram record, to which it must belong")
            sections[-1].fixtures.append(record)
        elif record.name == "Position":
            if not sections or not sections[-1].fixtures:
                raise place.wrong("comes before any Fixture record, on which it must stand")
            sections[-1].positions.append((record, len(sections[-1].fixtures) - 1))
    return Schematic(
        name, MM_PER_CM if measure else MM_PER_INCH, key, tuple(products), tuple(sections)
    )


def value(record: Record, file: str, what: str, *, default: float = 0.0) -> float:
    """A number of a record, by what we call its column.

    Raises:
        BadPlanogram: it is none.
    """
    column = COLUMNS[record.name][what]
    text = record.text(column)
    if not text:
        return default
    return number(text, Place(file, record.line, f"{record.name} column {column} ({what})"))


class Catalogue:
    """The products of a file, by UPC and ID."""

    def __init__(self, schematic: Schematic) -> None:
        self._file, self._mm = schematic.name, schematic.mm
        self.records: dict[tuple[str, str], Record] = {}
        for record in schematic.products:
            self.records.setdefault((record.text(1), record.text(2)), record)
        self._by_upc = {upc: key for key in reversed(self.records) for upc in [key[0]] if upc}
        self._by_id = {id_: key for key in reversed(self.records) for id_ in [key[1]] if id_}
        upcs = Counter(upc for upc, _ in self.records)
        self.ids = {
            (upc, id_): (upc or id_) if not upc or upcs[upc] == 1 else f"{upc}/{id_}"
            for upc, id_ in self.records
        }
        """(UPC, ID) -> what we call the product."""
        self._known: dict[tuple[str, str], Product] = {}

    def key_of(self, position: Record) -> tuple[str, str]:
        """The product that a Position names: by both, else by what it gives.

        Raises:
            BadPlanogram: there is none.
        """
        upc, id_ = position.text(1), position.text(2)
        key = (upc, id_) if (upc, id_) in self.records else None
        if key is None:
            key = self._by_upc.get(upc) or self._by_id.get(id_)
        if key is None:
            raise Place(self._file, position.line, "Position columns 1 and 2 (UPC, ID)").wrong(
                f"no Product record has UPC {upc!r} and ID {id_!r}; each Position names one that is"
            )
        return key

    def product(self, key: tuple[str, str]) -> Product:
        """A product as we say it.

        Raises:
            BadPlanogram: one of its fields is wrong.
        """
        if key not in self._known:
            record = self.records[key]
            upc, id_ = key
            width, height, depth = (
                _size(record, self._file, what, self._mm) for what in ("width", "height", "depth")
            )
            price = value(record, self._file, "price")
            with told_at(Place(self._file, record.line, "Product")):
                self._known[key] = Product(
                    id=self.ids[key], sku=id_ or upc, gtin=upc if is_gtin(upc) else None,
                    name=(record.text(3) or record.text(9) or upc or id_)[:200],
                    brand=record.text(232)[:200] or None, width=width, height=height,
                    width_mm=width, height_mm=height, depth_mm=depth,
                    price=price if price > 0 else None,
                )  # fmt: skip
        return self._known[key]


def _size(record: Record, file: str, what: str, mm: float) -> float | None:
    size = value(record, file, what) * mm
    return round(size, 3) if size > 0 else None


def units_shown(position: Record, fixture: Record, product: Record, file: str) -> tuple[int, int]:
    """Units that one facing of a position shows, side by side and above each other: a tray's."""
    style = int(value(position, file, "style", default=-1))
    if style < 0:
        style = int(value(fixture, file, "style", default=-1))
    columns = _PACKED_STYLES.get(style)
    if columns is None:
        return 1, 1
    wide, high = (
        count(product.text(column), Place(file, product.line, f"Product column {column}"))
        for column in columns
    )
    return wide, high


@dataclass(frozen=True)
class Frame:
    """How a section's places lie in our frame: millimetres, y down from the top."""

    mm: float
    width: float
    height: float
    x_by_fixture: bool
    """Positions say x from their fixture's left end, not the planogram's."""
    y_by_fixture: bool


def fixture_of(record: Record, file: str, mm: float) -> Fixture:
    """A Fixture record as a value."""
    x, y, width, height = (value(record, file, what) * mm for what in ("x", "y", "width", "height"))
    return Fixture(record, x, y, width, height, int(value(record, file, "style", default=-1)))


def _planogram(
    schematic: Schematic,
    catalogue: Catalogue,
    section: Section,
    id_: str,
    made_at: datetime,
    kept: Mapping[str, Any],
) -> Planogram:
    file, record = schematic.name, section.record
    place = Place(file, record.line, "Planogram")
    if not section.positions:
        raise place.wrong(f"{record.text(1)!r} has no Position records; a planogram needs some")
    fixtures = [fixture_of(each, file, schematic.mm) for each in section.fixtures]
    frame = frame_of(schematic, section, fixtures)
    rows = rows_of(fixtures, [number_ for _, number_ in section.positions])
    boxes, facings, keys = [], [], []
    for position, at in section.positions:
        key = catalogue.key_of(position)
        keys.append(key)
        shown = _facings(position, section.fixtures[at], catalogue.records[key], file)
        facings.append(shown)
        boxes.append(_box(position, fixtures[at], catalogue.product(key), shown, frame, file))
    order = sorted(
        range(len(boxes)),
        key=lambda k: (rows[section.positions[k][1]], boxes[k][0], -boxes[k][3], k),
    )
    indices: dict[int, int] = {}
    seen: Counter[int] = Counter()
    for k in order:
        row = rows[section.positions[k][1]]
        indices[k], seen[row] = seen[row], seen[row] + 1
    within: Counter[int] = Counter()
    positions = []
    for k, (position, at) in enumerate(section.positions):
        within[at] += 1
        x1, _, _, y2 = boxes[k]
        with told_at(Place(file, position.line, "Position")):
            positions.append(
                Position(
                    id=f"f{at + 1}-p{within[at]}", row=rows[at], index=indices[k],
                    product=catalogue.ids[keys[k]], box_xyxy=boxes[k], facings=facings[k][0],
                    facings_high=facings[k][1], facings_deep=facings[k][2],
                    x_mm=round(x1, 3), y_mm=round(frame.height - y2, 3),
                )
            )  # fmt: skip
    with told_at(place):
        return Planogram(
            id=id_, name=record.text(1)[:200] or id_, bay=id_, version=1, made_at=made_at,
            source="plan", unit="mm", width=frame.width, height=frame.height,
            shelves=_shelves(fixtures, rows, positions, frame),
            products=tuple(catalogue.product(key) for key in dict.fromkeys(keys)),
            positions=tuple(positions), kept=packed(FORMAT, kept),
        )  # fmt: skip


def frame_of(schematic: Schematic, section: Section, fixtures: Sequence[Fixture]) -> Frame:
    """Where the section's zero lies: descriptions of the format differ, so the file decides.

    A position that lies left of (below) its own fixture can only be counted from that fixture.
    """
    file, mm = schematic.name, schematic.mm
    xs = [(value(p, file, "x") * mm, fixtures[at].x) for p, at in section.positions]
    ys = [(value(p, file, "y") * mm, fixtures[at].y) for p, at in section.positions]
    x_by_fixture = any(x < own - _SLACK_MM for x, own in xs)
    y_by_fixture = any(y < own - _SLACK_MM for y, own in ys)
    ends = [fixture.x + fixture.width for fixture in fixtures]
    width = value(section.record, file, "width") * mm or max(ends, default=0.0)
    tops = [
        y + (own + fixtures[at].height if y_by_fixture else 0.0) + value(p, file, "height") * mm
        for (y, own), (p, at) in zip(ys, section.positions, strict=True)
    ]
    height = max([value(section.record, file, "height") * mm, *tops])
    if width <= 0 or height <= 0:
        raise Place(file, section.record.line, "Planogram columns 3 and 4 (width, height)").wrong(
            f"{width:g} by {height:g} mm is not allowed; both above 0 are"
        )
    return Frame(mm, round(width, 3), round(height, 3), x_by_fixture, y_by_fixture)


def rows_of(fixtures: Sequence[Fixture], used: Sequence[int]) -> dict[int, int]:
    """The row of each fixture on which positions stand; 0 is the lowest.

    Fixtures at one level are one row, unless they lie above each other.
    """
    rows: dict[int, int] = {}
    row, first = -1, 0.0
    taken: list[Fixture] = []
    for at in sorted(set(used), key=lambda k: (fixtures[k].y, fixtures[k].x)):
        mine = fixtures[at]
        over = any(
            min(mine.x + mine.width, each.x + each.width) - max(mine.x, each.x) > _SLACK_MM
            for each in taken
        )
        if row < 0 or mine.y - first > LEVEL_MM or over:
            row, first, taken = row + 1, mine.y, []
        taken.append(mine)
        rows[at] = row
    return rows


def _facings(position: Record, fixture: Record, product: Record, file: str) -> tuple[int, int, int]:
    wide, high, deep = (
        count(
            position.text(COLUMNS["Position"][what]),
            Place(file, position.line, f"Position column {COLUMNS['Position'][what]} ({what})"),
        )
        for what in ("wide", "high", "deep")
    )
    units = units_shown(position, fixture, product, file)
    return wide * units[0], high * units[1], deep


def _box(
    position: Record,
    fixture: Fixture,
    product: Product,
    facings: tuple[int, int, int],
    frame: Frame,
    file: str,
) -> tuple[float, float, float, float]:
    x, y, width, height = (
        value(position, file, what) * frame.mm for what in ("x", "y", "width", "height")
    )
    if not width or not height:
        one_wide, one_high = _front(product, position, file)
        width, height = width or one_wide * facings[0], height or one_high * facings[1]
    if width <= 0 or height <= 0:
        raise Place(file, position.line, "Position columns 5 and 7 (width, height)").wrong(
            "both must be above 0, or the Product must say its size"
        )
    left = x + (fixture.x if frame.x_by_fixture else 0.0)
    foot = y + (fixture.y + fixture.height if frame.y_by_fixture else 0.0)
    top, bottom = frame.height - foot - height, frame.height - foot
    return round(left, 3), round(top, 3), round(left + width, 3), round(bottom, 3)


def _front(product: Product, position: Record, file: str) -> tuple[float, float]:
    """Width and height of one unit as it is turned; 0 where unknown."""
    sizes = (product.width_mm or 0.0, product.height_mm or 0.0, product.depth_mm or 0.0)
    turned = int(value(position, file, "orientation"))
    wide, high = {1: (2, 1), 2: (0, 2), 4: (2, 1), 5: (0, 2)}.get(turned % 12 // 2, (0, 1))
    if turned % 12 % 2:
        wide, high = high, wide
    return sizes[wide], sizes[high]


def _shelves(
    fixtures: Sequence[Fixture],
    rows: Mapping[int, int],
    positions: Sequence[Position],
    frame: Frame,
) -> tuple[Shelf, ...]:
    out = []
    for row in sorted(set(rows.values())):
        mine = [fixtures[at] for at, its in rows.items() if its == row]
        left, right = min(f.x for f in mine), max(f.x + f.width for f in mine)
        tops = sorted(f.y + f.height for f in mine)
        level = round(frame.height - tops[len(tops) // 2], 3)
        heights = sorted(
            (each.box_xyxy[3] - each.box_xyxy[1]) / each.facings_high
            for each in positions
            if each.row == row
        )
        line = (round(left, 3), level, round(max(right, left + 1), 3), level)
        out.append(Shelf(row=row, line_xyxy=line, height=round(heights[len(heights) // 2], 3)))
    return tuple(out)


def section_of(planogram: Planogram, kept: Mapping[str, Any]) -> Planogram:
    """The planogram as its kept lines alone would be read, to see what was changed since.

    Raises:
        BadPlanogram: what was kept cannot be read any more.
    """
    lines = (*kept["head"], *kept["section"])
    text = SchematicText(kept["encoding"], kept["newline"], tuple(lines))
    schematic = sorted_records(text, name=f"planogram {planogram.id}")
    if len(schematic.sections) != 1:
        raise BadPlanogram(f"planogram {planogram.id}: what was kept of its file is damaged")
    catalogue = Catalogue(schematic)
    return _planogram(
        schematic, catalogue, schematic.sections[0], planogram.id, planogram.made_at, kept
    )
