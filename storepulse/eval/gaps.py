"""How well empty places are found: on pictures labelled for them, and on shelves that are full.

The groups of pictures that are measured on are those that `storepulse vision train-gaps` keeps out.
Labels miss about a quarter of the gaps one can see, so precision reads lower than it is. Shelf
photos without labels of gaps tell how many a photo is said to have; which of those are real was
looked at by eye, and the places looked at stand in `gaps_looked_at.json`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from storepulse.eval.data_folders import need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import GROUPS_MIN, drawn_anew, interval_of, ratio_interval
from vision.agreement import Limits, overlaps
from vision.detector import Detector
from vision.gap_eyes import TOLD_SCORE_MIN, GapEyes
from vision.gaps import WEAK_SCORE_MIN, find_gaps
from vision.observation import Gap
from vision.photos import read_photo
from vision.rows import find_rows
from vision.training.detect import Detections
from vision.training.evaluate import Judged, average_precision, judge
from vision.training.gap_lessons import Group, groups_of, parted
from vision.training.labels import LabelledPhoto, no_boxes, read_coco

SAME_IOU_MIN: Final = 0.5
"""A gap is one that was looked at when they share so much."""
_ROUNDS: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """The gaps of one photo in its full pixels, all with their scores, best first."""

    gaps: tuple[Gap, ...]
    by_geometry: tuple[Gap, ...]
    """What the rows alone say."""


See = Callable[[Path], Seen]


def eyes(model: Path | None, gap_model: Path | None, *, threads: int) -> See:
    """The node's detector, rows and gap network.

    Raises:
        BadModel: one of them cannot be loaded.
    """
    detector, gap_eyes = Detector(model, threads=threads), GapEyes(gap_model, threads=threads)

    def see(path: Path) -> Seen:
        photo = read_photo(path)
        limits = [Limits(), Limits(score_min=WEAK_SCORE_MIN)]
        full = [
            (found.boxes_px / np.float32(photo.scale)).astype(np.float64)
            for found in detector.find_at_all(photo.rgb, limits)
        ]
        boxes, weak = full
        rows = find_rows(boxes, photo.width, photo.height)
        geometry = find_gaps(
            boxes, rows, weak_px=weak, rgb=photo.rgb, scale=photo.scale, score_min=0.0
        )
        both = gap_eyes.find(
            boxes, rows, weak_px=weak, rgb=photo.rgb, scale=photo.scale, score_min=0.0
        )
        return Seen(both, geometry)

    return see


def measure_gaps(
    folder: Path, shelves: Path | None, see: See, *, seed: int, steps: Steps
) -> Report:
    """Measure on the kept-out groups of a folder of labelled gaps, and on full shelves.

    Raises:
        WrongData, LabelsUnreadable: a folder does not hold what it should.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "gaps.json", "images")
    groups = groups_of(folder / "gaps.json")
    _, held = parted(read_coco(folder / "gaps.json", folder / "images"), groups)
    seen = [see(photo.path) for photo in steps(held.photos, "looking for gaps")]
    both = _by_group(held.photos, groups, [one.gaps for one in seen])
    geometry = _by_group(held.photos, groups, [one.by_geometry for one in seen])
    figures = [
        _precision(both, "all", seed=seed),
        _precision(geometry, "by geometry alone", seed=seed),
    ]
    for source in sorted({group.source for group in both}):
        own = {group: judged for group, judged in both.items() if group.source == source}
        figures.append(_precision(own, source, seed=seed))
    figures += _as_told(both, seed=seed)
    if shelves is not None:
        figures += _on_full_shelves(shelves, see, seed=seed, steps=steps)
    return Report(
        measure="gaps",
        settings={
            "pictures": len(held.photos), "groups": len(both), "told_from_score": TOLD_SCORE_MIN,
            "seed": seed,
        },
        figures=tuple(figures),
        notes=(
            "intervals by group of pictures, on shelves by photo; about a quarter of the gaps one "
            "can see is not labelled",
        ),
    )  # fmt: skip


def _by_group(
    photos: Sequence[LabelledPhoto], groups: Mapping[str, Group], gaps: Sequence[tuple[Gap, ...]]
) -> dict[Group, list[Judged]]:
    judged: dict[Group, list[Judged]] = {}
    for photo, found in zip(photos, gaps, strict=True):
        best = sorted(found, key=lambda gap: -gap.score)
        told = Detections(
            np.array([gap.box_xyxy_px for gap in best], np.float32).reshape(-1, 4),
            np.array([gap.score for gap in best], np.float32),
        )
        judged.setdefault(groups[photo.path.name], []).append(
            judge(told, photo.facings, no_boxes())
        )
    return judged


