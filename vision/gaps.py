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

from vision.observation import Box, Gap, Row
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

COVERED_AREA_MAX: Final = 0.4
"""A gap's box may lie so far under facings of other rows."""
FLOAT_SHARE_MAX: Final = 0.1
"""A pack whose bottom is no higher above a gap, of the gap's height, would float on it."""
COLUMN_MIN: Final = 3
COLUMN_SHARE_MIN: Final = 0.45
"""So many stretches that share so much of their extent, row above row, are rather a post."""
BOARD_LIKE: Final = 14.0
"""Colours of one board differ by less: in real gaps of eight val photos by 0 to 13, at posts and
door frames by 12 to 160."""


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gap could be."""

    box_xyxy_px: Box
    row: int | None
    """Index of the row on which it stands."""


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
    stretches = _stretches(boxes, rows)
    places = _free(stretches, boxes, rgb, scale)
    scored = _scored(places, stretches, boxes, weak, rgb, scale)
    return _without_doubles([gap for score, gap in scored if score >= score_min])


def free_places(
    boxes_px: NDArray[np.floating],
    rows: Rows,
    *,
    weak_px: NDArray[np.floating],
    rgb: Pixels,
    scale: float,
) -> tuple[Place, ...]:
    """Every uncovered stretch of a row, however it looks: the places of `find_gaps` from 0 on.

    Pixels are looked at only where stretches of two rows lie over one another and the surer one
    is to stay: most do not, and looking at all of them takes longer than all else here.

    Args:
        boxes_px, rows, weak_px, rgb, scale: as those of `find_gaps`.
    """
    boxes = np.asarray(boxes_px, np.float64).reshape(-1, 4)
    weak = np.asarray(weak_px, np.float64).reshape(-1, 4)
    stretches = _stretches(boxes, rows)
    places = _free(stretches, boxes, rgb, scale)
    edges = np.array([box for _, box in places]).reshape(-1, 4)
    contested = _overlapping(edges)
    rivals = [place for place, shared in zip(places, contested, strict=True) if shared]
    kept = [
        Place(box, stretches[number].row.index)
        for (number, box), shared in zip(places, contested, strict=True)
        if not shared
    ]
    scored = _scored(rivals, stretches, boxes, weak, rgb, scale)
    surer = _without_doubles([gap for _, gap in scored])
    return (*kept, *(Place(gap.box_xyxy_px, gap.row) for gap in surer))


def _free(
    stretches: list[_Stretch], boxes: Floats, rgb: Pixels, scale: float
) -> list[tuple[int, Box]]:
    """The stretches that can be bare, by their number, each with the box of a gap there."""
    places = []
    for number, stretch in enumerate(stretches):
        box = _box(stretch, rgb.shape[1] / scale, rgb.shape[0] / scale)
        if (
            box is not None
            and _area_covered(box, boxes) <= COVERED_AREA_MAX
            and not _under_a_pack(box, boxes)
        ):
            places.append((number, box))
    return places


def _scored(
    places: list[tuple[int, Box]],
    stretches: list[_Stretch],
    boxes: Floats,
    weak: Floats,
    rgb: Pixels,
    scale: float,
) -> list[tuple[float, Gap]]:
    """Those places as gaps, which tell thousandths, and how sure each is."""
    if not places:
        return []
    columns = _columns(stretches)
    scored = []
    for number, box in places:
        score = _score(stretches[number], box, boxes, weak, rgb, scale, columns[number])
        scored.append((score, Gap(box, round(score, 3), stretches[number].row.index)))
    return scored


def _overlapping(boxes: Floats) -> NDArray[np.bool_]:
    """(n,) which of (n, 4) boxes share any area with another one."""
    wide, tall = (
        np.minimum(boxes[:, None, axis + 2], boxes[None, :, axis + 2])
        - np.maximum(boxes[:, None, axis], boxes[None, :, axis])
        for axis in (0, 1)
    )
    shared = (wide > 0) & (tall > 0)
    np.fill_diagonal(shared, False)
    return np.asarray(shared.any(axis=1), np.bool_)


def _under_a_pack(box: Box, boxes: Floats) -> bool:
    """Packs do not float: below one that no board holds, there is another, seen or not."""
    x1, y1, x2, y2 = box
    wide = np.minimum(boxes[:, 2], x2) - np.maximum(boxes[:, 0], x1)
    held = (boxes[:, 3] > y1 - FLOAT_SHARE_MAX * (y2 - y1)) & (boxes[:, 3] < y2)
    return bool((held & (wide > 0.5 * (x2 - x1))).any())


def _without_doubles(gaps: list[Gap]) -> tuple[Gap, ...]:
    """The surest first; of two rows' gaps in one place the surer."""
    kept: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: -gap.score):
        others = np.array([other.box_xyxy_px for other in kept]).reshape(-1, 4)
        if _area_covered(gap.box_xyxy_px, others) < 0.5:
            kept.append(gap)
    return tuple(kept)


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


