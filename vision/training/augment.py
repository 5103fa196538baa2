"""Cut varied square crops from labelled photos. Pure: pixels, boxes and a generator in and out."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.training.labels import Boxes

Picture = NDArray[np.uint8]  # (height, width, 3), BGR
GREY = 114  # what the network sees beyond a photo's edge, in training and on the node alike


@dataclass(frozen=True, slots=True)
class Variation:
    """How far crops may differ from their photo. The defaults are those of the shipped model."""

    crop_px: int = 640
    # Long side a photo is resized to before the crop; the node looks at 1280, a bay photographed
    # from half or twice the distance must look the same to it.
    long_side_px_min: int = 850
    long_side_px_max: int = 1900
    aspect_max: float = 1.10
    mirrored_share: float = 0.5
    turned_share: float = 0.33
    turn_degrees_sd: float = 2.0
    hue: float = 0.015
    saturation: float = 0.6
    brightness: float = 0.4
    blurred_share: float = 0.07
    jpeg_share: float = 0.25
    grey_share: float = 0.03
    # A box cut by the crop still teaches while this much of it is seen.
    visible_share_min: float = 0.30
    box_side_px_min: float = 3.0

    def __post_init__(self) -> None:
        if self.crop_px < 32 or self.crop_px % 32:
            raise ValueError(f"crop_px must be a multiple of 32, got {self.crop_px}")
        if not 0 < self.long_side_px_min <= self.long_side_px_max:
            raise ValueError("long_side_px_min must be above 0 and not above long_side_px_max")
        if self.aspect_max < 1:
            raise ValueError(f"aspect_max must be at least 1, got {self.aspect_max}")


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A square of a photo with the boxes that are seen in it, in pixels of the crop."""

    picture: Picture
    facings: Boxes
    ignore: Boxes


def cut_crop(
    picture: Picture,
    facings: Boxes,
    ignore: Boxes,
    *,
    variation: Variation,
    generator: np.random.Generator,
) -> Crop:
    """Cut one random crop: scale, aspect, turn and mirror in one warp, then light and noise.

    Args:
        picture: (height, width, 3) uint8 BGR.
        facings: (n, 4), x1 y1 x2 y2 in its pixels.
        ignore: (m, 4), regions that teach nothing.
    Returns:
        A crop of variation.crop_px; its boxes are (0, 4) when none is seen.
    """
    matrix = _draw_matrix(picture.shape[1], picture.shape[0], variation, generator)
    side = variation.crop_px
    warped = cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )
    return Crop(
        picture=_vary_light(np.asarray(warped, np.uint8), variation, generator),
        facings=_seen_boxes(facings, matrix, variation, variation.visible_share_min),
        # Of a region to ignore every visible part counts.
        ignore=_seen_boxes(ignore, matrix, variation, 0.0),
    )


def _draw_matrix(
    width_px: int, height_px: int, variation: Variation, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the (2, 3) affine that maps photo pixels to crop pixels."""
    span = math.log(variation.long_side_px_min), math.log(variation.long_side_px_max)
    scale = math.exp(generator.uniform(*span)) / max(width_px, height_px)
    aspect = math.exp(generator.uniform(-1, 1) * math.log(variation.aspect_max) / 2)
    scale_x, scale_y = scale * aspect, scale / aspect
    turn = 0.0
    if generator.random() < variation.turned_share:
        turn = math.radians(generator.normal(0, variation.turn_degrees_sd))
    mirror = -1.0 if generator.random() < variation.mirrored_share else 1.0
    linear = np.array(
        [
            [mirror * math.cos(turn) * scale_x, -math.sin(turn) * scale_y],
            [mirror * math.sin(turn) * scale_x, math.cos(turn) * scale_y],
        ]
    )
    # The crop's centre falls anywhere that keeps it inside the photo; a photo smaller than the
    # crop may lie anywhere within it.
    free_x = max(width_px * scale_x - variation.crop_px, 0) / 2 / scale_x
    free_y = max(height_px * scale_y - variation.crop_px, 0) / 2 / scale_y
    slack_x = max(variation.crop_px - width_px * scale_x, 0) / 2
    slack_y = max(variation.crop_px - height_px * scale_y, 0) / 2
    centre = np.array(
        [
            width_px / 2 + generator.uniform(-1, 1) * free_x,
            height_px / 2 + generator.uniform(-1, 1) * free_y,
        ]
    )
    goal = np.array(
        [
            variation.crop_px / 2 + generator.uniform(-1, 1) * slack_x,
            variation.crop_px / 2 + generator.uniform(-1, 1) * slack_y,
        ]
    )
    return np.asarray(np.hstack([linear, (goal - linear @ centre)[:, None]]), np.float64)


def _seen_boxes(
    boxes: Boxes, matrix: NDArray[np.float64], variation: Variation, visible_share_min: float
) -> Boxes:
    """Map boxes into the crop, clip them, drop what is hardly seen or too small to learn."""
    x1, y1, x2, y2 = boxes.astype(np.float64).T
    corners = np.stack(
        [np.stack(pair, axis=1) for pair in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))], axis=1
    )
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    whole = np.hstack([moved.min(axis=1), moved.max(axis=1)])
    seen = whole.clip(0, variation.crop_px)
    whole_area = (whole[:, 2] - whole[:, 0]) * (whole[:, 3] - whole[:, 1])
    sides = seen[:, 2:] - seen[:, :2]
    enough = sides.prod(axis=1) >= visible_share_min * whole_area
    kept = enough & (sides.min(axis=1) >= variation.box_side_px_min)
    return np.asarray(seen[kept], np.float32)


def _vary_light(picture: Picture, variation: Variation, generator: np.random.Generator) -> Picture:
    """Vary colour and brightness; now and then grey, blur or JPEG blocks."""
    gains = 1 + generator.uniform(-1, 1, 3) * (
        variation.hue,
        variation.saturation,
        variation.brightness,
    )
    steps = np.arange(256)
    tables = np.stack(
        [
            (steps * gains[0]) % 180,  # cv2 keeps hue as 0 to 179
            (steps * gains[1]).clip(0, 255),
            (steps * gains[2]).clip(0, 255),
        ],
        axis=-1,
    ).astype(np.uint8)[None]
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    varied = cv2.cvtColor(cv2.LUT(hsv, tables), cv2.COLOR_HSV2BGR)
    if generator.random() < variation.grey_share:
        varied = cv2.cvtColor(cv2.cvtColor(varied, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if generator.random() < variation.blurred_share:
        varied = cv2.GaussianBlur(varied, (0, 0), float(generator.uniform(0.5, 1.5)))
    if generator.random() < variation.jpeg_share:
        quality = int(generator.integers(35, 90))
        _, coded = cv2.imencode(".jpg", varied, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(varied, np.uint8)
