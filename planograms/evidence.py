"""Look at places again: does the photo there still look like the reference? Pure: pixels in."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from planograms.geometry import Boxes, PlaneMap, inverse, mapped_boxes, sizes
from planograms.pictures import Pixels
from vision.appearance import Floats, describe, distance_by_pair, edge_strength, relit
from vision.faces import blurred

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_SHIFTS: Final = tuple((x, y) for y in (-0.08, 0.0, 0.08) for x in (-0.12, 0.0, 0.12))
"""Goods are put back a little off their place: shares of the size at which to look as well."""

_FAR_SHIFTS: Final = tuple(
    (x, y)
    for y in (-0.5, -0.25, 0.0, 0.25, 0.5)
    for x in (-1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0)
)
"""What is new must not have been anywhere near: goods behind the shelf fronts lie off the map."""
_EDGES_MIN: Final = 5.0
"""A reference plainer than this (a white carton) has no edges to lose."""


@dataclass(frozen=True)
class ReferencePixels:
    """The reference photo: its pixels, and what each position looks like on it."""

    rgb: Pixels
    scale: float
    """Pixels of `rgb` for one unit of the planogram's frame."""
    boxes: Boxes
    """(n, 4) positions in the frame, in order."""
    looks: Floats
    """(n, d) their descriptions."""
    edges: Floats
    """(n,) their edge strength."""
    clear: npt.NDArray[np.bool_]
    """(n,) whether the position is to be seen on it: not blurred."""


@dataclass(frozen=True)
class PixelEvidence:
    """Answers from the photo and the reference photo (see `compare.Evidence`)."""

    rgb: Pixels
    """The photo, blurred where the reference is (`blurred_alike`)."""
    scale: float
    """Pixels of `rgb` for one pixel of the full photo."""
    facings_px: Boxes
    """(m, 4) full photo."""
    facing_looks: Floats
    """(m, d)."""
    reference: ReferencePixels
    plane: PlaneMap
    """Frame to full photo."""
    light: Floats
    """(3,) what the photo's light adds to colours."""
    sharp: float
    """Edges of this photo where the reference has 1 (`sharpness`)."""

    def edge_shares(self, positions: Ints, places_px: Boxes) -> Reals:
        """Edges of a place as a share of its reference's, the photo's sharpness taken out."""
        edges = edge_strength(self.rgb, places_px * self.scale).astype(np.float64)
        wanted = self.reference.edges[positions].astype(np.float64)
        return np.where(wanted < _EDGES_MIN, np.nan, edges / np.maximum(wanted, 1e-6) / self.sharp)

    def at_places(self, positions: Ints, places_px: Boxes) -> Reals:
        """The best likeness found at a place or next to it."""
        wanted = relit(self.reference.looks[positions], self.light)
        size = np.tile(sizes(places_px), 2)
        tries = []
        for x, y in _SHIFTS:
            moved = (places_px + size * np.array([x, y, x, y])) * self.scale
            tries.append(distance_by_pair(wanted, describe(self.rgb, moved)))
        best: Reals = np.min(tries, axis=0).astype(np.float64)
        return best

    def before(self, facings: Ints) -> Reals:
        """The best likeness of a facing with the reference at its place or near it."""
        if not len(facings):
            return np.zeros(0)
        boxes = mapped_boxes(self.facings_px[facings], inverse(self.plane))
        size = np.tile(sizes(boxes), 2)
        tries = []
        for x, y in (*_SHIFTS, *_FAR_SHIFTS):
            moved = (boxes + size * np.array([x, y, x, y])) * self.reference.scale
            there = relit(describe(self.reference.rgb, moved), self.light)
            tries.append(distance_by_pair(there, self.facing_looks[facings]))
        out: Reals = np.min(tries, axis=0).astype(np.float64)
        return out


def sharpness(rgb: Pixels, boxes_px: Boxes, reference: ReferencePixels, positions: Ints) -> float:
    """Edges of a photo where the reference has 1, by the goods found on both; 1 for under five.

    Args:
        rgb: the photo.
        boxes_px: (k, 4) in pixels of `rgb`.
        positions: (k,) where on the reference the same goods are.
    """
    if len(positions) < 5:
        return 1.0
    ratios = edge_strength(rgb, boxes_px) / np.maximum(reference.edges[positions], 1.0)
    return max(0.1, float(np.median(ratios)))


def blurred_alike(rgb: Pixels, boxes: Boxes, plane: PlaneMap, scale: float) -> Pixels:
    """The photo, blurred where the reference photo was, so that both can be compared there.

    The reference is kept and therefore blurred wherever a face was found, also a face on a pack.

    Args:
        rgb: the photo.
        boxes: (k, 4) where the reference was blurred, in its frame.
        plane: frame to full photo.
        scale: pixels of `rgb` for one of the full photo.
    """
    if not len(boxes):
        return rgb
    height, width = rgb.shape[:2]
    found = (mapped_boxes(boxes, plane) * scale).clip(0, [width, height, width, height])
    return blurred(rgb, found.round().astype(np.int64))
