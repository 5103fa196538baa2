"""Simulate a second photo of a shelf, real or drawn, and packs taken from it. Judges nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from storepulse.simulated.packs import Rgb
from storepulse.simulated.stamp import stamp_simulated

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""
Colour = npt.NDArray[np.float64]
"""(3,), red first, 0 to 255."""
Homography = npt.NDArray[np.float64]
"""(3, 3): from pixels of the first photo to pixels of the second."""

PERSPECTIVE_MAX: Final = 0.06
ERASE_MARGIN: Final = 0.03
"""An erased place reaches so much of its own size beyond the box, and changes nothing farther."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A second photo, and where each point of the first one lies in it."""

    rgb: Rgb
    homography: Homography


def expose_again(rgb: Rgb, *, seed: int, perspective: float = PERSPECTIVE_MAX) -> Exposure:
    """Photograph the same shelf again: from a little nearer and aslant, in other light.

    The picture keeps its size; each corner of the shelf moves outward by up to `perspective` of the
    sides, so a strip along the edges may leave the view, as with a real second photo. The word
    "simulated" is written into the lower left corner.

    Args:
        rgb: (height, width, 3).
        seed: the same seed gives the same picture.
        perspective: 0 to 0.06, largest move of a corner as a share of the sides.
    Raises:
        ValueError: perspective outside 0 to 0.06.
    """
    if not 0 <= perspective <= PERSPECTIVE_MAX:
        raise ValueError(f"perspective must lie between 0 and {PERSPECTIVE_MAX}")
    rng = np.random.default_rng([seed, 0xE9])
    height, width = rgb.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    outward = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    moved = corners + outward * rng.uniform(0, perspective, (4, 2)) * [width, height]
    homography = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = cv2.warpPerspective(
        rgb, homography, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)
    lit = stamp_simulated(_in_other_light(seen, rng))
    return Exposure(_by_jpeg(lit, rng), homography.astype(np.float64))


def map_boxes(boxes: Sequence[Box], homography: Homography) -> list[Box]:
    """Where boxes of the first photo lie in the second: the upright box around each.

    Returns:
        As many boxes, in order; they may reach beyond the picture. Empty for no boxes.
    """
    if not boxes:
        return []
    flat = np.array(boxes, np.float64)
    corners = np.stack([flat[:, [0, 1]], flat[:, [2, 1]], flat[:, [2, 3]], flat[:, [0, 3]]], axis=1)
    mapped = cv2.perspectiveTransform(corners, homography)
    low, high = mapped.min(axis=1), mapped.max(axis=1)
    return [
        (float(x1), float(y1), float(x2), float(y2))
        for (x1, y1), (x2, y2) in zip(low, high, strict=True)
    ]


def erase_facings(rgb: Rgb, boxes: Sequence[Box], *, seed: int) -> Rgb:
    """Take packs from the shelf: what is left is its back, dark under the board above.

    The colour of the back comes from the joints beside and the strip above each box. Boxes that
    touch are emptied as one place. Pixels farther from a box than 3 % of its size keep their value.

    Args:
        rgb: (height, width, 3); it is not changed.
        boxes: facings to take away.
        seed: of the grain; the same seed gives the same picture.
    """
    rng = np.random.default_rng([seed, 0xE7A5E])
    empty = rgb.copy()
    for place in _joined(boxes, rgb.shape[1], rgb.shape[0]):
        _erase(rgb, empty, place, rng)
    return empty


