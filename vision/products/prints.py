"""Compare what is printed on two packs point by point (SIFT, geometric check). Learns nothing."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

WORKING_LONG_PX: Final = 224
POINTS_MAX: Final = 320
RATIO_MAX: Final = 0.82
"""A point's best partner must be nearer than its second best by this factor (Lowe's test)."""
_REPROJECTION_PX: Final = 8.0
_PAIRS_MIN: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """The points of one picture. (n, 2) places in shares of the long side, (n, 128) looks."""

    places: Floats
    looks: Floats
    centred: Floats
    """(n,) 1 in the middle of the picture, falling to 0 in its corners."""


@dataclass(frozen=True, slots=True)
class Match:
    """What two prints have in common."""

    paired: int
    agreed: int
    """Pairs that one affine motion explains."""
    spread: float
    """Share of the second picture that the agreed points span."""


NO_MATCH: Final = Match(0, 0, 0.0)


def read_print(rgb: Pixels, *, long_px: int = WORKING_LONG_PX, points: int = POINTS_MAX) -> Print:
    """Find the points of a picture; enlarged or shrunk to `long_px` first, at most twice as large."""
    height, width = rgb.shape[:2]
    scale = min(long_px / max(height, width), 2.0)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    finder = cv2.SIFT_create(nfeatures=points, contrastThreshold=0.02, edgeThreshold=12)
    found, looks = finder.detectAndCompute(grey, None)
    if looks is None or not len(found):
        return Print(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32), np.zeros(0, np.float32))
    places = np.array([point.pt for point in found], np.float32)
    # RootSIFT: square roots of shares compare better than the counts themselves.
    looks = np.sqrt(looks / np.maximum(looks.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)
    middle = np.array(size, np.float32) / 2
    off = np.abs(places - middle) / middle
    centred = np.clip(1.0 - np.maximum(off[:, 0], off[:, 1]), 0, 1).astype(np.float32)
    return Print(places / np.float32(long_px), looks, centred)


def matches(first: Print, second: Print) -> Match:
    """Pair the points of two prints and count the pairs that one motion explains."""
    if len(first.looks) < _PAIRS_MIN or len(second.looks) < _PAIRS_MIN:
        return NO_MATCH
    likeness = first.looks @ second.looks.T
    best = likeness.argmax(axis=1)
    rows = np.arange(len(best))
    top = likeness[rows, best]
    likeness[rows, best] = -1.0
    second_best = likeness.max(axis=1)
    # Unit vectors: squared distance is 2 - 2 * likeness.
    kept = (1 - top) < RATIO_MAX**2 * (1 - second_best)
    paired = int(kept.sum())
    if paired < _PAIRS_MIN:
        return Match(paired, 0, 0.0)
    here, there = first.places[kept], second.places[best[kept]]
    _, inside = cv2.estimateAffine2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_REPROJECTION_PX / WORKING_LONG_PX,
        maxIters=300, confidence=0.98,
    )  # fmt: skip
    if inside is None:
        return Match(paired, 0, 0.0)
    agreed = inside.ravel() > 0
    # Several points of one picture may pair with one of the other: such count once.
    count = len(np.unique(best[kept][agreed]))
    points = there[agreed]
    spread = float(np.prod(points.max(axis=0) - points.min(axis=0))) if count >= 2 else 0.0
    return Match(paired, count, spread)
