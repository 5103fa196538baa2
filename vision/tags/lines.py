"""Lines of text on a photo, as values, and the port behind which they are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.observation import Box

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text where it stands."""

    text: str
    score: float
    """Mean certainty of its characters, 0 to 1."""
    box_xyxy_px: Box
    small: str = ""
    """What is printed clearly smaller right after it, as cents are; not part of `text`."""

    @property
    def height_px(self) -> float:
        """Height of its box."""
        return self.box_xyxy_px[3] - self.box_xyxy_px[1]


Wanted = Callable[[Sequence[Box]], Sequence[int]]
"""Which of the places where text stands are worth reading, in this order. Reading is what costs."""


class ReadsText(Protocol):
    """Finds lines of text and reads those that are wanted."""

    def read(self, rgb: Pixels, wanted: Wanted) -> list[TextLine]:
        """The wanted lines, in pixels of `rgb`; none where there is no text."""
        ...


def every_line(places: Sequence[Box]) -> Sequence[int]:
    """All places, as they come."""
    return range(len(places))
