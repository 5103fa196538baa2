"""Compare the facings of shelf photos with each other, hundreds in one go. Names no product.

For who has two photos of one bay, or wants to know which facings of a photo are one product.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vision.products.colours import describe_all_colours
from vision.products.embedding import Embedder

Floats = npt.NDArray[np.float32]

_MARGIN: Final = 0.02
"""Share of the box added around it: detectors cut a little close."""
# Log odds that two crops show one product, either answer equally likely beforehand. Fitted to
# 109,644 pairs of crops of 91 named products (1,976 of one product, from other video passes). On a
# third of the classes left out in turn 80 to 99.7 % of the same and 85 to 98 % of other products
# fall on the right side of one half.
_EMBEDDING_WEIGHT: Final = 5.30
_COLOUR_WEIGHT: Final = 11.37
_BIAS: Final = -11.26


@dataclass(frozen=True, slots=True, eq=False)
class FacingLooks:
    """How n facings look."""

    embeddings: Floats
    """(n, d) of unit length."""
    colours: Floats
    """(n, 256), see `colours`."""

    def __len__(self) -> int:
        return len(self.embeddings)


def look_at_facings(
    rgb: npt.NDArray[np.uint8], boxes_xyxy_px: npt.ArrayLike, embedder: Embedder
) -> FacingLooks:
    """Take the looks of the facings of one photo, the embedding over all in one go.

    Args:
        rgb: (h, w, 3) uint8.
        boxes_xyxy_px: (n, 4), pixels of `rgb`; what lies outside is cut off.
    Returns:
        Looks of n facings, none for no boxes.
    """
    boxes = np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4)
    crops = crops_of(rgb, boxes)
    return FacingLooks(embedder.embed(crops), describe_all_colours(crops))


def crops_of(
    rgb: npt.NDArray[np.uint8], boxes_xyxy_px: npt.ArrayLike
) -> list[npt.NDArray[np.uint8]]:
    """The facings themselves, a little widened; each at least one pixel."""
    boxes = np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4)
    return [_crop(rgb, box) for box in boxes]


def same_product(first: FacingLooks, second: FacingLooks) -> Floats:
    """Probability that two facings are one product, for each of n and m: (n, m).

    Taken alone, with either answer equally likely beforehand.
    """
    odds = log_odds_same(first, second)
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -40, 40))), np.float32)


def log_odds_same(first: FacingLooks, second: FacingLooks) -> Floats:
    """The same as log odds, for who weighs it with other evidence: (n, m)."""
    return np.asarray(
        _EMBEDDING_WEIGHT * (first.embeddings @ second.embeddings.T)
        + _COLOUR_WEIGHT * (first.colours @ second.colours.T)
        + _BIAS,
        np.float32,
    )


def _crop(rgb: npt.NDArray[np.uint8], box: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    wide, high = _MARGIN * (box[2] - box[0]), _MARGIN * (box[3] - box[1])
    x1 = int(np.clip(np.floor(box[0] - wide), 0, width - 1))
    y1 = int(np.clip(np.floor(box[1] - high), 0, height - 1))
    x2 = int(np.clip(np.ceil(box[2] + wide), x1 + 1, width))
    y2 = int(np.clip(np.ceil(box[3] + high), y1 + 1, height))
    return rgb[y1:y2, x1:x2]
