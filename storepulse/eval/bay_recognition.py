"""Measure how often the bay of a photo is recognised: in a shop of drawn bays, or of real photos.

Real: each `val` photo is a bay with a planogram made of it, all of them are one shop, and second
exposures of each restocked shelf are asked which bay they show. Drawn: shops whose bays share their
products. Told: right, not sure, wrong, and the share of photos whose bay comes first at all.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from planograms.bay_answers import SeenBay
from planograms.bay_recognition import agreement, features_of, pictures_of, ranked
from planograms.errors import NoShelf
from planograms.from_photo import planogram_from_photo
from storepulse.eval.exposures import Eyes
from storepulse.eval.figures import Figure, Report
from storepulse.eval.findings import chosen, photos_of
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.eval.second_photos import MADE_AT
from storepulse.simulated.packs import Rgb
from storepulse.simulated.restocking import AS_IT_STANDS, HARDER, photographed, restock
from storepulse.simulated.second_photos import Changes
from storepulse.simulated.shelves import draw_shelf
from vision.register import Features

FOREIGN: Final = "a bay that the shop does not know"
Known = Mapping[str, Sequence[Features]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One photo, what it shows, and the answer."""

    bay: str
    condition: str
    told: SeenBay
    took_s: float

    @property
    def right(self) -> bool:
        """The bay is named, with confidence."""
        return self.told.bay == self.bay

    @property
    def wrong(self) -> bool:
        """Another one is named, with confidence."""
        return self.told.bay not in (None, self.bay)

    @property
    def first(self) -> bool:
        """Its bay stands first, whatever the confidence."""
        return bool(self.told.candidates) and self.told.candidates[0].bay == self.bay


def measure_bay_recognition(
    folder: Path, looker: Eyes, *, photos_max: int | None, trials: int, harder: bool, seed: int,
    steps: Steps,
) -> Report:  # fmt: skip
    """A shop of the `val` photos.

    Args:
        trials: second exposures of each.
        harder: also under the conditions of `HARDER`.
    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    known: dict[str, Sequence[Features]] = {}
    shelves: dict[str, tuple[Rgb, list[tuple[float, ...]]]] = {}
    for path in steps(chosen(photos_of(folder, "val"), photos_max, seed), "making the shop's bays"):
        photo, seen = looker.look_at(path, name=path.name)
        try:
            plan = planogram_from_photo(photo, seen, id="eval", bay=path.stem, made_at=MADE_AT)
        except NoShelf:
            continue
        known[path.stem] = [features_of(rgb) for rgb in pictures_of(plan)]
        boxes = [tuple(v * photo.scale for v in one.box_xyxy) for one in plan.in_order]
        shelves[path.stem] = (photo.rgb, boxes)
    done = _asked(known, shelves, trials=trials, harder=harder, seed=seed, steps=steps)
    return report_of(done, bays=len(known), seed=seed, settings={"trials": trials, "seed": seed})


def measure_drawn_shop(*, bays: int, trials: int, harder: bool, seed: int, steps: Steps) -> Report:
    """A shop of drawn bays, each of which has a sister: the same goods, half of them exchanged.

    Args:
        bays: how many, sisters among them.
    """
    known: dict[str, Sequence[Features]] = {}
    shelves: dict[str, tuple[Rgb, list[tuple[float, ...]]]] = {}
    for number in steps(range((bays + 1) // 2), "drawing the shop's bays"):
        drawn = draw_shelf(seed * 1000 + number)
        boxes = [tuple(float(v) for v in one.box_xyxy_px) for one in drawn.facings]
        rng = np.random.default_rng([seed, number])
        order = rng.permutation(len(boxes))[: len(boxes) // 2].tolist()
        swapped = dict(zip(order, [*order[1:], order[0]], strict=True))
        sister, _ = restock(
            drawn.rgb, boxes, seed=number, changes=Changes(replaced=swapped)  # type: ignore[arg-type]
        )  # fmt: skip
        for name, rgb in ((f"bay-{2 * number + 1}", drawn.rgb), (f"bay-{2 * number + 2}", sister)):
            known[name] = [features_of(rgb)]
            shelves[name] = (rgb, boxes)
    done = _asked(known, shelves, trials=trials, harder=harder, seed=seed, steps=steps)
    told = {"drawn bays": len(known), "trials": trials, "seed": seed}
    return report_of(done, bays=len(known), seed=seed, settings=told)


def _asked(
    known: Known, shelves: Mapping[str, tuple[Rgb, list[tuple[float, ...]]]], *, trials: int,
    harder: bool, seed: int, steps: Steps,
) -> list[Asked]:  # fmt: skip
    conditions = (AS_IT_STANDS, *(HARDER if harder else ()))
    done: list[Asked] = []
    for bay in steps(list(shelves), "asking which bay"):
        rgb, boxes = shelves[bay]
        own = int(np.random.default_rng([seed, *bay.encode()]).integers(2**31))
        for trial in range(trials):
            stock, _ = restock(rgb, boxes, seed=own + trial)  # type: ignore[arg-type]
            where = np.array(boxes, np.float64).reshape(-1, 4)
            for condition in conditions:
                later = photographed(stock, where, condition, seed=own + trial)
                began = time.perf_counter()
                points = agreement(features_of(later.rgb), known)
                told = ranked(points)
                done.append(Asked(bay, condition, told, time.perf_counter() - began))
                if condition == AS_IT_STANDS:
                    others = {name: n for name, n in points.items() if name != bay}
                    done.append(Asked(bay, FOREIGN, ranked(others), 0.0))
    return done


def report_of(
    done: Sequence[Asked], *, bays: int, seed: int, settings: Mapping[str, int]
) -> Report:
    """The figures, with intervals over bays."""
    figures = list(_figures(done, seed))
    took = np.array([one.took_s for one in done if one.condition != FOREIGN])
    figures.append(
        Figure(name="time to recognise", value=float(np.median(took)), n=len(took), unit="s",
               low=float(np.percentile(took, 5)), high=float(np.percentile(took, 95)))
    )  # fmt: skip
    notes = (
        f"one shop of {bays} bays; right and wrong: named with confidence, else not sure. Of a bay "
        "that the shop does not know any name is wrong.",
    )
    return Report(measure="bay recognition", settings=settings, figures=tuple(figures), notes=notes)


def _figures(done: Sequence[Asked], seed: int) -> Iterator[Figure]:
    for condition in dict.fromkeys(one.condition for one in done):
        mine = [one for one in done if one.condition == condition]
        groups = sorted({one.bay for one in mine})
        of_bay = [[one for one in mine if one.bay == bay] for bay in groups]
        told = {
            "right first": [sum(one.first for one in some) for some in of_bay],
            "right": [sum(one.right for one in some) for some in of_bay],
            "not sure": [sum(one.told.bay is None for one in some) for some in of_bay],
            "wrong": [sum(one.wrong for one in some) for some in of_bay],
        }
        for name, counts in told.items():
            if condition == FOREIGN and name in ("right first", "right"):
                continue
            sizes = [len(some) for some in of_bay]
            low, high = ratio_interval(counts, sizes, seed=seed)
            yield Figure(
                name=name, of=condition, value=sum(counts) / sum(sizes), low=low, high=high,
                n=sum(sizes),
            )  # fmt: skip
