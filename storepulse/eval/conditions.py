"""What hard conditions cost the eyes: average precision of the same shelves, photographed worse.

The conditions are computed from the checked photos (`storepulse.simulated.conditions`), so they
are cleaner than life; what can be trusted is the loss against the photo as it was, by photo.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storepulse.eval.data_folders import need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import GROUPS_MIN, interval_of
from storepulse.simulated.conditions import CONDITIONS, Changed, Condition
from storepulse.simulated.exposures import map_boxes
from vision.detector import Detector
from vision.look import WHOLE_CURVE
from vision.photos import Pixels, read_photo
from vision.training.detect import Detections
from vision.training.evaluate import Judged, average_precision, judge
from vision.training.labels import Boxes, LabelledPhoto, read_coco

AS_IT_WAS: Final = "as it was"
_ROUNDS: Final = 200

See = Callable[[Pixels], Detections]
"""The facings of a picture for the whole curve, in its pixels."""


def eyes(model: Path | None, *, threads: int) -> See:
    """The node's detector.

    Raises:
        BadModel: it cannot be loaded.
    """
    detector = Detector(model, threads=threads)

    def see(rgb: Pixels) -> Detections:
        found = detector.find(rgb, WHOLE_CURVE)
        return Detections(found.boxes_px, found.scores)

    return see


def measure_conditions(
    folder: Path,
    see: See,
    *,
    seed: int,
    steps: Steps,
    conditions: Sequence[Condition] = CONDITIONS,
) -> Report:
    """Look at each photo of `checked.json` under each condition.

    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "checked.json", "images")
    labels = read_coco(folder / "checked.json", folder / "images")
    plain: list[Judged] = []
    changed: dict[str, list[Judged]] = {condition.name: [] for condition in conditions}
    for number, photo in enumerate(steps(labels.photos, "looking under conditions")):
        picture = read_photo(photo.path)
        small = np.diag([picture.scale, picture.scale, 1.0])
        plain.append(_judged(see, Changed(picture.rgb, np.eye(3)), photo, small))
        for place, condition in enumerate(conditions):
            under = condition.change(
                picture.rgb, np.random.default_rng([seed, number, place, 0xC0ED])
            )
            changed[condition.name].append(_judged(see, under, photo, small))
    figures = _precisions(plain, AS_IT_WAS)
    for name, judged in changed.items():
        figures += [*_precisions(judged, name), *_losses(plain, judged, name, seed=seed)]
    return Report(
        measure="conditions",
        settings={
            "photos": len(plain), "score_min": WHOLE_CURVE.score_min,
            "overlap_max": WHOLE_CURVE.overlap_max, "cap": WHOLE_CURVE.count_max, "seed": seed,
        },
        figures=tuple(figures),
        notes=(
            "conditions are computed from the photos as they are; lengths in pixels of a photo of "
            "2000 px; losses by photo, the same photos drawn anew on both sides",
        ),
    )  # fmt: skip


def _judged(see: See, under: Changed, photo: LabelledPhoto, small: NDArray[np.float64]) -> Judged:
    homography = np.asarray(under.homography @ small, np.float64)
    return judge(
        see(under.rgb), _mapped(photo.facings, homography), _mapped(photo.ignore, homography)
    )


def _mapped(boxes: Boxes, homography: NDArray[np.float64]) -> Boxes:
    corners = [(float(a), float(b), float(c), float(d)) for a, b, c, d in boxes]
    return np.array(map_boxes(corners, homography), np.float32).reshape(-1, 4)


def _precisions(judged: Sequence[Judged], of: str) -> list[Figure]:
    found = average_precision(judged)
    return [
        Figure(name="ap50", of=of, value=found.ap50, n=found.facings),
        Figure(name="ap", of=of, value=found.ap, n=found.facings),
    ]


def _losses(
    plain: Sequence[Judged], changed: Sequence[Judged], of: str, *, seed: int
) -> list[Figure]:
    """What AP50 and AP lose; the interval by photo, where there are enough of them."""

    def lost(numbers: Sequence[int]) -> tuple[float, float]:
        was = average_precision([plain[number] for number in numbers])
        is_ = average_precision([changed[number] for number in numbers])
        return was.ap50 - is_.ap50, was.ap - is_.ap

    values = lost(range(len(plain)))
    ends: list[tuple[float | None, float | None]] = [(None, None), (None, None)]
    if len(plain) >= GROUPS_MIN:
        rng = np.random.default_rng([seed, 0xB007])
        draws = (rng.integers(len(plain), size=len(plain)).tolist() for _ in range(_ROUNDS))
        again = [lost(draw) for draw in draws if any(plain[number].facings for number in draw)]
        ends = [interval_of([one[part] for one in again]) for part in (0, 1)]
    return [
        Figure(name=name, of=of, value=value, low=low, high=high, n=len(plain))
        for name, value, (low, high) in zip(("ap50_lost", "ap_lost"), values, ends, strict=True)
    ]
