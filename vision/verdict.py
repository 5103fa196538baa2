"""Whether a photo can be judged, and if not, what to do. Thin: light, sharpness, size, a shelf."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from storepulse.checklists import Sentence
from vision.detector import INPUT_PX, Found
from vision.photos import Photo

LONG_SIDE_PX_MIN: Final = 250
"""The smallest photos on which shelves were labelled (data of gaps, 300 px) still count."""
LIGHTNESS_MIN: Final = 22.0
"""Of 255, the 90th percentile over the photo. The 30 val photos have 154 and more; darkened to a
lightness of 27 all facings were still found, at 15 up to half of them were lost."""
SHARPNESS_MIN: Final = 1.5
"""Mean step between pixels in the busiest quarter of the photo at 1280 px, as at a lightness of
200. The 30 val photos have 3.9 and more; blurred to 1.2 no facing was found any more."""
LIGHTNESS_USUAL: Final = 200.0
FACINGS_MIN: Final = 4
"""Fewer facings are no shelf, or one seen from too far or too near to be judged."""
SURE_SCORE: Final = 0.5
"""At least one facing must reach it: portraits, walls and tables give weaker answers at most. A
street may pass: that a photo shows goods, but no shelf, is not told apart yet."""

SENTENCES: Final = {
    "too_small": Sentence(
        "The photo is too small to see single products; send it in its full size.",
        "照片太小，看不清单个商品；请发送原图。",
    ),
    "too_dark": Sentence(
        "The photo is too dark; switch on the light or the flash and take it again.",
        "照片太暗；请开灯或打开闪光灯后重拍。",
    ),
    "blurred": Sentence(
        "The photo is blurred; wipe the lens, hold still and take it again.",
        "照片模糊；请擦净镜头、拿稳手机后重拍。",
    ),
    "no_shelf": Sentence(
        "No shelf with products is seen; stand before one bay, so that it fills the photo.",
        "没有看到摆放商品的货架；请正对一组货架，让它占满画面后重拍。",
    ),
}
"""Reason -> what a clerk is told, in the languages of our users."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on the pixels of one photo."""

    long_side_px: int
    lightness: float
    """90th percentile, 0 to 255."""
    sharpness: float
    """Mean step between pixels in the busiest quarter, at 1280 px, as at usual lightness."""


def measure_quality(photo: Photo) -> Quality:
    """Light and sharpness of a photo, from a grey copy of at most 1280 px."""
    grey = np.asarray(cv2.cvtColor(photo.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    shrink = INPUT_PX / max(grey.shape)
    if shrink < 1:
        size = max(2, round(grey.shape[1] * shrink)), max(2, round(grey.shape[0] * shrink))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    lightness = float(np.percentile(grey[::4, ::4], 90))
    # A dark photo has small steps and may be sharp.
    sharpness = _sharpness(grey) * LIGHTNESS_USUAL / max(lightness, 1.0)
    return Quality(max(photo.width, photo.height), lightness, sharpness)


def _sharpness(grey: NDArray[np.uint8]) -> float:
    if min(grey.shape) < 2:
        return 0.0
    light = grey.astype(np.float32)
    steps = abs(np.diff(light, axis=1))[:-1] + abs(np.diff(light, axis=0))[:, :-1]
    # In tiles: a plain wall beside a sharp shelf must not count against it.
    tiles = cv2.resize(steps / 2, (8, 8), interpolation=cv2.INTER_AREA)
    return float(np.sort(tiles.ravel())[-16:].mean())


def reasons_before_looking(quality: Quality) -> tuple[str, ...]:
    """Keys of `SENTENCES` for which the photo is refused before the network runs; () if none."""
    reasons = []
    if quality.long_side_px < LONG_SIDE_PX_MIN:
        reasons.append("too_small")
    if quality.lightness < LIGHTNESS_MIN:
        reasons.append("too_dark")
    elif quality.sharpness < SHARPNESS_MIN:  # in the dark noise is all there is to measure
        reasons.append("blurred")
    return tuple(reasons)


def reasons_after_looking(found: Found) -> tuple[str, ...]:
    """Keys of `SENTENCES` for which the photo is refused once facings were sought; () if none."""
    if len(found.scores) < FACINGS_MIN or float(found.scores.max()) < SURE_SCORE:
        return ("no_shelf",)
    return ()
