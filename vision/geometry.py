"""Boxes and the plane map between two views of a bay. Pure; finds no features."""

from dataclasses import dataclass
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
_PAIRS_FOR_EDGES: Final = 40
"""From so many pairs on a few wrong ones do not bend the map that all edges are asked for."""
_EDGES_MIN: Final = 12
_AGREED_SURE: Final = 0.9
"""From this share of edges on nothing else is tried."""
_DRAWN_IN: Final = (8.0, 4.0, 2.0, 1.0, 1.0)
"""How many times the reach edges may be off while a map is drawn in."""


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
    # By columns: an axis of two makes numpy several times as slow.
    wide, tall = (
        np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
        - np.maximum(first[:, None, axis], second[None, :, axis])
        for axis in (0, 1)
    )
    np.maximum(wide, 0, out=wide)
    shared: npt.NDArray[np.float64] = np.maximum(tall, 0, out=tall)
    shared *= wide
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


def map_from_pairs(
    planned: Boxes,
    seen: Boxes,
    *,
    uncut: npt.NDArray[np.bool_] | None = None,
    near: PlaneMap | None = None,
) -> PlaneMap | None:
    """The plane map that most pairs of boxes agree with; None for too few or for disagreement.

    Args:
        planned, seen: (n, 4), pair by pair.
        uncut: (n, 4) edges of the seen ones that are their own, not the photo's: the others are
            not asked. None: all are.
        near: where to look for the map; None: anywhere.
    """
    n = len(planned)
    if n < _PAIRS_MIN:
        return None
    own = np.ones((n, 4), dtype=bool) if uncut is None else uncut
    reach = float(0.25 * np.median(sizes(seen)))
    if n >= _PAIRS_FOR_EDGES:
        edges = _Edges.of(planned, seen, own)
        # Where most pairs are right, the map of all of them, drawn in, is better than one of a few.
        found, agreed = edges.drawn_in(near, reach)
        if agreed < _AGREED_SURE:
            first, _ = _sampled(planned, seen, own, reach)
            sampled = edges.drawn_in(first, reach)
            found, agreed = max((found, agreed), sampled, key=lambda one: one[1])
    elif n >= _PAIRS_FOR_TILT:
        found, agreed = _sampled(planned, seen, own, reach)
    else:
        source, target = _corners(planned), _corners(seen)
        flat, inside = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=reach)
        found = None if flat is None else np.vstack([flat, [0.0, 0.0, 1.0]])
        agreed = float(inside.mean())
    if found is None or agreed < 0.5:
        return None
    width, height = planned[:, 2].max(), planned[:, 3].max()
    plane = np.asarray(found, dtype=np.float64)
    return plane if plausible(plane, width=width, height=height) else None


def _corners(boxes: Boxes) -> npt.NDArray[np.float64]:
    """(4n, 2)."""
    return boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 2)


def _sampled(
    planned: Boxes, seen: Boxes, own: npt.NDArray[np.bool_], reach: float
) -> tuple[PlaneMap | None, float]:
    """A map from few pairs at a time, right even where many are wrong; and how many agree."""
    whole = own.all(axis=1)
    if whole.sum() < _PAIRS_FOR_TILT:
        whole = np.ones(len(own), dtype=bool)
    found, inside = cv2.findHomography(
        _corners(planned[whole]), _corners(seen[whole]), cv2.USAC_MAGSAC, reach, maxIters=2000,
        confidence=0.999,
    )  # fmt: skip
    if found is None:
        return None, 0.0
    return np.asarray(found, dtype=np.float64), float(inside.mean())


@dataclass(frozen=True)
class _Edges:
    """What each edge of a seen box says of the map: where the middle of the planned edge lies."""

    points: npt.NDArray[np.float64]
    """(k, 2) middles of planned edges."""
    values: npt.NDArray[np.float64]
    """(k,) the x of an upright edge on the photo, the y of a level one."""
    level: npt.NDArray[np.bool_]
    """(k,)"""
    table: npt.NDArray[np.float64]
    """(k, 9) what the nine numbers of the map, in `spaces`, must make zero."""
    spaces: tuple[PlaneMap, PlaneMap]
    """From the frame and from the photo to where all lies about one away from nought."""

    @classmethod
    def of(cls, planned: Boxes, seen: Boxes, own: npt.NDArray[np.bool_]) -> "_Edges":
        """The edges of all pairs; those that are not the seen facing's own are left out."""
        x1, y1, x2, y2 = planned.T
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        points = np.stack([x1, cy, cx, y1, x2, cy, cx, y2], axis=1).reshape(-1, 2)[own.ravel()]
        level = np.tile([False, True], own.size // 2)[own.ravel()]
        values = seen.ravel()[own.ravel()]
        spaces = _to_nought(planned), _to_nought(seen)
        near = mapped(points, spaces[0])
        # One scale for both directions, so that the photo's map only shifts and shrinks.
        value = spaces[1][0, 0] * values + np.where(level, spaces[1][1, 2], spaces[1][0, 2])
        raised = np.concatenate([near, np.ones((len(near), 1))], axis=1)
        table = np.zeros((len(near), 9))
        table[:, :3] = np.where(level[:, None], 0.0, raised)
        table[:, 3:6] = np.where(level[:, None], raised, 0.0)
        table[:, 6:] = -value[:, None] * raised
        return cls(points, values, level, table, spaces)

    def drawn_in(self, plane: PlaneMap | None, reach: float) -> tuple[PlaneMap | None, float]:
        """The map of those edges that agree with it, and their share of all.

        Args:
            plane: where to begin; None: with the map of all edges.
            reach: how far off an edge may lie, in the photo's pixels.
        """
        near = np.ones(len(self.points), dtype=bool) if plane is None else None
        for step in _DRAWN_IN:
            if near is None:
                assert plane is not None
                near = self._off(plane) < step * reach
            if near.sum() < _EDGES_MIN:
                return None, 0.0
            part = self.table[near]
            _, directions = np.linalg.eigh(part.T @ part)
            plane = np.linalg.inv(self.spaces[1]) @ directions[:, 0].reshape(3, 3) @ self.spaces[0]
            if abs(plane[2, 2]) < 1e-12:
                return None, 0.0
            plane /= plane[2, 2]
            near = None
        assert plane is not None
        return plane, float((self._off(plane) < reach).mean())

    def _off(self, plane: PlaneMap) -> npt.NDArray[np.float64]:
        there = mapped(self.points, plane)
        off = np.where(self.level, there[:, 1], there[:, 0]) - self.values
        out: npt.NDArray[np.float64] = np.nan_to_num(np.abs(off), nan=np.inf)
        return out


def _to_nought(boxes: Boxes) -> PlaneMap:
    middle = centres(boxes).mean(axis=0)
    shrink = 1 / max(1e-9, float(np.abs(centres(boxes) - middle).mean()))
    return np.array(
        [[shrink, 0, -middle[0] * shrink], [0, shrink, -middle[1] * shrink], [0, 0, 1.0]]
    )


def inverse(plane: PlaneMap) -> PlaneMap:
    """The map the other way."""
    out: PlaneMap = np.linalg.inv(plane).astype(np.float64)
    return out
