"""What can go wrong with planograms.

BadInput
├── BadPlanogram   a planogram that cannot be used: where in it, and what is allowed
├── BadPicture     a place where no picture can be written
└── NoShelf        a photo from which no planogram can be made
"""

from storepulse.checklists import Sentence
from storepulse.errors import BadInput


class BadPlanogram(BadInput):
    """A planogram that cannot be used. The message names the place and what is allowed."""


class BadPicture(BadInput):
    """A picture cannot be written there. The message says what is allowed."""


class NoShelf(BadInput):
    """The photo shows no shelf that a planogram could be made from."""

    def __init__(self, message: str, words: Sentence) -> None:
        """`words`: why, in the languages of our users."""
        super().__init__(message)
        self.words = words
