"""Name the product in the middle of each picture, or say that it is none of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.products.catalogue import Catalogue
from vision.products.evidence import evidence_of, glance
from vision.products.judgement import Judgement
from vision.products.traits import Traits

Floats = NDArray[np.float32]

CLOSELY_MAX: Final = 25
"""Products of a larger catalogue that are compared point by point; the others look too different
at a glance. Point by point costs a few milliseconds for each reference."""
TOLD_MAX: Final = 5
"""Answers beyond the fifth are never right often enough to be read."""


@dataclass(frozen=True, slots=True)
class Name:
    """One answer."""

    sku: str
    score: float
    """Probability that it is right."""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score is a probability, got {self.score}")


def name_product(query: Traits, catalogue: Catalogue, judgement: Judgement) -> tuple[Name, ...]:
    """The product that a picture shows, best first, at most `TOLD_MAX` answers.

    Returns:
        () for "not in the catalogue": the best answer is less likely than is worth saying.
    """
    near = shortlist(query, catalogue)
    if not near:
        return ()
    odds = [
        judgement.pooled(judgement.odds(np.stack([evidence_of(query, one) for one in them])))
        for them in near.values()
    ]
    shares = judgement.probabilities(odds, catalogue_size=len(catalogue.products))
    return told(list(near), shares, judgement)


def told(skus: Sequence[str], shares: Floats, judgement: Judgement) -> tuple[Name, ...]:
    """Put probabilities (n + 1,), the last one of none of them, into an answer."""
    order = np.argsort(-shares[:-1])
    if shares[order[0]] < judgement.refuse_below:
        return ()
    return tuple(Name(skus[int(at)], float(shares[at])) for at in order[:TOLD_MAX])


def shortlist(query: Traits, catalogue: Catalogue) -> Mapping[str, tuple[Traits, ...]]:
    """The products that are likest at a glance, at most `CLOSELY_MAX`."""
    products = catalogue.products
    if len(products) <= CLOSELY_MAX:
        return products
    alike = {
        sku: max(float(glance(query, one).sum()) for one in them) for sku, them in products.items()
    }
    best = sorted(alike, key=lambda sku: -alike[sku])[:CLOSELY_MAX]
    return {sku: products[sku] for sku in best}
