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
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.clues import CLUE_NAMES, clues_of
from vision.training.boosting import Growth, grow
from vision.training.mishap_edges import read_edges
from vision.training.verdict_trials import training_trials
from vision.training.wider_trials import wider_trials
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
TAUGHT: Final[Mapping[str, float]] = {
    "glaring": 0.14, "turned": 36.0, "distant": 1.6, "cut_off": 0.15,
}  # fmt: skip
"""Levels from which these are taught to be refused, in place of their edges. A photo at its edge is
told from a good one by chance alone when only photos beyond it are taught, so glare and turns are
taught from a little before. A far or a cut bay at its edge (1.45 times as far, 11 % cut off) looks
like a good photo of another bay, so these are taught from beyond it."""
GOOD_PREFIX: Final = "good"
_FOLDS: Final = 3
_NEAR: Final = 0.6
"""Photos between this share of what is taught and that level teach nothing: they are neither."""
REFUSED_MAX: Final[Mapping[tuple[str, ...], float]] = {
    ("good", "good_room", "good_drawn", "good_again"): 0.012,
    ("good_as_it_came",): 0.008,
    ("good_dim", "good_raw", "good_other_light"): 0.036,
    ("good_borne", "good_glare", "good_turn"): 0.03,
    ("good_small", "good_300"): 0.05,
}
"""Of good photos of these kinds, by all reasons together that are told before the look. Below the
3 % that are borne, as others differ and the look refuses some more. Whole photos as they came, not
cut, lit or packed anew, are the truest, and what is made from them is never quite like them. Dim
ones, those that lose a little to a condition, and small ones (below 1000 px), which no phone sends,
may cost more."""
AFTER_LOOK: Final = ("too_far", "cut_off")
"""What the detector saw tells these better (`vision.training.last_word`): they take nothing of what
the others may refuse."""
GROWTH: Final = Growth(trees=150, depth=4, rate=0.09)
_CAUGHT_ENOUGH: Final = 0.97
_CAME_KIND: Final = "good_as_it_came"
_CAME_WEIGHT: Final = 2.0
_WEIGHT: Final = {"cut_off": 0.3}
"""Whether a bay is cut can hardly be told from one photo; its plan tells better, after looking."""


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
    examples: Examples,
    edges: Mapping[str, float],
    growth: Growth = GROWTH,
) -> dict[str, Learnt]:
    """A forest and a limit for every reason that the examples show.

    Args:
        examples: good ones ("good…") and mishaps.
        edges: mishap -> level beyond which a photo is useless; a mishap without one is always.
    """
    useless, _ = beyond_level(examples, edges)
    good = np.char.startswith(examples.kind, GOOD_PREFIX)
    unseen, forests, rights = {}, {}, {}
    for reason in sorted(set(REASON_OF.values())):
        lesson = _lesson(examples, edges, reason)
        asked = (_reasons(examples) == reason) & useless
        if not (lesson.right.any() and asked.any()):
            continue
        unseen[reason], rights[reason] = _left_out(examples, lesson, growth), asked
        forests[reason] = _grown(examples, lesson, lesson.used, growth)
    limits: dict[str, float] = {}
    together = [reason for reason in forests if reason not in AFTER_LOOK]
    alone = [[reason] for reason in forests if reason in AFTER_LOOK]
    for some in filter(None, [together, *alone]):
        odds = {reason: unseen[reason] for reason in some}
        limits |= share_out(odds, rights, budgets_of(examples.kind, REFUSED_MAX))
    return {
        reason: Learnt(
            forest, limits[reason],
            float((unseen[reason][rights[reason]] > limits[reason]).mean()),
            float((unseen[reason][good] > limits[reason]).mean()),
        )
        for reason, forest in forests.items()
    }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """Which rows teach one reason, what they teach, and how much each counts."""

    right: NDArray[np.bool_]
    used: NDArray[np.bool_]
    weights: Floats


def _lesson(examples: Examples, edges: Mapping[str, float], reason: str) -> _Lesson:
    beyond, near = beyond_level(examples, {**edges, **TAUGHT})
    good = np.char.startswith(examples.kind, GOOD_PREFIX)
    reasons = _reasons(examples)
    right = (reasons == reason) & beyond
    # Of other reasons' photos only mild ones are no example: a dark photo may be blurred too.
    of_others = (reasons != reason) & (reasons != "") & ~beyond & ~near
    below = (reasons == reason) & ~beyond & ~near
    weights = np.where(right, good.sum() / max(right.sum(), 1) * 0.5, 1.0)
    weights = np.where(of_others, 0.3, weights)
    weights = np.where(examples.kind == _CAME_KIND, _CAME_WEIGHT, weights)
    return _Lesson(right, right | good | below | of_others, weights)