def _in_other_light(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    height, width = rgb.shape[:2]
    gain, gamma = rng.uniform(0.85, 1.15), rng.uniform(0.88, 1.15)
    cast = rng.uniform(0.96, 1.04, 3)
    across, down = rng.uniform(-0.14, 0.14, 2)
    x, y = (np.linspace(-1, 1, count, dtype=np.float32) for count in (width, height))
    light = np.asarray(gain * (1 + across * x[None] + down * y[:, None]), np.float32)
    # A pixel has 256 values: their curve is worked out once, not a power at each.
    curve = 255 * (np.arange(256) / 255)[:, None] ** gamma * cast
    lit = np.asarray(cv2.LUT(rgb, curve.astype(np.float32)[None]), np.float32)
    lit *= light[..., None]
    # 0.5 to 0.9 px on a photo of 1600 px: a hand that is not quite still.
    blurred = cv2.GaussianBlur(
        lit, (0, 0), float(rng.uniform(0.5, 0.9)) * max(height, width) / 1600
    )
    seen: Rgb = np.clip(blurred, 0, 255).astype(np.uint8)
    return seen


def _by_jpeg(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    quality = int(rng.integers(80, 93))
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "an 8-bit picture can always be written as JPEG"
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert back is not None, "what was just written can be read"
    return np.ascontiguousarray(back[..., ::-1]).astype(np.uint8)


def _joined(boxes: Sequence[Box], width: int, height: int) -> list[Box]:
    """Merge boxes of one row that stand side by side, so that no sliver stays between them."""
    places: list[list[float]] = []
    for x1, y1, x2, y2 in sorted(boxes):
        x1, y1, x2, y2 = max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2)
        if x2 - x1 < 1 or y2 - y1 < 1:
            continue
        for place in places:
            beside = x1 - place[2] < 0.25 * (x2 - x1)
            level = min(y2, place[3]) - max(y1, place[1]) > 0.7 * max(y2 - y1, place[3] - place[1])
            if beside and level:
                place[0], place[1] = min(place[0], x1), min(place[1], y1)
                place[2], place[3] = max(place[2], x2), max(place[3], y2)
                break
        else:
            places.append([x1, y1, x2, y2])
    return [(a, b, c, d) for a, b, c, d in places]


def _erase(rgb: Rgb, empty: Rgb, place: Box, rng: np.random.Generator) -> None:
    height, width = rgb.shape[:2]
    wide, tall = place[2] - place[0], place[3] - place[1]
    reach_x, reach_y = ERASE_MARGIN * min(wide, tall), ERASE_MARGIN * tall
    x1, x2 = max(0, int(np.ceil(place[0] - reach_x))), min(width, int(place[2] + reach_x))
    # Downward nothing: below the packs is the board, and it stays.
    y1, y2 = max(0, int(np.ceil(place[1] - reach_y))), min(height, round(place[3]))
    if x2 <= x1 or y2 <= y1:
        return  # thinner than a pixel
    bare = _bare_shelf(
        _colour_of_the_back(rgb, (x1, y1, x2, y2)), _colour_of_the_board(rgb, (x1, x2), y2),
        y2 - y1, x2 - x1, rng,
    )  # fmt: skip
    soft = max(1.0, reach_x)
    across = np.minimum(np.arange(x2 - x1) + 0.5, np.arange(x2 - x1)[::-1] + 0.5) / soft
    down = (np.arange(y2 - y1) + 0.5) / soft
    alpha = np.minimum(np.clip(across, 0, 1)[None, :], np.clip(down, 0, 1)[:, None])[..., None]
    region = empty[y1:y2, x1:x2]
    region[:] = np.clip(region * (1 - alpha) + bare * alpha, 0, 255).astype(np.uint8)


def _colour_of_the_back(rgb: Rgb, place: tuple[int, int, int, int]) -> Colour:
    """The dark of the joints beside; of a wide place, up to half the shade of what is above."""
    x1, y1, x2, y2 = place
    out = max(3, (y2 - y1) // 10)
    joints = [rgb[y1:y2, max(0, x1 - out) : x1], rgb[y1:y2, x2 : x2 + out]]
    beside = np.concatenate([part.reshape(-1, 3) for part in joints])
    # White packs that touch leave no dark joint to sample: what lies behind them is in shade.
    shade = 0.4 * _dark_median(beside, 1.0).mean()
    dark = _dark_median(beside, 0.2)
    dark *= min(1.0, shade / max(1.0, dark.mean()))
    above = rgb[max(0, y1 - out) : y1, x1:x2].reshape(-1, 3)
    if not above.size:
        return dark
    # Little light falls into a slot one pack wide: its neighbours shade it from both sides.
    open_share = 0.5 * min(1.0, max(0.0, (x2 - x1) / max(1, y2 - y1) - 0.8))
    return dark + open_share * (_dark_median(above, 0.5) - dark)


def _colour_of_the_board(rgb: Rgb, columns: tuple[int, int], foot: int) -> Colour:
    """What runs along right below the packs: the lip of their board."""
    high = max(2, rgb.shape[0] // 200)
    below = rgb[foot : foot + high, columns[0] : columns[1]].reshape(-1, 3)
    return _dark_median(below, 1.0)


def _dark_median(pixels: npt.NDArray[np.uint8], share: float) -> Colour:
    """Median colour of the darkest `share` of (n, 3) pixels; dark grey where there are none."""
    if not pixels.size:
        return np.full(3, 40.0)
    light = pixels.mean(axis=1)
    colour: Colour = np.median(pixels[light <= np.quantile(light, share)], axis=0)
    return colour


def _bare_shelf(
    back: Colour, board: Colour, tall: int, wide: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(tall, wide, 3): dark under the upper board, shadows beside the neighbours, the board."""
    y = np.linspace(0, 1, tall)[:, None]
    x = np.linspace(-1, 1, wide)[None, :]
    light = (0.55 + 0.7 * y) * (1 - 0.3 * np.abs(x) ** 4)
    coarse = rng.normal(0, 0.05, (max(2, tall // 16), max(2, wide // 16)))
    stains = cv2.resize(coarse, (wide, tall), interpolation=cv2.INTER_CUBIC)
    picture = np.maximum(back, 10.0) * (light * (1 + stains))[..., None]
    # The last tenth is the board's own top, seen from slightly above; it is darkest at the back.
    deep = np.clip((y - 0.90) / 0.10, 0, 1)[..., None]
    top = np.maximum(board, back) * ((0.45 + 0.4 * deep) * (1 - 0.2 * np.abs(x) ** 4)[..., None])
    picture = np.where(deep > 0, top, picture)
    return np.asarray(np.minimum(picture, 225) + rng.normal(0, 2.5, (tall, wide, 1)))
