"""Lines of text on a photo, as values, and the port behind which they are read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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


Wanted = Callable[[Sequence[Box]], Iterable[int]]
"""Which of the places where text stands are worth reading, in this order. Reading is what costs: it
is asked for the next one when the one before was read, and may stop."""

InTime = Callable[[], bool]
"""Whether there is time to read another line."""


def always() -> bool:
    """There is."""
    return True


def until_late(wanted: Wanted, in_time: InTime, unread: list[Box]) -> Wanted:
    """The same places as long as there is time; what is wanted and comes too late is noted.

    Args:
        unread: where it is noted.
    """

    def few(places: Sequence[Box]) -> Iterator[int]:
        order = list(wanted(places))
        for done, at in enumerate(order):
            if not in_time():
                unread.extend(places[late] for late in order[done:])
                return
            yield at

    return few


class ReadsText(Protocol):
    """Finds lines of text and reads those that are wanted."""

    def read(self, rgb: Pixels, wanted: Wanted) -> list[TextLine]:
        """The wanted lines, in pixels of `rgb`; none where there is no text."""
        ...


def every_line(places: Sequence[Box]) -> Sequence[int]:
    """All places, as they come."""
    return range(len(places))
