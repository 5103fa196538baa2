"""Cut facings out of labelled shelf photos and find which neighbours are one product. No torch.

Nobody has named the products on these photos. What is known without names: a facing is alike
itself; two neighbours on a row whose prints match point by point are one product; two facings of
one photo that look nothing alike are two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.appearance import describe, distance
from vision.photos import read_photo
from vision.products.prints import Print, matches, read_print
from vision.training.labels import LabelledPhoto

Pixels = NDArray[np.uint8]

SIDE_PX_MIN: Final = 26
"""Smaller facings show colours, hardly a print."""
KEPT_LONG_PX: Final = 144
"""Long side of a kept crop without its margin: a little above what the network sees."""
MARGIN: Final = 0.12
"""Share of the box kept around it, so that a view may be off by as much as a detector is."""
SAME_MATCHES_MIN: Final = 12
"""Points that two neighbours must have in common to be taken for one product."""
SAME_DISTANCE_MAX: Final = 0.14
"""Two flavours of one bottle are often only 0.2 apart: with 0.30 a third of 45 groups that were
looked at held two flavours, with 0.16 seven."""
OTHER_DISTANCE_MIN: Final = 0.55
"""`appearance.distance`: the same facing has 95 % below 0.27, another one 95 % above 0.47."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One facing with its margin."""

    rgb: Pixels
    box_xyxy: tuple[float, float, float, float]
    """The facing inside `rgb`."""


@dataclass(frozen=True, slots=True, eq=False)
class CroppedPhoto:
    """The facings of one photo and what is known about pairs of them."""

    crops: tuple[Crop, ...]
    group: NDArray[np.int32]
    """(n,) facings of one number are one product, as far as was seen."""
    unlike: NDArray[np.bool_]
    """(n, n) True where two facings are surely two products."""
    scenes: tuple[Pixels, ...]
    """A few cut-outs of the photo, as backgrounds."""


def crop_photos(photos: Sequence[LabelledPhoto], *, seed: int) -> Iterator[CroppedPhoto]:
    """Cut the facings out of each photo; photos without a facing that is large enough are left."""
    for number, photo in enumerate(photos):
        found = crop_photo(
            read_photo(photo.path).rgb, photo.facings, np.random.default_rng([seed, number])
        )
        if found is not None:
            yield found


def crop_photo(
    rgb: Pixels, boxes: NDArray[np.floating[Any]], rng: np.random.Generator
) -> CroppedPhoto | None:
    """The same for one photo with its boxes (n, 4) in its pixels; None without a usable one."""
    sides = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    large = boxes[sides >= SIDE_PX_MIN].astype(np.float64)
    if not len(large):
        return None
    crops = tuple(_cut(rgb, box) for box in large)
    looks = describe(rgb, large)
    apart = distance(looks, looks)
    group = _grouped(len(large), _same_neighbours(large, crops, apart))
    unlike = apart >= OTHER_DISTANCE_MIN
    unlike &= group[:, None] != group[None]
    return CroppedPhoto(crops, group, unlike, tuple(_scenes(rgb, rng)))


def _cut(rgb: Pixels, box: NDArray[np.float64]) -> Crop:
    height, width = rgb.shape[:2]
    wide, high = box[2] - box[0], box[3] - box[1]
    x1, y1 = int(max(0, box[0] - MARGIN * wide)), int(max(0, box[1] - MARGIN * high))
    x2 = int(min(width, np.ceil(box[2] + MARGIN * wide)))
    y2 = int(min(height, np.ceil(box[3] + MARGIN * high)))
    scale = min(1.0, KEPT_LONG_PX / max(wide, high))
    size = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
    small = cv2.resize(rgb[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA)
    inside = (box - [x1, y1, x1, y1]) * scale
    left, top, right, bottom = (float(edge) for edge in inside)
    return Crop(small.astype(np.uint8), (left, top, right, bottom))


def _same_neighbours(
    boxes: NDArray[np.float64], crops: Sequence[Crop], apart: NDArray[np.float32]
) -> list[tuple[int, int]]:
    """Pairs of neighbours on a row whose prints match."""
    prints: dict[int, Print] = {}

    def print_of(index: int) -> Print:
        if index not in prints:
            x1, y1, x2, y2 = (int(edge) for edge in crops[index].box_xyxy)
            prints[index] = read_print(
                crops[index].rgb[y1 : y2 + 1, x1 : x2 + 1], long_px=224, points=320
            )
        return prints[index]

    pairs = []
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = boxes[:, 2:] - boxes[:, :2]
    for index in range(len(boxes)):
        right = centre[:, 0] - centre[index, 0]
        level = np.abs(centre[:, 1] - centre[index, 1]) < 0.4 * size[index, 1]
        near = (right > 0.4 * size[index, 0]) & (right < 2.6 * size[index, 0]) & level
        for other in np.flatnonzero(near & (apart[index] <= SAME_DISTANCE_MAX)):
            if matches(print_of(index), print_of(int(other))).agreed >= SAME_MATCHES_MIN:
                pairs.append((index, int(other)))
    return pairs


def _grouped(count: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """Number what belongs together. Groups grow by their first member only: in a chain from
    neighbour to neighbour a slow change of flavours would go unseen."""
    group = np.arange(count, dtype=np.int32)
    for first, second in pairs:
        if group[second] == second:
            group[second] = group[first]
    return group


def _scenes(rgb: Pixels, rng: np.random.Generator) -> Iterator[Pixels]:
    height, width = rgb.shape[:2]
    for _ in range(4):
        side = int(rng.uniform(0.2, 0.5) * min(height, width))
        x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
        cut = cv2.resize(rgb[y : y + side, x : x + side], (160, 160), interpolation=cv2.INTER_AREA)
        yield cut.astype(np.uint8)
