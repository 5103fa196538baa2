"""Whether a photo can be judged, and if not, what to do. Pure but for reading its own table.

Before the network runs, boosted trees read the photo's clues, one forest for each reason; they were
learnt from photos gone wrong at known levels, and refuse beyond the level that costs the detector
ten points of AP50 (`vision.training.verdict`; `storepulse eval verdict` measures them). Whether
a photo was taken from too far away or shows a part of the bay only, they settle where they are sure
alone: after the network has run, the facings themselves tell these better (`vision.last_word`), and
whether this is a shelf at all.
"""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Final

import cv2
import numpy as np

from storepulse.checklists import Sentence
from storepulse.errors import BadInput
from vision.clues import CLUE_NAMES, Clues, clues_of
from vision.detector import INPUT_PX, Found
from vision.last_word import last_refusers, odds_after_looking
from vision.photos import Photo, Pixels
from vision.trees import Forest

LONG_SIDE_PX_MIN: Final = 250
"""The smallest photos on which shelves were labelled (data of gaps, 300 px) still count."""
LIGHTNESS_MIN: Final = 22.0
"""Of 255, the 90th percentile over the photo. The 30 val photos have 154 and more; darkened to a
lightness of 27 all facings were still found, at 15 up to half of them were lost."""
FACINGS_MIN: Final = 4
"""Fewer facings are no shelf, or one seen from too far or too near to be judged."""
SURE_SCORE: Final = 0.5
"""At least one facing must reach it: portraits, walls and tables give weaker answers at most. A
street may pass: that a photo shows goods, but no shelf, is not told apart by this."""
VERDICT_VARIABLE: Final = "STOREPULSE_VERDICT"
"""Environment variable: `full` (the default), or `basic` where a chain's shelves look so different
that the learnt reasons refuse good photos; then only size and darkness are asked before looking."""
FAR_SHORT_PX: Final = 14.5
"""Median shorter side of the facings, at the 1280 px that the network sees: below it most photos
have lost ten points of AP50 and more. Of 274 photos of shelves the smallest have 15.3."""

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
    "glare": Sentence(
        "A light or a window hides a part of the shelf; step aside, switch off the flash and take "
        "it again.",
        "反光遮住了部分货架；请换个角度、关闭闪光灯后重拍。",
    ),
    "too_tilted": Sentence(
        "The shelf is seen too far from its side; stand before its middle and take it again.",
        "拍摄角度太斜；请站到货架正中间后重拍。",
    ),
    "too_far": Sentence(
        "The photo was taken from too far away; step nearer, so that one bay fills it.",
        "拍得太远；请走近一些，让一组货架占满画面后重拍。",
    ),
    "cut_off": Sentence(
        "A part of the shelf is outside the photo; point at its middle, so that all of it is seen.",
        "货架没有拍全；请对准货架中间，让整组货架都在画面里后重拍。",
    ),
    "screen": Sentence(
        "This is a photo of a screen; take one of the shelf itself.",
        "这是翻拍屏幕的照片；请直接拍摄货架。",
    ),
    "no_shelf": Sentence(
        "No shelf with products is seen; stand before one bay, so that it fills the photo.",
        "没有看到摆放商品的货架；请正对一组货架，让它占满画面后重拍。",
    ),
}
"""Reason -> what a clerk is told, in the languages of our users."""


@dataclass(frozen=True, slots=True)
class FirstWord:
    """What is said of a photo before the network looks at it."""

    codes: tuple[str, ...] = ()
    """Keys of `SENTENCES`, the surest first: the photo is refused. (): the network looks at it."""
    odds: Mapping[str, float] | None = None
    """Log odds of each reason by pixels alone, for after the look; None: only rules are asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Refuser:
    """One reason: its forest, and the log odds above which a photo is refused."""

    forest: Forest
    limit: float


@cache
def refusers() -> Mapping[str, Refuser]:
    """The forests that come with storepulse, by reason.

    Raises:
        ValueError: the table was learnt from other clues than this version tells.
    """
    table = json.loads((files("vision") / "weights" / "verdict.json").read_bytes())
    if tuple(table["clues"]) != CLUE_NAMES:
        raise ValueError("vision/weights/verdict.json was learnt from other clues; learn it anew")
    return {
        reason: Refuser(Forest.read_from(one), float(one["limit"]))
        for reason, one in table["reasons"].items()
    }


def chosen_verdict(*, beside: Executor | None = None) -> Callable[[Photo], FirstWord]:
    """What is asked of a photo before the network runs, by the setting; see `VERDICT_VARIABLE`.

    Args:
        beside: a second thread to look at the pixels.
    Raises:
        BadInput: the setting names none.
    """
    name = os.environ.get(VERDICT_VARIABLE, "full").strip().lower() or "full"
    if name not in ("full", "basic"):
        raise BadInput(f"{VERDICT_VARIABLE}={name}: known are full and basic; leave it for full")
    if name == "basic":
        return lambda photo: FirstWord(basic_reasons(photo))
    refusers(), last_refusers()  # read now: the first photo should not wait for them
    return partial(first_word, beside=beside)


def basic_reasons(photo: Photo) -> tuple[str, ...]:
    """Size and darkness alone: keys of `SENTENCES`, () if none."""
    if max(photo.width, photo.height) < LONG_SIDE_PX_MIN:
        return ("too_small",)
    grey = cv2.cvtColor(np.ascontiguousarray(photo.rgb[::8, ::8]), cv2.COLOR_RGB2GRAY)
    return ("too_dark",) if float(np.percentile(grey, 90)) < LIGHTNESS_MIN else ()


def reasons_before_looking(photo: Photo) -> tuple[str, ...]:
    """Keys of `SENTENCES` for which the photo is refused before the network runs; () if none."""
    return first_word(photo).codes


def first_word(photo: Photo, *, beside: Executor | None = None) -> FirstWord:
    """Whether the photo is refused before the network runs, and what is known for afterwards.

    The surest reason comes first. In a photo that is too dark or too small nothing else can be
    told. A reason that the look tells better refuses here only where it is sure.
    """
    if basic := basic_reasons(photo):
        return FirstWord(basic)
    odds = pixel_odds(clues_of(photo.rgb, beside=beside))
    limits = {reason: one.limit for reason, one in refusers().items()}
    limits |= {reason: one.sure for reason, one in last_refusers().items()}
    return FirstWord(
        _surest_first({reason: odds[reason] - limits[reason] for reason in odds}), odds
    )


def _surest_first(above: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted((reason for reason in above if above[reason] > 0), key=lambda r: -above[r]))


def pixel_odds(clues: Clues) -> dict[str, float]:
    """Log odds of each reason, by pixels alone."""
    return {
        reason: float(one.forest.log_odds(clues.values[None])[0])
        for reason, one in refusers().items()
    }


def reasons_after_looking(
    first: FirstWord, found: Found, weak: Found, rgb: Pixels
) -> tuple[str, ...]:
    """Keys of `SENTENCES` for which the photo is refused once facings were sought; () if none.

    Args:
        first: what was said before.
        found: facings in pixels of the picture that was looked at, best first.
        weak: half-seen ones too.
        rgb: that picture.
    """
    if len(found.scores) < FACINGS_MIN or float(found.scores.max()) < SURE_SCORE:
        return ("no_shelf",)
    short = np.median((found.boxes_px[:, 2:] - found.boxes_px[:, :2]).min(axis=1))
    if short * INPUT_PX / max(rgb.shape[:2]) < FAR_SHORT_PX:
        return ("too_far",)
    if first.odds is None:
        return ()
    return _surest_first(odds_after_looking(first.odds, found, weak, rgb))
