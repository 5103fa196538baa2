"""How well facings are found: average precision on photos with checked boxes, as COCO has it.

The photos are read and seen by the node's own code, in as many looks as the model asks for; what
is counted and what is left out (regions that nobody could label) is `vision.training.evaluate`,
which `storepulse vision measure` uses too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import GROUPS_MIN, drawn_anew, interval_of, ratio_interval
from vision.agreement import Limits
from vision.detector import Detector, Found
from vision.look import WHOLE_CURVE
from vision.photos import read_photo
from vision.training.calibrating import calibration_error
from vision.training.detect import Detections
from vision.training.evaluate import Judged, average_precision, judge
from vision.training.labels import LabelledPhoto, read_coco

COUNTING: Final = Limits()
"""What the node tells: its own limits."""
_ROUNDS: Final = 200

See = Callable[[Path], tuple[Detections, Detections]]
"""A photo's facings in its full pixels: for the whole curve, and those that the node tells."""


def eyes(model: Path | None, *, threads: int) -> See:
    """The node's detector.

    Raises:
        BadModel: it cannot be loaded.
    """
    detector = Detector(model, threads=threads)

    def see(path: Path) -> tuple[Detections, Detections]:
        photo = read_photo(path)
        curve, told = detector.find_at_all(photo.rgb, [WHOLE_CURVE, COUNTING])
        return _full_size(curve, photo.scale), _full_size(told, photo.scale)

    return see


def _full_size(found: Found, scale: float) -> Detections:
    return Detections((found.boxes_px / np.float32(scale)).astype(np.float32), found.scores)


def measure_facings(folder: Path, see: See, *, seed: int, steps: Steps) -> Report:
    """Measure on the photos of `checked.json`.

    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "checked.json", "images")
    labels = read_coco(folder / "checked.json", folder / "images")
    origins = _origins(folder / "checked.json")
    curve: dict[str, list[Judged]] = {}
    told: list[Judged] = []
    for photo in steps(labels.photos, "looking for facings"):
        judged, counted = (_judged(found, photo) for found in see(photo.path))
        curve.setdefault(origins[photo.path.name], []).append(judged)
        told.append(counted)
    every = [judged for some in curve.values() for judged in some]
    figures = [*_precisions(every, "all", seed=seed), *_calibration_errors(every, seed=seed)]
    for origin, some in sorted(curve.items()):
        if any(photo.facings for photo in some):
            figures += _precisions(some, origin, seed=seed)
    return Report(
        measure="facings",
        settings={
            "photos": len(every), "score_min": WHOLE_CURVE.score_min,
            "overlap_max": WHOLE_CURVE.overlap_max, "cap": WHOLE_CURVE.count_max,
            "told_from_score": COUNTING.score_min, "seed": seed,
        },
        figures=(*figures, *_as_told(told, seed=seed)),
        notes=("regions that nobody could label are left out; intervals by photo",),
    )  # fmt: skip


def _judged(found: Detections, photo: LabelledPhoto) -> Judged:
    return judge(found, photo.facings, photo.ignore)


def _origins(path: Path) -> Mapping[str, str]:
    """Where each photo came from, by its name. The file was read as COCO before."""
    images = json.loads(path.read_bytes())["images"]
    names = [Path(image["file_name"]).name for image in images]
    if len(set(names)) < len(names):
        raise WrongData(f"{path.name}: two photos have one name")
    return {
        name: str(image.get("origin", "unknown")) for name, image in zip(names, images, strict=True)
    }


def _precisions(judged: Sequence[Judged], of: str, *, seed: int) -> list[Figure]:
    """AP50 and AP; with an interval where there are enough photos."""
    found = average_precision(judged)
    ends50: tuple[float | None, float | None] = (None, None)
    ends: tuple[float | None, float | None] = (None, None)
    if len(judged) >= GROUPS_MIN:
        again = [
            average_precision(some)
            for some in drawn_anew(judged, seed=seed, rounds=_ROUNDS)
            if any(photo.facings for photo in some)
        ]
        ends50 = interval_of([one.ap50 for one in again])
        ends = interval_of([one.ap for one in again])
    return [
        Figure(
            name="ap50", of=of, value=found.ap50, low=ends50[0], high=ends50[1], n=found.facings
        ),
        Figure(name="ap", of=of, value=found.ap, low=ends[0], high=ends[1], n=found.facings),
    ]


def _calibration_errors(judged: Sequence[Judged], *, seed: int) -> list[Figure]:
    """How far scores are from the share that is right: of all answers, and of likely ones."""
    figures = []
    for name, score_min in (("calibration_error", 0.0), ("calibration_error_from_0.3", 0.3)):
        ends: tuple[float | None, float | None] = (None, None)
        if len(judged) >= GROUPS_MIN:
            ends = interval_of(
                [
                    calibration_error(some, score_min=score_min)
                    for some in drawn_anew(judged, seed=seed, rounds=_ROUNDS)
                ]
            )
        value = calibration_error(judged, score_min=score_min)
        count = sum(int((one.scores >= score_min).sum()) for one in judged)
        figures.append(Figure(name=name, value=value, low=ends[0], high=ends[1], n=count))
    return figures


def _as_told(judged: Sequence[Judged], *, seed: int) -> list[Figure]:
    """Precision and recall of what the node tells, at an overlap of .5."""
    right = [int(photo.met[0].sum()) for photo in judged]
    told = [len(photo.scores) for photo in judged]
    there = [photo.facings for photo in judged]
    figures = []
    for name, under in (("precision_as_told", told), ("recall_as_told", there)):
        low, high = ratio_interval(right, under, seed=seed)
        value = sum(right) / sum(under) if sum(under) else None
        figures.append(Figure(name=name, value=value, low=low, high=high, n=sum(under)))
    return figures
