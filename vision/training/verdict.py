"""Learn the photo verdict from clues of good photos and of photos gone wrong, reason by reason.

    python -m vision.training.verdict clues DATA -o clues.npz
    python -m vision.training.verdict fit clues.npz --edges edges.json -o vision/weights/verdict.json

A forest for each reason tells photos beyond the edge of usefulness from good ones. Where it begins
to refuse is chosen on photos that it has not learnt from (four parts, parted by photo).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.training.boosting import Growth, grow
from vision.trees import Floats, Forest

REASON_OF: Final[Mapping[str, str]] = {
    "moved": "blurred",
    "unfocused": "blurred",
    "darkened": "too_dark",
    "glaring": "glare",
    "turned": "too_tilted",
    "distant": "too_far",
    "cut_off": "cut_off",
    "off_a_screen": "screen",
    "no_shelf": "no_shelf",
}
GOOD_PREFIX: Final = "good"
_FOLDS: Final = 4
_NEAR: Final = 0.65
"""Photos between this share of the edge and the edge teach nothing: they are neither."""
_REFUSED_MAX: Final = 0.003
"""Of the good photos, for each reason: eight of them together stay below 3 %."""
_CAUGHT_ENOUGH: Final = 0.985


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Clues of trials, row by row."""

    values: Floats
    """(n, k)"""
    group: NDArray[np.str_]
    kind: NDArray[np.str_]
    level: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """One reason's forest, where it refuses, and how it did on photos not learnt from."""

    forest: Forest
    limit: float
    caught: float
    refused: float


def learn(
    examples: Examples, edges: Mapping[str, float], growth: Growth | None = None
) -> dict[str, Learnt]:
    """A forest and a limit for every reason that the examples show.

    Args:
        examples: good ones ("good…") and mishaps.
        edges: mishap -> level beyond which a photo is useless; a mishap without one is always.
    """
    beyond, near = _beyond(examples, edges)
    good = np.char.startswith(examples.kind, GOOD_PREFIX)
    reasons = np.array([REASON_OF.get(str(kind), "") for kind in examples.kind])
    fold = _folds(examples.group)
    learnt = {}
    for reason in sorted(set(REASON_OF.values())):
        right = (reasons == reason) & beyond
        if not right.any():
            continue
        # Of other reasons' photos only mild ones are no example: a dark photo may be blurred too.
        of_others = (reasons != reason) & (reasons != "") & ~beyond & ~near
        below = (reasons == reason) & ~beyond & ~near
        used = right | good | below | of_others
        weights = np.where(right, good.sum() / max(right.sum(), 1) * 0.5, 1.0)
        weights = np.where(of_others, 0.3, weights)
        odds = np.full(len(right), np.nan)
        for part in range(_FOLDS):
            rest = used & (fold != part)
            forest = grow(examples.values[rest], right[rest], weights[rest], growth)
            odds[fold == part] = forest.log_odds(examples.values[fold == part])
        limit = limit_of(odds[good], odds[right])
        forest = grow(examples.values[used], right[used], weights[used], growth)
        learnt[reason] = Learnt(
            forest, limit, float((odds[right] > limit).mean()), float((odds[good] > limit).mean())
        )
    return learnt


def limit_of(good: Floats, bad: Floats) -> float:
    """Where to refuse: few good ones above it, and no lower than the bad ones need.

    Args:
        good: (n,) log odds of good photos; bad: (m,) of those beyond the edge.
    """
    allowed = float(np.quantile(good, 1 - _REFUSED_MAX))
    needed = float(np.quantile(bad, 1 - _CAUGHT_ENOUGH))
    # With room between the two kinds the limit stands in its middle.
    return (allowed + needed) / 2 if needed > allowed else allowed


def _beyond(
    examples: Examples, edges: Mapping[str, float]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are beyond their mishap's edge, and which are short of it but near."""
    edge = np.array(
        [np.inf if str(kind).startswith(GOOD_PREFIX) else edges.get(str(kind), -np.inf)
         for kind in examples.kind]
    )  # fmt: skip
    beyond = examples.level >= edge
    return beyond, ~beyond & (examples.level >= _NEAR * edge)


def _folds(groups: Sequence[str] | NDArray[np.str_]) -> NDArray[np.int64]:
    """A part for each row; rows of one group are in one part."""
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    return np.random.default_rng(0).permutation(len(names))[place] % _FOLDS
