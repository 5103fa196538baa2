"""Planograms as rows of text, one for each position: what CSV and Excel share. Pure.

Columns that we do not know are kept and written back. One table may hold several planograms.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from planograms.formats.keeping import packed, unpacked
from planograms.formats.places import Place, count, file_safe, number, told_at
from planograms.model import Assignment, Kept, Planogram, Position, Product, Shelf

FORMAT: Final = "table"
_GAP_MM: Final = 2.0
_YES: Final = frozenset({"1", "yes", "y", "true", "x", "是"})
_NO: Final = frozenset({"", "0", "no", "n", "false", "否"})
_NAME_PREFIX: Final = "name:"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table, as the template explains it."""

    name: str
    meaning: str
    example: str
    needed: bool = False


COLUMNS: Final = (
    Column("planogram", "Id of the planogram; rows of one planogram stand together", "tea-1", True),
    Column("planogram_name", "What people call it", "Tea, one metre"),
    Column("version", "1 or more; a change is a new version", "1"),
    Column("starts_on", "First day on which it holds (YYYY-MM-DD)", "2026-12-01"),
    Column("bay", "Bay that it is for", "bay-1"),
    Column("shops", "Shops with bays where it holds, as shop=bay+bay|shop=bay", "shop-17=bay-1"),
    Column("bay_width_mm", "Width of the bay; empty: as wide as its goods", "1000"),
    Column("bay_height_mm", "Height of the bay; empty: as high as its goods", "1800"),
    Column("row", "Shelf, 0 is the lowest", "0", True),
    Column("shelf_y_mm", "Height of the shelf's top above the foot of the bay", "120"),
    Column("main_visual", "yes: this shelf is at eye level", "no"),
    Column("position", "Id of the position; empty: made from row and place", "r0-p01"),
    Column("sku", "Your number of the product", "M001", True),
    Column("product", "Id of the product, where two share a number; empty: the number", "M001"),
    Column("gtin", "Number under the barcode, with its check digit", "4006381333931"),
    Column("product_name", "Its name", "Green tea, 50 bags"),
    Column("name:zh", "Its name in a language; any column name:CODE", "绿茶"),
    Column("brand", "Its brand", "Fenwick"),
    Column("width_mm", "Width of one facing as it stands", "135", True),
    Column("height_mm", "Height of one facing as it stands", "85", True),
    Column("depth_mm", "Depth of one piece", "70"),
    Column("price", "Price, decimal point", "3.20"),
    Column("currency", "Three letters", "EUR"),
    Column("value_a_day", "What it sells in a day, at its price", "14.5"),
    Column("main_push", "yes: to be seen first", "yes"),
    Column("facings_wide", "Facings side by side; empty is 1", "3"),
    Column("facings_high", "Facings above each other; empty is 1", "1"),
    Column("facings_deep", "Pieces behind each other; empty is 1", "4"),
    Column("x_mm", "Left edge from the bay's left end; empty: next to the one before", "0"),
    Column("y_mm", "Foot from the bay's foot; empty: on its shelf", "120"),
)
_KNOWN: Final = frozenset(column.name for column in COLUMNS)
_NEEDED: Final = tuple(column.name for column in COLUMNS if column.needed)

Cells = Mapping[str, str]
"""Column -> text of one row."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table and where it stands in its file."""

    number: int
    cells: Cells


def planograms_of(
    header: Sequence[str], lines: Iterable[Line], *, name: str, made_at: datetime
) -> tuple[Planogram, ...]:
    """The planograms of a table.

    Args:
        header: column names, of which `planogram`, `row`, `sku`, `width_mm`, `height_mm` are
            needed.
        name: what messages call the file.
    Raises:
        BadPlanogram: says line, column and what is allowed; then nothing is read.
    """
    place = Place(name, 1)
    columns = [each.strip() for each in header]
    for column in _NEEDED:
        if column not in columns:
            raise place.at(column).wrong(
                "this column is missing; `storepulse planogram template` writes a table with all"
            )
    named = [column for column in columns if column]
    for column in named:
        if named.count(column) > 1:
            raise place.at(column).wrong("this column is there twice; each may be there once")
    groups: dict[str, list[Line]] = {}
    for line in lines:
        cells = {column: text.strip() for column, text in line.cells.items()}
        if not any(cells.values()):
            continue
        told = Line(line.number, cells)
        id_ = _text(told, name, "planogram", needed=True)
        groups.setdefault(id_, []).append(told)
    if not groups:
        raise place.wrong("holds no rows below its header")
    more = [each for each in named if each not in _KNOWN and not each.startswith(_NAME_PREFIX)]
    return tuple(
        _planogram(id_, mine, more, name=name, made_at=made_at) for id_, mine in groups.items()
    )


