"""Find the stretches of a row that no facing covers. Pure: boxes and pixels in, gaps out.

Thin by intent: a stretch is judged by its width, by weak answers of the detector in it, and by how
little its pixels look like the packs beside it. A gap model that was trained comes later. A shelf
without any facing left is not seen, for there is no row.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.observation import Gap, Row
from vision.photos import Pixels
from vision.rows import Rows

Floats = NDArray[np.float64]

WIDTH_SHARE_MIN: Final = 0.6
"""Narrower stretches, in widths of the facings beside them, are joints between packs."""
NEIGHBOURS: Final = 3
"""Facings looked at on each side of a stretch."""
BAND: Final = (0.15, 0.75)
"""Part of a row's height, from its line up, in which a facing must lie to cover a stretch: the
foot of a stretch may show the price rail, its head the shelf above."""
SCORE_MIN: Final = 0.5
"""Below it a stretch is more likely a facing that was missed than bare shelf."""
WEAK_SCORE_MIN: Final = 0.08
"""The detector's answers from here up speak against a gap, though too weak for a facing."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    row: Row
    left: float
    right: float
    height: float
    """Of the facings beside it."""
    facing_width: float
    beside: tuple[int, ...]
    """Indexes of the facings beside it, both sides."""
    at_end: bool


def find_gaps(
    boxes_px: NDArray[np.floating],
    rows: Rows,
    *,
    weak_px: NDArray[np.floating],
    rgb: Pixels,
    scale: float,
    score_min: float = SCORE_MIN,
) -> tuple[Gap, ...]:
    """The uncovered stretches of each row that look bare.

    Args:
        boxes_px: (n, 4) the facings, in the photo's full pixels.
        rows: the rows of these facings.
        weak_px: (m, 4) what the detector half saw, same pixels; may hold the facings too.
        rgb: the photo at working size.
        scale: working pixels for each full pixel.
        score_min: surer gaps only; 0 gives every stretch with its score.
    Returns:
        Gaps, the surest first; none when every row is full.
    """
    boxes = np.asarray(boxes_px, np.float64).reshape(-1, 4)
    weak = np.asarray(weak_px, np.float64).reshape(-1, 4)
    lightness = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    found = []
    for stretch in _stretches(boxes, rows):
        box = _box(stretch, rgb.shape[1] / scale, rgb.shape[0] / scale)
        if box is None:
            continue
        score = _score(stretch, box, boxes, weak, lightness, scale)
        if score >= score_min:
            found.append(Gap(box, round(score, 3), stretch.row.index))
    return tuple(sorted(found, key=lambda gap: -gap.score))


def line_y(row: Row, x: float) -> float:
    """Height of the row's line at x, in the photo's pixels; continued beyond its ends."""
    x1, y1, x2, y2 = row.line_xyxy_px
    return y1 + (y2 - y1) * (x - x1) / max(x2 - x1, 1e-6)


def _stretches(boxes: Floats, rows: Rows) -> list[_Stretch]:
    found: list[_Stretch] = []
    for row in rows.rows:
        own = np.flatnonzero(rows.row_of == row.index)
        covered = _covered(boxes, row)
        left_end, right_end = boxes[own, 0].min(), boxes[own, 2].max()
        bounds = [
            (left, right, False)
            for left, right in _uncovered(covered, float(left_end), float(right_end))
        ]
        bounds += [(left, right, True) for left, right in _ends(row, rows, covered)]
        for left, right, at_end in bounds:
            beside = _beside(boxes, own, (left + right) / 2)
            width = float(np.median(boxes[beside, 2] - boxes[beside, 0]))
            if right - left >= WIDTH_SHARE_MIN * width:
                height = float(np.median(boxes[beside, 3] - boxes[beside, 1]))
                found.append(_Stretch(row, left, right, height, width, tuple(beside), at_end))
    return found


def _covered(boxes: Floats, row: Row) -> Floats:
    """(k, 2) from-to in x of the facings, of any row, that reach into this row's band."""
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    x1, y1, x2, y2 = row.line_xyxy_px
    line = y1 + (y2 - y1) * (middle - x1) / max(x2 - x1, 1e-6)
    foot, head = line - BAND[0] * row.height_px, line - BAND[1] * row.height_px
    inside = np.minimum(boxes[:, 3], foot) - np.maximum(boxes[:, 1], head)
    return boxes[inside > 0.4 * (foot - head)][:, [0, 2]]


def _uncovered(covered: Floats, left: float, right: float) -> list[tuple[float, float]]:
    """The parts of left..right that no interval covers, left to right."""
    free, at = [], left
    for start, end in covered[np.argsort(covered[:, 0], kind="stable")]:
        if start > at:
            free.append((at, min(float(start), right)))
        at = max(at, float(end))
        if at >= right:
            break
    if at < right:
        free.append((at, right))
    return [(start, end) for start, end in free if end > start]


