"""Figures of a photo from what the detector saw on it, some 1 ms of work. Judges nothing.

How large facings are, and how many are only half seen (a photo from too far away); which sides of
the photo no facing reaches while others are cut, and what is there (a camera that points past the
bay).

Lengths are shares of the picture's long side, so that its size changes nothing.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detector import Found
from vision.photos import Pixels

Floats = NDArray[np.float64]
Mask = NDArray[np.uint8]
Named = Iterator[tuple[str, float]]

MAP_PX: Final = 160
"""Long side of the maps of what is covered, light and rough."""
_QUIET: Final = 0.4
"""A place that changes by less than this share of what packs do, from pixel to pixel, is plain."""
_ROUGH_MAX: Final = 3.0
"""Rougher than the packs themselves by more: hardly anything is covered, and it is not to outweigh
all else."""
_TOUCHES: Final = 0.008
"""A facing that ends so near the photo's edge is cut by it."""
_REACHED: Final = 0.12
"""A side is reached where facings cover so much of a line along it."""
_LIGHT: Final = 190
_SMOOTH: Final = 6
"""Of 255: places that are light and change little from pixel to pixel are washed out."""


def look_clues(found: Found, weak: Found, rgb: Pixels) -> Floats:
    """(k,) in the order of `LOOK_CLUE_NAMES`; none of them is missing where nothing was found.

    Args:
        found: facings in pixels of the picture, best first.
        weak: half-seen ones too; those of `found` may be among them.
        rgb: (h, w, 3) the picture.
    """
    return clues_of_small(found, weak, small_picture(rgb), rgb.shape[1], rgb.shape[0])


def clues_of_small(found: Found, weak: Found, small: Pixels, width: int, height: int) -> Floats:
    """As `look_clues`, of a picture of which only its `small_picture` was kept."""
    told = _all(found, weak, small, width, height)
    values = np.array([value for _, value in told], np.float64)
    return np.nan_to_num(values, posinf=1e6, neginf=-1e6)


def _all(found: Found, weak: Found, small: Pixels, width: int, height: int) -> Named:
    long_px = max(width, height)
    boxes = found.boxes_px.astype(np.float64) / long_px
    edge = np.array([width, height]) / long_px
    covered = _covered(boxes, small.shape[:2])
    yield from _sizes(boxes, found, weak)
    yield "covered", _part(covered)
    yield from _sides(covered, small, boxes, edge)


def small_picture(rgb: Pixels) -> Pixels:
    """Every so manieth pixel: a picture of `MAP_PX`, noise and all."""
    step = max(1, round(max(rgb.shape[:2]) / MAP_PX))
    return np.ascontiguousarray(rgb[step // 2 :: step, step // 2 :: step])


def _covered(boxes: Floats, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    corners = np.rint(boxes * max(shape)).astype(int)
    for x1, y1, x2, y2 in corners.tolist():
        mask[max(y1, 0) : y2, max(x1, 0) : x2] = 1
    return mask


def _sizes(boxes: Floats, found: Found, weak: Found) -> Named:
    wide, tall = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    measures = np.stack([np.minimum(wide, tall), np.sqrt(wide * tall)])
    short, area = _levels(measures, (50.0, 75.0, 90.0))
    # Logarithms: twice as far is the same step wherever it begins.
    yield "short_50", _log(short[0])
    yield "short_75", _log(short[1])
    yield "area_root_50", _log(area[0])
    yield "area_root_90", _log(area[2])
    yield "facings", _log(len(boxes))
    yield "half_seen_ratio", _log(len(weak.scores) / max(len(boxes), 1))
    scores = _levels(found.scores[None].astype(np.float64), (50.0,))
    yield "score_50", float(scores[0, 0])


def _log(value: float) -> float:
    return float(np.log(max(value, 1e-3)))


def _levels(measures: Floats, shares: tuple[float, ...]) -> Floats:
    """(m, k) of (m, n) measures those below which these shares of the n lie; zeros without any."""
    count = measures.shape[1]
    if not count:
        return np.zeros((len(measures), len(shares)))
    places = [min(count - 1, int(share * count / 100)) for share in shares]
    return np.asarray(np.sort(measures, axis=1)[:, places], np.float64)


def _part(mask: NDArray[np.generic]) -> float:
    return float(np.count_nonzero(mask)) / mask.size


def _rough(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.absdiff(grey, np.asarray(cv2.blur(grey, (3, 3)), np.uint8)), np.uint8)


def _sides(covered: Mask, small: Pixels, boxes: Floats, edge: Floats) -> Named:
    """How far each side is from facings, and how many it cuts: the farthest against the others."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    rough = np.asarray(cv2.absdiff(grey, np.asarray(cv2.blur(grey, (3, 3)), np.uint8)), np.uint8)
    busy = max(cv2.mean(rough, covered)[0], 1.0)
    margins = np.array([_margin(lines) for lines in _from_sides(covered)])
    order = np.argsort(-margins)
    far, next_ = int(order[0]), int(order[1])
    strip, light = (
        _from_sides(one)[far][: max(2, round(margins[far] * len(_from_sides(one)[far])))]
        for one in (rough, grey)
    )
    yield "margin_far", float(margins[far])
    yield "margin_far_upright", float(far < 2)
    yield "margin_far_rough", min(float(strip.mean()) / busy, _ROUGH_MAX)
    yield "margin_far_quiet", _part(strip <= _QUIET * busy)
    yield "margin_far_even", float(light.std())
    yield "margin_next", float(margins[next_])
    yield "margin_beyond", float(margins[far] - margins[far ^ 1])
    yield "cut_against", float(margins[far] * _touched(boxes, edge)[far ^ 1])


def _from_sides(mask: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """The same map, its first lines along the left, the right, the top and the foot."""
    return mask.T, mask.T[::-1], mask, mask[::-1]


def _margin(lines: Mask) -> float:
    """The share of the way across before facings begin; 1: there are none."""
    reached = np.count_nonzero(lines, axis=1) > _REACHED * lines.shape[1]
    return float(np.argmax(reached)) / len(reached) if reached.any() else 1.0


def _touched(boxes: Floats, edge: Floats) -> Floats:
    """(4,) the share of each side along which facings are cut."""
    out = np.zeros(4)
    if not len(boxes):
        return out
    ends = boxes[:, 0], edge[0] - boxes[:, 2], boxes[:, 1], edge[1] - boxes[:, 3]
    for side, away in enumerate(ends):
        axis = 1 if side < 2 else 0
        cut = boxes[away < _TOUCHES]
        out[side] = min(1.0, float((cut[:, axis + 2] - cut[:, axis]).sum() / edge[axis]))
    return out


def _names() -> tuple[str, ...]:
    """Asked of the functions themselves: one list less to keep in step."""
    told = _all(Found.nothing(), Found.nothing(), np.zeros((64, 64, 3), np.uint8), 64, 64)
    return tuple(name for name, _ in told)


LOOK_CLUE_NAMES: Final = _names()