def _columns(stretches: list[_Stretch]) -> list[int]:
    """For each stretch how many, itself among them, lie above one another from row to row.

    Posts, door frames and the ends of bays cut through the rows at one place; sold-out products
    rarely do.
    """
    group = list(range(len(stretches)))
    for a, first in enumerate(stretches):
        for b, second in enumerate(stretches[:a]):
            apart = abs(line_y(first.row, first.left) - line_y(second.row, second.left))
            low, high = sorted((first.height, second.height))
            shared = min(first.right, second.right) - max(first.left, second.left)
            joined = max(first.right, second.right) - min(first.left, second.left)
            if 0.3 * low < apart < 3.5 * high and shared > COLUMN_SHARE_MIN * joined:
                group = [group[b] if each == group[a] else each for each in group]
    return [group.count(each) for each in group]


def _beside(boxes: Floats, own: NDArray[np.intp], x: float) -> NDArray[np.intp]:
    middle = (boxes[own, 0] + boxes[own, 2]) / 2
    order = own[np.argsort(abs(middle - x), kind="stable")]
    left = [number for number in order if (boxes[number, 0] + boxes[number, 2]) / 2 < x]
    right = [number for number in order if (boxes[number, 0] + boxes[number, 2]) / 2 >= x]
    return np.array(left[:NEIGHBOURS] + right[:NEIGHBOURS], np.intp)


def _box(stretch: _Stretch, width_px: float, height_px: float) -> Box | None:
    foot = line_y(stretch.row, (stretch.left + stretch.right) / 2)
    top, foot = max(0.0, foot - stretch.height), min(foot, height_px)
    left, right = max(0.0, stretch.left), min(stretch.right, width_px)
    if right - left < 1 or foot - top < 1:
        return None
    return left, top, right, foot


def _score(
    stretch: _Stretch,
    box: Box,
    boxes: Floats,
    weak: Floats,
    rgb: Pixels,
    scale: float,
    column: int,
) -> float:
    """From 0 to 1 how sure it is that the stretch is bare."""
    wide = (stretch.right - stretch.left) / stretch.facing_width
    own = _looks(rgb, box, scale)
    packs = np.array([_looks(rgb, tuple(boxes[number]), scale) for number in stretch.beside])
    light, busy, colour = np.median(packs, axis=0)
    # Bare shelf is darker, smoother and greyer than the packs beside it. Logarithms: shares count.
    darker = float(np.log((light + 8) / (own[0] + 8)))
    smoother = float(np.log((busy + 1.5) / (own[1] + 1.5)))
    greyer = float(np.log((colour + 3) / (own[2] + 3)))
    seen = _share_covered(box, weak)
    broken = _board_broken(stretch, rgb, scale)
    evidence = (
        -1.2
        + 1.0 * min(wide - WIDTH_SHARE_MIN, 1.0)
        + 1.6 * np.clip(darker, -0.6, 1.0)
        + 1.6 * np.clip(smoother, -0.8, 1.2)
        + 0.5 * np.clip(greyer, -0.8, 1.0)
        - 3.0 * seen
        - min(max(broken - BOARD_LIKE, 0) / BOARD_LIKE, 2.0)
        - (1.0 if column >= COLUMN_MIN else 0.0) * (2 if broken > BOARD_LIKE else 1)
        - (1.0 if stretch.at_end else 0.0)
    )
    return float(1 / (1 + np.exp(-2 * evidence)))


