"""Judge second exposures of real shelves: erased facings found, and findings where all is in place.

Simulated is the second exposure alone: perspective, light, blur, JPEG, and the bare shelf where
packs were erased (`storepulse.simulated.exposures`). Shelf, packs and planogram are the photo's.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from planograms.errors import NoShelf
from planograms.findings import Box, Finding
from planograms.from_photo import planogram_from_photo
from planograms.judge import Prepared, judge, prepare
from storepulse.eval.data_folders import need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated.exposures import (
    PERSPECTIVE_MAX,
    Exposure,
    erase_facings,
    expose_again,
    map_boxes,
)
from vision.geometry import boxes_of, iou
from vision.observation import Observation
from vision.photos import Photo
from vision.training.labels import read_coco

ERASED: Final = 3
OVERLAP_MIN: Final = 0.5
"""A finding is that of an erased facing from this intersection over union on."""
FOUND_KINDS: Final = frozenset({"missing", "short"})
_MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A planogram has a date; no figure depends on it."""


class Eyes(Protocol):
    """What `vision.look.Looker` offers."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        """Read a photo and say what it shows."""
        ...

    def look(self, photo: Photo) -> Observation:
        """Say what a photo shows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One pair of second exposures of a photo: one with facings erased, one untouched."""

    photo: str
    erased: int
    found: int
    false_kinds: Mapping[str, int]
    """Findings on the untouched one, by kind: all of them are false."""
    other_findings: int
    """On the erased one, those of no erased facing."""
    positions: int
    unobserved: int
    """Positions that the untouched one does not show."""
    judge_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo that could not be tried, and why."""

    photo: str
    why: str


