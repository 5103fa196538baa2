"""Compare what is printed on two packs point by point (SIFT, geometric check). Learns nothing.

Where enough points of two pictures move as one plane would, one picture is laid over the other and
compared there: two flavours of one design have the same points, but other colours between them.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

WORKING_LONG_PX: Final = 352
"""A hand-held picture of 350 px has its small print at the edge of being legible; larger ones
gain little and cost with the square."""
ENLARGED_MAX: Final = 2.0
POINTS_MAX: Final = 400
_COLOUR_LONG_PX: Final = 128
_RATIO_MAX: Final = 0.84
"""A point's best partner must be nearer than its second best by this factor (Lowe's test; 0.8 in
his paper, for pictures with less repeated print)."""
_OFF_PX_MAX: Final = 9.0
"""How far a pair may be from the common motion; packs are round and pictures tilted."""
_PAIRS_MIN: Final = 4
_LOOK_STEPS: Final = 510
"""A look is kept in bytes, a quarter of the memory; none of its 128 parts reaches a half."""
_ZOOM_MAX: Final = 5.0
_LAID_PX: Final = 24
_OFF_MAX: Final = 3.0
_LAB_STEP: Final = 25.0
"""Units of 8-bit Lab that count as one step of colour."""


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """The points of one picture, and the picture itself small, for colours."""

    places: Floats
    """(n, 2) x and y in working pixels."""
    looks: NDArray[np.uint8]
    """(n, 128) of length `_LOOK_STEPS`."""
    centred: Floats
    """(n,) 1 in the middle of the picture, falling to 0 at its edges."""
    lab: NDArray[np.uint8]
    """(h, w, 3)."""
    lab_scale: float
    """Its pixels for each working pixel."""


@dataclass(frozen=True, slots=True)
class Match:
    """What two prints have in common. Colours and likeness are those of the overlaid part."""

    paired: int
    agreed: int
    """Points that one affine motion explains."""
    agreed_centred: float
    """The same weighed by how central they are in the first picture."""
    covered: float
    """Share of the second picture's points' area that the agreed ones span."""
    colour: float
    """Steps of Lab chroma between the two, as they are."""
    colour_relit: float
    """The same after the commonest difference, the light, is taken out."""
    likeness: float
    """Correlation of lightness, -1 to 1."""
    off_second: float
    """How far the middle of the first picture lies from that of the second, in halves of the
    second's sides: what matches the background of a picture is not what it is a picture of."""
    off_first: float
    """The same the other way round."""
    zoom: float
    """Logarithm of how much larger the second shows it, for its size."""


def no_match(paired: int = 0) -> Match:
    """Nothing that agrees."""
    return Match(paired, 0, 0.0, 0.0, 2.0, 1.0, 0.0, _OFF_MAX, _OFF_MAX, 0.0)


def read_print(rgb: Pixels, *, long_px: int = WORKING_LONG_PX, points: int = POINTS_MAX) -> Print:
    """Find the points of a picture (h, w, 3), scaled to `long_px` first, at most enlarged twice."""
    height, width = rgb.shape[:2]
    scale = min(long_px / max(height, width), ENLARGED_MAX)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    create: Any = cv2.SIFT.create  # missing in OpenCV's own stubs
    finder = create(nfeatures=points, contrastThreshold=0.02, edgeThreshold=12)
    found, looks = finder.detectAndCompute(grey, None)
    lab_scale = min(1.0, _COLOUR_LONG_PX / max(size))
    small = max(4, round(size[0] * lab_scale)), max(4, round(size[1] * lab_scale))
    lab = cv2.cvtColor(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    if looks is None or not len(found):
        places, looks = np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    else:
        # OpenCV gives a few more than asked for where the last ones tie.
        places = np.array([point.pt for point in found[:points]], np.float32)
        looks = looks[:points]
        # RootSIFT: square roots of shares compare better than the counts themselves.
        looks = np.sqrt(looks / np.maximum(looks.sum(axis=1, keepdims=True), 1e-6))
    kept = np.clip(looks * _LOOK_STEPS, 0, 255).round().astype(np.uint8)
    middle = np.array(size, np.float32) / 2
    off = np.abs(places - middle) / middle
    centred = np.clip(1.0 - off.max(axis=1, initial=0.0), 0, 1)
    return Print(places, kept, centred.astype(np.float32), lab.astype(np.uint8), lab_scale)


def matches(first: Print, second: Print) -> Match:
    """Pair the points of two prints, keep the pairs that one motion explains, compare there."""
    if len(first.looks) < _PAIRS_MIN or len(second.looks) < _PAIRS_MIN:
        return no_match()
    best, kept = _pairs(first.looks, second.looks)
    paired = int(kept.sum())
    nothing = no_match(paired)
    if paired < _PAIRS_MIN:
        return nothing
    here, there = first.places[kept], second.places[best[kept]]
    found, inside = cv2.estimateAffine2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_OFF_PX_MAX, maxIters=400,
        confidence=0.98,
    )  # fmt: skip
    if found is None:
        return nothing
    motion = np.asarray(found, np.float64)
    if not _plausible(motion):
        return nothing
    agreed = inside.ravel() > 0
    # Several points of one picture may pair with one of the other: such count once.
    _, once = np.unique(best[kept][agreed], return_index=True)
    points = there[agreed][once]
    if len(points) < _PAIRS_MIN:
        return nothing
    low, high = points.min(axis=0), points.max(axis=0)
    all_low, all_high = second.places.min(axis=0), second.places.max(axis=0)
    covered = float(np.prod(high - low) / max(1.0, float(np.prod(all_high - all_low))))
    colour, relit, likeness = _laid_over(first, second, motion, low, high)
    return Match(
        paired, len(points), float(first.centred[kept][agreed][once].sum()), covered,
        colour, relit, likeness, *_placed(first, second, motion),
    )  # fmt: skip


