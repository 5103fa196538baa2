"""Name hundreds of facings of a photo in one go, at a glance: embedding and colours, no prints.

Point by point a facing takes tens of milliseconds; at a glance all 200 of a bay take less than a
second together. What is lost is in docs/products.md: ask `naming` about the ones that matter.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.products.catalogue import Catalogue
from vision.products.evidence import EVIDENCE, GLANCED, print_evidence
from vision.products.facings import FacingLooks
from vision.products.judgement import Judgement
from vision.products.naming import Name, told
from vision.products.prints import no_match

Floats = NDArray[np.float32]

_ROWS_AT_ONCE: Final = 20_000
"""Pairs weighed together: 3 MB."""


def name_facings(
    looks: FacingLooks, catalogue: Catalogue, judgement: Judgement
) -> list[tuple[Name, ...]]:
    """Name n facings; each answer best first, () for "not in the catalogue".

    Args:
        judgement: weights learnt without prints (`PACKAGED_GLANCE`).
    """
    if not catalogue.products or not len(looks):
        return [()] * len(looks)
    references = [one for them in catalogue.products.values() for one in them]
    counts = [len(them) for them in catalogue.products.values()]
    odds = pair_odds(
        looks,
        FacingLooks(
            np.stack([one.embeddings[0] for one in references]),
            np.stack([one.colours for one in references]),
        ),
        judgement,
    )
    pooled = pooled_by_product(odds, np.array(counts), judgement)
    skus = list(catalogue.products)
    return [
        told(skus, judgement.probabilities(row.tolist(), catalogue_size=len(skus)), judgement)
        for row in pooled
    ]


def pair_odds(looks: FacingLooks, references: FacingLooks, judgement: Judgement) -> Floats:
    """Log odds of each of n facings against each of r references: (n, r)."""
    whole = looks.embeddings @ references.embeddings.T
    glance = np.stack([looks.colours @ references.colours.T, whole, whole], axis=-1)
    rows = glance.reshape(-1, GLANCED)
    out = np.empty(len(rows), np.float32)
    unseen = print_evidence(no_match())
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        few = rows[start : start + _ROWS_AT_ONCE]
        evidence = np.empty((len(few), len(EVIDENCE)), np.float32)
        evidence[:, :-GLANCED], evidence[:, -GLANCED:] = unseen, few
        out[start : start + _ROWS_AT_ONCE] = judgement.odds(evidence)
    return out.reshape(whole.shape)


def pooled_by_product(odds: Floats, counts: NDArray[np.int64], judgement: Judgement) -> Floats:
    """`Judgement.pooled` for n facings and all products at once.

    Args:
        odds: (n, r), the references of a product beside each other.
        counts: (p,) references of each product, none 0, r together.
    Returns:
        (n, p)
    """
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sharp = odds.astype(np.float64) * judgement.sharpness
    top = np.maximum.reduceat(sharp, starts, axis=1)
    spread = np.exp(sharp - np.repeat(top, counts, axis=1))
    total = top + np.log(np.add.reduceat(spread, starts, axis=1))
    return np.asarray((total - judgement.many * np.log(counts)) / judgement.sharpness, np.float32)
