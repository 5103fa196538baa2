"""Look at places again: does the photo there still look like the reference? Pure: pixels in."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from planograms.pictures import Pixels
from vision.appearance import Floats, describe, distance_by_pair, edge_strength, relit
from vision.faces import blurred
from vision.geometry import Boxes, PlaneMap, inverse, mapped_boxes, sizes
from vision.products.embedding import Embedder
from vision.products.facings import FacingLooks, log_odds_same, look_at_facings

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
    """(n,) whether the position is to be seen on it: not blurred, and drawn if it is a drawing."""
    of_photo: bool = True
    """Whether it is a photo; a drawing shows nothing but the planned goods."""


def reference_pixels(
    rgb: Pixels,
    scale: float,
    boxes: Boxes,
    clear: npt.NDArray[np.bool_],
    *,
    of_photo: bool,
) -> ReferencePixels:
    """Describe each position as the reference shows it."""
    scaled = boxes * scale
    return ReferencePixels(
        rgb=rgb, scale=scale, boxes=boxes, looks=describe(rgb, scaled),
        edges=edge_strength(rgb, scaled), clear=clear, of_photo=of_photo,
    )  # fmt: skip


@dataclass(frozen=True)
class ProductLooks:
    """How the planogram's products look."""

    looks: Floats
    """(k, d) descriptions of all products' pictures, one after another."""
    faces: FacingLooks
    """The same for the embedding."""
    owner: Ints
    """(k,) index into the planogram's products, rising."""
    of_position: Ints
    """(n,) the same for each position, in order."""
    embedder: Embedder


@dataclass(frozen=True)
class PixelEvidence:
    """Answers from the photo and the reference photo (see `claims.Evidence`)."""

    rgb: Pixels
    """The photo, blurred where the reference is (`blurred_alike`)."""
    scale: float
    """Pixels of `rgb` for one pixel of the full photo."""
    facings_px: Boxes
    """(m, 4) full photo."""
    facing_looks: Floats
    """(m, d)."""
    reference: ReferencePixels
    products: ProductLooks
    plane: PlaneMap
    """Frame to full photo."""
    light: Floats
    """(3,) what the photo's light adds to colours."""
    sharp: float
    """Edges of this photo where the reference has 1 (`sharpness`)."""

    @property
    def of_photo(self) -> bool:
        """Whether the reference is a photo."""
        return self.reference.of_photo

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

    def again(self, positions: Ints, places_px: Boxes, taken_px: Boxes) -> Reals:
        """How well the reference's picture of each place is found near it (see `found_near`)."""
        return np.array(
            [
                found_near(
                    _part(self.reference.rgb, self.reference.boxes[i] * self.reference.scale),
                    self.rgb, place * self.scale, taken_px * self.scale, _GOODS,
                )
                for i, place in zip(positions, places_px, strict=True)
            ]
        )  # fmt: skip

    def boards(self, positions: Ints, places_px: Boxes) -> Reals:
        """The same for the strip below each place: the shelf's edge with its tags."""
        if not self.of_photo:
            return np.full(len(positions), np.nan)
        none = np.zeros((0, 4))
        return np.array(
            [
                found_near(
                    _part(
                        self.reference.rgb,
                        _strip(self.reference.boxes[i]) * self.reference.scale,
                    ),
                    self.rgb, _strip(place) * self.scale, none, _BOARD,
                )
                for i, place in zip(positions, places_px, strict=True)
            ]
        )  # fmt: skip

    def same(self, positions: Ints, places_px: Boxes) -> tuple[Reals, Reals]:
        """Log odds that each place shows the planned product, and the likest of the others."""
        if not len(positions):
            return np.zeros(0), np.zeros(0)
        there = look_at_facings(self.rgb, places_px * self.scale, self.products.embedder)
        own = _paired_odds(there, self._planned(positions))
        if not len(self.products.owner):
            return own, np.full(len(positions), np.nan)
        every = log_odds_same(there, self.products.faces).astype(np.float64)
        mine = self.products.of_position[positions][:, None] == self.products.owner[None]
        own = np.fmax(own, np.where(mine, every, -np.inf).max(axis=1))
        rival = np.where(mine, -np.inf, every).max(axis=1)
        return own, np.where(np.isfinite(rival), rival, np.nan)

    def _planned(self, positions: Ints) -> FacingLooks:
        scaled = self.reference.boxes[positions] * self.reference.scale
        return look_at_facings(self.reference.rgb, scaled, self.products.embedder)

    def before(self, facings: Ints) -> Reals:
        """The best likeness of a facing with the reference at its place or near it."""
        if not len(facings) or not self.of_photo:
            # A drawing does not show that nothing stood there: nothing speaks for being new.
            return np.zeros(len(facings))
        boxes = mapped_boxes(self.facings_px[facings], inverse(self.plane))
        size = np.tile(sizes(boxes), 2)
        tries = []
        for x, y in (*_SHIFTS, *_FAR_SHIFTS):
            moved = (boxes + size * np.array([x, y, x, y])) * self.reference.scale
            there = relit(describe(self.reference.rgb, moved), self.light)
            tries.append(distance_by_pair(there, self.facing_looks[facings]))
        out: Reals = np.min(tries, axis=0).astype(np.float64)
        return out