def _text(line: Line, file: str, column: str, *, needed: bool = False) -> str:
    text = line.cells.get(column, "")
    if needed and not text:
        raise Place(file, line.number, column).wrong("is empty; it is needed in every row")
    return text


def _planogram(
    id_: str, lines: Sequence[Line], more: Sequence[str], *, name: str, made_at: datetime
) -> Planogram:
    first = lines[0]
    place = Place(name, first.number)
    products: dict[str, Product] = {}
    placed: list[tuple[Line, int, Product, tuple[int, int, int]]] = []
    for line in lines:
        for column in ("planogram_name", "version", "starts_on", "bay", "shops", "bay_width_mm",
                       "bay_height_mm"):  # fmt: skip
            if _text(line, name, column) not in ("", _text(first, name, column)):
                raise Place(name, line.number, column).wrong(
                    f"{_text(line, name, column)!r} differs from line {first.number}; all rows of "
                    f"planogram {id_} must say the same, or leave it empty"
                )
        product = _product(line, name)
        known = products.setdefault(product.id, product)
        if known != product:
            raise Place(name, line.number, "sku").wrong(
                f"{product.sku} is described otherwise than above; rows of one product must agree, "
                "and two products of one number need a column product that tells them apart"
            )
        facings = (
            _count(line, name, "facings_wide"), _count(line, name, "facings_high"),
            _count(line, name, "facings_deep"),
        )  # fmt: skip
        row = number(_text(line, name, "row", needed=True), Place(name, line.number, "row"))
        if row != int(row) or not 0 <= row <= 99:
            raise Place(name, line.number, "row").wrong(
                f"{row:g} is not allowed; a whole number from 0 (the lowest) to 99 is"
            )
        placed.append((line, int(row), product, facings))
    levels = _levels(placed, name)
    boxes = _boxes(placed, levels, name)
    tops = max(box[3] for box in boxes)
    width = _number(first, name, "bay_width_mm") or max(box[2] for box in boxes)
    # Goods on the top shelf may reach above the bay: so do those of a planogram that we wrote.
    height = _number(first, name, "bay_height_mm") or tops
    positions = _positions(placed, boxes, height, name)
    with told_at(place):
        return Planogram(
            id=file_safe(id_, otherwise="planogram"),
            name=_text(first, name, "planogram_name") or id_,
            bay=_text(first, name, "bay") or id_,
            version=_count(first, name, "version", most=1_000_000),
            made_at=made_at, source="plan", unit="mm",
            width=width, height=height,
            shelves=_shelves(placed, boxes, levels, width, height, name),
            products=tuple(products.values()), positions=positions,
            starts_on=_day(first, name), assigned=_assigned(first, name),
            kept=_kept(lines, positions, more),
        )  # fmt: skip


def _number(line: Line, file: str, column: str) -> float | None:
    text = _text(line, file, column)
    return number(text, Place(file, line.number, column), above=0) if text else None


def _count(line: Line, file: str, column: str, *, most: int = 500) -> int:
    return count(_text(line, file, column), Place(file, line.number, column), most=most)


def _yes(line: Line, file: str, column: str) -> bool:
    text = _text(line, file, column).lower()
    if text not in _YES | _NO:
        raise Place(file, line.number, column).wrong(f"{text!r} is not allowed; yes and no are")
    return text in _YES


def _day(line: Line, file: str) -> date | None:
    text = _text(line, file, "starts_on")
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Place(file, line.number, "starts_on").wrong(
            f"{text!r} is not allowed; a day such as 2026-12-01 is"
        ) from None


def _assigned(line: Line, file: str) -> tuple[Assignment, ...]:
    out = []
    for part in filter(None, (each.strip() for each in _text(line, file, "shops").split("|"))):
        shop, _, bays = part.partition("=")
        with told_at(Place(file, line.number, "shops")):
            out.append(Assignment(shop=shop, bays=tuple(bays.split("+")) if bays else ()))
    return tuple(out)


