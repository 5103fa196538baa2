"""Draw findings onto a copy of the photo: numbered outlines, told apart by colour and by shape.

Never a filled box: the clerk must see what is meant. Writes no file.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from planograms.findings import Box, Finding
from planograms.pictures import Pixels
from storepulse.checklists import ChecklistItem, FindingKind

Colour = tuple[int, int, int]
Points = npt.NDArray[np.float64]

_VERMILION: Final = (213, 94, 0)
_BLUE: Final = (0, 114, 178)
_PURPLE: Final = (204, 121, 167)
_GREEN: Final = (0, 158, 115)
_ORANGE: Final = (230, 159, 0)
_SKY: Final = (86, 180, 233)
_GREY: Final = (120, 120, 120)

_STYLES: Final[dict[FindingKind, tuple[str, Colour, int]]] = {
    "missing": ("missing", _VERMILION, 0),
    "wrong_product": ("wrong product", _BLUE, 4),
    "misplaced": ("misplaced", _PURPLE, -4),
    "short": ("short", _SKY, 5),
    "extra": ("extra", _GREEN, 3),
    "unexpected": ("unexpected", _ORANGE, 6),
    "wrong_price": ("wrong price", _GREY, 8),
}
"""Name, colour (Okabe and Ito's, told apart with any colour vision), corners of the sign: 0 is a
circle, -4 a square on its tip."""

_HALO: Final = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Mark:
    """One numbered outline, in pixels of the full photo."""

    number: int
    kind: FindingKind
    box_xyxy_px: Box


def marks_of(listed: Sequence[Finding | ChecklistItem]) -> list[Mark]:
    """Number findings or checklist items as they are listed, from 1."""
    return [Mark(number, each.kind, each.box_xyxy_px) for number, each in enumerate(listed, 1)]


def draw_marks(rgb: Pixels, marks: Sequence[Mark], *, scale: float, note: str = "") -> Pixels:
    """A copy of the photo with outlines, and a strip below that says what they mean.

    Args:
        rgb: (h, w, 3).
        scale: pixels of `rgb` for one pixel of the full photo.
        note: words for the strip, such as what was not seen.
    Returns:
        (h + strip, w, 3).
    """
    height, width = rgb.shape[:2]
    thin = max(2, round(max(height, width) / 700))
    out = np.array(rgb)
    for mark in marks:
        _, colour, _ = _STYLES[mark.kind]
        outline = _outline(np.array(mark.box_xyxy_px) * scale, dashed=mark.kind == "missing")
        for ink, more in ((_HALO, thin), (colour, 0)):
            for piece in outline:
                _line(out, piece, ink, thin + more)
    image = Image.fromarray(out)
    canvas = ImageDraw.Draw(image)
    size = 9 * thin
    for mark in marks:
        x1, y1, _, _ = (value * scale for value in mark.box_xyxy_px)
        _sign(canvas, (min(max(x1, size), width - size), max(y1, size)), mark, thin)
    return np.concatenate([np.asarray(image), _strip(width, marks, note, thin)])


def _line(picture: Pixels, points: Points, colour: Colour, width: int) -> None:
    cv2.polylines(picture, [points.round().astype(np.int32)], False, colour, width, cv2.LINE_AA)


def _outline(box: Points, *, dashed: bool) -> list[Points]:
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]])
    if not dashed:
        return [corners]
    pieces = []
    for start, end in pairwise(corners):
        count = 2 * max(2, round(float(np.abs(end - start).sum()) / 24)) - 1
        steps = np.linspace(start, end, count + 1)
        pieces += [steps[k : k + 2] for k in range(0, count, 2)]
    return pieces


def _sign(canvas: ImageDraw.ImageDraw, middle: tuple[float, float], mark: Mark, thin: int) -> None:
    """The number inside an outline whose shape tells the kind."""
    _, colour, corners = _STYLES[mark.kind]
    radius = 8.0 * thin
    _shape(canvas, middle, radius, corners, _HALO, 2 * thin)
    _shape(canvas, middle, radius, corners, colour, thin)
    canvas.text(
        middle, str(mark.number), fill=colour, font=ImageFont.load_default(size=8 * thin),
        anchor="mm", stroke_width=max(1, thin // 2), stroke_fill=_HALO,
    )  # fmt: skip


def _shape(
    canvas: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    radius: float,
    corners: int,
    colour: Colour,
    width: int,
) -> None:
    x, y = middle
    if not corners:
        canvas.ellipse(
            (x - radius, y - radius, x + radius, y + radius), outline=colour, width=width
        )
        return
    turn = 0.0 if corners < 0 else np.pi / abs(corners) if corners % 2 == 0 else 0.0
    angles = np.arange(abs(corners)) * 2 * np.pi / abs(corners) - np.pi / 2 + turn
    reach = radius * 1.2
    points = [(x + reach * float(np.cos(a)), y + reach * float(np.sin(a))) for a in angles]
    canvas.line([*points, points[0], points[1]], fill=colour, width=width, joint="curve")


def _strip(width: int, marks: Sequence[Mark], note: str, thin: int) -> Pixels:
    """White, with each kind's sign, name and number, as many lines as it takes."""
    font = ImageFont.load_default(size=9 * thin)
    line = 26 * thin
    counts = Counter(mark.kind for mark in marks)
    entries = [(kind, f"{_STYLES[kind][0]}: {counts[kind]}") for kind in _STYLES if counts[kind]]
    words = note if entries else "as planned" + (f" · {note}" if note else "")
    places: list[tuple[float, float, FindingKind | None, str]] = []
    x, y = 10.0 * thin, line / 2
    for kind, text in [*entries, (None, words)] if words else entries:
        wide = (26 * thin if kind else 0) + font.getlength(text) + 18 * thin
        if x > 10 * thin and x + wide > width:
            x, y = 10.0 * thin, y + line
        places.append((x, y, kind, text))
        x += wide
    image = Image.new("RGB", (width, round(y + line / 2)), _HALO)
    canvas = ImageDraw.Draw(image)
    for x, y, kind, text in places:
        if kind is not None:
            _, colour, corners = _STYLES[kind]
            _shape(canvas, (x + 8 * thin, y), 7 * thin, corners, colour, thin)
            x += 26 * thin
        canvas.text((x, y), text, fill=(40, 40, 40), font=font, anchor="lm")
    return np.asarray(image)