def _reasons(examples: Examples) -> NDArray[np.str_]:
    return np.array([REASON_OF.get(str(kind), "") for kind in examples.kind])


def left_out_odds(
    examples: Examples, edges: Mapping[str, float], reason: str, growth: Growth = GROWTH
) -> Floats:
    """(n,) log odds of one reason, each by trees that have not learnt from its photo."""
    return _left_out(examples, _lesson(examples, edges, reason), growth)


def _left_out(examples: Examples, lesson: _Lesson, growth: Growth) -> Floats:
    fold = folds_of(examples.group, _FOLDS)
    odds = np.full(len(fold), np.nan)
    for part in range(_FOLDS):
        forest = _grown(examples, lesson, lesson.used & (fold != part), growth)
        odds[fold == part] = forest.log_odds(examples.values[fold == part])
    return odds


def _grown(examples: Examples, lesson: _Lesson, rows: NDArray[np.bool_], growth: Growth) -> Forest:
    return grow(examples.values[rows], lesson.right[rows], lesson.weights[rows], growth)


Budget = tuple[NDArray[np.bool_], float]
"""Rows of good photos, and which share of them may be refused."""


def budgets_of(
    kinds: NDArray[np.str_], refused_max: Mapping[tuple[str, ...], float]
) -> list[Budget]:
    """Rows and share of each group of kinds; groups of which there are none are left out."""
    every = [(np.isin(kinds, some), share) for some, share in refused_max.items()]
    return [(rows, share) for rows, share in every if rows.any()]


def share_out(
    odds: Mapping[str, Floats],
    right: Mapping[str, NDArray[np.bool_]],
    budgets: Sequence[Budget],
) -> dict[str, float]:
    """Where each reason refuses, so that few good photos are refused by any, and most bad ones are.

    All begin above every good photo; then, step by step, the reason that catches most for each good
    photo more goes on, until a budget is used up.

    Args:
        odds: reason -> (n,) log odds of photos that were not learnt from.
        right: reason -> (n,) whether it should refuse.
        budgets: groups of good photos.
    """
    good = np.logical_or.reduce([rows for rows, _ in budgets])
    ladders = {reason: np.sort(odds[reason][good])[::-1] for reason in odds}
    at = dict.fromkeys(odds, 0)

    def limit(reason: str, step: int) -> float:
        # In the middle between two good photos, so that neither stands on the limit.
        ladder = ladders[reason]
        above = ladder[0] + 1.0 if step == 0 else ladder[step - 1]
        return float((above + ladder[step]) / 2)

    def caught(reason: str, step: int) -> float:
        share = (odds[reason][right[reason]] > limit(reason, step)).mean()
        return min(float(share), _CAUGHT_ENOUGH)

    def refused(steps: Mapping[str, int]) -> NDArray[np.bool_]:
        each = [odds[reason] > limit(reason, step) for reason, step in steps.items()]
        return np.asarray(np.logical_or.reduce(each))

    while True:
        best, best_gain = None, 0.0
        now = refused(at)[good].sum()
        for reason in odds:
            for more in (1, 2, 4, 8, 16, 32):
                step = min(at[reason] + more, len(ladders[reason]) - 1)
                after = refused({**at, reason: step})
                if any(after[rows].mean() > share for rows, share in budgets):
                    continue
                gain = caught(reason, step) - caught(reason, at[reason])
                gain *= _WEIGHT.get(reason, 1.0)
                gain /= max(float(after[good].sum() - now), 0.5)
                if gain > best_gain:
                    best, best_gain = (reason, step), gain
        if best is None:
            return {reason: limit(reason, step) for reason, step in at.items()}
        at[best[0]] = best[1]


def beyond_level(
    examples: Examples, edges: Mapping[str, float]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are beyond their mishap's level, and which are short of it but near."""
    edge = np.array(
        [np.inf if str(kind).startswith(GOOD_PREFIX) else edges.get(str(kind), -np.inf)
         for kind in examples.kind]
    )  # fmt: skip
    beyond = examples.level >= edge
    return beyond, ~beyond & (examples.level >= _NEAR * edge)


def folds_of(groups: Sequence[str] | NDArray[np.str_], parts: int) -> NDArray[np.int64]:
    """A part for each row; rows of one group are in one part."""
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    return np.random.default_rng(0).permutation(len(names))[place] % parts


def write_table(learnt: Mapping[str, Learnt], path: Path) -> None:
    """Write what `vision.verdict` reads."""
    table = {
        "clues": list(CLUE_NAMES),
        "reasons": {
            reason: {
                "limit": round(one.limit, 4),
                **one.forest.told(),
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
    for trial in chain(training_trials(data), wider_trials(data)):
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