def _product(line: Line, file: str) -> Product:
    sku = _text(line, file, "sku", needed=True)
    place = Place(file, line.number)
    sizes = {}
    for column in ("width_mm", "height_mm"):
        text = _text(line, file, column, needed=True)
        sizes[column] = number(text, place.at(column), above=0)
    money: Callable[[str], float | None] = lambda column: (  # noqa: E731
        number(_text(line, file, column), place.at(column)) if _text(line, file, column) else None
    )
    with told_at(place):
        return Product(
            id=_text(line, file, "product") or sku, sku=sku,
            name=_text(line, file, "product_name") or sku,
            names={
                column.removeprefix(_NAME_PREFIX): text
                for column, text in line.cells.items()
                if column.startswith(_NAME_PREFIX) and text
            },
            gtin=_text(line, file, "gtin") or None, brand=_text(line, file, "brand") or None,
            width=sizes["width_mm"], height=sizes["height_mm"], width_mm=sizes["width_mm"],
            height_mm=sizes["height_mm"], depth_mm=_number(line, file, "depth_mm"),
            price=money("price"), value_a_day=money("value_a_day"),
            currency=_text(line, file, "currency") or None,
            main_push=_yes(line, file, "main_push"),
        )  # fmt: skip


_Placed = tuple[Line, int, Product, tuple[int, int, int]]
_Box = tuple[float, float, float, float]


def _levels(placed: Sequence[_Placed], file: str) -> dict[int, float]:
    """Height of each row's shelf above the bay's foot; stacked where no row says it."""
    out: dict[int, float] = {}
    foot = 0.0
    for row in sorted({row for _, row, _, _ in placed}):
        mine = [each for each in placed if each[1] == row]
        told = {
            number(_text(line, file, "shelf_y_mm"), Place(file, line.number, "shelf_y_mm"))
            for line, *_ in mine
            if _text(line, file, "shelf_y_mm")
        }
        if len(told) > 1:
            raise Place(file, mine[0][0].number, "shelf_y_mm").wrong(
                f"row {row} is said to lie at {', '.join(f'{y:g}' for y in sorted(told))}; all "
                "rows of one shelf must say the same, or leave it empty"
            )
        out[row] = told.pop() if told else foot
        tallest = max((product.height_mm or 0) * facings[1] for _, _, product, facings in mine)
        foot = out[row] + 1.15 * tallest
    return out


def _boxes(placed: Sequence[_Placed], levels: Mapping[int, float], file: str) -> list[_Box]:
    """Left, foot, right, top in millimetres from the bay's left foot; in the table's order."""
    ends: dict[int, float] = {}
    out = []
    for line, row, product, (wide, high, _) in placed:
        text_x, text_y = _text(line, file, "x_mm"), _text(line, file, "y_mm")
        x = number(text_x, Place(file, line.number, "x_mm"), default=ends.get(row, 0.0))
        y = number(text_y, Place(file, line.number, "y_mm"), default=levels[row])
        right = x + wide * (product.width_mm or 0.0)
        out.append((x, y, right, y + high * (product.height_mm or 0.0)))
        ends[row] = right + _GAP_MM
    return out


def _positions(
    placed: Sequence[_Placed], boxes: Sequence[_Box], height: float, file: str
) -> tuple[Position, ...]:
    order = sorted(range(len(boxes)), key=lambda k: (placed[k][1], boxes[k][0], boxes[k][1], k))
    index: dict[int, int] = {}
    seen: dict[int, int] = {}
    for k in order:
        row = placed[k][1]
        index[k] = seen.get(row, 0)
        seen[row] = index[k] + 1
    out = []
    for k, (line, row, product, (wide, high, deep)) in enumerate(placed):
        x1, y1, x2, y2 = boxes[k]
        with told_at(Place(file, line.number)):
            out.append(
                Position(
                    id=_text(line, file, "position") or f"r{row}-p{index[k] + 1:02d}",
                    row=row, index=index[k], product=product.id, facings=wide, facings_high=high,
                    facings_deep=deep, box_xyxy=(x1, height - y2, x2, height - y1),
                    x_mm=x1, y_mm=y1,
                )
            )  # fmt: skip
    return tuple(out)