def measure_exposures(
    folder: Path,
    looker: Eyes,
    *,
    photos_max: int | None,
    trials: int,
    seed: int,
    steps: Steps,
) -> Report:
    """Try the photos of `checked.json`, in the order of their names.

    Args:
        photos_max: the first so many of a fixed shuffle by seed; None: all.
        trials: pairs of exposures of each photo.
    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "checked.json", "images")
    labels = read_coco(folder / "checked.json", folder / "images")
    paths = sorted(photo.path for photo in labels.photos)
    if photos_max is not None and photos_max < len(paths):
        chosen = np.random.default_rng([seed, 0xC5]).permutation(len(paths))[:photos_max]
        paths = [paths[number] for number in sorted(chosen)]
    done: list[Trial] = []
    skipped: list[Skipped] = []
    for path in steps(paths, "judging second exposures"):
        photo, observation = looker.look_at(path, name=path.name)
        try:
            plan = planogram_from_photo(
                photo, observation, id="eval", bay=path.stem, made_at=_MADE_AT
            )
        except NoShelf as error:
            skipped.append(Skipped(path.name, str(error)))
            continue
        ready = prepare(plan)
        for number in range(trials):
            rng = np.random.default_rng([seed, *path.name.encode(), number])
            trial = try_once(photo, ready, looker, rng)
            if trial is None:
                skipped.append(Skipped(path.name, f"no product has {ERASED} facings in view"))
            else:
                done.append(trial)
    return report_of(done, skipped, settings={"trials": trials, "seed": seed}, seed=seed)


def try_once(photo: Photo, ready: Prepared, looker: Eyes, rng: np.random.Generator) -> Trial | None:
    """Expose the shelf twice more alike, once with three facings of one product erased.

    Returns:
        None where no product has three facings that the second exposure shows whole.
    """
    seed = int(rng.integers(2**31))
    untouched = expose_again(photo.rgb, seed=seed)
    places = _in_view(photo, ready, untouched)
    chosen = choose_three({place: ready.planogram.in_order[place].product for place in places}, rng)
    if chosen is None:
        return None
    boxes = [_scaled(ready.planogram.in_order[place].box_xyxy, photo.scale) for place in chosen]
    erased = expose_again(erase_facings(photo.rgb, boxes, seed=seed), seed=seed)
    started = time.perf_counter()
    calm = judge(_as_photo(untouched, photo.file), ready, looker)
    between = time.perf_counter()
    told = judge(_as_photo(erased, photo.file), ready, looker)
    ended = time.perf_counter()
    found = matched(told.findings, map_boxes(boxes, erased.homography))
    return Trial(
        photo=photo.file,
        erased=len(chosen),
        found=found,
        false_kinds=Counter(finding.kind for finding in calm.findings),
        other_findings=len(told.findings) - found,
        positions=len(calm.positions),
        unobserved=sum(state.status == "unobserved" for state in calm.positions),
        judge_ms=((between - started) * 1e3, (ended - between) * 1e3),
    )


def _in_view(photo: Photo, ready: Prepared, second: Exposure) -> list[int]:
    """Numbers of the positions that the second exposure shows whole."""
    height, width = second.rgb.shape[:2]
    boxes = [_scaled(place.box_xyxy, photo.scale) for place in ready.planogram.in_order]
    return [
        number
        for number, (x1, y1, x2, y2) in enumerate(map_boxes(boxes, second.homography))
        if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height
    ]


def choose_three(products: Mapping[int, str], rng: np.random.Generator) -> list[int] | None:
    """Three places of one product, both by chance; None where no product has three.

    Args:
        products: the product of each place.
    """
    places_of: dict[str, list[int]] = {}
    for place, product in products.items():
        places_of.setdefault(product, []).append(place)
    enough = sorted(product for product, some in places_of.items() if len(some) >= ERASED)
    if not enough:
        return None
    some = places_of[enough[int(rng.integers(len(enough)))]]
    return sorted(int(place) for place in rng.choice(some, ERASED, replace=False))


def matched(findings: Sequence[Finding], erased_px: Sequence[Box]) -> int:
    """How many erased facings have a finding of their own that says so, at their place."""
    told = [finding.box_xyxy_px for finding in findings if finding.kind in FOUND_KINDS]
    if not told or not erased_px:
        return 0
    near = iou(boxes_of(erased_px), boxes_of(told)) >= OVERLAP_MIN
    return int(near[linear_sum_assignment(near, maximize=True)].sum())


def _scaled(box: Box, scale: float) -> Box:
    return (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)


def _as_photo(exposure: Exposure, name: str) -> Photo:
    height, width = exposure.rgb.shape[:2]
    return Photo(name, width, height, exposure.rgb, scale=1.0)


def report_of(
    trials: Sequence[Trial],
    skipped: Sequence[Skipped],
    *,
    settings: Mapping[str, int],
    seed: int,
) -> Report:
    """The figures over all trials; those of one photo hang together in the intervals."""
    photos = sorted({trial.photo for trial in trials})
    of = {photo: [trial for trial in trials if trial.photo == photo] for photo in photos}

    def summed(value: str) -> list[int]:
        return [sum(getattr(trial, value) for trial in of[photo]) for photo in photos]

    def ratio(name: str, over: Sequence[int], under: Sequence[int]) -> Figure:
        low, high = ratio_interval(over, under, seed=seed)
        value = sum(over) / sum(under) if sum(under) else None
        return Figure(name=name, value=value, low=low, high=high, n=sum(under))

    bays = [len(of[photo]) for photo in photos]
    kinds = sorted({kind for trial in trials for kind in trial.false_kinds})
    false = {
        kind: [sum(trial.false_kinds.get(kind, 0) for trial in of[photo]) for photo in photos]
        for kind in kinds
    }
    every = [sum(numbers) for numbers in zip(*false.values(), strict=True)] or [0] * len(photos)
    figures = [
        ratio("recall_of_erased", summed("found"), summed("erased")),
        ratio("false_findings_a_bay", every, bays),
    ]
    for kind in kinds:
        figures.append(
            Figure(name="false_findings_a_bay", of=kind, value=sum(false[kind]) / sum(bays))
        )
    ms = [one for trial in trials for one in trial.judge_ms]
    figures += [
        ratio("other_findings_on_erased_a_bay", summed("other_findings"), bays),
        ratio("positions_unobserved", summed("unobserved"), summed("positions")),
        *(
            Figure(name=f"judge_p{level}", value=float(np.percentile(ms, level)), n=len(ms),
                   unit="ms")
            for level in ((50, 95) if ms else ())
        ),
    ]  # fmt: skip
    return Report(
        measure="exposures",
        settings={
            **settings, "photos": len(photos), "erased_of_one_product": ERASED,
            "overlap_min": OVERLAP_MIN, "perspective_max": PERSPECTIVE_MAX,
        },
        figures=tuple(figures),
        notes=(
            "second exposures are simulated, photos are real; intervals by photo",
            "each planogram is made from the same photo by the same detector: a facing that it "
            "does not see is never erased",
            *_noisy(dict(zip(photos, every, strict=True))),
            *(f"left out: {one.photo}: {one.why}" for one in skipped),
        ),
    )  # fmt: skip


def _noisy(false: Mapping[str, int]) -> list[str]:
    """A note that names the photos whose untouched exposures had findings, most first."""
    named = [
        f"{photo} {number}"
        for photo, number in sorted(false.items(), key=lambda item: (-item[1], item[0]))
        if number
    ]
    return [f"findings where all is in place: {', '.join(named)}"] if named else []
