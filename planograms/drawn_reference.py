"""Draw a bay from its products' pictures, for planograms without a photo. Pure.

Places can then be looked at again as with a reference photo. What lies between the goods (boards,
tags, other bays) is not known and stays grey: nothing is told of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from planograms.pictures import Pixels
from vision.geometry import Boxes, sizes

FACING_HEIGHT_PX: Final = 90
LONG_PX_MAX: Final = 4000
GROUND: Final = 60
"""Grey between the goods."""


@dataclass(frozen=True)
class DrawnReference:
    """The drawing, its scale, and which positions it shows."""

    rgb: Pixels
    scale: float
    """Pixels for one unit of the planogram's frame."""
    shown: npt.NDArray[np.bool_]
    """(n,) positions whose product has a picture."""


def draw_reference(
    boxes: Boxes, pictures: Sequence[Pixels | None], *, width: float, height: float
) -> DrawnReference | None:
    """Put each position's picture into its place, the upper ones first.

    Args:
        boxes: (n, 4) positions in the planogram's frame.
        pictures: (n,) what should be seen at each; None where no picture is known.
        width, height: of the frame.
    Returns:
        None where no position has a picture.
    """
    shown = np.array([picture is not None for picture in pictures], dtype=bool)
    if not shown.any():
        return None
    usual = float(np.median(sizes(boxes)[:, 1]))
    scale = min(FACING_HEIGHT_PX / max(usual, 1e-6), LONG_PX_MAX / max(width, height))
    rgb = np.full(
        (max(2, round(height * scale)), max(2, round(width * scale)), 3), GROUND, dtype=np.uint8
    )
    for i in np.argsort(boxes[:, 3], kind="stable"):
        picture = pictures[i]
        if picture is not None:
            _put(rgb, picture, boxes[i] * scale)
    return DrawnReference(rgb, scale, shown)


def _put(onto: Pixels, picture: Pixels, box: npt.NDArray[np.float64]) -> None:
    """Stretch a picture into a box; what reaches beyond is left out."""
    height, width = onto.shape[:2]
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    if x2 - x1 < 1 or y2 - y1 < 1:
        return
    how = cv2.INTER_AREA if picture.shape[0] > y2 - y1 else cv2.INTER_LINEAR
    fitted = cv2.resize(picture, (x2 - x1, y2 - y1), interpolation=how)
    a, b, c, d = max(0, x1), max(0, y1), min(width, x2), min(height, y2)
    if c > a and d > b:
        onto[b:d, a:c] = fitted[b - y1 : d - y1, a - x1 : c - x1]
