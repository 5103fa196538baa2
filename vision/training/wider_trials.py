"""More photos to learn the verdict from, made in other ways than `verdict_trials` makes its own.

Dim photos as different cameras give them, at the sizes a node works on and often straight from the
sensor; second exposures; glare and turns that cost the detector little; and more that went wrong
near the edges, where too few photos taught. Reads photos; judges nothing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from storepulse.simulated import conditions
from storepulse.simulated.exposures import expose_again
from storepulse.simulated.mishaps import MISHAPS, by_jpeg, framed_well
from storepulse.simulated.packs import Rgb
from vision.photos import WORKING_LONG_PX
from vision.training.verdict_trials import (
    GOOD,
    LEVELS,
    NEAR_EDGES,
    Trial,
    level_between,
    read_rgb,
    shelf_photos,
    trials_of,
)

DIM: Final = f"{GOOD}_dim"
RAW: Final = f"{GOOD}_raw"
"""Dim, with all of the sensor's noise: neither a JPEG nor the camera took any away."""
AGAIN: Final = f"{GOOD}_again"
BORNE_GLARE: Final = f"{GOOD}_glare"
BORNE_TURN: Final = f"{GOOD}_turn"
MORE_WRONG: Final[Mapping[str, int]] = {"turned": 2, "glaring": 1, "cut_off": 1}
"""So many of each photo, near the edges."""
LOOKED_AT: Final[Mapping[str, int]] = {AGAIN: 1, DIM: 1, "cut_off": 1}
"""So many of each photo are shown to the detector, to learn the last word from."""
_LIGHT: Final = (1.5, 8.0)
"""Times less light; at an eighth the detector loses a point of AP50."""
_GLARE: Final = (0.05, 0.11)
_TURN: Final = (15.0, 33.0)
_GAMMA: Final = 2.2


def wider_trials(data: Path) -> Iterator[Trial]:
    """Further trials of the train split of `shelves`, photo by photo.

    Raises:
        LabelsUnreadable, UnreadablePhoto: the folder is of another form.
    """
    photos = shelf_photos(data / "shelves", split="train")
    for number in range(len(photos)):
        yield from wider_of(photos[number], number)


def wider_of(path: Path, number: int) -> Iterator[Trial]:
    """Those of one photo; its number among the train photos stands for the chance."""
    rng = np.random.default_rng([23, number])
    rgb, group = read_rgb(path), path.stem
    again = expose_again(rgb, seed=int(rng.integers(2**31))).rgb
    yield Trial(group, AGAIN, 0.0, again)
    for source in (again, framed_well(rgb, rng)[0]):
        yield Trial(group, DIM, 0.0, in_little_light(source, rng))
    glared = conditions.glared(rng.uniform(*_GLARE)).change(_of_some_size(rgb, rng), rng).rgb
    yield Trial(group, BORNE_GLARE, 0.0, perhaps_by_jpeg(glared, rng))
    aslant = conditions.turned(rng.uniform(*_TURN)).change(_of_some_size(again, rng), rng).rgb
    yield Trial(group, BORNE_TURN, 0.0, perhaps_by_jpeg(aslant, rng))
    levels = {
        mishap: [level_between(*NEAR_EDGES[mishap], rng) for _ in range(count)]
        for mishap, count in MORE_WRONG.items()
    }
    yield from trials_of(rgb, group, good=1, levels=levels, rng=rng)
    share = 1 / level_between(*_LIGHT, rng)
    yield Trial(group, RAW, 0.0, conditions.lit(share).change(_of_some_size(rgb, rng), rng).rgb)
    # A screen in a dim room too: what little light does must not speak for a photo.
    level = level_between(*LEVELS["off_a_screen"], rng)
    shown = MISHAPS["off_a_screen"](framed_well(rgb, rng)[0], level, rng).rgb
    yield Trial(group, "off_a_screen", level, in_little_light(shown, rng, resized=False))


def in_little_light(rgb: Rgb, rng: np.random.Generator, *, resized: bool = True) -> Rgb:
    """Down to an eighth of the light, as one of four cameras would show it, often without a JPEG.

    With the noise of the sensor; without any, in steps of 8 bits; brightened from the few steps
    that were left; or smoothed and given more contrast, as phones do.

    Args:
        resized: at one of the sizes on which a node works; else as it is.
    """
    seen = _of_some_size(rgb, rng) if resized else rgb
    share = 1 / level_between(*_LIGHT, rng)
    camera = int(rng.integers(4))
    if camera == 1:
        dim = _toned(seen, np.linspace(0, 1, 256) * share ** (1 / _GAMMA))
    elif camera == 2:
        few = np.round(np.linspace(0, 255, 256) * share ** (1 / _GAMMA)) / 255
        dim = _toned(seen, few * share ** (-rng.uniform(0.2, 0.8) / _GAMMA))
    else:
        dim = conditions.lit(share).change(seen, rng).rgb
        if camera == 3:
            dim = _as_phones_do(dim, rng)
    return perhaps_by_jpeg(dim, rng)


def perhaps_by_jpeg(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Through a JPEG as often as not: a node's own camera sends its pixels as they are."""
    return by_jpeg(rgb, rng) if rng.random() < 0.5 else np.ascontiguousarray(rgb)


def _as_phones_do(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Colours smoothed, light a little, and shadows or contrast raised."""
    light, *hues = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    soft = [cv2.GaussianBlur(hue, (0, 0), rng.uniform(1, 3)) for hue in hues]
    calm = cv2.bilateralFilter(np.asarray(light, np.uint8), 5, rng.uniform(8, 30), 2)
    smooth = cv2.cvtColor(cv2.merge([calm, *soft]), cv2.COLOR_YCrCb2RGB)
    steps = np.linspace(0, 1, 256)
    bend = rng.uniform(-0.1, 0.1)
    curve = steps ** rng.uniform(0.7, 1.1) - bend * np.sin(2 * np.pi * steps) / 2
    return _toned(np.asarray(smooth, np.uint8), curve)


def _toned(rgb: Rgb, curve: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Rgb:
    table = np.clip(np.round(255 * curve), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(rgb, table), np.uint8)


def _of_some_size(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """At 1280 to 2400 px: noise of single pixels looks otherwise once it is shrunk by more."""
    scale = level_between(1280, WORKING_LONG_PX, rng) / max(rgb.shape[:2])
    size = max(16, round(rgb.shape[1] * scale)), max(16, round(rgb.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)
