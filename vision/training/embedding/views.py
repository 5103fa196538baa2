"""Make views of a product: as on a shelf, as held in a hand, in any light. Knows no network.

All views are square with the product's proportions kept, as `products.embedding` makes them.
"""

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.products.embedding import GROUND, INPUT_PX
from vision.training.embedding.crops import Crop

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_SKIN: Final = np.array([(224, 172, 140), (198, 134, 100), (141, 85, 60), (90, 56, 40)], np.float32)


def shelf_view(crop: Crop, rng: np.random.Generator) -> Pixels:
    """The product fills the view, off by as much as a detector's box may be. (96, 96, 3)."""
    corners = _box_corners(crop.box_xyxy)
    centre = corners.mean(axis=0)
    size = corners[2] - corners[0]
    out = INPUT_PX * (1.0 / rng.uniform(0.92, 1.12))
    scale = out / size.max() * np.exp(rng.normal(0, 0.06, 2))
    turn = rng.normal(0, 5) if rng.random() < 0.7 else rng.normal(0, 14)
    to = _turned((corners - centre) * scale, turn) + INPUT_PX / 2 + rng.normal(0, 2.5, 2)
    to += rng.normal(0, 0.025 * INPUT_PX, (4, 2))
    warp = _homography(corners, to)
    return cv2.warpPerspective(
        crop.rgb, warp, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=GROUND,
    ).astype(np.uint8)  # fmt: skip


def held_view(crop: Crop, scene: Pixels, rng: np.random.Generator) -> Pixels:
    """The product in a hand before a shelf: turned, tilted, partly covered. (96, 96, 3)."""
    back = cv2.resize(scene, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
    corners = _box_corners(crop.box_xyxy)
    size = corners[2] - corners[0]
    high = INPUT_PX * rng.uniform(0.62, 1.05)
    scale = high / size.max() * np.exp(rng.normal(0, 0.08, 2))
    at = INPUT_PX / 2 + rng.normal(0, 6, 2)
    to = _turned((corners - corners.mean(axis=0)) * scale, rng.normal(0, 17)) + at
    to += rng.normal(0, 0.05 * high, (4, 2))
    warp = _homography(corners, to)
    pack = cv2.warpPerspective(crop.rgb, warp, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    shape = np.zeros((INPUT_PX, INPUT_PX), np.uint8)
    cv2.fillConvexPoly(shape, np.round(to).astype(np.int32), 255, cv2.LINE_AA)
    part = shape[..., None].astype(np.float32) / 255
    view = (back * (1 - part) + pack * part).astype(np.float32)
    if rng.random() < 0.75:
        _hold(view, to, rng)
    return np.clip(view, 0, 255).astype(np.uint8)


def relight(view: Pixels, rng: np.random.Generator) -> Pixels:
    """Another light, another camera: colour cast, exposure, blur, noise, JPEG, a covered part."""
    if rng.random() < 0.35:
        view = _softened(view, rng)
    light: Floats = np.asarray(view / 255, np.float32)
    gamma = math.exp(rng.normal(0, 0.22))
    gain = math.exp(rng.normal(-0.05, 0.22)) * np.exp(rng.normal(0, 0.05, 3))
    light = np.asarray(np.clip(light, 0, 1) ** gamma * gain, np.float32)
    if rng.random() < 0.3:
        grey = light.mean(axis=2, keepdims=True)
        light = (grey + (light - grey) * rng.uniform(0.55, 1.3)).astype(np.float32)
    if rng.random() < 0.3:
        ends = rng.uniform(0.6, 1.0), rng.uniform(0.9, 1.3)
        slope = np.linspace(*ends, INPUT_PX, dtype=np.float32)
        light *= slope[:, None, None] if rng.random() < 0.5 else slope[None, :, None]
    if rng.random() < 0.2:
        _glare(light, rng)
    if rng.random() < 0.3:
        light += rng.normal(0, rng.uniform(0.005, 0.03), light.shape).astype(np.float32)
    out = np.clip(light * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        out = _compressed(out, int(rng.integers(25, 85)))
    if rng.random() < 0.2:
        _cover(out, rng)
    return out


def _box_corners(box: tuple[float, float, float, float]) -> NDArray[np.float64]:
    x1, y1, x2, y2 = box
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float64)


def _turned(points: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    out: NDArray[np.float64] = points @ turn.T
    return out


def _homography(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    warp = cv2.getPerspectiveTransform(here.astype(np.float32), there.astype(np.float32))
    return np.asarray(warp, np.float64)


def _hold(view: Floats, corners: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Fingers over one side of the pack."""
    colour = _SKIN[int(rng.integers(len(_SKIN)))] * rng.uniform(0.5, 1.1)
    side = int(rng.integers(4))
    start, end = corners[side], corners[(side + 1) % 4]
    for _ in range(int(rng.integers(1, 5))):
        at = start + (end - start) * rng.uniform(0.1, 0.9)
        inward = corners.mean(axis=0) - at
        tip = at + inward * rng.uniform(0.1, 0.6)
        ends = [(int(x), int(y)) for x, y in (at, tip)]
        ink = tuple(float(part) for part in colour)
        cv2.line(view, ends[0], ends[1], ink, int(rng.integers(5, 13)), cv2.LINE_AA)


def _softened(view: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() < 0.5:
        small = int(INPUT_PX * rng.uniform(0.3, 0.8))
        less = cv2.resize(view, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(less, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_LINEAR).astype(
            np.uint8
        )
    length = int(rng.integers(2, 7))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.5:
        kernel[length // 2] = 1 / length
    else:
        kernel[:, length // 2] = 1 / length
    return cv2.filter2D(view, -1, kernel).astype(np.uint8)


def _glare(light: Floats, rng: np.random.Generator) -> None:
    y, x = np.mgrid[:INPUT_PX, :INPUT_PX].astype(np.float32)
    at = rng.uniform(0, INPUT_PX, 2)
    reach = rng.uniform(4, 22, 2)
    spot = np.exp(-(((x - at[0]) / reach[0]) ** 2) - ((y - at[1]) / reach[1]) ** 2)
    light += (rng.uniform(0.2, 0.9) * spot)[..., None]


def _compressed(view: Pixels, quality: int) -> Pixels:
    _, coded = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _cover(view: Pixels, rng: np.random.Generator) -> None:
    wide, high = (int(v) for v in rng.uniform(0.1, 0.4, 2) * INPUT_PX)
    x, y = int(rng.integers(INPUT_PX - wide)), int(rng.integers(INPUT_PX - high))
    view[y : y + high, x : x + wide] = rng.integers(0, 255, 3)


def stacked(views: Sequence[Pixels]) -> Floats:
    """(n, 3, 96, 96) float, 0 to 1, as the network takes them."""
    joined = np.stack(views).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(joined, dtype=np.float32) / np.float32(255)