def _board_broken(stretch: _Stretch, rgb: Pixels, scale: float) -> float:
    """How unlike (in CIE Lab of 8 bits) the board's front is under the stretch and beside it.

    Under bare shelf the board goes on; at a post or a door frame it does not.
    """
    wide = stretch.right - stretch.left

    def front(left: float, right: float) -> Floats | None:
        line = line_y(stretch.row, (left + right) / 2)
        top, foot = line + 0.04 * stretch.height, line + 0.22 * stretch.height
        left, top, right, foot = (max(round(edge * scale), 0) for edge in (left, top, right, foot))
        part = _lab(rgb[top:foot, left:right]).reshape(-1, 3)
        return np.median(part, axis=0) if len(part) else None

    under = front(stretch.left + 0.25 * wide, stretch.right - 0.25 * wide)
    facing = stretch.facing_width
    before = front(stretch.left - 1.2 * facing, stretch.left - 0.2 * facing)
    after = front(stretch.right + 0.2 * facing, stretch.right + 1.2 * facing)
    beside = [part for part in (before, after) if part is not None]
    if under is None or not beside:
        return 0.0
    beside.append(np.mean(beside, axis=0))
    return float(min(np.linalg.norm(under - part) for part in beside))


def _looks(rgb: Pixels, box: tuple[float, ...], scale: float) -> tuple[float, float, float]:
    """Lightness, busyness (mean step between pixels) and strength of colour, all 0 to 255."""
    x1, y1, x2, y2 = (round(edge * scale) for edge in box)
    inset_x, inset_y = (x2 - x1) // 8, (y2 - y1) // 8
    part = _lab(
        rgb[max(y1 + inset_y, 0) : max(y2 - inset_y, 2), max(x1 + inset_x, 0) : x2 - inset_x]
    )
    if part.shape[0] < 2 or part.shape[1] < 2:
        return 0.0, 0.0, 0.0
    light = part[:, :, 0].astype(np.float32)
    busy = (abs(np.diff(light, axis=0)).mean() + abs(np.diff(light, axis=1)).mean()) / 2
    colour = abs(part[:, :, 1:].astype(np.float32) - 128).mean()
    return float(light.mean()), float(busy), float(colour)


def _lab(rgb: Pixels) -> Pixels:
    """In CIE Lab of 8 bits; only the parts that are looked at, not the whole photo."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8) if rgb.size else rgb


def _share_covered(box: Box, others: Floats) -> float:
    """Share of the box's width in which some other box covers at least half of its height."""
    x1, y1, x2, y2 = box
    tall = np.minimum(others[:, 3], y2) - np.maximum(others[:, 1], y1)
    over = others[tall > 0.5 * (y2 - y1)][:, [0, 2]]
    free = sum(end - start for start, end in _uncovered(over, x1, x2))
    return 1 - free / (x2 - x1)


def _area_covered(box: Box, others: Floats) -> float:
    """Share of the box's area under other boxes; counts twice where those overlap."""
    x1, y1, x2, y2 = box
    wide = np.minimum(others[:, 2], x2) - np.maximum(others[:, 0], x1)
    tall = np.minimum(others[:, 3], y2) - np.maximum(others[:, 1], y1)
    return float((wide.clip(0) * tall.clip(0)).sum() / ((x2 - x1) * (y2 - y1)))
