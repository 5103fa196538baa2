"""Learn the last word: what the detector saw settles what pixels alone leave open.

    python -m vision.training.last_word looks DATA -o LOOKS
    python -m vision.training.last_word fit LOOKS --clues clues.npz --edges edges.json -o last.json

For each of two reasons a weighted sum (logistic regression) of the log odds that pixels gave it
and of a few clues of the look, which are held back: where they tell nothing more, the pixels' word
stays. The log odds are those of forests that had not learnt from the photo. Where a reason refuses
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
from vision.training.looked_trials import Looked, keep_looks, read_looks
from vision.training.mishap_edges import read_edges
from vision.training.verdict import (
    GOOD_PREFIX,
    REASON_OF,
    Examples,
    beyond_level,
    folds_of,
    left_out_odds,
    read_examples,
    share_out,
)

Flags = NDArray[np.bool_]

ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "too_far": (
        "short_50", "short_75", "area_root_50", "area_root_90", "facings", "score_50",
        "half_seen_ratio", "covered",
    ),
    "cut_off": (
        "margin_far", "margin_beyond", "margin_next", "margin_far_upright", "margin_far_quiet",
        "margin_far_rough", "margin_far_even", "cut_against",
    ),
}  # fmt: skip
"""Which clues of the look each reason weighs."""
TAUGHT: Final[Mapping[str, float]] = {"distant": 1.45, "cut_off": 0.1125}
"""Levels from which these are taught to be refused: their edges."""
NEAR: Final = 0.7
"""Photos between this share of what is taught and that level teach nothing."""
HELD_BACK: Final = 3.0
"""Penalty on a clue's weight, in units of its spread; on the pixels' word there is hardly any."""
REFUSED_MAX: Final = (0.018, 0.05, 0.03)
"""Of good photos, of small ones and of those as they came, as in `vision.training.verdict`. Fewer
than there: reasons that are told before the look refuse some too."""
SURE_SLACK: Final = 0.5
"""Of log odds, above all that should not be refused without a look."""
_PARTS: Final = 5
_STEPS_MAX: Final = 50
_SMALL: Final = "good_300"
_CAME: Final = "good_as_it_came"


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """One reason's weighted sum."""

    weights: Floats
    """(1 + k,): of the pixels' log odds, then of the clues of `ASKED`."""
    bias: float

    def log_odds(self, values: Floats) -> Floats:
        """(n,) for (n, 1 + k)."""
        return np.asarray(values @ self.weights + self.bias, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class LearntLast:
    """One reason, where it refuses, and how it did on photos that it had not learnt from."""

    weighed: Weighed
    limit: float
    sure: float
    unseen: Floats
    """(n,) log odds of all examples, by sums that had not learnt from their photo."""


def weigh(
    values: Floats, right: Flags, weights: Floats, *, held_back: float = HELD_BACK
) -> Weighed:
    """Logistic regression, the first column nearly free, the others held back.

    Args:
        values: (n, 1 + k).
        right: (n,).
        weights: (n,) how much each row counts.
    """
    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    columns = np.column_stack([(values - middle) / spread, np.ones(len(values))])
    penalty = np.diag([0.1] + [held_back] * (values.shape[1] - 1) + [1e-6])
    line = np.zeros(columns.shape[1])
    for _ in range(_STEPS_MAX):
        likely = 1 / (1 + np.exp(-np.clip(columns @ line, -30, 30)))
        slope = columns.T @ (weights * (likely - right)) + penalty @ line
        bent = columns.T @ ((weights * likely * (1 - likely))[:, None] * columns) + penalty
        step = np.linalg.solve(bent, slope)
        line -= step
        if np.abs(step).max() < 1e-6:
            break
    of_each = line[:-1] / spread
    return Weighed(of_each, float(line[-1] - of_each @ middle))


def learn_last(
    looked: Sequence[Looked], pixel_odds: Mapping[str, Floats], edges: Mapping[str, float]
) -> dict[str, LearntLast]:
    """A sum and its limits for each reason of which there are examples.

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
    sums, unseen, rights = {}, {}, {}
    for reason, names in ASKED.items():
        mine = reasons == reason
        right = mine & beyond
        if not right.any():
            continue
        used = right | good | (mine & ~near)
        weights = np.where(right, good.sum() / right.sum() * 0.5, 1.0)
        asked = clues[:, [LOOK_CLUE_NAMES.index(name) for name in names]]
        values = np.column_stack([pixel_odds[reason], asked])
        odds = np.full(len(right), np.nan)
        for number in range(_PARTS):
            rows, out = used & (part != number), part == number
            odds[out] = weigh(values[rows], right[rows], weights[rows]).log_odds(values[out])
        sums[reason] = weigh(values[used], right[used], weights[used])
        unseen[reason], rights[reason] = odds, mine & useless
    small, came = given.kind == _SMALL, given.kind == _CAME
    limits = share_out(unseen, rights, [good & ~small & ~came, small, came], REFUSED_MAX)
    return {
        reason: LearntLast(
            sums[reason], limits[reason],
            sure_from(pixel_odds[reason], good | ((reasons == reason) & ~useless)),
            unseen[reason],
        )
        for reason in sums
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
    reasons: Sequence[str] = tuple(ASKED),
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
        "reasons": {
            reason: {
                "limit": round(one.limit, 4),
                "sure": round(one.sure, 4),
                "bias": round(one.weighed.bias, 6),
                "of_pixels": round(float(one.weighed.weights[0]), 6),
                "weights": {
                    name: round(float(weight), 6)
                    for name, weight in zip(ASKED[reason], one.weighed.weights[1:], strict=True)
                },
            }
            for reason, one in learnt.items()
        },
    }
    path.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


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