def _pairs(
    first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Each first point's best partner, and whether it is clearly the best."""
    likeness = first.astype(np.float32) @ second.T.astype(np.float32) / _LOOK_STEPS**2
    best = likeness.argmax(axis=1)
    rows = np.arange(len(best))
    top = likeness[rows, best]
    likeness[rows, best] = -1.0
    # Unit vectors: squared distance is 2 - 2 * likeness.
    kept = (1 - top) < _RATIO_MAX**2 * (1 - likeness.max(axis=1))
    return best, kept


def _plausible(motion: NDArray[np.float64]) -> bool:
    """A pack seen again is not mirrored, nor squeezed to a line."""
    size = np.linalg.svd(motion[:, :2], compute_uv=False)
    upright = float(np.linalg.det(motion[:, :2])) > 0
    return upright and size[0] < _ZOOM_MAX and size[1] > 1 / _ZOOM_MAX and size[0] < 3.5 * size[1]


def _placed(first: Print, second: Print, motion: NDArray[np.float64]) -> tuple[float, float, float]:
    """Where each picture's middle lies in the other one, and how much larger the second is."""
    half = [
        np.array(picture.lab.shape[1::-1]) / picture.lab_scale / 2 for picture in (first, second)
    ]
    back = cv2.invertAffineTransform(motion)
    to_second = np.abs(motion[:, :2] @ half[0] + motion[:, 2] - half[1]) / half[1]
    to_first = np.abs(back[:, :2] @ half[1] + back[:, 2] - half[0]) / half[0]
    larger = math.sqrt(abs(float(np.linalg.det(motion[:, :2])))) * max(half[0]) / max(half[1])
    return (
        min(_OFF_MAX, float(to_second.max())),
        min(_OFF_MAX, float(to_first.max())),
        math.log(larger),
    )


def _laid_over(
    first: Print, second: Print, motion: NDArray[np.float64], low: Floats, high: Floats
) -> tuple[float, float, float]:
    """Compare the agreed part, a little widened: chroma as it is, relit, and lightness."""
    edge = 0.12 * (high - low) + 2
    low, high = low - edge, high + edge
    # Patch pixels -> working pixels of the second picture -> pixels of either small picture.
    step = (high - low) / _LAID_PX
    to_second = np.array([[step[0], 0, low[0]], [0, step[1], low[1]], [0, 0, 1]], np.float64)
    back = np.linalg.inv(np.vstack([motion, [0, 0, 1]]))
    patches = [
        cv2.warpAffine(
            picture.lab,
            (np.diag([picture.lab_scale, picture.lab_scale, 1]) @ placed)[:2],
            (_LAID_PX, _LAID_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        for picture, placed in ((second, to_second), (first, back @ to_second))
    ]
    between = (patches[1] - patches[0])[..., 1:].reshape(-1, 2)
    relit = between - np.median(between, axis=0)
    lightness = [patch[..., 0] - patch[..., 0].mean() for patch in patches]
    energy = math.sqrt(float((lightness[0] ** 2).sum() * (lightness[1] ** 2).sum()))
    likeness = float((lightness[0] * lightness[1]).sum()) / energy if energy > 1 else 0.0
    return (
        float(np.hypot(between[:, 0], between[:, 1]).mean()) / _LAB_STEP,
        float(np.hypot(relit[:, 0], relit[:, 1]).mean()) / _LAB_STEP,
        likeness,
    )
