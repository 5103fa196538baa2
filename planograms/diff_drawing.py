"""Draw two versions of a planogram one above the other, with what changed numbered. Pure."""

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from planograms.diff import Change
from planograms.model import Planogram

_WIDTH: Final = 1200.0
_MARGIN: Final = 24.0
_HIGH_MAX: Final = 620.0
_LINE: Final = 22.0
_GONE: Final = "#c0232c"
_NEW: Final = "#16834f"
_INK: Final = "#222222"


def diff_as_svg(old: Planogram, new: Planogram, found: Sequence[Change]) -> str:
    """A page as SVG: the old version, the new one, and the changes in words by their numbers."""
    parts: list[str] = []
    gone = {c.position: n for n, c in enumerate(found, 1) if c.kind == "place_gone" and c.position}
    came = {c.position: n for n, c in enumerate(found, 1) if c.kind != "place_gone" and c.position}
    top = _MARGIN
    for plan, marks, colour in ((old, gone, _GONE), (new, came, _NEW)):
        title = f"{plan.name}, version {plan.version}"
        parts.append(_text(_MARGIN, top + 18, title, size=20, bold=True))
        top = _bay(parts, plan, marks, colour, top + 36) + _MARGIN
    for number, change in enumerate(found, 1):
        parts.append(_text(_MARGIN, top + 14, f"{number}. {change.words.en}", size=15))
        top += _LINE
    if not found:
        parts.append(_text(_MARGIN, top + 14, "Nothing changed.", size=15))
        top += _LINE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {top + _MARGIN:g}" '
        "font-family=\"Helvetica, Arial, 'Noto Sans', 'Noto Sans CJK SC', sans-serif\">"
    )
    ground = f'<rect width="{_WIDTH:g}" height="{top + _MARGIN:g}" fill="#ffffff"/>'
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"


def _bay(
    parts: list[str], plan: Planogram, marks: dict[str, int], colour: str, top: float
) -> float:
    """Draw a bay below `top`; returns where it ends."""
    boxes = [position.box_xyxy for position in plan.positions]
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    high, foot = min(box[1] for box in boxes), max(box[3] for box in boxes)
    scale = min((_WIDTH - 2 * _MARGIN) / (right - left), _HIGH_MAX / (foot - high))
    for position in plan.in_order:
        x1, y1, x2, y2 = position.box_xyxy
        x, y = _MARGIN + (x1 - left) * scale, top + (y1 - high) * scale
        width, height = (x2 - x1) * scale, (y2 - y1) * scale
        number = marks.get(position.id)
        stroke, thick = (colour, 3.0) if number else ("#9aa3af", 0.8)
        name = escape(_plain(plan.product_at(position).name), {'"': "&quot;"})
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="#f4f5f7" stroke="{stroke}" stroke-width="{thick:g}">'
            f"<title>{name}</title></rect>"
        )
        if number:
            parts.append(
                _text(x + width / 2, y + height / 2 + 5, str(number), size=14, bold=True,
                      anchor="middle", fill=colour)
            )  # fmt: skip
    return top + (foot - high) * scale


def _text(
    x: float, y: float, text: str, *, size: float, bold: bool = False, anchor: str = "start",
    fill: str = _INK,
) -> str:  # fmt: skip
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" '
        f'text-anchor="{anchor}"{weight}>{escape(_plain(text))}</text>'
    )


def _plain(text: str) -> str:
    """Without signs that XML forbids."""
    return "".join(sign for sign in text if sign >= " " and sign not in "\ufffe\uffff")
