"""The four colours and the hollow fifth, with order, sign and word. Decides nothing."""

from collections.abc import Mapping
from typing import Final, Literal

from storepulse.checklists import Sentence

Colour = Literal["green", "yellow", "orange", "red"]
Shown = Literal["green", "yellow", "orange", "red", "unknown"]

COLOURS: Final[tuple[Colour, ...]] = ("green", "yellow", "orange", "red")
"""From best to worst; a colour's index here is how bad it is."""

WORST_FIRST: Final[tuple[Shown, ...]] = ("red", "orange", "unknown", "yellow", "green")
"""The order of a board. Unknown stands above yellow: not sending photos must not pay."""

SIGNS: Final[Mapping[Shown, str]] = {
    "green": "●", "yellow": "▲", "orange": "◆", "red": "■", "unknown": "○",
}  # fmt: skip
"""A colour never speaks alone: each has its own shape."""

WORDS: Final[Mapping[Shown, Sentence]] = {
    "green": Sentence(en="healthy", zh="健康"),
    "yellow": Sentence(en="below target", zh="留意"),
    "orange": Sentence(en="at risk", zh="预警"),
    "red": Sentence(en="act now", zh="整改"),
    "unknown": Sentence(en="not enough evidence", zh="证据不足"),
}
"""What a colour is called in a sentence: as the pages call it (a test compares them)."""


def quoted(colour: Shown) -> Sentence:
    """The word of a colour amid others."""
    return Sentence(en=f"“{WORDS[colour].en}”", zh=f"“{WORDS[colour].zh}”")


def badness(colour: Colour) -> int:
    """0 for green to 3 for red."""
    return COLOURS.index(colour)
