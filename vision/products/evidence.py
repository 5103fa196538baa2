"""Say in numbers how alike two pictures are, trait by trait. Weighs none of them.

The weighing is learnt (`judgement.py`); what is here is measured.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.products.prints import Match, matches
from vision.products.traits import Traits

Floats = NDArray[np.float32]

EVIDENCE: Final = (
    "agreed points, logarithm",
    "agreed points in the middle, logarithm",
    "paired points, logarithm",
    "share covered by agreed points",
    "colour steps where they agree",
    "the same, relit",
    "likeness of lightness where they agree",
    "off the middle of the reference",
    "off the middle of the query",
    "zoom, logarithm",
    "any agreed points",
    "colours in common",
    "embeddings, whole pictures",
    "embeddings, best of whole and middle",
)
GLANCED: Final = 3
"""So many of the last ones are seen without comparing points."""


def evidence_of(query: Traits, reference: Traits) -> Floats:
    """(14,) the numbers of `EVIDENCE` for one pair of pictures."""
    return np.concatenate(
        [print_evidence(matches(query.print, reference.print)), glance(query, reference)]
    )


def print_evidence(match: Match) -> Floats:
    """(11,) what was found point by point."""
    any_agreed = float(match.agreed > 0)
    return np.array(
        [
            np.log1p(match.agreed),
            np.log1p(match.agreed_centred),
            np.log1p(match.paired),
            match.covered,
            match.colour * any_agreed,
            match.colour_relit * any_agreed,
            match.likeness * any_agreed,
            match.off_second,
            match.off_first,
            match.zoom,
            any_agreed,
        ],
        np.float32,
    )


def glance(query: Traits, reference: Traits) -> Floats:
    """(3,) what is seen without comparing points."""
    alike = query.embeddings @ reference.embeddings.T
    return np.array([query.colours @ reference.colours, alike[0, 0], alike.max()], np.float32)
