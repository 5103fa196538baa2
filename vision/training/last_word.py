"""Learn the last word: what the detector saw settles what pixels alone leave open.

    python -m vision.training.last_word looks DATA -o LOOKS
    python -m vision.training.last_word fit LOOKS --clues clues.npz --edges edges.json -o last.json

For each of two reasons a small forest over the log odds that pixels gave it and the clues of the
look. The log odds are those of forests that had not learnt from the photo. Where a reason refuses
is chosen on photos that were left out.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.detector import Detector
from vision.look_clues import LOOK_CLUE_NAMES, Floats
from vision.training.boosting import Growth, grow
from vision.training.looked_trials import Looked, keep_looks, read_looks
from vision.training.mishap_edges import read_edges
from vision.training.verdict import (
    GOOD_PREFIX,
    REASON_OF,
    Examples,
    beyond_level,
    budgets_of,
    folds_of,
    left_out_odds,
    read_examples,
    share_out,
)
from vision.trees import Forest

Flags = NDArray[np.bool_]

REASONS: Final = ("too_far", "cut_off")
TAUGHT: Final[Mapping[str, float]] = {"distant": 1.45, "cut_off": 0.1125}
"""Levels from which these are taught to be refused: their edges."""
NEAR: Final = 0.7
"""Photos between this share of what is taught and that level teach nothing."""
GROWTH: Final = Growth(trees=250, depth=3, rate=0.05)
REFUSED_MAX: Final[Mapping[tuple[str, ...], float]] = {
    ("good", "good_other_light", "good_room", "good_drawn", "good_again"): 0.018,
    ("good_as_it_came",): 0.02,
    ("good_dim", "good_borne", "good_glare", "good_turn"): 0.03,
    ("good_300",): 0.05,
}
"""Of good photos of these kinds, as in `vision.training.verdict`."""
SURE_SLACK: Final = 0.5
"""Of log odds, above all that should not be refused without a look."""
_PARTS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class LearntLast:
    """One reason, where it refuses, and how it did on photos that it had not learnt from."""

    forest: Forest
    limit: float
    sure: float
    unseen: Floats
    """(n,) log odds of all examples, by forests that had not learnt from their photo."""


def learn_last(
    looked: Sequence[Looked], pixel_odds: Mapping[str, Floats], edges: Mapping[str, float],
    growth: Growth = GROWTH,
) -> dict[str, LearntLast]:  # fmt: skip
    """A forest and its limits for each reason of which there are examples.

    Args:
        looked: good ones ("good…") and mishaps.
        pixel_odds: reason -> (n,) log odds by pixels, of forests that had not learnt from them.
        edges: mishap -> level beyond which a photo is useless.
    """
    clues = np.array([one.clues() for one in looked])
    given = _examples(looked)
    reasons = np.array([REASON_OF.get(str(kind), "") for kind in given.kind])
    good = np.char.startswith(given.kind, GOOD_PREFIX)
    beyond, _ = beyond_level(given, {**edges, **TAUGHT})
    near, _ = beyond_level(given, {**edges, **{name: NEAR * at for name, at in TAUGHT.items()}})
    useless, _ = beyond_level(given, edges)
    part = folds_of(given.group, _PARTS)
    forests, unseen, rights = {}, {}, {}
    for reason in REASONS:
        mine = reasons == reason
        right = mine & beyond
        if not right.any():
            continue
        used = right | good | (mine & ~near)
        weights = np.where(right, good.sum() / right.sum() * 0.5, 1.0)
        values = np.column_stack([pixel_odds[reason], clues])
        odds = np.full(len(right), np.nan)
        for number in range(_PARTS):
            rows, out = used & (part != number), part == number
            forest = grow(values[rows], right[rows], weights[rows], growth)
            odds[out] = forest.log_odds(values[out])
        forests[reason] = grow(values[used], right[used], weights[used], growth)
        unseen[reason], rights[reason] = odds, mine & useless
    limits = share_out(unseen, rights, budgets_of(given.kind, REFUSED_MAX))
    return {
        reason: LearntLast(
            forests[reason], limits[reason],
            sure_from(pixel_odds[reason], good | ((reasons == reason) & ~useless)),
            unseen[reason],
        )
        for reason in forests
    }  # fmt: skip


def sure_from(odds: Floats, spared: Flags) -> float:
    """Log odds of pixels alone that no photo has which is to be spared, good or short of its edge.

    Args:
        odds: (n,), of forests that had not learnt from the photo.
        spared: (n,).
    """
    return float(odds[spared].max()) + SURE_SLACK


def _examples(looked: Sequence[Looked]) -> Examples:
    return Examples(
        np.array([one.pixel_clues for one in looked]),
        np.array([one.group for one in looked]),
        np.array([one.kind for one in looked]),
        np.array([one.level for one in looked]),
    )


def odds_of_pixels(
    looked: Sequence[Looked], more: Examples, edges: Mapping[str, float], *,
    reasons: Sequence[str] = REASONS,
) -> dict[str, Floats]:  # fmt: skip
    """Reason -> (n,) log odds by pixels, of forests grown on other photos, `more` among them."""
    given = _examples(looked)
    both = Examples(
        np.concatenate([given.values, more.values]), np.concatenate([given.group, more.group]),
        np.concatenate([given.kind, more.kind]), np.concatenate([given.level, more.level]),
    )  # fmt: skip
    return {reason: left_out_odds(both, edges, reason)[: len(looked)] for reason in reasons}


def write_table(learnt: Mapping[str, LearntLast], path: Path) -> None:
    """Write what `vision.last_word` reads."""
    table = {
        "clues": list(LOOK_CLUE_NAMES),
        "reasons": {
            reason: {
                "limit": round(one.limit, 4),
                "sure": round(one.sure, 4),
                **one.forest.told(),
            }
            for reason, one in learnt.items()
        },
    }
    path.write_text(json.dumps(table, separators=(",", ":")) + "\n", "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at training photos, or learn from what was seen."""
    parser = argparse.ArgumentParser(prog="vision.training.last_word", description=__doc__)
    commands = parser.add_subparsers(dest="do", required=True)
    looking = commands.add_parser("looks")
    looking.add_argument("data", type=Path)
    looking.add_argument("--threads", type=int, default=2)
    fitting = commands.add_parser("fit")
    fitting.add_argument("looks", type=Path)
    fitting.add_argument("--clues", type=Path, required=True)
    fitting.add_argument("--edges", type=Path, required=True)
    for command in (looking, fitting):
        command.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.do == "looks":
        for name in keep_looks(given.data, given.output, Detector(threads=given.threads)):
            print(name, file=sys.stderr)  # noqa: T201  # how far it is
        return
    edges = {name: edge.level for name, edge in read_edges(given.edges).items() if edge.level}
    looked = read_looks(given.looks)
    odds = odds_of_pixels(looked, read_examples(given.clues), edges)
    write_table(learn_last(looked, odds, edges), given.output)


if __name__ == "__main__":
    main()