def _shelves(
    placed: Sequence[_Placed],
    boxes: Sequence[_Box],
    levels: Mapping[int, float],
    width: float,
    height: float,
    file: str,
) -> tuple[Shelf, ...]:
    out = []
    for row, level in levels.items():
        mine = [k for k, each in enumerate(placed) if each[1] == row]
        tall = sorted(placed[k][2].height_mm or 1.0 for k in mine)
        left = min(0.0, *(boxes[k][0] for k in mine))
        right = max(width, *(boxes[k][2] for k in mine))
        out.append(
            Shelf(
                row=row, line_xyxy=(left, height - level, right, height - level),
                height=tall[len(tall) // 2],
                main_visual=any(_yes(placed[k][0], file, "main_visual") for k in mine),
            )
        )  # fmt: skip
    return tuple(out)


def _kept(lines: Sequence[Line], positions: Sequence[Position], more: Sequence[str]) -> Kept | None:
    rows = {
        position.id: {column: line.cells[column] for column in more if line.cells.get(column)}
        for line, position in zip(lines, positions, strict=True)
    }
    return packed(FORMAT, {"columns": list(more), "rows": rows}) if more else None


def rows_of(planograms: Sequence[Planogram]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of some planograms; columns of which nothing is known are left out.

    Raises:
        BadPlanogram: one is in pixels, or what was kept of a file is damaged.
    """
    told: list[dict[str, str]] = []
    more: dict[str, None] = {}
    languages: dict[str, None] = {}
    for planogram in planograms:
        if planogram.unit != "mm":
            raise Place(f"planogram {planogram.id}").wrong(
                "is in pixels of a photo; a table needs sizes: say how wide the bay is with "
                "--width-mm"
            )
        kept: Mapping[str, Mapping[str, str]] = {}
        if planogram.kept is not None and planogram.kept.format == FORMAT:
            was = unpacked(planogram.kept, f"planogram {planogram.id}")
            kept = was["rows"]
            more |= dict.fromkeys(was["columns"])
        numbers = Counter(product.sku for product in planogram.products)
        shared = {sku for sku, times in numbers.items() if times > 1}
        for position in planogram.in_order:
            product = planogram.product_at(position)
            languages |= {f"{_NAME_PREFIX}{code}": None for code in product.names}
            row = _row(planogram, position, product)
            if product.sku in shared:
                row["product"] = product.id
            told.append({**row, **kept.get(position.id, {})})
    known = [column.name for column in COLUMNS if not column.name.startswith(_NAME_PREFIX)]
    at = known.index("product_name") + 1
    header = [*known[:at], *languages, *known[at:], *more]
    header = [
        column
        for column in header
        if column in _NEEDED or column in more or any(row.get(column) for row in told)
    ]
    return header, [[row.get(column, "") for column in header] for row in told]


def _row(planogram: Planogram, position: Position, product: Product) -> dict[str, str]:
    x1, y2 = position.box_xyxy[0], position.box_xyxy[3]
    shelf = next(each for each in planogram.shelves if each.row == position.row)
    _, left, _, right = shelf.line_xyxy
    # Rows of one product must agree: where nothing says its size, its first place does for all.
    first = next(one for one in planogram.in_order if one.product == product.id)
    wide = (first.box_xyxy[2] - first.box_xyxy[0]) / first.facings
    high = (first.box_xyxy[3] - first.box_xyxy[1]) / first.facings_high
    return {
        "planogram": planogram.id,
        "planogram_name": planogram.name,
        "version": str(planogram.version),
        "starts_on": planogram.starts_on.isoformat() if planogram.starts_on else "",
        "bay": planogram.bay,
        "shops": "|".join(f"{each.shop}={'+'.join(each.bays)}" for each in planogram.assigned),
        "bay_width_mm": spelt(planogram.width),
        "bay_height_mm": spelt(planogram.height),
        "row": str(position.row),
        "shelf_y_mm": spelt(planogram.height - (left + right) / 2),
        "main_visual": "yes" if shelf.main_visual else "",
        "position": position.id,
        "sku": product.sku,
        "gtin": product.gtin or "",
        "product_name": product.name,
        **{f"{_NAME_PREFIX}{code}": name for code, name in product.names.items()},
        "brand": product.brand or "",
        "width_mm": spelt(product.width_mm or wide),
        "height_mm": spelt(product.height_mm or high),
        "depth_mm": spelt(product.depth_mm),
        "price": spelt(product.price),
        "currency": product.currency or "",
        "value_a_day": spelt(product.value_a_day),
        "main_push": "yes" if product.main_push else "",
        "facings_wide": str(position.facings),
        "facings_high": str(position.facings_high),
        "facings_deep": str(position.facings_deep),
        "x_mm": spelt(x1),
        "y_mm": spelt(planogram.height - y2),
    }


def spelt(value: float | None) -> str:
    """A number without needless digits; empty for None."""
    if value is None:
        return ""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
