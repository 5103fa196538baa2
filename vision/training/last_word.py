"""Learn the last word: what the detector saw settles what pixels alone leave open.

    python -m vision.training.last_word looks DATA -o LOOKS
    python -m vision.training.last_word fit LOOKS --edges edges.json -o last_word.json

As `vision.training.verdict`, for four reasons, from the look's clues beside the pixels' own. Where
a reason refuses is chosen on photos of the part that was left out; from where on pixels alone may
refuse, on all of them.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from vision.detector import Detector
from vision.last_word import LAST_CLUE_NAMES
from vision.training.looked_trials import Looked, keep_looks, read_looks
from vision.training.mishap_edges import read_edges
from vision.training.verdict import GOOD_PREFIX, REASON_OF, Examples, Learnt, learn
from vision.trees import Floats
from vision.verdict import refusers

TAUGHT: Final[Mapping[str, float]] = {
    "glaring": 0.14, "turned": 36.0, "distant": 1.6, "cut_off": 0.15,
}  # fmt: skip
"""Levels from which these are taught to be refused, in place of their edges."""
REFUSED_MAX: Final = (0.016, 0.05, 0.012)
"""Of good photos, of small ones and of those as they came; see `vision.training.verdict`. Fewer
than there, as the reasons before the look refuse some too."""
SURE_SLACK: Final = 0.5
"""Of log odds, above all that should not be refused: the pixels' forests have seen these photos."""


def examples_of(looked: Sequence[Looked]) -> Examples:
    """Clues of looks and pixels together, in the order of `LAST_CLUE_NAMES`."""
    return Examples(
        np.array([np.concatenate([one.clues(), one.pixel_clues]) for one in looked]),
        np.array([one.group for one in looked]),
        np.array([one.kind for one in looked]),
        np.array([one.level for one in looked]),
    )


def sure_from(reason: str, above: Floats, examples: Examples, edges: Mapping[str, float]) -> float:
    """From which log odds above its limit on the first word may refuse by itself.

    Args:
        above: (n,) log odds above the limit, by pixels alone.
        edges: mishap -> level beyond which a photo is useless.
    Returns:
        More than any photo has that is good, or short of this reason's edge.
    """
    edge = {kind: level for kind, level in edges.items() if REASON_OF[kind] == reason}
    spared = np.array(
        [
            str(kind).startswith(GOOD_PREFIX) or level < edge.get(str(kind), -np.inf)
            for kind, level in zip(examples.kind, examples.level, strict=True)
        ]
    )
    return max(0.0, float(above[spared].max(initial=0.0))) + SURE_SLACK


def write_table(learnt: Mapping[str, Learnt], sure: Mapping[str, float], path: Path) -> None:
    """Write what `vision.last_word` reads."""
    table = {
        "clues": list(LAST_CLUE_NAMES),
        "reasons": {
            reason: {
                "limit": round(one.limit, 4),
                "sure": round(sure[reason], 4),
                **one.forest.told(),
            }
            for reason, one in learnt.items()
        },
    }
    path.write_text(json.dumps(table, separators=(",", ":")) + "\n", "utf-8")


def fit(looked: Sequence[Looked], edges: Mapping[str, float], path: Path) -> dict[str, Learnt]:
    """Learn the four reasons and write their table."""
    examples = examples_of(looked)
    learnt = learn(examples, edges, taught=TAUGHT, refused_max=REFUSED_MAX)
    pixels = np.array([one.pixel_clues for one in looked])
    sure = {
        reason: sure_from(reason, one.forest.log_odds(pixels) - one.limit, examples, edges)
        for reason, one in refusers().items()
        if reason in learnt
    }
    write_table(learnt, sure, path)
    return learnt


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at training photos, or learn from what was seen."""
    parser = argparse.ArgumentParser(prog="vision.training.last_word", description=__doc__)
    commands = parser.add_subparsers(dest="do", required=True)
    looking = commands.add_parser("looks")
    looking.add_argument("data", type=Path)
    looking.add_argument("--threads", type=int, default=2)
    fitting = commands.add_parser("fit")
    fitting.add_argument("looks", type=Path)
    fitting.add_argument("--edges", type=Path, required=True)
    for command in (looking, fitting):
        command.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.do == "looks":
        for name in keep_looks(given.data, given.output, Detector(threads=given.threads)):
            print(name, file=sys.stderr)  # noqa: T201  # how far it is
        return
    edges = {name: edge.level for name, edge in read_edges(given.edges).items() if edge.level}
    fit(read_looks(given.looks), edges, given.output)


if __name__ == "__main__":
    main()
