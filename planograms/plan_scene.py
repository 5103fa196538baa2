"""Lay a planogram out on a page: rectangles, lines, texts and pictures. Pure; renders nothing.

A page is 1,200 units wide. Goods stand where the plan says, each position with its product's
number and, where it fits, name; the list below has the rest. Main-push products carry a star and a
thick outline, so that a black-and-white print still tells them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

from planograms.model import Picture, Planogram, Position, Product, Shelf
from planograms.unfold import facings_of

Measure = Callable[[str, float], float]
"""Width of a text at a size, in page units."""

WIDTH: Final = 1200.0
_MARGIN: Final = 40.0
_LEFT: Final = 110.0
"""Where the bay begins: shelves are named left of it."""
_HEAD: Final = 100.0
_HIGH_MAX: Final = 1500.0
_BOARD: Final = 9.0
_INK: Final = "#222222"
_FAINT: Final = "#666666"
_PUSH: Final = "#b23a00"
_EYE: Final = "#fff4c2"
_LINE: Final = 21.0
_NAME_SIZES: Final = (13.0, 11.5, 10.0, 8.5)


@dataclass(frozen=True, slots=True)
class Rect:
    """An upright rectangle; `stroke` "" draws no outline, `fill` "" no inside."""

    x: float
    y: float
    width: float
    height: float
    fill: str = ""
    stroke: str = ""
    thick: float = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    fill: str


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; y is its middle."""

    x: float
    y: float
    text: str
    size: float
    fill: str = _INK
    anchor: str = "start"
    """start, middle or end: what of it lies at x."""
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture stretched into a box."""

    x: float
    y: float
    width: float
    height: float
    picture: Picture


Element = Rect | Shape | Text | Shown


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on the page, from the back to the front."""

    title: str
    width: float
    height: float
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class _Bay:
    """Where the bay lies on the page."""

    x: float
    y: float
    scale: float
    width: float
    height: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.scale, self.y + y * self.scale


def lay_out(planogram: Planogram, measure: Measure) -> Scene:
    """The page of a planogram."""
    bay = _fit(planogram)
    numbers = {product.id: number for number, product in enumerate(_in_order(planogram), 1)}
    colours = _colours(planogram)
    out: list[Element] = [Rect(0, 0, WIDTH, 0, fill="#ffffff")]
    out += _headline(planogram)
    out += _shelves(planogram, bay)
    for position in planogram.in_order:
        out += _position(planogram, position, bay, numbers, colours, measure)
    foot = bay.y + bay.height * bay.scale + 14
    if planogram.unit == "mm":
        out.append(
            Text(bay.x + bay.width * bay.scale / 2, foot + 8, f"{planogram.width:.0f} mm", 13,
                 _FAINT, "middle")
        )  # fmt: skip
    listed, end = _list(planogram, numbers, colours, measure, foot + 44)
    height = end + _MARGIN
    out[0] = Rect(0, 0, WIDTH, height, fill="#ffffff")
    return Scene(f"{planogram.name}, version {planogram.version}", WIDTH, height, (*out, *listed))


def _fit(planogram: Planogram) -> _Bay:
    boxes = [position.box_xyxy for position in planogram.positions]
    left = min(0.0, *(box[0] for box in boxes))
    top = min(0.0, *(box[1] for box in boxes))
    right = max(planogram.width, *(box[2] for box in boxes))
    foot = max(planogram.height, *(box[3] for box in boxes))
    scale = min((WIDTH - _LEFT - _MARGIN) / (right - left), _HIGH_MAX / (foot - top))
    return _Bay(_LEFT - left * scale, _HEAD - top * scale, scale, right, foot)


def _in_order(planogram: Planogram) -> list[Product]:
    """Products as one reads the bay: from the top shelf down, each from the left."""
    order = sorted(planogram.positions, key=lambda p: (-p.row, p.index))
    return [planogram.product_by_id[id_] for id_ in dict.fromkeys(p.product for p in order)]


