"""The four colours and the hollow fifth, with order, sign and word. Decides nothing."""

from collections.abc import Mapping
from typing import Final, Literal

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


def badness(colour: Colour) -> int:
    """0 for green to 3 for red."""
    return COLOURS.index(colour)
