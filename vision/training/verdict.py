"""Learn the photo verdict from clues of good photos and of photos gone wrong, reason by reason.

    python -m vision.training.verdict clues DATA -o clues.npz
    python -m vision.training.verdict fit clues.npz --edges edges.json -o verdict.json

A forest for each reason tells photos beyond the edge of usefulness from good ones. Where it begins
to refuse is chosen on photos that it has not learnt from (four parts, parted by photo).
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.clues import CLUE_NAMES, clues_of
from vision.training.boosting import Growth, grow
from vision.training.mishap_edges import read_edges
from vision.training.verdict_trials import training_trials
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


def write_table(learnt: Mapping[str, Learnt], path: Path) -> None:
    """Write what `vision.verdict` reads: numbers to six digits, which changes no answer."""

    def short(values: NDArray[np.float64]) -> list[list[float]]:
        return [[float(f"{value:.6g}") for value in row] for row in values]

    table = {
        "clues": list(CLUE_NAMES),
        "reasons": {
            reason: {
                "limit": round(one.limit, 4),
                "base": round(one.forest.base, 6),
                "figures": one.forest.figures.tolist(),
                "limits": short(one.forest.limits),
                "leaves": short(one.forest.leaves),
            }
            for reason, one in learnt.items()
        },
    }
    path.write_text(json.dumps(table, separators=(",", ":")) + "\n", "utf-8")


def read_examples(path: Path) -> Examples:
    """Clues as the command `clues` wrote them."""
    with np.load(path) as kept:
        return Examples(kept["values"], kept["group"], kept["kind"], kept["level"])


def write_examples(data: Path, path: Path) -> None:
    """The clues of all training trials of a data folder (`shelves`, `products`, `tags`, `gaps`)."""
    rows, told = [], []
    for trial in training_trials(data):
        rows.append(clues_of(trial.rgb).values)
        told.append((trial.group, trial.kind, trial.level))
    group, kind, level = zip(*told, strict=True)
    np.savez(
        path, values=np.array(rows), group=np.array(group), kind=np.array(kind),
        level=np.array(level, np.float64),
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Take clues of training photos, or learn from them."""
    parser = argparse.ArgumentParser(prog="vision.training.verdict", description=__doc__)
    commands = parser.add_subparsers(dest="do", required=True)
    taking = commands.add_parser("clues")
    taking.add_argument("data", type=Path)
    fitting = commands.add_parser("fit")
    fitting.add_argument("clues", type=Path)
    fitting.add_argument("--edges", type=Path, required=True)
    for command in (taking, fitting):
        command.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.do == "clues":
        write_examples(given.data, given.output)
        return
    edges = {name: edge.level for name, edge in read_edges(given.edges).items() if edge.level}
    write_table(learn(read_examples(given.clues), edges), given.output)


if __name__ == "__main__":
    main()