def _colours(planogram: Planogram) -> dict[str, tuple[str, str]]:
    """Tint and ink of each product; one brand is one hue, two neighbours are never alike."""
    hues: dict[str, float] = {}
    shades: dict[str, int] = {}
    out = {}
    for product in _in_order(planogram):
        family = product.brand or product.id
        hue = hues.setdefault(family, len(hues) * 137.5 % 360)
        shade = shades[family] = shades.get(family, -1) + 1
        out[product.id] = (_rgb(hue, 0.55, 0.93 - 0.055 * (shade % 4)), _rgb(hue, 0.6, 0.32))
    return out


def _rgb(hue: float, saturation: float, lightness: float) -> str:
    """A colour as #rrggbb."""
    spread = saturation * min(lightness, 1 - lightness)

    def part(offset: float) -> int:
        k = (offset + hue / 30) % 12
        return round(255 * (lightness - spread * max(-1.0, min(k - 3, 9 - k, 1.0))))

    return f"#{part(0):02x}{part(8):02x}{part(4):02x}"


def _headline(planogram: Planogram) -> list[Element]:
    told = [f"version {planogram.version}", f"bay {planogram.bay}"]
    if planogram.starts_on is not None:
        told.append(f"from {planogram.starts_on:%d %B %Y}")
    if planogram.unit == "mm":
        told.append(f"{planogram.width:.0f} x {planogram.height:.0f} mm")
    facings = sum(p.facings * p.facings_high for p in planogram.positions)
    told.append(f"{len(planogram.products)} products, {facings} facings")
    if planogram.published_at is None and planogram.source == "plan":
        told.append("draft")
    return [
        Text(_MARGIN, 38, planogram.name, 26, bold=True),
        Text(_MARGIN, 68, "  ·  ".join(told), 14, _FAINT),
    ]


def _shelves(planogram: Planogram, bay: _Bay) -> list[Element]:
    out: list[Element] = []
    right = bay.x + bay.width * bay.scale
    rows = sorted(planogram.shelves, key=lambda shelf: shelf.row)
    for shelf in rows:
        if shelf.main_visual:
            top, foot = _span(planogram, shelf, bay)
            out.append(Rect(bay.x, top, right - bay.x, foot - top, fill=_EYE))
    if planogram.unit == "mm":
        out.append(Rect(bay.x, bay.y, right - bay.x, bay.height * bay.scale, stroke="#bbbbbb"))
    for shelf in rows:
        x1, y1, x2, y2 = shelf.line_xyxy
        (left, a), (end, b) = bay.at(x1, y1), bay.at(x2, y2)
        left, end = max(left, bay.x - 4), min(end, right + 4)
        out.append(Shape(((left, a), (end, b), (end, b + _BOARD), (left, a + _BOARD)), "#8c8c8c"))
        # Shelves are counted from the foot of the bay, as everywhere.
        level = min(max(a, _HEAD + 8), bay.y + bay.height * bay.scale - 8)
        out.append(Text(_LEFT - 14, level - 18, f"shelf {shelf.row + 1}", 13, anchor="end"))
        if planogram.unit == "mm":
            height = planogram.height - (y1 + y2) / 2
            out.append(Text(_LEFT - 14, level - 2, f"{height:.0f} mm", 11, _FAINT, "end"))
        if shelf.main_visual:
            out.append(Text(_LEFT - 14, level - 34, "eye level", 11, "#806000", "end", True))
    return out


def _span(planogram: Planogram, shelf: Shelf, bay: _Bay) -> tuple[float, float]:
    mine = [p.box_xyxy for p in planogram.positions if p.row == shelf.row]
    top = min((box[1] for box in mine), default=shelf.line_xyxy[1] - shelf.height)
    foot = max(shelf.line_xyxy[1], shelf.line_xyxy[3])
    return bay.at(0, top)[1] - 8, bay.at(0, foot)[1]


