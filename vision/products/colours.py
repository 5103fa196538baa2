"""Describe the colours of pictures, the middle weighing more, and compare two. Learns nothing."""

from collections.abc import Sequence
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
_WHITE_SHARE: Final = 0.97
"""What is brighter than so much of a picture is taken for white."""
_AT_ONCE: Final = 32
"""Pictures described together: 3 MB."""

_LEVELS: Final = np.arange(256)
# 8-bit hue (0 to 179), saturation and value -> their part of a colour's place, 0 to 255.
_HUE_PLACE: Final = (_LEVELS * _HUES // 180 % _HUES * _SATURATIONS * _VALUES).astype(np.uint8)
_SATURATION_PLACE: Final = (_LEVELS * _SATURATIONS // 256 * _VALUES).astype(np.uint8)
_VALUE_PLACE: Final = (_LEVELS * _VALUES // 256).astype(np.uint8)
_ACROSS: Final = np.abs(np.linspace(-1, 1, _WORKING_PX))
_WEIGHT: Final = np.exp(-2.0 * (_ACROSS[:, None] ** 2 + _ACROSS[None] ** 2)).astype(np.float32)


def describe_colours(rgb: Pixels) -> Floats:
    """The share of each colour, (256,), summing to 1; in square roots, so that a product of two
    such is their likeness (Bhattacharyya), 1 for the same shares."""
    return np.asarray(describe_all_colours([rgb])[0])


def describe_all_colours(pictures: Sequence[Pixels]) -> Floats:
    """As `describe_colours` for n pictures of any sizes, together: (n, 256); (0, 256) for none."""
    out = np.zeros((len(pictures), DIMENSIONS), np.float32)
    for start in range(0, len(pictures), _AT_ONCE):
        few = pictures[start : start + _AT_ONCE]
        small = np.empty((len(few), _WORKING_PX, _WORKING_PX, 3), np.uint8)
        for place, picture in zip(small, few, strict=True):
            cv2.resize(picture, (_WORKING_PX, _WORKING_PX), dst=place, interpolation=cv2.INTER_AREA)
        out[start : start + len(few)] = _shares(small)
    return np.sqrt(out)


def _shares(small: NDArray[np.uint8]) -> Floats:
    """(n, h, w, 3) -> (n, 256) shares of colours."""
    count = len(small)
    # Light is evened out roughly: what is brightest is taken for white.
    bright = _quantile(small.reshape(count, -1, 3), _WHITE_SHARE).clip(40, 255)
    gain = 235.0 / (0.5 * bright + 0.5 * bright.max(axis=1, keepdims=True))
    evened = np.clip(_LEVELS[None, :, None] * gain[:, None], 0, 255).astype(np.uint8)
    for picture, table in zip(small, evened, strict=True):
        cv2.LUT(picture, table[None], dst=picture)
    tall = small.reshape(count * _WORKING_PX, _WORKING_PX, 3)
    hue, saturation, value = cv2.split(cv2.cvtColor(tall, cv2.COLOR_RGB2HSV))
    saturations = cv2.LUT(saturation, _SATURATION_PLACE)
    # A grey has no hue: all of one lightness count as one colour.
    place = np.where(saturations > 0, cv2.LUT(hue, _HUE_PLACE), 0)
    place = place + saturations + cv2.LUT(value, _VALUE_PLACE)
    bins = place.reshape(count, -1) + np.arange(count, dtype=np.int64)[:, None] * DIMENSIONS
    weights = np.broadcast_to(_WEIGHT.ravel(), bins.shape).ravel()
    counts = np.bincount(bins.ravel(), weights, minlength=count * DIMENSIONS)
    return np.asarray(counts.reshape(count, DIMENSIONS) / _WEIGHT.sum(), np.float32)


def _quantile(levels: NDArray[np.uint8], share: float) -> NDArray[np.float64]:
    """(n, k, 3) -> (n, 3), between the two nearest values, as numpy's percentile."""
    at = share * (levels.shape[1] - 1)
    low = int(at)
    # By counting, five times as fast as sorting.
    own = np.arange(3 * len(levels)).reshape(-1, 1, 3) * 256
    counts = np.bincount((levels + own).ravel(), minlength=3 * len(levels) * 256)
    below = np.cumsum(counts.reshape(-1, 3, 256), axis=2)
    first, second = ((below <= place).sum(axis=2) for place in (low, low + 1))
    return np.asarray(first + (at - low) * (second - first), np.float64)
