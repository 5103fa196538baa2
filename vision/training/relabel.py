"""Find facings that the truth forgot, with a detector that looks twice. Pure but for reading.

People who labelled dense shelves missed facings, and a network that finds them is told it is
wrong. Where a starting detector sees a facing on the photo and on its mirror image at another
size, and no labelled box is there, the truth is doubted: a sure finding becomes a facing, a
middling one a region that teaches nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.training.detect import Detections, Detector, overlaps, shared_areas
from vision.training.feeding import decode_photos
from vision.training.labels import Boxes, LabelledPhoto, Labels


@dataclass(frozen=True, slots=True)
class Doubt:
    """When a finding speaks against the truth."""

    score_min: float = 0.35  # the mean of the two looks; below it the truth stands
    score_sure: float = 0.60
    agreement_iou_min: float = 0.60
    # A finding that shares more with a labelled box is that box, seen otherwise.
    labelled_iou_max: float = 0.20
    labelled_cover_max: float = 0.35

    def __post_init__(self) -> None:
        if not 0 < self.score_min <= self.score_sure <= 1:
            raise ValueError("want 0 < score_min <= score_sure <= 1")


def relabel(
    labels: Labels,
    detectors: Sequence[Detector],
    *,
    doubt: Doubt,
    report: Callable[[LabelledPhoto], None],
) -> Labels:
    """Return the labels with forgotten facings added and doubtful places ignored.

    Args:
        detectors: two, of different sizes; the second is shown the mirror image.
        report: called with each finished photo.
    Raises:
        PhotoUnreadable: a photo is missing, corrupt or of another size than labelled.
    """
    upright, mirrored = detectors
    photos = []
    for photo in labels.photos:
        [(_, picture)] = decode_photos([photo])
        second = mirror(
            mirrored(np.ascontiguousarray(cv2.flip(picture, 1), np.uint8)), photo.width_px
        )
        done = doubted(photo, agreed(upright(picture), second, doubt=doubt), doubt=doubt)
        photos.append(done)
        report(done)
    return Labels(tuple(photos))


def mirror(found: Detections, width_px: int) -> Detections:
    """Turn detections on a mirrored photo into those on the photo itself."""
    boxes = found.boxes.copy()
    boxes[:, [0, 2]] = width_px - found.boxes[:, [2, 0]]
    return Detections(boxes, found.scores)


def agreed(first: Detections, second: Detections, *, doubt: Doubt) -> Detections:
    """Keep what both looks found: mean box and mean score of each pair."""
    if len(first.boxes) == 0 or len(second.boxes) == 0:
        return Detections(first.boxes[:0], first.scores[:0])
    iou = overlaps(first.boxes, second.boxes)
    partner = iou.argmax(axis=1)
    mutual = iou.argmax(axis=0)[partner] == np.arange(len(first.boxes))
    both = mutual & (iou.max(axis=1) >= doubt.agreement_iou_min)
    return Detections(
        (first.boxes[both] + second.boxes[partner[both]]) / 2,
        (first.scores[both] + second.scores[partner[both]]) / 2,
    )


def doubted(photo: LabelledPhoto, found: Detections, *, doubt: Doubt) -> LabelledPhoto:
    """Add to one photo what was found where it has no box."""
    boxes = np.clip(
        found.boxes, 0, np.array([photo.width_px, photo.height_px] * 2, np.float32)
    ).astype(np.float32)
    new = (
        (found.scores >= doubt.score_min)
        & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        & ~_labelled(boxes, np.concatenate([photo.facings, photo.ignore]), doubt)
    )
    sure = new & (found.scores >= doubt.score_sure)
    return replace(
        photo,
        facings=np.concatenate([photo.facings, boxes[sure]]),
        ignore=np.concatenate([photo.ignore, boxes[new & ~sure]]),
    )


def _labelled(boxes: Boxes, known: Boxes, doubt: Doubt) -> NDArray[np.bool_]:
    if len(known) == 0 or len(boxes) == 0:
        return np.zeros(len(boxes), bool)
    areas = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-9)
    # The sum over labelled boxes: a find that spans two small facings is no third one.
    covered = shared_areas(boxes, known).sum(axis=1) / areas
    iou = overlaps(boxes, known).max(axis=1)
    return np.asarray(
        (iou > doubt.labelled_iou_max) | (covered > doubt.labelled_cover_max), np.bool_
    )
