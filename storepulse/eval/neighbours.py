"""Facings of real photos against each other: is the likest other one the same product?

`facing_groups.json` says which facings of five photos are one product. The boxes are those of the
detector; they were grouped by eye, pack by pack, and what nobody could tell was left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from vision.appearance import describe, distance
from vision.photos import read_photo
from vision.products.embedding import Embedder
from vision.products.evidence import evidence_of
from vision.products.facings import crops_of, look_at_facings, same_product
from vision.products.judgement import Judgement
from vision.products.traits import read_traits

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
_Box = tuple[float, float, float, float]


_CLOSELY: Final = 6
"""Facings that are compared point by point: the likest at a glance."""


@dataclass(frozen=True, slots=True)
class _Groups:
    groups: list[list[_Box]]
    alone: list[_Box]


_READ: Final = TypeAdapter(dict[str, _Groups])


WAYS: Final = (
    "glance, then prints of the six likest",
    "glance: embedding and colours",
    "embedding alone",
    "grid of gradients and colours, untrained",
)


def measure_neighbours(
    data: Path, *, embedder: Embedder, judgement: Judgement, seed: int, steps: Steps
) -> Report:
    """For each facing that has a sister on its photo: is the likest other facing a sister?

    Raises:
        UnreadablePhoto: a photo of the groups is not in the folder's `images`.
    """
    labelled = _READ.validate_json((files("storepulse.eval") / "facing_groups.json").read_bytes())
    right: dict[str, list[int]] = {way: [] for way in WAYS}
    asked: list[int] = []
    for name, truth in steps(list(labelled.items()), "photos"):
        photo = read_photo(data / "images" / name)
        groups = [*truth.groups, *([box] for box in truth.alone)]
        boxes = np.array([box for group in groups for box in group]) * photo.scale
        number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        looks = look_at_facings(photo.rgb, boxes, embedder)
        glanced = same_product(looks, looks)
        plain = describe(photo.rgb, boxes)
        alike = dict(
            zip(
                WAYS,
                (
                    verified(crops_of(photo.rgb, boxes), glanced, embedder, judgement),
                    glanced,
                    looks.embeddings @ looks.embeddings.T,
                    -distance(plain, plain),
                ),
                strict=True,
            )
        )
        has_sister = np.bincount(number)[number] > 1
        for way, likeness in alike.items():
            np.fill_diagonal(likeness, -np.inf)
            hit = number[likeness.argmax(axis=1)] == number
            # The unit that is drawn anew for the interval is a group of one photo.
            for group in np.unique(number[has_sister]):
                right[way].append(int(hit[number == group].sum()))
                if way == WAYS[0]:
                    asked.append(int((number == group).sum()))
    figures: list[Figure] = []
    for way, hits in right.items():
        low, high = ratio_interval(hits, asked, seed=seed)
        figures.append(
            Figure(name="right neighbour first", of=way, value=sum(hits) / sum(asked), low=low,
                   high=high, n=sum(asked))
        )  # fmt: skip
    return Report(
        measure="neighbours",
        settings={"photos": len(labelled), "groups": len(asked), "seed": seed},
        figures=tuple(figures),
        notes=("Intervals: groups drawn anew. Facings without a sister stand by as distractors.",),
    )


def verified(
    crops: Sequence[Pixels], glanced: Floats, embedder: Embedder, judgement: Judgement
) -> Floats:
    """(n, n) how alike facings are, the likest of each compared point by point; n above 1."""
    traits = read_traits(crops, embedder)
    alike = np.array(glanced, np.float32)
    np.fill_diagonal(alike, -1)
    # Itself comes last, and is never taken.
    closely = np.argsort(-alike, axis=1)[:, : min(_CLOSELY, len(alike) - 1)]
    for query, few in enumerate(closely):
        evidence = np.stack([evidence_of(traits[query], traits[int(other)]) for other in few])
        # Above every glance, which is at most 1.
        alike[query, few] = 2 + 1 / (1 + np.exp(-judgement.odds(evidence)))
    return alike
