"""Boxes and the plane map between two views of a bay. Pure; finds no features."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
"""(n, 4): x1, y1, x2, y2."""
PlaneMap = npt.NDArray[np.float64]
"""(3, 3): takes points of one picture or frame to pixels of a photo (a homography)."""

_PAIRS_MIN: Final = 6
_PAIRS_FOR_TILT: Final = 12


def boxes_of(rows: npt.ArrayLike) -> Boxes:
    """(n, 4) floats of any sequence of boxes, also of none."""
    return np.asarray(rows, dtype=np.float64).reshape(-1, 4)


def centres(boxes: Boxes) -> npt.NDArray[np.float64]:
    """(n, 2)."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def sizes(boxes: Boxes) -> npt.NDArray[np.float64]:
    """(n, 2): widths and heights."""
    return boxes[:, 2:] - boxes[:, :2]


def overlaps(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Area shared by each of (n) and each of (m): (n, m)."""
    left_top = np.maximum(first[:, None, :2], second[None, :, :2])
    right_foot = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(right_foot - left_top, 0, None)
    shared: npt.NDArray[np.float64] = sides[..., 0] * sides[..., 1]
    return shared


def areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    """(n,)."""
    out: npt.NDArray[np.float64] = np.prod(np.clip(sizes(boxes), 0, None), axis=1)
    return out


def iou(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of each of (n) with each of (m): (n, m)."""
    shared = overlaps(first, second)
    union = areas(first)[:, None] + areas(second)[None] - shared
    out: npt.NDArray[np.float64] = shared / np.maximum(union, 1e-9)
    return out


def touched(boxes: Boxes, others: Boxes) -> npt.NDArray[np.bool_]:
    """Which of (n) boxes share more than a twentieth of their area with any of (m) others: (n,)."""
    if not len(others):
        return np.zeros(len(boxes), dtype=bool)
    share = overlaps(boxes, others).max(axis=1) / np.maximum(areas(boxes), 1e-9)
    out: npt.NDArray[np.bool_] = share > 0.05
    return out


def visible_share(boxes: Boxes, *, width: float, height: float) -> npt.NDArray[np.float64]:
    """The share of each box that lies inside a picture of that size: (n,)."""
    inside = overlaps(boxes, np.array([[0.0, 0.0, width, height]]))[:, 0]
    out: npt.NDArray[np.float64] = inside / np.maximum(areas(boxes), 1e-9)
    return out


def mapped(points: npt.NDArray[np.float64], plane: PlaneMap) -> npt.NDArray[np.float64]:
    """(n, 2) points under a plane map; those behind its horizon come out as nan."""
    ones = np.ones((len(points), 1))
    raised = np.concatenate([points, ones], axis=1) @ plane.T
    depth = raised[:, 2:]
    safe = np.where(depth > 1e-9, depth, np.nan)
    out: npt.NDArray[np.float64] = raised[:, :2] / safe
    return out


def mapped_boxes(boxes: Boxes, plane: PlaneMap) -> Boxes:
    """Upright boxes about the mapped ones: each side through the mapped middles of its ends.

    Middles rather than corners: under tilt the box about the corners grows, the facing does not.
    Boxes behind the horizon come out as zeros far outside.
    """
    if not len(boxes):
        return boxes
    x1, y1, x2, y2 = boxes.T
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    points = np.stack([x1, cy, x2, cy, cx, y1, cx, y2], axis=1).reshape(-1, 2)
    left, right, top, foot = np.moveaxis(mapped(points, plane).reshape(-1, 4, 2), 1, 0)
    out = np.stack(
        [
            np.minimum(left[:, 0], right[:, 0]),
            np.minimum(top[:, 1], foot[:, 1]),
            np.maximum(left[:, 0], right[:, 0]),
            np.maximum(top[:, 1], foot[:, 1]),
        ],
        axis=1,
    )
    sane: Boxes = np.nan_to_num(out, nan=-1e6)
    return sane


def plausible(plane: PlaneMap, *, width: float, height: float) -> bool:
    """Whether a map keeps a frame of that size upright, unmirrored, convex and of a sane size."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    seen = mapped(corners, plane)
    if not np.isfinite(seen).all():
        return False
    edges = np.roll(seen, -1, axis=0) - seen
    nexts = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * nexts[:, 1] - edges[:, 1] * nexts[:, 0]
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    upright = edges[0, 0] > abs(edges[0, 1]) and edges[1, 1] > abs(edges[1, 0])
    opposite = max(
        lengths[0] / lengths[2], lengths[2] / lengths[0], lengths[1] / lengths[3],
        lengths[3] / lengths[1],
    ) if (lengths > 1e-6).all() else np.inf  # fmt: skip
    scale = lengths / np.array([width, height, width, height])
    return bool(
        (turns > 0).all()
        and upright
        and opposite < 4
        and (scale > 0.1).all()
        and (scale < 10).all()
    )


def map_from_pairs(planned: Boxes, seen: Boxes) -> PlaneMap | None:
    """The plane map that most pairs of boxes agree with; None for too few or for disagreement.

    Args:
        planned, seen: (n, 4), pair by pair.
    """
    n = len(planned)
    if n < _PAIRS_MIN:
        return None
    corners = [[0, 1], [2, 1], [2, 3], [0, 3]]
    source = planned[:, corners].reshape(-1, 2)
    target = seen[:, corners].reshape(-1, 2)
    reach = float(0.25 * np.median(sizes(seen)))
    if n >= _PAIRS_FOR_TILT:
        found, inside = cv2.findHomography(
            source, target, cv2.USAC_MAGSAC, reach, maxIters=2000, confidence=0.999
        )
    else:
        flat, inside = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=reach)
        found = None if flat is None else np.vstack([flat, [0.0, 0.0, 1.0]])
    if found is None or inside.mean() < 0.5:
        return None
    width, height = planned[:, 2].max(), planned[:, 3].max()
    plane = np.asarray(found, dtype=np.float64)
    return plane if plausible(plane, width=width, height=height) else None


def inverse(plane: PlaneMap) -> PlaneMap:
    """The map the other way."""
    out: PlaneMap = np.linalg.inv(plane).astype(np.float64)
    return out