def _position(
    planogram: Planogram,
    position: Position,
    bay: _Bay,
    numbers: dict[str, int],
    colours: dict[str, tuple[str, str]],
    measure: Measure,
) -> list[Element]:
    product = planogram.product_at(position)
    tint, ink = colours[product.id]
    out: list[Element] = []
    for facing in facings_of(position):
        (x1, y1), (x2, y2) = bay.at(*facing.box_xyxy[:2]), bay.at(*facing.box_xyxy[2:])
        inset = min(1.0, (x2 - x1) / 10)
        box = (x1 + inset, y1 + inset, x2 - x1 - 2 * inset, y2 - y1 - 2 * inset)
        out.append(Rect(*box, fill=tint, stroke=ink, thick=0.8))
        if product.pictures:
            out.append(Shown(*box, product.pictures[0]))
    (x1, y1), (x2, y2) = bay.at(*position.box_xyxy[:2]), bay.at(*position.box_xyxy[2:])
    if product.main_push:
        out.append(Rect(x1 + 1, y1 + 1, x2 - x1 - 2, y2 - y1 - 2, stroke=_PUSH, thick=2.5))
    out += _label(product, position, (x1, y1, x2, y2), numbers[product.id], ink, measure)
    if product.main_push:
        out.append(_star(x2 - 11, y1 + 11, 8))
    return out


def _label(
    product: Product,
    position: Position,
    box: tuple[float, float, float, float],
    number: int,
    ink: str,
    measure: Measure,
) -> list[Element]:
    x1, y1, x2, y2 = box
    wide, high = x2 - x1, y2 - y1
    out: list[Element] = []
    radius = 9.0 if number < 100 else 11.0
    if wide < 2 * radius + 2 or high < 2 * radius + 2:
        size = max(5.0, min(wide / 1.6, high / 1.3, 10.0))
        tag = measure(str(number), size) + 3
        if product.pictures:
            out.append(Rect(x1 + wide / 2 - tag / 2, y2 - size - 4, tag, size + 2, fill="#ffffff"))
            return [*out, Text(x1 + wide / 2, y2 - size / 2 - 3, str(number), size, _INK, "middle")]
        return [Text(x1 + wide / 2, y1 + high / 2, str(number), size, _INK, "middle", True)]
    cx, cy = x1 + radius + 3, y1 + radius + 3
    if product.pictures:
        # On a picture words are unreadable: the number alone, on white.
        tag = measure(str(number), 11) + 6
        return [
            Rect(x1 + 2, y1 + 2, tag, 15, fill="#ffffff", stroke=ink, thick=0.6),
            Text(x1 + 2 + tag / 2, y1 + 9.5, str(number), 11, _INK, "middle", True),
        ]
    out.append(Text(cx - radius + 2, cy, str(number), 12, ink, "start", True))
    counts = f"{position.facings} x {position.facings_high} x {position.facings_deep}"
    if (position.facings, position.facings_high, position.facings_deep) == (1, 1, 1):
        counts = ""
    # Below the number, or, on what is low and wide, beside it.
    below = (x1 + 5, y1 + 2 * radius + 3, x2 - 5, y2 - 5)
    beside = (x1 + 2 * radius + 8, y1 + 5, x2 - (22 if product.main_push else 5), y2 - 5)
    tried = [_words(product.name, counts, room, measure) for room in (below, beside)]
    best = max(tried, key=lambda words: (bool(words), words[0].size if words else 0.0))
    if best:
        left = min(text.x - measure(text.text, text.size) / 2 for text in best) - 4
        right = max(text.x + measure(text.text, text.size) / 2 for text in best) + 4
        top, foot = best[0].y - best[0].size * 0.75, best[-1].y + best[-1].size * 0.75
        # A plain ground: the outlines of facings would run through the words.
        out.append(
            Rect(max(left, x1 + 4), top, min(right, x2 - 4) - max(left, x1 + 4), foot - top,
                 fill="#ffffff")
        )  # fmt: skip
    return [*out, *best]


def _words(
    name: str, counts: str, room: tuple[float, float, float, float], measure: Measure
) -> list[Text]:
    """The name, and the facings where they fit too, in the middle of a room; none if too small."""
    x1, y1, x2, y2 = room
    lines, size = wrapped(name, (x2 - x1, y2 - y1), measure)
    if not lines:
        return []
    told = [(line, size, _INK) for line in lines]
    small = max(7.5, size - 2)
    tall = len(lines) * size * 1.2
    if counts and measure(counts, small) <= x2 - x1 and tall + small * 1.3 <= y2 - y1:
        told.append((counts, small, _FAINT))
        tall += small * 1.3
    out, y = [], (y1 + y2) / 2 - tall / 2
    for text, high, ink in told:
        out.append(Text((x1 + x2) / 2, y + high * 0.6, text, high, ink, "middle"))
        y += high * 1.2
    return out


