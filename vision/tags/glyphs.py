"""Where a price's small cents could begin, by the ink on its columns. Reads no text.

Many chains print cents small and raised, without a separator: "29⁹⁰". A reader of text says 2990,
290 or 29. The ink says where characters may end and how tall they are left and right of there.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.bool_]
"""(height, width), true where something is printed."""

SMALL_MAX: Final = 0.8
"""Height of small characters over that of the tall ones. Cents are printed at .4 to .75 of the
price; digits of one size differ by less than .1."""
_SMALL_MIN: Final = 0.3
_CONTRAST: Final = 6
"""Grey levels by which ink is darker than what surrounds it: faded displays have 10 and more."""


def find_ink(rgb: NDArray[np.uint8]) -> Ink:
    """What is printed on a crop: the dark marks, or the light ones where no dark ones are tall.

    What runs from the upper to the lower edge is the tag's rim or the rail, no character.
    """
    if min(rgb.shape[:2]) < 8:
        return np.zeros(rgb.shape[:2], np.bool_)
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    dark = _marks(grey)
    return dark if tall_of(dark) > 0.4 * rgb.shape[0] else _marks(255 - grey)


def tall_of(ink: Ink) -> float:
    """Height of the characters of a piece: from the first row with ink to the last, in pixels."""
    rows = np.flatnonzero(ink.any(axis=1))
    return float(rows[-1] - rows[0] + 1) if len(rows) else 0.0


def cuts(ink: Ink) -> list[int]:
    """Columns at which tall characters may end and small ones begin, the thinnest first.

    Args:
        ink: of one price with what stands right of it.
    """
    thick = ink.sum(axis=0)
    tall, wide = ink.shape
    step = max(2, tall // 12)
    valleys = [
        x
        for x in range(step, wide - step)
        if thick[x] == thick[x - step : x + step + 1].min()
        and _are_small(ink[:, x : x + round(1.1 * tall)], ink[:, :x])
    ]
    apart: list[int] = []
    for x in sorted(valleys, key=lambda x: (thick[x], x)):
        if all(abs(x - other) > step for other in apart):
            apart.append(x)
    return apart


def _are_small(right: Ink, left: Ink) -> bool:
    low, full = tall_of(right), tall_of(left)
    has_width = int(right.any(axis=0).sum()) >= 0.3 * full
    return full > 0 and has_width and _SMALL_MIN * full <= low <= SMALL_MAX * full


def _marks(grey: NDArray[np.uint8]) -> Ink:
    tall = grey.shape[0]
    block = 2 * max(3, round(0.35 * tall)) + 1
    ink = cv2.adaptiveThreshold(
        grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, _CONTRAST
    )
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(ink)
    kept = np.zeros(count, np.bool_)
    for at in range(1, count):
        _left, _top, width, height, _area = boxes[at]
        kept[at] = 0.15 * tall <= height <= 0.93 * tall and width >= 0.04 * tall
    return np.asarray(kept[labels], np.bool_)
