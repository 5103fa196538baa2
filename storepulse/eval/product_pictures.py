"""Pictures of named products, in folds of classes, and how alike each two of them are.

Comparing prints point by point is the slow part (minutes): it is kept in a file if one is named.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storepulse.eval.data_folders import WrongData
from storepulse.eval.progress import Steps
from vision.photos import read_photo
from vision.products.colours import DIMENSIONS as COLOURS
from vision.products.colours import describe_colours
from vision.products.embedding import Embedder
from vision.products.evidence import EVIDENCE, GLANCED, print_evidence
from vision.products.prints import matches, no_match, read_print
from vision.products.traits import embed_twice, prepared

Floats = NDArray[np.float32]

FOLDS: Final = 3
HELD: Final = "gs_"
"""Classes of hand-held pictures, which have a packshot each."""
_HELD_OF_A_SIDE: Final = 6
_CROPS_OF_A_CLASS: Final = 7
_CROPS_OF_A_GROUP: Final = 5
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture. Those of one group show the same pass of a camera or the same visit."""

    path: Path
    product: str
    group: str

    @property
    def held(self) -> bool:
        """Whether a hand holds the product before a shelf, or it is that class's packshot."""
        return self.product.startswith(HELD)

    @property
    def side(self) -> str:
        """Of a hand-held class: train, val, test or packshot, as its source split them."""
        return self.group.rsplit("/")[-1]


def choose_pictures(data: Path) -> list[Picture]:
    """Some pictures of each class, of as many groups as there are; always the same ones.

    Raises:
        WrongData: `pictures.csv` has not the columns that it should.
    """
    with (data / "pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_class: dict[str, list[Picture]] = defaultdict(list)
    try:
        for row in rows:
            path = data / row["class"] / row["file"]
            by_class[row["class"]].append(Picture(path, row["class"], row["group"]))
    except KeyError as error:
        raise WrongData(f"{data / 'pictures.csv'} has no column {error}") from error
    draw = random.Random(5)  # noqa: S311 - a choice of pictures, no secret
    chosen: list[Picture] = []
    for pictures in by_class.values():
        if pictures[0].held:
            sides: dict[str, list[Picture]] = {"packshot": [], "train": [], "test": []}
            for one in pictures:
                sides.get(one.side, sides["test"]).append(one)
            chosen += sides["packshot"]
            for side in ("train", "test"):
                chosen += draw.sample(sides[side], min(_HELD_OF_A_SIDE, len(sides[side])))
        else:
            chosen += _crops(pictures, draw)
    return chosen


def _crops(pictures: Sequence[Picture], draw: random.Random) -> list[Picture]:
    """In turn one of each group, while there are."""
    by_group: dict[str, list[Picture]] = defaultdict(list)
    for one in pictures:
        by_group[one.group].append(one)
    groups = list(by_group.values())
    draw.shuffle(groups)
    chosen: list[Picture] = []
    for turn in range(_CROPS_OF_A_GROUP):
        for group in groups:
            if turn < len(group) and len(chosen) < _CROPS_OF_A_CLASS:
                chosen.append(group[turn])
    return chosen


def folds_of(pictures: Sequence[Picture]) -> dict[str, int]:
    """A fold for each class; hand-held and other classes are spread evenly."""
    draw = random.Random(0)  # noqa: S311
    fold = {}
    for held in (True, False):
        classes = sorted({one.product for one in pictures if one.held == held})
        draw.shuffle(classes)
        fold.update({product: number % FOLDS for number, product in enumerate(classes)})
    return fold


class Likenesses:
    """The evidence of pairs of pictures: rows of one table, found by (query, reference)."""

    def __init__(self, table: Floats, row_of: NDArray[np.int64]) -> None:
        self.table = table
        """(p, k)"""
        self.row_of = row_of
        """(n, n) row of each pair, -1 for pairs that no test may put together."""

    def at_a_glance(self) -> "Likenesses":
        """The same as if no prints had been compared."""
        table = self.table.copy()
        table[:, :-GLANCED] = print_evidence(no_match())
        return Likenesses(table, self.row_of)

    def of(self, query: int, references: Sequence[int]) -> Floats:
        """(r, k) evidence of one picture against some."""
        rows = self.row_of[query, list(references)]
        assert (rows >= 0).all(), "a pair that was not compared"
        return self.table[rows]


def measure_likenesses(
    pictures: Sequence[Picture], *, embedder: Embedder, kept: Path | None, steps: Steps
) -> Likenesses:
    """Compare all pairs that a test may need: a query and a reference of other groups, of one fold
    or both hand-held or with a packshot."""
    pairs = pairs_to_compare(pictures)
    found = None if kept is None else _read_kept(kept, pictures, pairs)
    colours = np.empty((len(pictures), COLOURS), np.float32)
    embeddings = np.empty((len(pictures), 2, embedder.dimensions), np.float32)
    prints = []
    for start in steps(range(0, len(pictures), _AT_ONCE), "reading pictures"):
        few = [prepared(read_photo(one.path).rgb) for one in pictures[start : start + _AT_ONCE]]
        embeddings[start : start + len(few)] = embed_twice(few, embedder)
        colours[start : start + len(few)] = [describe_colours(one) for one in few]
        if found is None:
            prints += [read_print(one) for one in few]
    if found is None:
        found = np.zeros(
            (
                len(pairs),
                len(print_evidence(no_match())),
            ),
            np.float32,
        )
        for row, (query, reference) in enumerate(steps(pairs.tolist(), "comparing prints")):
            match = matches(prints[query], prints[reference])
            found[row] = print_evidence(match)
        if kept is not None:
            names = np.array([_name(one) for one in pictures])
            np.savez_compressed(kept, names=names, pairs=pairs, found=found)
    first, second = pairs[:, 0], pairs[:, 1]
    alike = np.einsum("nwd,nvd->nwv", embeddings[first], embeddings[second])
    glances = np.stack(
        [
            (colours[first] * colours[second]).sum(axis=1),
            alike[:, 0, 0],
            alike.reshape(len(pairs), -1).max(axis=1),
        ],
        axis=1,
    )
    row_of = np.full((len(pictures), len(pictures)), -1, np.int64)
    row_of[first, second] = np.arange(len(pairs))
    table = np.concatenate([found, glances], axis=1).astype(np.float32)
    assert table.shape[1] == len(EVIDENCE)
    return Likenesses(table, row_of)


def pairs_to_compare(pictures: Sequence[Picture]) -> NDArray[np.int64]:
    """(p, 2) query and reference."""
    fold = folds_of(pictures)
    pairs = [
        (query, reference)
        for query, one in enumerate(pictures)
        if not (one.held and one.side in ("train", "packshot"))
        for reference, other in enumerate(pictures)
        if one.group != other.group
        and not (other.held and other.side not in ("train", "packshot"))
        and (
            fold[one.product] == fold[other.product]
            or (one.held and other.held)
            # A stranger of any kind before a catalogue of packshots.
            or other.side == "packshot"
        )
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _name(picture: Picture) -> str:
    return f"{picture.product}/{picture.path.name}"


def _read_kept(kept: Path, pictures: Sequence[Picture], pairs: NDArray[np.int64]) -> Floats | None:
    """What an earlier run kept of the same pictures and pairs; None when there is nothing."""
    if not kept.exists():
        return None
    with np.load(kept, allow_pickle=False) as stored:
        same = stored["names"].tolist() == [_name(one) for one in pictures]
        if same and np.array_equal(stored["pairs"], pairs):
            return np.asarray(stored["found"], np.float32)
    raise WrongData(f"{kept} was kept of other pictures; name another file")
