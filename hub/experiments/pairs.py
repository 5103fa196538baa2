"""Pairs of shops that are alike, and which of each acts: by lot. Pure, given a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from storepulse.errors import BadInput

PAIRS_MIN: Final = 5
"""Fewer cannot show how pairs differ from each other."""


class TooFewShops(BadInput):
    """Not enough shops with known figures for a trial."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two shops that are alike before: one acts, one waits."""

    acts: str
    waits: str


def matched_pairs(
    before: Mapping[str, float], formats: Mapping[str, str], *, seed: int
) -> tuple[Pair, ...]:
    """Pair shops of one format with neighbouring figures; by lot, one of each acts.

    Args:
        before: each shop's mean figure before the trial; a shop without one takes no part.
        formats: by shop; what is left over of each format is paired among itself.
    Raises:
        TooFewShops: fewer than `PAIRS_MIN` pairs.
    """
    by_format: dict[str, list[str]] = {}
    for shop in sorted(before, key=lambda one: (before[one], one)):
        by_format.setdefault(formats.get(shop, ""), []).append(shop)
    couples: list[tuple[str, str]] = []
    left: list[str] = []
    for _, shops in sorted(by_format.items()):
        couples += _neighbours(shops)
        if len(shops) % 2:
            left.append(shops[-1])
    couples += _neighbours(sorted(left, key=lambda one: (before[one], one)))
    if len(couples) < PAIRS_MIN:
        raise TooFewShops(
            f"{len(couples)} pairs of shops have known figures; a trial needs {PAIRS_MIN} at least"
        )
    lots = np.random.default_rng([seed, 0x9A1F]).random(len(couples)) < 0.5
    return tuple(
        Pair(first, second) if lot else Pair(second, first)
        for (first, second), lot in zip(couples, lots, strict=True)
    )


def _neighbours(shops: Sequence[str]) -> list[tuple[str, str]]:
    return [(shops[n], shops[n + 1]) for n in range(0, len(shops) - 1, 2)]