def _ends(row: Row, rows: Rows, covered: Floats) -> list[tuple[float, float]]:
    """Stretches beyond a row's ends that lie inside the bay: the rows above and below go on."""
    beside = [other for other in rows.rows if abs(other.index - row.index) == 1]
    if len(beside) < 2:
        return []
    left, _, right, _ = row.line_xyxy_px
    bay_left = max(other.line_xyxy_px[0] for other in beside)
    bay_right = min(other.line_xyxy_px[2] for other in beside)
    free = []
    if bay_left < left:
        free += _uncovered(covered, bay_left, left)[-1:]
    if bay_right > right:
        free += _uncovered(covered, right, bay_right)[:1]
    return free


def _beside(boxes: Floats, own: NDArray[np.intp], x: float) -> NDArray[np.intp]:
    middle = (boxes[own, 0] + boxes[own, 2]) / 2
    order = own[np.argsort(abs(middle - x), kind="stable")]
    left = [number for number in order if (boxes[number, 0] + boxes[number, 2]) / 2 < x]
    right = [number for number in order if (boxes[number, 0] + boxes[number, 2]) / 2 >= x]
    return np.array(left[:NEIGHBOURS] + right[:NEIGHBOURS], np.intp)


def _box(
    stretch: _Stretch, width_px: float, height_px: float
) -> tuple[float, float, float, float] | None:
    foot = line_y(stretch.row, (stretch.left + stretch.right) / 2)
    top, foot = max(0.0, foot - stretch.height), min(foot, height_px)
    left, right = max(0.0, stretch.left), min(stretch.right, width_px)
    if right - left < 1 or foot - top < 1:
        return None
    return left, top, right, foot


def _score(
    stretch: _Stretch,
    box: tuple[float, float, float, float],
    boxes: Floats,
    weak: Floats,
    lab: Pixels,
    scale: float,
) -> float:
    """From 0 to 1 how sure it is that the stretch is bare."""
    wide = (stretch.right - stretch.left) / stretch.facing_width
    own = _looks(lab, box, scale)
    packs = np.array([_looks(lab, tuple(boxes[number]), scale) for number in stretch.beside])
    light, busy, colour = np.median(packs, axis=0)
    # Bare shelf is darker, smoother and greyer than the packs beside it. Logarithms: shares count.
    darker = float(np.log((light + 8) / (own[0] + 8)))
    smoother = float(np.log((busy + 1.5) / (own[1] + 1.5)))
    greyer = float(np.log((colour + 3) / (own[2] + 3)))
    seen = _share_covered(box, weak)
    evidence = (
        -1.2
        + 1.0 * min(wide - WIDTH_SHARE_MIN, 1.0)
        + 1.6 * np.clip(darker, -0.6, 1.0)
        + 1.6 * np.clip(smoother, -0.8, 1.2)
        + 0.5 * np.clip(greyer, -0.8, 1.0)
        - 3.0 * seen
        - (1.0 if stretch.at_end else 0.0)
    )
    return float(1 / (1 + np.exp(-2 * evidence)))


def _looks(lab: Pixels, box: tuple[float, ...], scale: float) -> tuple[float, float, float]:
    """Lightness, busyness (mean step between pixels) and strength of colour, all 0 to 255."""
    x1, y1, x2, y2 = (round(edge * scale) for edge in box)
    inset_x, inset_y = (x2 - x1) // 8, (y2 - y1) // 8
    part = lab[max(y1 + inset_y, 0) : max(y2 - inset_y, 2), max(x1 + inset_x, 0) : x2 - inset_x]
    if part.shape[0] < 2 or part.shape[1] < 2:
        return 0.0, 0.0, 0.0
    light = part[:, :, 0].astype(np.float32)
    busy = (abs(np.diff(light, axis=0)).mean() + abs(np.diff(light, axis=1)).mean()) / 2
    colour = abs(part[:, :, 1:].astype(np.float32) - 128).mean()
    return float(light.mean()), float(busy), float(colour)


def _share_covered(box: tuple[float, float, float, float], others: Floats) -> float:
    """Share of the box's width in which some other box covers at least half of its height."""
    x1, y1, x2, y2 = box
    tall = np.minimum(others[:, 3], y2) - np.maximum(others[:, 1], y1)
    over = others[tall > 0.5 * (y2 - y1)][:, [0, 2]]
    free = sum(end - start for start, end in _uncovered(over, x1, x2))
    return 1 - free / (x2 - x1)
