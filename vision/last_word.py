"""What is said of a photo once facings were sought: four reasons that pixels alone leave open.

Glare, a shelf seen from its side, from too far away or with a part outside: the boxes tell more of
these than the pixels do, and the network looks at every usable photo anyway. Boosted trees read
both (`vision.training.last_word` learns them); what they say stands, also against the first word,
unless that was sure. Pure but for reading its own table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from vision.clues import CLUE_NAMES
from vision.detector import Found
from vision.look_clues import LOOK_CLUE_NAMES, Floats, look_clues
from vision.photos import Pixels
from vision.trees import Forest

LAST_CLUE_NAMES: Final = (*LOOK_CLUE_NAMES, *CLUE_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class LastRefuser:
    """One reason: its forest, and when it refuses."""

    forest: Forest
    limit: float
    """Log odds above which a photo is refused after the look."""
    sure: float
    """The first word refuses by itself only where its log odds are so much above its own limit."""


@cache
def last_refusers() -> Mapping[str, LastRefuser]:
    """The forests that come with storepulse, by reason.

    Raises:
        ValueError: the table was learnt from other clues than this version tells.
    """
    table = json.loads((files("vision") / "weights" / "last_word.json").read_bytes())
    if tuple(table["clues"]) != LAST_CLUE_NAMES:
        raise ValueError("vision/weights/last_word.json was learnt from other clues; learn it anew")
    return {
        reason: LastRefuser(Forest.read_from(one), float(one["limit"]), float(one["sure"]))
        for reason, one in table["reasons"].items()
    }


def odds_after_looking(
    pixel_clues: Floats, found: Found, weak: Found, rgb: Pixels
) -> dict[str, float]:
    """By how much each reason's log odds exceed what refuses a photo.

    Args:
        pixel_clues: `vision.clues.clues_of` the picture.
        found: facings in pixels of the picture, best first.
        weak: half-seen ones too.
        rgb: the picture that was looked at.
    """
    values = np.concatenate([look_clues(found, weak, rgb), pixel_clues])[None]
    return {
        reason: float(one.forest.log_odds(values)[0]) - one.limit
        for reason, one in last_refusers().items()
    }
