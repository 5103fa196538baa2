"""What is said of a photo once facings were sought: two reasons that pixels alone leave open.

A photo from too far away, or with a part of the bay outside: a small forest for each reads what the
pixels said and what the boxes tell more (`vision.training.last_word` grows them). What it says
stands, also against the first word, unless that was sure. Pure but for reading its own table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from vision.detector import Found
from vision.look_clues import LOOK_CLUE_NAMES, Floats, look_clues
from vision.photos import Pixels
from vision.trees import Forest


@dataclass(frozen=True, slots=True, eq=False)
class LastRefuser:
    """One reason: its forest, and when it refuses."""

    forest: Forest
    """Over the log odds that the pixels gave this reason, then all of `LOOK_CLUE_NAMES`."""
    limit: float
    """Log odds above which a photo is refused after the look."""
    sure: float
    """Log odds of the pixels alone above which it is refused without a look."""

    def log_odds(self, pixel_odds: float, clues: Floats) -> float:
        """Of one photo: what its pixels said of this reason, and all clues of the look."""
        return float(self.forest.log_odds(np.concatenate([[pixel_odds], clues])[None])[0])


@cache
def last_refusers() -> Mapping[str, LastRefuser]:
    """Those that come with storepulse, by reason.

    Raises:
        ValueError: the table was learnt from other clues than this version tells.
    """
    table = json.loads((files("vision") / "weights" / "last_word.json").read_bytes())
    if tuple(table["clues"]) != LOOK_CLUE_NAMES:
        raise ValueError("vision/weights/last_word.json was learnt from other clues; learn it anew")
    return {
        reason: LastRefuser(Forest.read_from(one), float(one["limit"]), float(one["sure"]))
        for reason, one in table["reasons"].items()
    }


def odds_after_looking(
    pixel_odds: Mapping[str, float], found: Found, weak: Found, rgb: Pixels
) -> dict[str, float]:
    """By how much each reason's log odds exceed what refuses a photo.

    Args:
        pixel_odds: reason -> log odds that the pixels gave it.
        found: facings in pixels of the picture, best first.
        weak: half-seen ones too.
        rgb: the picture that was looked at.
    """
    clues = look_clues(found, weak, rgb)
    return {
        reason: one.log_odds(pixel_odds[reason], clues) - one.limit
        for reason, one in last_refusers().items()
    }
