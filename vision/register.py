"""Find how a photo lies over another one of the same bay. Pure: pictures in, a map out.

Key points (SIFT) that are each other's nearest, and the homography that most of them agree with.
"Not registered" is an answer: whoever asks may have other ways to tell.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.geometry import PlaneMap, plausible

Picture = npt.NDArray[np.uint8]

LONG_SIDE_PX: Final = 640
KEY_POINTS_MAX: Final = 1600
_RATIO: Final = 0.92
"""Loose, because a shelf repeats itself: the second facing of a product is as near as the first.
The plane that all agree with sorts them out."""
_REACH_PX: Final = 3.0
INLIERS_MIN: Final = 30
_INLIER_SHARE_MIN: Final = 0.12


@dataclass(frozen=True)
class Features:
    """Key points of one picture: where, in pixels of that picture, and what they look like."""

    points_px: npt.NDArray[np.float32]
    looks: npt.NDArray[np.float32]
    width: int
    height: int


@dataclass(frozen=True)
class Registration:
    """How a photo lies over a reference: `plane` takes reference pixels to photo pixels."""

    plane: PlaneMap | None
    inliers: int
    pairs: int

    @property
    def found(self) -> bool:
        """Whether the photo could be registered."""
        return self.plane is not None


def features(rgb: Picture) -> Features:
    """The key points of a picture; none on a plain one."""
    height, width = rgb.shape[:2]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if scale < 1.0:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # In a dark photo everything else falls below the finder's contrast.
    low, high = np.percentile(grey, (1, 99))
    stretched = (grey.astype(np.float32) - low) * (255.0 / max(high - low, 16.0))
    grey = np.clip(stretched, 0, 255).astype(np.uint8)
    found, looks = cv2.SIFT.create(nfeatures=KEY_POINTS_MAX).detectAndCompute(grey, None)
    if looks is None or not len(found):
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32), width, height)
    points = np.array([point.pt for point in found], dtype=np.float32)
    # Square roots of the unit-sum description compare better than the raw one (RootSIFT).
    unit = np.sqrt(looks / np.maximum(looks.sum(axis=1, keepdims=True), 1e-6))
    full = np.array([width / grey.shape[1], height / grey.shape[0]], dtype=np.float32)
    return Features((points + 0.5) * full - 0.5, unit.astype(np.float32), width, height)


def register(reference: Features, photo: Features) -> Registration:
    """Find the plane map from reference to photo.

    Returns:
        `plane` None when fewer than `INLIERS_MIN` points agree, or what they agree on could not be
        a photo of the same bay (mirrored, upside down, folded).
    """
    if len(reference.looks) < 8 or len(photo.looks) < 8:
        return Registration(None, 0, 0)
    mine, theirs = _mutual_nearest(reference.looks, photo.looks)
    if len(mine) < 8:
        return Registration(None, 0, len(mine))
    reach = _REACH_PX * max(photo.width, photo.height) / LONG_SIDE_PX
    found, inside = cv2.findHomography(
        reference.points_px[mine], photo.points_px[theirs], cv2.USAC_MAGSAC, reach,
        maxIters=4000, confidence=0.9999,
    )  # fmt: skip
    if found is None:
        return Registration(None, 0, len(mine))
    plane: PlaneMap = np.asarray(found, dtype=np.float64)
    inliers = int(inside.sum())
    good = (
        inliers >= INLIERS_MIN
        and inliers >= _INLIER_SHARE_MIN * len(mine)
        and plausible(plane, width=reference.width, height=reference.height)
    )
    return Registration(plane if good else None, inliers, len(mine))


def _mutual_nearest(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of pairs that are each other's nearest and clearly nearer than the next."""
    # The descriptions have unit length: the largest product is the smallest distance.
    alike = first @ second.T
    nearest = alike.argmax(axis=1)
    back = alike.argmax(axis=0)
    rows = np.arange(len(first))
    top = alike[rows, nearest]
    alike[rows, nearest] = -1.0
    next_ = alike.max(axis=1)
    clear = np.sqrt(np.maximum(1 - top, 0)) < _RATIO * np.sqrt(np.maximum(1 - next_, 1e-9))
    keep = (back[nearest] == rows) & clear
    return rows[keep], nearest[keep]
