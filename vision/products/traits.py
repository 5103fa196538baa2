"""Take from pictures the traits by which products are told apart. Compares nothing.

A picture is a crop of one pack, a packshot, or a scene with the pack in its middle; nobody says
which. So it is seen twice, whole and its middle alone, and a plain ground around it is cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.products.colours import describe_colours
from vision.products.embedding import Embedder
from vision.products.prints import Print, read_print

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

MIDDLE_SHARE: Final = 0.68
"""A pack held before a camera fills a third to a half of the picture."""
_PLAIN_STEP: Final = 14
"""Grey levels within which a ground counts as plain."""
_PLAIN_EDGE_SHARE: Final = 0.9
_LONG_PX_MAX: Final = 512
"""More pixels of one product help no trait."""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What one picture shows, for comparing."""

    embeddings: Floats
    """(2, d) of unit length: of the whole picture and of its middle."""
    colours: Floats
    """(256,)"""
    print: Print


def read_traits(pictures: Sequence[Pixels], embedder: Embedder) -> list[Traits]:
    """The traits of pictures, each (h, w, 3) RGB; the embedding runs over all in one go."""
    trimmed = [prepared(picture) for picture in pictures]
    return [
        Traits(embeddings, describe_colours(picture), read_print(picture))
        for picture, embeddings in zip(trimmed, embed_twice(trimmed, embedder), strict=True)
    ]


def prepared(picture: Pixels) -> Pixels:
    """A picture as its traits are taken from: not larger than needed, plain ground cut off."""
    return without_plain_ground(_reduced(picture))


def embed_twice(prepared_pictures: Sequence[Pixels], embedder: Embedder) -> Floats:
    """Embed the whole and the middle of pictures: (n, 2, d)."""
    windows = [window for one in prepared_pictures for window in (one, middle_of(one))]
    return embedder.embed(windows).reshape(len(prepared_pictures), 2, embedder.dimensions)


def middle_of(picture: Pixels) -> Pixels:
    """The middle of a picture, `MIDDLE_SHARE` of either side."""
    height, width = picture.shape[:2]
    y, x = round(height * (1 - MIDDLE_SHARE) / 2), round(width * (1 - MIDDLE_SHARE) / 2)
    return picture[y : height - y, x : width - x]


def without_plain_ground(picture: Pixels) -> Pixels:
    """Cut off a plain ground, as packshots have; any other picture stays as it is."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]]).astype(np.int16)
    ground = np.median(edge, axis=0)
    if (np.abs(edge - ground).max(axis=1) <= _PLAIN_STEP).mean() < _PLAIN_EDGE_SHARE:
        return picture
    off = np.abs(picture.astype(np.int16) - ground.astype(np.int16)).max(axis=2) > _PLAIN_STEP
    points = cv2.findNonZero(off.astype(np.uint8))
    if points is None:
        return picture
    x, y, wide, tall = cv2.boundingRect(points)
    if min(wide, tall) < 0.1 * min(picture.shape[:2]):
        return picture
    return picture[y : y + tall, x : x + wide]


def _reduced(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    scale = _LONG_PX_MAX / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