def wrapped(text: str, room: tuple[float, float], measure: Measure) -> tuple[list[str], float]:
    """A text in lines that fit a room, as large as goes; no lines where none fits.

    Text without spaces (Chinese) may break anywhere.
    """
    for size in _NAME_SIZES:
        lines: list[str] = []
        for word in text.split():
            if lines and measure(f"{lines[-1]} {word}", size) <= room[0]:
                lines[-1] = f"{lines[-1]} {word}"
                continue
            for part in _broken(word, room[0], size, measure):
                lines.append(part)
        fits = len(lines) * size * 1.2 <= room[1]
        if fits and all(measure(line, size) <= room[0] for line in lines):
            return lines, size
    return [], _NAME_SIZES[-1]


def _broken(word: str, wide: float, size: float, measure: Measure) -> Sequence[str]:
    if word.isascii() or measure(word, size) <= wide:
        return [word]
    out = [""]
    for sign in word:
        if out[-1] and measure(out[-1] + sign, size) > wide:
            out.append("")
        out[-1] += sign
    return out


def _star(x: float, y: float, radius: float) -> Shape:
    points = []
    for k in range(10):
        reach = radius if k % 2 == 0 else radius * 0.42
        turn = -pi / 2 + k * pi / 5
        points.append((x + reach * cos(turn), y + reach * sin(turn)))
    return Shape(tuple(points), _PUSH)


def _list(
    planogram: Planogram,
    numbers: dict[str, int],
    colours: dict[str, tuple[str, str]],
    measure: Measure,
    top: float,
) -> tuple[list[Element], float]:
    """The products with their numbers, in two columns; and where the list ends."""
    facings: dict[str, int] = {}
    for position in planogram.positions:
        many = position.facings * position.facings_high
        facings[position.product] = facings.get(position.product, 0) + many
    products = sorted(
        (planogram.product_by_id[id_] for id_ in numbers), key=lambda p: numbers[p.id]
    )
    columns = 2 if len(products) > 6 else 1
    rows = -(-len(products) // columns)
    wide = (WIDTH - 2 * _MARGIN) / columns
    out: list[Element] = []
    for column in range(columns):
        left = _MARGIN + column * wide
        out += [
            Text(left + 42, top, "product", 11, _FAINT),
            Text(left + wide - 130, top, "number", 11, _FAINT, "end"),
            Text(left + wide - 24, top, "facings", 11, _FAINT, "end"),
        ]
    for k, product in enumerate(products):
        left = _MARGIN + k // rows * wide
        y = top + 22 + k % rows * _LINE
        tint, ink = colours[product.id]
        out += [
            Rect(left, y - 8, 34, 16, fill=tint, stroke=ink, thick=0.8),
            Text(left + 17, y, str(numbers[product.id]), 12, _INK, "middle", True),
        ]
        if product.main_push:
            out.append(_star(left + 48, y, 7))
        begin = left + (60 if product.main_push else 42)
        code = product.sku
        end = left + wide - 130 - measure(code, 12) - 12
        words = (
            product.name if product.brand in (None, "") else f"{product.name}  ({product.brand})"
        )
        out += [
            Text(begin, y, _cut(words, end - begin, 13, measure), 13),
            Text(left + wide - 130, y, code, 12, _FAINT, "end"),
            Text(left + wide - 24, y, str(facings.get(product.id, 0)), 13, _INK, "end"),
        ]
    return out, top + 22 + rows * _LINE


def _cut(text: str, wide: float, size: float, measure: Measure) -> str:
    if measure(text, size) <= wide:
        return text
    while text and measure(text + "…", size) > wide:
        text = text[:-1]
    return text.rstrip() + "…"
