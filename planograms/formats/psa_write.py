"""Write planograms as a ProSpace schematic file (PSA). Pure: values in, bytes out.

A planogram that came from such a file is written from its own lines: only the cells of what was
changed since are new, everything else, unknown columns and records included, stays as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from planograms.errors import BadPlanogram
from planograms.formats.keeping import unpacked
from planograms.formats.psa import (
    COLUMNS,
    FORMAT,
    MM_PER_CM,
    Catalogue,
    Fixture,
    Frame,
    Schematic,
    fixture_of,
    frame_of,
    rows_of,
    section_of,
    sorted_records,
    units_shown,
)
from planograms.formats.psa_text import (
    DEFAULT_ENCODING,
    SIGNATURE,
    Record,
    SchematicText,
    escaped,
    record_of,
    write_text,
)
from planograms.model import Planogram, Position, Product

_CELLS: Final = {
    "Project": 216, "Product": 274, "Planogram": 263, "Segment": 52, "Fixture": 167,
    "Position": 167,
}  # fmt: skip
"""Cells of a record with its name, as version 2017.2 writes them."""
_BOARD_MM: Final = 20.0
_SAME_MM: Final = 0.01


def write_psa(planograms: Sequence[Planogram], *, name: str = "the file") -> bytes:
    """One file of some planograms.

    Raises:
        BadPlanogram: none is given, one is in pixels, or two came from files in different units
            or with the same product described twice.
    """
    if not planograms:
        raise BadPlanogram(f"{name}: give at least one planogram to write")
    for planogram in planograms:
        if planogram.unit != "mm":
            raise BadPlanogram(
                f"planogram {planogram.id} is in pixels of a photo; a PSA file needs sizes: say "
                "how wide the bay is with --width-mm"
            )
    sheets = [_Sheet.of(planogram) for planogram in planograms]
    first = sheets[0]
    for sheet in sheets:
        if sheet.schematic.mm != first.schematic.mm:
            raise BadPlanogram(
                f"planograms {first.planogram.id} and {sheet.planogram.id} came from files in "
                "different units; write them into two files"
            )
    head = _head(sheets)
    lines = [*head, *(line for sheet in sheets for line in sheet.lines())]
    if lines[-1].strip():
        lines.append("")
    ending = "\r" if first.kept["newline"] == "\r\n" else ""
    closed = [line if line.endswith("\r") or k == len(lines) - 1 else line + ending
              for k, line in enumerate(lines)]  # fmt: skip
    text = SchematicText(first.kept["encoding"], first.kept["newline"], tuple(closed))
    return write_text(text, name=name)


def _head(sheets: Sequence["_Sheet"]) -> list[str]:
    """Everything before the first planogram; products of all, each once."""
    first = sheets[0]
    changed: dict[tuple[str, str], tuple[Product | None, Product]] = {}
    for sheet in sheets:
        for product in sheet.planogram.products:
            changed.setdefault(sheet.keys[product.id], (sheet.base_product(product.id), product))
    out, seen = [], set()
    for number, line in enumerate(first.kept["head"], 1):
        record = record_of(line, number)
        if record is None or record.name != "Product":
            out.append(line)
            continue
        key = record.text(1), record.text(2)
        seen.add(key)
        out.append(_product_line(record, line, *changed[key], first) if key in changed else line)
    for sheet in sheets[1:]:
        for key, record in sheet.catalogue.records.items():
            if key not in seen:
                seen.add(key)
                line = ",".join(record.cells)
                new = key in changed
                out.append(_product_line(record, line, *changed[key], sheet) if new else line)
    for key, (_, product) in changed.items():
        if key not in seen:
            seen.add(key)
            record = Record(0, _cells("Product", {"upc": key[0], "id": key[1]}))
            out.append(_product_line(record, "", None, product, first))
    return out


def _product_line(
    record: Record, line: str, base: Product | None, product: Product, sheet: "_Sheet"
) -> str:
    mm = sheet.schematic.mm
    new: dict[str, str] = {}
    told: Mapping[str, tuple[object, object, str]] = {
        "name": (base and base.name, product.name, product.name),
        "brand": (base and base.brand, product.brand, product.brand or ""),
        "width": (base and base.width_mm, product.width_mm, _spelt(product.width_mm, mm)),
        "height": (base and base.height_mm, product.height_mm, _spelt(product.height_mm, mm)),
        "depth": (base and base.depth_mm, product.depth_mm, _spelt(product.depth_mm, mm)),
        "price": (base and base.price, product.price, _spelt(product.price, 1.0)),
    }
    for what, (before, now, text) in told.items():
        if before != now:
            new[what] = text
    return _changed(record, line, new)


@dataclass(frozen=True)
class _Sheet:
    """One planogram with the lines it came from, or lines made for it."""

    planogram: Planogram
    base: Planogram | None
    """As its kept lines say it; None for one that did not come from such a file."""
    kept: Mapping[str, Any]
    schematic: Schematic
    catalogue: Catalogue
    keys: Mapping[str, tuple[str, str]]
    """Product id -> UPC and ID."""

    @classmethod
    def of(cls, planogram: Planogram) -> "_Sheet":
        base = None
        if planogram.kept is not None and planogram.kept.format == FORMAT:
            kept: Mapping[str, Any] = unpacked(planogram.kept, f"planogram {planogram.id}")
            base = section_of(planogram, kept)
        else:
            kept = _fresh(planogram)
        text = SchematicText(kept["encoding"], kept["newline"], (*kept["head"], *kept["section"]))
        schematic = sorted_records(text, name=f"planogram {planogram.id}")
        catalogue = Catalogue(schematic)
        known = {id_: key for key, id_ in catalogue.ids.items()}
        return cls(planogram, base, kept, schematic, catalogue, _keys(planogram, known))

    def base_product(self, id_: str) -> Product | None:
        return None if self.base is None else self.base.product_by_id.get(id_)

    def lines(self) -> list[str]:
        """The planogram's own lines."""
        section = self.schematic.sections[0]
        fixtures = [
            fixture_of(record, self.schematic.name, self.schematic.mm)
            for record in section.fixtures
        ]
        used = [at for _, at in section.positions] or range(len(fixtures))
        rows = rows_of(fixtures, used)
        frame = (
            frame_of(self.schematic, section, fixtures)
            if self.base is not None
            else Frame(self.schematic.mm, self.planogram.width, self.planogram.height, False, False)
        )
        stays, comes = self._sorted(fixtures, rows)
        out: list[str] = []
        at, within, waiting = -1, 0, False
        for number, line in enumerate(self.kept["section"], 1):
            record = record_of(line, number)
            kind = "" if record is None else record.name
            if record is None:
                out.append(line)
            elif kind == "Planogram":
                out.append(self._planogram_line(record, line))
            elif kind == "Position":
                within += 1
                position = stays.get(f"f{at + 1}-p{within}")
                if position is not None:
                    out.append(self._position_line(record, line, position, fixtures[at], frame))
            else:
                if kind == "Fixture":
                    if waiting:
                        out += self._new_lines(comes, at, fixtures, frame)
                    at, within, waiting = at + 1, 0, True
                out.append(line)
        if waiting:
            # What stands on the last fixture comes before blank lines at the file's end.
            tail = len(out)
            while tail and not out[tail - 1].strip():
                tail -= 1
            out[tail:tail] = self._new_lines(comes, at, fixtures, frame)
        return out

    def _sorted(
        self, fixtures: Sequence[Fixture], rows: Mapping[int, int]
    ) -> tuple[dict[str, Position], dict[int, list[Position]]]:
        """Positions that keep their record, and new ones by the fixture they stand on."""
        before = {} if self.base is None else self.base.position_by_id
        stays: dict[str, Position] = {}
        comes: dict[int, list[Position]] = {}
        for position in self.planogram.in_order:
            old = before.get(position.id)
            if old is not None and old.row == position.row:
                stays[position.id] = position
                continue
            middle = (position.box_xyxy[0] + position.box_xyxy[2]) / 2
            there = [at for at, row in rows.items() if row == position.row]
            if not there:
                raise BadPlanogram(
                    f"planogram {self.planogram.id}: position {position.id} stands on row "
                    f"{position.row}, for which its PSA file has no fixture; add the shelf there"
                )
            at = min(there, key=lambda k: _outside(middle, fixtures[k]))
            comes.setdefault(at, []).append(position)
        return stays, comes

    def _planogram_line(self, record: Record, line: str) -> str:
        base, plan, mm = self.base, self.planogram, self.schematic.mm
        new = {}
        if base is None or base.name != plan.name:
            new["name"] = plan.name
        if base is None or base.width != plan.width:
            new["width"] = _spelt(plan.width, mm)
        if base is None or base.height != plan.height:
            new["height"] = _spelt(plan.height, mm)
        return _changed(record, line, new)

    def _position_line(
        self, record: Record, line: str, position: Position, fixture: Fixture, frame: Frame
    ) -> str:
        old = None if self.base is None else self.base.position_by_id.get(position.id)
        new: dict[str, str] = {}
        if old is None or old.product != position.product:
            new["upc"], new["id"] = self.keys[position.product]
        if old is None or _apart(old.box_xyxy, position.box_xyxy) > _SAME_MM:
            x1, y1, x2, y2 = position.box_xyxy
            left = x1 - (fixture.x if frame.x_by_fixture else 0.0)
            foot = frame.height - y2
            foot -= fixture.y + fixture.height if frame.y_by_fixture else 0.0
            mm = self.schematic.mm
            new |= {"x": _spelt(left, mm), "y": _spelt(foot, mm), "width": _spelt(x2 - x1, mm),
                    "height": _spelt(y2 - y1, mm)}  # fmt: skip
        new |= self._facings(record, old, position, fixture)
        return _changed(record, line, new)

    def _facings(
        self, record: Record, old: Position | None, position: Position, fixture: Fixture
    ) -> dict[str, str]:
        wanted = {"wide": position.facings, "high": position.facings_high,
                  "deep": position.facings_deep}  # fmt: skip
        had = {} if old is None else {"wide": old.facings, "high": old.facings_high,
                                      "deep": old.facings_deep}  # fmt: skip
        if wanted == had:
            return {}
        product = self.catalogue.records.get(self.keys[position.product])
        units = (1, 1) if product is None else units_shown(
            record, fixture.record, product, self.schematic.name
        )  # fmt: skip
        out = {}
        for what, one in (("wide", units[0]), ("high", units[1]), ("deep", 1)):
            if wanted[what] != had.get(what):
                if wanted[what] % one:
                    raise BadPlanogram(
                        f"planogram {self.planogram.id}: position {position.id} has "
                        f"{wanted[what]} facings {what}; its PSA file has it in trays of {one}, so "
                        f"only multiples of {one} can be written"
                    )
                out[what] = str(wanted[what] // one)
        return out

    def _new_lines(
        self,
        comes: Mapping[int, Sequence[Position]],
        at: int,
        fixtures: Sequence[Fixture],
        frame: Frame,
    ) -> list[str]:
        out = []
        for position in comes.get(at, ()):
            blank = Record(0, _cells("Position", {"z": "0", "style": "0"}))
            out.append(self._position_line(blank, "", position, fixtures[at], frame))
        return out


def _fresh(planogram: Planogram) -> dict[str, Any]:
    """Lines for a planogram that came from elsewhere: its head, its bay, its shelves."""
    mm = MM_PER_CM
    project = _cells("Project", {"name": planogram.name, "key": "0", "measure": "1"})
    plan = _cells("Planogram", {
        "name": planogram.name, "width": _spelt(planogram.width, mm),
        "height": _spelt(planogram.height, mm), "depth": "0",
    })  # fmt: skip
    segment = _cells("Segment", {
        "name": planogram.bay, "x": "0", "width": _spelt(planogram.width, mm), "y": "0",
        "height": _spelt(planogram.height, mm), "depth": "0",
    })  # fmt: skip
    section = [",".join(plan), ",".join(segment)]
    for shelf in sorted(planogram.shelves, key=lambda each: each.row):
        mine = [p.box_xyxy for p in planogram.positions if p.row == shelf.row]
        if not mine:
            continue
        x1, y1, x2, y2 = shelf.line_xyxy
        # The reader takes places from a fixture's end where one lies left of or below it.
        left, right = min(x1, *(box[0] for box in mine)), max(x2, *(box[2] for box in mine))
        foot = min(planogram.height - (y1 + y2) / 2 - _BOARD_MM,
                   *(planogram.height - box[3] for box in mine))  # fmt: skip
        section.append(",".join(_cells("Fixture", {
            "type": "0", "name": f"Shelf {shelf.row + 1}", "x": _spelt(left, mm),
            "width": _spelt(right - left, mm), "y": _spelt(foot, mm),
            "height": _spelt(_BOARD_MM, mm), "z": "0", "depth": "0", "style": "-1",
        })))  # fmt: skip
    return {
        "encoding": DEFAULT_ENCODING if _fits(planogram) else "utf-8", "newline": "\r\n",
        "head": [SIGNATURE, "; Version 2017.2.0",
                 f"; Codepage={1252 if _fits(planogram) else 65001}", ",".join(project)],
        "section": section,
    }  # fmt: skip


def _fits(planogram: Planogram) -> bool:
    """Whether all its names can be said in Windows-1252."""
    names = [planogram.name, planogram.bay]
    for product in planogram.products:
        names += [product.name, product.sku, product.id, product.brand or ""]
    try:
        "".join(names).encode(DEFAULT_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _keys(planogram: Planogram, known: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """UPC and ID of each product: those of its file, else its own numbers; no two alike."""
    out: dict[str, tuple[str, str]] = {}
    taken = set(known.values())
    for product in planogram.products:
        key = known.get(product.id)
        if key is None:
            key = product.gtin or product.sku, product.sku
            if key in taken:
                key = product.gtin or product.sku, product.id
            taken.add(key)
        out[product.id] = key
    return out


def _cells(record: str, values: Mapping[str, str]) -> tuple[str, ...]:
    cells = [record] + [""] * (_CELLS[record] - 1)
    for what, text in values.items():
        cells[COLUMNS[record][what]] = escaped(text)
    return tuple(cells)


def _changed(record: Record, line: str, new: Mapping[str, str]) -> str:
    """The line with some cells new; the very same line where none is."""
    if not new:
        return line or ",".join(record.cells)
    ending = "\r" if line.endswith("\r") else ""
    cells = list(record.cells)
    for what, text in new.items():
        column = COLUMNS[record.name][what]
        cells += [""] * (column + 1 - len(cells))
        cells[column] = escaped(text)
    return ",".join(cells) + ending


def _spelt(mm: float | None, unit_mm: float) -> str:
    """A length in the file's unit; empty for None."""
    if mm is None:
        return ""
    text = f"{mm / unit_mm:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _apart(first: Sequence[float], second: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


def _outside(x: float, fixture: Fixture) -> float:
    """How far x lies outside a fixture; 0 inside."""
    return max(fixture.x - x, x - fixture.x - fixture.width, 0.0)
