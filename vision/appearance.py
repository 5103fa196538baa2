"""Describe how facings look, and say how alike two of them are. Pure; names no product.

A crop is stretched to one small size; its description is a grid of gradient directions (shape,
print, edges: little moved by light) beside a grid of colours (what tells two flavours of one
design apart). Nothing is trained.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CROP_WIDTH_PX: Final = 24
CROP_HEIGHT_PX: Final = 36
_CELLS_WIDE: Final = 3
_CELLS_HIGH: Final = 5
_DIRECTIONS: Final = 8
_GRADIENTS: Final = 4 * 6 * _DIRECTIONS
_COLOURS: Final = _CELLS_WIDE * _CELLS_HIGH * 3
DIMENSIONS: Final = _GRADIENTS + _COLOURS
"""Length of a description: 192 for gradients (unit length), then 45 for colours."""

_COLOUR_SPREAD: Final = 28.0
"""Lab units (8-bit) of colour difference that count as one step; the median between two different
products of a shelf is about one."""

_EDGE_FLOOR: Final = 6.0
"""Gradient energy (grey levels) below which a crop counts as plain: it keeps noise on a plain
surface from becoming a direction of full length."""


def describe(rgb: npt.NDArray[np.uint8], boxes_xyxy_px: npt.ArrayLike) -> Floats:
    """Describe the crops of one picture.

    Args:
        rgb: (h, w, 3) uint8.
        boxes_xyxy_px: (n, 4), pixels of `rgb`; parts outside the picture are filled from its edge.
    Returns:
        (n, `DIMENSIONS`) float32; (0, `DIMENSIONS`) for no boxes.
    """
    boxes = np.asarray(boxes_xyxy_px, dtype=np.float64).reshape(-1, 4)
    if not len(boxes):
        return np.zeros((0, DIMENSIONS), np.float32)
    lab = _lab_crops(rgb, boxes)
    return np.concatenate([_gradients(lab[..., 0]), _colours(lab)], axis=1)


def edge_strength(rgb: npt.NDArray[np.uint8], boxes_xyxy_px: npt.ArrayLike) -> Floats:
    """How much there is to see in each crop: mean lightness step, (n,). A bare board is near 0."""
    boxes = np.asarray(boxes_xyxy_px, dtype=np.float64).reshape(-1, 4)
    if not len(boxes):
        return np.zeros(0, np.float32)
    light = _lab_crops(rgb, boxes)[..., 0]
    across = np.abs(np.diff(light, axis=2)).mean(axis=(1, 2))
    down = np.abs(np.diff(light, axis=1)).mean(axis=(1, 2))
    out: Floats = across + down
    return out


def _lab_crops(rgb: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float64]) -> Floats:
    """(n, `CROP_HEIGHT_PX`, `CROP_WIDTH_PX`, 3) Lab on the 8-bit scale."""
    crops = np.stack([_crop(rgb, box) for box in boxes])
    flat = crops.reshape(-1, CROP_WIDTH_PX, 3)
    lab: Floats = cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(crops.shape).astype(np.float32)
    return lab


def _crop(rgb: npt.NDArray[np.uint8], box: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    x1 = int(np.clip(np.floor(box[0]), 0, width - 1))
    y1 = int(np.clip(np.floor(box[1]), 0, height - 1))
    x2 = int(np.clip(np.ceil(box[2]), x1 + 1, width))
    y2 = int(np.clip(np.ceil(box[3]), y1 + 1, height))
    return cv2.resize(
        rgb[y1:y2, x1:x2], (CROP_WIDTH_PX, CROP_HEIGHT_PX), interpolation=cv2.INTER_AREA
    ).astype(np.uint8, copy=False)


def _gradients(light: Floats) -> Floats:
    """(n, h, w) lightness -> (n, 192): directions over a grid of 4 by 6 cells, unit length."""
    dx = np.zeros_like(light)
    dy = np.zeros_like(light)
    dx[:, :, 1:-1] = light[:, :, 2:] - light[:, :, :-2]
    dy[:, 1:-1] = light[:, 2:] - light[:, :-2]
    strength = np.hypot(dx, dy)
    # Direction with its sign: a light letter on dark is another print than a dark one on light.
    turn = (np.arctan2(dy, dx) / (2 * np.pi)) % 1.0 * _DIRECTIONS
    low = turn.astype(np.int32)
    part = turn - low
    low %= _DIRECTIONS
    n, height, width = light.shape
    cells = np.zeros((n, 6, 4, _DIRECTIONS), np.float32)
    for direction in range(_DIRECTIONS):
        here = strength * (
            (low == direction) * (1 - part) + (low == (direction - 1) % _DIRECTIONS) * part
        )
        cells[..., direction] = here.reshape(n, 6, height // 6, 4, width // 4).mean(axis=(2, 4))
    flat = np.sqrt(cells.reshape(n, -1))
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    floor = np.float32(np.sqrt(_EDGE_FLOOR))
    out: Floats = flat / np.maximum(length, floor)
    return out


def _colours(lab: Floats) -> Floats:
    """(n, h, w, 3) Lab -> (n, 45): mean colour of 3 by 5 cells in steps of `_COLOUR_SPREAD`.

    Lightness counts half: it is what another exposure changes first.
    """
    n = len(lab)
    rows = np.linspace(0, CROP_HEIGHT_PX, _CELLS_HIGH + 1).astype(int)
    columns = np.linspace(0, CROP_WIDTH_PX, _CELLS_WIDE + 1).astype(int)
    down = np.add.reduceat(lab, rows[:-1], axis=1)
    sums = np.add.reduceat(down, columns[:-1], axis=2)
    area = np.outer(np.diff(rows), np.diff(columns))[None, :, :, None]
    means = sums / area - 128.0
    means[..., 0] *= 0.5
    out: Floats = (means / _COLOUR_SPREAD).reshape(n, -1).astype(np.float32)
    return out


_COLOUR_WEIGHT: Final = 0.3
_ALIKE_AT: Final = 0.35
_ALIKE_SLOPE: Final = 0.04
"""From 20 photos of the train split of SKU-110K and others (2,639 facings found again in a second
exposure with other light, perspective, blur and JPEG; 49,290 pairs from other rows): the distance
of the same facing has median 0.08 and 95th percentile 0.27 once the light is taken out (0.16 and
0.33 before), of another one median 0.72 and 5th percentile 0.47. A fit to those gives 0.41 and
0.034; products of one brand on one shelf are nearer than that, so the middle lies lower."""


def distance(first: Floats, second: Floats) -> Floats:
    """How unlike each of `first` is to each of `second`.

    Args:
        first: (n, `DIMENSIONS`).
        second: (m, `DIMENSIONS`).
    Returns:
        (n, m), 0 for the same picture, about 0.7 for two products taken at random.
    """
    edges = 1.0 - first[:, :_GRADIENTS] @ second[:, :_GRADIENTS].T
    a, b = first[:, _GRADIENTS:], second[:, _GRADIENTS:]
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * (a @ b.T)
    colour = np.sqrt(np.maximum(squares, 0) / (_CELLS_WIDE * _CELLS_HIGH))
    out: Floats = (np.maximum(edges, 0) + _COLOUR_WEIGHT * colour).astype(np.float32)
    return out


def distance_by_pair(first: Floats, second: Floats) -> Floats:
    """As `distance`, for (n, d) against (n, d), one by one: (n,)."""
    edges = 1.0 - (first[:, :_GRADIENTS] * second[:, :_GRADIENTS]).sum(1)
    squares = ((first[:, _GRADIENTS:] - second[:, _GRADIENTS:]) ** 2).sum(1)
    colour = np.sqrt(squares / (_CELLS_WIDE * _CELLS_HIGH))
    out: Floats = (np.maximum(edges, 0) + _COLOUR_WEIGHT * colour).astype(np.float32)
    return out


UNDECIDED: Final = _ALIKE_AT
"""The distance that speaks neither for nor against one product."""


def likeness(distances: npt.ArrayLike) -> Floats:
    """Probability that two crops show one product, from their distance; any shape.

    Taken alone, with either answer equally likely beforehand.
    """
    odds = np.clip(likeness_odds(distances), -40, 40)
    out: Floats = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
    return out


def likeness_odds(distances: npt.ArrayLike) -> Floats:
    """The same as log odds."""
    out: Floats = (_ALIKE_AT - np.asarray(distances, dtype=np.float32)) / _ALIKE_SLOPE
    return out.astype(np.float32, copy=False)


def light_between(first: Floats, second: Floats) -> Floats:
    """What another light adds to the colours of `second`, seen on pairs of the same goods.

    Args:
        first, second: (n, d), pair by pair the same goods.
    Returns:
        (3,), in the units of a description; zeros for fewer than five pairs.
    """
    if len(first) < 5:
        return np.zeros(3, np.float32)
    added = (second - first)[:, _GRADIENTS:]
    # The median of the pairs: a few that are not the same goods after all do not move it.
    out: Floats = np.median(added.reshape(len(first), -1, 3).mean(axis=1), axis=0)
    return out.astype(np.float32)


def light_of(first: Floats, second: Floats) -> Floats:
    """A first guess of the same from all goods on both, unpaired: (3,); zeros where one has none.

    Right as far as both show goods of the same colours on the whole, such as the same bay.
    """
    if not len(first) or not len(second):
        return np.zeros(3, np.float32)
    middles = [
        np.median(each[:, _GRADIENTS:].reshape(len(each), -1, 3).mean(axis=1), axis=0)
        for each in (first, second)
    ]
    out: Floats = (middles[1] - middles[0]).astype(np.float32)
    return out


def relit(descriptions: Floats, light: Floats) -> Floats:
    """The same descriptions under a light that adds `light` (3,)."""
    out = descriptions.copy()
    out[:, _GRADIENTS:] += np.tile(light, _CELLS_WIDE * _CELLS_HIGH)
    return out