def _paired_odds(first: FacingLooks, second: FacingLooks) -> Reals:
    """Log odds that two facings are one product, pair by pair: (n,)."""
    return np.asarray(np.diagonal(log_odds_same(first, second)), np.float64).copy()


@dataclass(frozen=True)
class _Reach:
    """How far from its place a picture is looked for, in its own width and height."""

    wide: float
    high: float
    height_px: int
    """The picture is compared at this height."""


_GOODS: Final = _Reach(1.3, 0.5, 40)
"""Goods behind the front move so far against it when the photo is taken from a step aside."""
_BOARD: Final = _Reach(0.25, 0.6, 14)
_SIZES: Final = (0.88, 1.0, 1.13)
_PICTURE_PX_MIN: Final = 6
_SPREAD_MIN: Final = 4.0
"""Grey levels: a plainer picture correlates with anything."""


def _strip(box: Boxes) -> Boxes:
    """What lies right below a box: a quarter of its height, half its width more on both sides."""
    x1, y1, x2, y2 = box
    more = (x2 - x1) / 2
    return np.array([x1 - more, y2 + 0.02 * (y2 - y1), x2 + more, y2 + 0.27 * (y2 - y1)])


def _part(rgb: Pixels, box: Boxes) -> Pixels:
    """The part of a picture in a box; empty where the box lies outside."""
    height, width = rgb.shape[:2]
    x1, y1 = max(0, int(box[0])), max(0, int(box[1]))
    x2, y2 = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    return rgb[y1 : max(y1, y2), x1 : max(x1, x2)]


def found_near(picture: Pixels, rgb: Pixels, place: Boxes, taken: Boxes, reach: _Reach) -> float:
    """The best correlation of a picture with a photo near a place, over three sizes.

    Args:
        picture: (h, w, 3), from the reference.
        place: (4,) where it should be, in pixels of `rgb`.
        taken: (k, 4) facings that stand for other places: what is there is not looked at.
    Returns:
        -1 to 1; nan where the picture is plain or tiny, or the photo does not reach there.
    """
    wide, high = place[2] - place[0], place[3] - place[1]
    if min(picture.shape[:2]) < 2 or wide < 2 or high < 2:
        return float("nan")
    scale = reach.height_px / high
    reached = np.array([-reach.wide * wide, -reach.high * high, reach.wide * wide,
                        reach.high * high])  # fmt: skip
    window = place + reached
    seen = _part(rgb, window)
    if min(seen.shape[:2]) < 2:
        return float("nan")
    grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    left, top = max(0, int(window[0])), max(0, int(window[1]))
    dull = int(np.median(grey))
    for x1, y1, x2, y2 in taken - np.array([left, top, left, top]):
        grey[max(0, int(y1)) : max(0, int(y2)), max(0, int(x1)) : max(0, int(x2))] = dull
    size = (max(2, round(grey.shape[1] * scale)), max(2, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    pattern = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    best = float("nan")
    for factor in _SIZES:
        fitted = (max(_PICTURE_PX_MIN, round(wide * scale * factor)),
                  max(_PICTURE_PX_MIN, round(reach.height_px * factor)))  # fmt: skip
        if fitted[0] > small.shape[1] or fitted[1] > small.shape[0]:
            continue
        shrunk = cv2.resize(pattern, fitted, interpolation=cv2.INTER_AREA)
        if float(shrunk.std()) < _SPREAD_MIN:
            return float("nan")
        fits = cv2.matchTemplate(small, shrunk, cv2.TM_CCOEFF_NORMED)
        best = float(np.fmax(best, np.nan_to_num(fits, nan=-1, posinf=-1, neginf=-1).max()))
    return best


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
