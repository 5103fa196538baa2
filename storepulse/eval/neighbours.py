"""Facings of real photos against each other: is the likest other one the same product?

`facing_groups.json` says which facings of five photos are one product. The boxes are those of the
detector; they were grouped by eye, pack by pack, and what nobody could tell was left out.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final, TypedDict

import numpy as np
from pydantic import TypeAdapter

from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from vision.appearance import describe, distance
from vision.photos import read_photo
from vision.products.embedding import Embedder
from vision.products.facings import look_at_facings, same_product

_Box = tuple[float, float, float, float]


class _Groups(TypedDict):
    groups: list[list[_Box]]
    alone: list[_Box]


_READ: Final = TypeAdapter(dict[str, _Groups])


def measure_neighbours(data: Path, *, embedder: Embedder, seed: int, steps: Steps) -> Report:
    """For each facing that has a sister on its photo: is the likest other facing a sister?

    Raises:
        UnreadablePhoto: a photo of the groups is not in the folder's `images`.
    """
    labelled = _READ.validate_json(
        (files("storepulse.eval") / "facing_groups.json").read_bytes()
    )
    right: dict[str, list[int]] = {"ours": [], "grid of gradients and colours": []}
    asked: list[int] = []
    for name, truth in steps(list(labelled.items()), "photos"):
        photo = read_photo(data / "images" / name)
        groups = [*truth["groups"], *([box] for box in truth["alone"])]
        boxes = np.array([box for group in groups for box in group]) * photo.scale
        number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        looks = look_at_facings(photo.rgb, boxes, embedder)
        plain = describe(photo.rgb, boxes)
        alike = {
            "ours": same_product(looks, looks),
            "grid of gradients and colours": -distance(plain, plain),
        }
        has_sister = np.bincount(number)[number] > 1
        for way, likeness in alike.items():
            np.fill_diagonal(likeness, -np.inf)
            hit = number[likeness.argmax(axis=1)] == number
            # The unit that is drawn anew for the interval is a group of one photo.
            for group in np.unique(number[has_sister]):
                right[way].append(int(hit[number == group].sum()))
                if way == "ours":
                    asked.append(int((number == group).sum()))
    figures = []
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
