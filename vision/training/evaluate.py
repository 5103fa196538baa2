"""Measure a detector against labels: average precision as COCO does it. Pure but for `measure`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.training.detect import Detections, Detector, overlaps
from vision.training.feeding import decode_photos
from vision.training.labels import Boxes, Labels

# COCO's ten limits and its 101 points of recall.
IOU_LIMITS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
RECALL_POINTS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `ap50` at an overlap of .5, `ap` the mean over .5 to .95."""

    photos: int
    facings: int
    ap50: float
    ap75: float
    ap: float
    recall50: float


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One photo's counted detections: scores (n,), and (10, n) whether each met a facing."""

    scores: NDArray[np.float32]
    met: NDArray[np.bool_]
    facings: int


def measure(detector: Detector, labels: Labels) -> Figures:
    """Run the detector over all photos (decoded one at a time) and score it.

    Raises:
        PhotoUnreadable: a photo is missing, corrupt or of another size than labelled.
        ValueError: no facing is left to measure on.
    """
    return average_precision(list(_judge_all(detector, labels)))


def _judge_all(detector: Detector, labels: Labels) -> Iterator[Judged]:
    for photo in labels.photos:
        [(_, picture)] = decode_photos([photo])
        yield judge(detector(picture), photo.facings, photo.ignore)


def judge(found: Detections, facings: Boxes, ignore: Boxes) -> Judged:
    """Match one photo's detections, best first, each to the facing it overlaps most.

    Facings and detections whose centre is in a region to ignore are left out, facings first: a
    detection that met a counted facing always counts.
    """
    counted = facings[~in_regions(facings, ignore)]
    met = np.zeros((len(IOU_LIMITS), len(found.scores)), bool)
    within_reach = _reached(overlaps(found.boxes, counted))
    for level, limit in enumerate(IOU_LIMITS):
        taken: set[int] = set()
        for number, reach in within_reach:
            for facing, iou in reach:
                if iou < limit:
                    break
                if facing not in taken:
                    taken.add(facing)
                    met[level, number] = True
                    break
    left_out = in_regions(found.boxes, ignore) & ~met[0]
    return Judged(found.scores[~left_out], met[:, ~left_out], len(counted))


def _reached(iou: NDArray[np.float32]) -> list[tuple[int, list[tuple[int, float]]]]:
    """For each detection that overlaps a facing enough to meet it: which ones, the most first.

    Few do: most of a dense shelf is far away, and asking all of it ten times took minutes.
    """
    reached = []
    for number in np.flatnonzero((iou >= IOU_LIMITS[0]).any(axis=1)):
        near = np.flatnonzero(iou[number] >= IOU_LIMITS[0])
        near = near[np.argsort(-iou[number, near], kind="stable")]
        reached.append((int(number), [(int(one), float(iou[number, one])) for one in near]))
    return reached


def in_regions(boxes: Boxes, regions: Boxes) -> NDArray[np.bool_]:
    """Say of each box whether its centre lies in a region.

    A box of which more than half lies in one region has its centre there too.
    """
    centres = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    reached = (centres >= regions[None, :, :2]) & (centres <= regions[None, :, 2:])
    return np.asarray(
        np.logical_or.reduce(np.logical_and.reduce(reached, axis=2), axis=1), np.bool_
    )


def average_precision(judged: Sequence[Judged]) -> Figures:
    """Pool the photos, sort by score, and read precision at 101 points of recall.

    Raises:
        ValueError: there is no facing at all.
    """
    facings = sum(photo.facings for photo in judged)
    if facings == 0:
        raise ValueError("no labelled facing outside the ignored regions: nothing to measure on")
    scores = np.concatenate([photo.scores for photo in judged])
    met = np.concatenate([photo.met for photo in judged], axis=1)
    order = np.argsort(-scores, kind="stable")
    curves = met[:, order]
    precisions = [_area(curve, facings) for curve in curves]
    return Figures(
        photos=len(judged),
        facings=facings,
        ap50=precisions[0],
        ap75=precisions[5],
        ap=float(np.mean(precisions)),
        recall50=float(curves[0].sum() / facings),
    )


def _area(met: NDArray[np.bool_], facings: int) -> float:
    """Return the mean precision at 101 points; precision never rises with recall."""
    if len(met) == 0:
        return 0.0
    hits = met.cumsum()
    recall = hits / facings
    precision = hits / np.arange(1, len(met) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALL_POINTS, side="left")
    reached = places < len(envelope)
    return float(np.where(reached, envelope[places.clip(max=len(envelope) - 1)], 0.0).mean())
