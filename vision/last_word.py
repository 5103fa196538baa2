"""What is said of a photo once facings were sought: two reasons that pixels alone leave open.

A photo from too far away, or with a part of the bay outside: a weighted sum for each, of what the
pixels said and of what the boxes tell more (`vision.training.last_word` learns them). What it says
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


@dataclass(frozen=True, slots=True, eq=False)
class LastRefuser:
    """One reason: how it is weighed, and when it refuses."""

    places: tuple[int, ...]
    """Which of `LOOK_CLUE_NAMES` are asked."""
    weights: Floats
    """(k,) of these clues."""
    of_pixels: float
    """Weight of the log odds that the pixels gave this reason."""
    bias: float
    limit: float
    """Log odds above which a photo is refused after the look."""
    sure: float
    """Log odds of the pixels alone above which it is refused without a look."""

    def log_odds(self, pixel_odds: float, clues: Floats) -> float:
        """Of one photo: what its pixels said of this reason, and all clues of the look."""
        seen = float(self.weights @ clues[list(self.places)])
        return self.bias + self.of_pixels * pixel_odds + seen


@cache
def last_refusers() -> Mapping[str, LastRefuser]:
    """Those that come with storepulse, by reason.

    Raises:
        ValueError: the table asks for other clues than this version tells.
    """
    table = json.loads((files("vision") / "weights" / "last_word.json").read_bytes())
    asked = {name for one in table["reasons"].values() for name in one["weights"]}
    if not asked <= set(LOOK_CLUE_NAMES):
        raise ValueError("vision/weights/last_word.json was learnt from other clues; learn it anew")
    return {
        reason: LastRefuser(
            tuple(LOOK_CLUE_NAMES.index(name) for name in one["weights"]),
            np.array(list(one["weights"].values()), np.float64),
            float(one["of_pixels"]), float(one["bias"]), float(one["limit"]), float(one["sure"]),
        )
        for reason, one in table["reasons"].items()
    }  # fmt: skip


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