def _precision(judged: dict[Group, list[Judged]], of: str, *, seed: int) -> Figure:
    """AP50; its interval where there are enough groups."""
    every = [one for own in judged.values() for one in own]
    ends: tuple[float | None, float | None] = (None, None)
    if len(judged) >= GROUPS_MIN:
        again = [
            average_precision([one for own in some for one in own]).ap50
            for some in drawn_anew(list(judged.values()), seed=seed, rounds=_ROUNDS)
        ]
        ends = interval_of(again)
    found = average_precision(every)
    return Figure(name="ap50", of=of, value=found.ap50, low=ends[0], high=ends[1], n=found.facings)


def _as_told(judged: dict[Group, list[Judged]], *, seed: int) -> list[Figure]:
    """Precision and recall of the gaps that the node tells."""
    strong = [
        [(one.scores >= TOLD_SCORE_MIN, one.met[0], one.facings) for one in own]
        for own in judged.values()
    ]
    right = [sum(int((told & met).sum()) for told, met, _ in own) for own in strong]
    told = [sum(int(told.sum()) for told, _, _ in own) for own in strong]
    there = [sum(facings for _, _, facings in own) for own in strong]
    figures = []
    for name, under in (("precision_as_told", told), ("recall_as_told", there)):
        low, high = ratio_interval(right, under, seed=seed)
        value = sum(right) / sum(under) if sum(under) else None
        figures.append(Figure(name=name, value=value, low=low, high=high, n=sum(under)))
    return figures


def _on_full_shelves(folder: Path, see: See, *, seed: int, steps: Steps) -> list[Figure]:
    need(folder, "checked.json", "images")
    photos = read_coco(folder / "checked.json", folder / "images").photos
    looked_at = gaps_looked_at()
    told: list[int] = []
    verdicts: list[bool | None] = []
    for photo in steps(photos, "looking at full shelves"):
        gaps = [gap for gap in see(photo.path).gaps if gap.score >= TOLD_SCORE_MIN]
        told.append(len(gaps))
        known = looked_at.get(photo.path.name, ())
        verdicts += [was_real(gap, known) for gap in gaps]
    low, high = ratio_interval(told, np.ones(len(told)), seed=seed)
    looked = [verdict for verdict in verdicts if verdict is not None]
    real = sum(looked)
    return [
        Figure(
            name="gaps_told_a_photo", of="shelves", value=float(np.mean(told)), low=low, high=high,
            n=len(told),
        ),
        Figure(
            name="of_them_looked_at", of="shelves",
            value=len(looked) / len(verdicts) if verdicts else None, n=len(verdicts),
        ),
        Figure(
            name="real_of_looked_at", of="shelves",
            value=real / len(looked) if looked else None, n=len(looked),
        ),
        Figure(
            name="false_gaps_a_photo", of="shelves",
            # Those that nobody looked at count as false.
            value=(len(verdicts) - real) / len(told), n=len(told),
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A place on a shelf photo that somebody looked at."""

    box_xyxy_px: tuple[float, float, float, float]
    real: bool


def gaps_looked_at() -> dict[str, tuple[LookedAt, ...]]:
    """File name -> the places that were looked at by eye, from the file beside this module."""
    text = files("storepulse.eval").joinpath("gaps_looked_at.json").read_text("utf-8")
    photos: dict[str, list[dict[str, Any]]] = json.loads(text)["photos"]
    return {
        name: tuple(
            LookedAt((place["box"][0], place["box"][1], place["box"][2], place["box"][3]),
                     bool(place["real"]))
            for place in places
        )
        for name, places in photos.items()
    }  # fmt: skip


def was_real(gap: Gap, looked_at: Sequence[LookedAt]) -> bool | None:
    """What was said of the place that this gap shares most with; None: nobody looked at it."""
    if not looked_at:
        return None
    own = np.array([gap.box_xyxy_px], np.float32)
    known = np.array([place.box_xyxy_px for place in looked_at], np.float32)
    iou = overlaps(own, known)[0]
    best = int(iou.argmax())
    return looked_at[best].real if iou[best] >= SAME_IOU_MIN else None
