"""Whether places of an earlier photo look the same on a later one. Pure: pictures in, places out.

A photo of a screen or a print of the earlier photo, a part cut out of it, or a second one of a
shelf that nobody touched: whatever a judgement says of such a photo, at a place where nothing
changed nothing was mended.
"""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from planograms.findings import Box
from planograms.pictures import Pixels
from vision.geometry import boxes_of, mapped_boxes
from vision.register import Features, features, register

ALIKE: Final = 0.9
"""Correlation from which a place counts as unchanged; where from: docs/judgement.md."""
_SIDE_PX: Final = 96
"""Longer side of what is compared: fine print and screens' grids fall away."""
_SIDE_MIN_PX: Final = 8
_MARGIN: Final = 0.12
"""Of a place's sides: how far the map may be off there."""
_AROUND: Final = 0.15
"""Of a place's sides: what stands around a flat place says where it is."""
_CONTRAST_MIN: Final = 2.0
"""Grey levels, standard deviation: a place that is flatter than this has nothing to compare."""


def unchanged_places(
    before: Pixels, now: Pixels, places: Mapping[str, Box], *, before_scale: float = 1.0,
    points: tuple[Features, Features] | None = None,
) -> frozenset[str]:  # fmt: skip
    """Names of the places that look on the later photo as they did on the earlier one.

    Args:
        before: the earlier photo; people may be blurred on it.
        now: the later photo.
        places: boxes on the earlier photo, by name.
        before_scale: pixels of `before` for one unit of the boxes.
        points: key points of the two, where somebody has found them already.
    Returns:
        None of them where the photos cannot be registered, or the place is out of view on one.
    """
    if not places:
        return frozenset()
    found = register(*(points or (features(before), features(now))))
    if found.plane is None:
        return frozenset()
    names = sorted(places)
    boxes = boxes_of([places[name] for name in names]) * before_scale
    there = mapped_boxes(boxes, found.plane)
    out = set()
    for name, box, mapped in zip(names, boxes, there, strict=True):
        width, height = mapped[2:] - mapped[:2]
        if min(width, height) < _SIDE_MIN_PX:
            continue
        shrink = min(1.0, _SIDE_PX / max(width, height))
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        old = _piece(before, box, size, _AROUND)
        new = _piece(now, mapped, size, _AROUND + _MARGIN)
        if old is None or new is None:
            continue
        if correlation(old, new) >= ALIKE:
            out.add(name)
    return frozenset(out)


def _piece(
    rgb: Pixels, box: np.ndarray[tuple[int], np.dtype[np.float64]], size: tuple[int, int],
    around: float,
) -> Pixels | None:  # fmt: skip
    """The place with what is around it, grey, so that the place itself has this size."""
    wide, high = box[2] - box[0], box[3] - box[1]
    x1, y1 = box[0] - around * wide, box[1] - around * high
    if (
        box[0] < 0 or box[1] < 0 or box[2] > rgb.shape[1] or box[3] > rgb.shape[0]
    ):  # fmt: skip
        return None
    out = (round(size[0] * (1 + 2 * around)), round(size[1] * (1 + 2 * around)))
    zoom = size[0] / wide, size[1] / high
    map_ = np.array([[zoom[0], 0, -x1 * zoom[0]], [0, zoom[1], -y1 * zoom[1]]])
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return cv2.warpAffine(
        grey, map_, out, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)


def correlation(old: Pixels, new: Pixels) -> float:
    """How well an earlier piece is found in a larger later one: the best over all shifts."""
    blurred = [cv2.GaussianBlur(piece, (0, 0), 1.2) for piece in (old, new)]
    if float(blurred[0].std()) < _CONTRAST_MIN:
        return 0.0
    found = cv2.matchTemplate(blurred[1], blurred[0], cv2.TM_CCOEFF_NORMED)
    return float(np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0).max())
