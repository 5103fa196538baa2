"""Describe the colours of a picture, the middle weighing more, and compare two. Learns nothing."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_HUES: Final = 16
_SATURATIONS: Final = 4
_VALUES: Final = 4
_WORKING_PX: Final = 48
DIMENSIONS: Final = _HUES * _SATURATIONS * _VALUES


def describe_colours(rgb: Pixels) -> Floats:
    """The share of each colour, (256,), summing to 1; in square roots, so that a product of two
    such is their likeness (Bhattacharyya), 1 for the same shares."""
    small = cv2.resize(rgb, (_WORKING_PX, _WORKING_PX), interpolation=cv2.INTER_AREA)
    # Light is evened out roughly: what is brightest is taken for white.
    bright = np.percentile(small.reshape(-1, 3), 97, axis=0).clip(40, 255)
    even = np.clip(small * (235.0 / (0.5 * bright + 0.5 * bright.max())), 0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(even, cv2.COLOR_RGB2HSV)
    across = np.abs(np.linspace(-1, 1, _WORKING_PX))
    weight = np.exp(-2.0 * (across[:, None] ** 2 + across[None] ** 2)).astype(np.float32)
    counts = np.zeros(DIMENSIONS, np.float32)
    hue = hsv[..., 0].astype(np.int32) * _HUES // 180
    saturation = hsv[..., 1].astype(np.int32) * _SATURATIONS // 256
    value = hsv[..., 2].astype(np.int32) * _VALUES // 256
    # A grey has no hue: all of one lightness count as one colour.
    hue[saturation == 0] = 0
    place = (hue * _SATURATIONS + saturation) * _VALUES + value
    np.add.at(counts, place.ravel(), weight.ravel())
    out: Floats = np.sqrt(counts / counts.sum())
    return out
