"""Make one set of facings from the raw answers of one or several looks. Pure: boxes and scores.

A network says each facing many times, a little differently, and says it again when it is shown the
photo mirrored or at another size. The surest answer names the place; all that overlap it much vote
for its edges, which are better than the surest one's own; and its score is the mean over the looks
of the best each said there, so that what only one look sees counts less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""(n, 4): x1, y1, x2, y2 in pixels of the picture they were found on."""
Scores = NDArray[np.float32]

VOTE_OVERLAP_MIN: Final = 0.7
"""Answers that share more with a facing's surest one vote for its edges."""
SAME_OVERLAP_MIN: Final = 0.6
"""A look saw the same facing where its answer shares so much with the surest one's."""
AGAIN_OVERLAP_MAX: Final = 0.55
"""After the vote, edges have moved: what overlaps more now is one facing after all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which raw boxes count as facings."""

    score_min: float = 0.3
    """Chosen where recall and precision on the held-out photos cross (docs/proof.md)."""
    overlap_max: float = 0.5
    """Two boxes that share more (intersection over union) are one facing, when counting."""
    count_max: int = 1000
    """Above any real shelf photo (600), so that it only bounds the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the looks said, in no order."""

    boxes_px: Boxes
    scores: Scores
    """(n,), 0 to 1."""
    look: NDArray[np.int64]
    """(n,), from 0: which look said it."""
    looks: int
    """How many looks there were, those that said nothing too."""

    def __post_init__(self) -> None:
        if not self.boxes_px.shape == (len(self.scores), 4) == (len(self.look), 4):
            raise ValueError("boxes, scores and looks must be as many")
        if self.looks < 1:
            raise ValueError("there must be a look")

    @classmethod
    def of(cls, looks: list[tuple[Boxes, Scores]]) -> Self:
        """The answers of several looks, all in pixels of one picture."""
        return cls(
            np.concatenate([boxes for boxes, _ in looks]),
            np.concatenate([scores for _, scores in looks]),
            np.concatenate(
                [np.full(len(scores), number) for number, (_, scores) in enumerate(looks)]
            ).astype(np.int64),
            len(looks),
        )


def agreed(answers: Answers, limits: Limits) -> tuple[Boxes, Scores]:
    """The facings, best first: (m, 4) boxes and (m,) scores."""
    order = np.argsort(-answers.scores, kind="stable")
    boxes, scores, look = answers.boxes_px[order], answers.scores[order], answers.look[order]
    # No mean of the looks is above the best of them, so weaker answers can name no facing.
    able = int((scores >= limits.score_min).sum())
    kept = without_doubles(boxes[:able], limits.overlap_max, limits.count_max)
    if not len(kept):
        return boxes[:0], scores[:0]
    if answers.looks == 1:
        # One look's edges, voted, draw neighbours together: half a point of AP50 lost, nothing won.
        return boxes[kept], scores[kept]
    iou = overlaps(boxes[kept], boxes)
    means = sum(
        (np.where((look == one) & (iou >= SAME_OVERLAP_MIN), scores, np.float32(0))).max(axis=1)
        for one in range(answers.looks)
    ) / np.float32(answers.looks)
    votes = np.where(iou >= VOTE_OVERLAP_MIN, iou * scores, np.float32(0))
    places = (votes @ boxes) / votes.sum(axis=1, keepdims=True)
    enough = np.flatnonzero(means >= limits.score_min)
    enough = enough[np.argsort(-means[enough], kind="stable")]
    places, means = places[enough].astype(np.float32), means[enough].astype(np.float32)
    last = without_doubles(places, min(limits.overlap_max, AGAIN_OVERLAP_MAX), limits.count_max)
    return places[last], means[last]


def agreed_at_all(answers: Answers, limits: Sequence[Limits]) -> list[tuple[Boxes, Scores]]:
    """As `agreed`, at several limits; those of one look that differ in the score alone share the
    work: doubles only ever fall to surer answers, so the facings at a higher score are the first of
    those at a lower one."""
    if answers.looks > 1:
        return [agreed(answers, one) for one in limits]
    lowest: dict[tuple[float, int], float] = {}
    for one in limits:
        rule = one.overlap_max, one.count_max
        lowest[rule] = min(one.score_min, lowest.get(rule, one.score_min))
    most = {rule: agreed(answers, Limits(score, *rule)) for rule, score in lowest.items()}
    found = []
    for one in limits:
        boxes, scores = most[one.overlap_max, one.count_max]
        enough = int((scores >= one.score_min).sum())
        found.append((boxes[:enough], scores[:enough]))
    return found


def without_doubles(boxes: Boxes, overlap_max: float, count_max: int) -> NDArray[np.intp]:
    """Indexes of the boxes that stay when each drops the weaker ones that overlap it too much.

    Args:
        boxes: (n, 4), best first.
        overlap_max: largest intersection over union of two that stay.
        count_max: stop after so many.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).astype(np.float64)
    # OpenCV goes through them by score: their order is given here, so any falling scores do.
    falling = np.linspace(1.0, 0.5, len(boxes)).tolist()
    kept = cv2.dnn.NMSBoxes(sized.tolist(), falling, 0.0, overlap_max)
    return np.asarray(kept, np.intp).ravel()[:count_max]


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """(n, m) intersections over union of (n, 4) and (m, 4) boxes."""
    # By columns: numpy's product over an axis of two takes ten times as long.
    wide, tall = (
        np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
        - np.maximum(first[:, None, axis], second[None, :, axis])
        for axis in (0, 1)
    )
    shared = wide.clip(0) * tall.clip(0)
    areas = [(some[:, 2] - some[:, 0]) * (some[:, 3] - some[:, 1]) for some in (first, second)]
    return np.asarray(
        shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9), np.float32
    )
