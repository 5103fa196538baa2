"""Find gaps with a network of their own, and let the geometry of the rows have its say.

The network saw pictures of empty places, so it knows what one looks like; the rows know where a
place is free at all. What the geometry alone is sure of is not told where the network saw nothing:
of 78 such stretches on labelled pictures one was a gap. Without the network's file the geometry
alone answers, and `GapEyes.facts` says so.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.agreement import Limits, overlaps
from vision.detector import STRIDE_PX, Detector, Found, Look
from vision.gaps import Place, find_gaps, free_places, line_y
from vision.observation import Gap, ModelFacts
from vision.photos import Pixels
from vision.rows import Rows

GAP_MODEL_VARIABLE: Final = "STOREPULSE_GAPS_MODEL"
"""Environment variable: path of the gap network where none is named; `geometry` for none at all."""
GEOMETRY: Final = "geometry"

GAP_LIMITS: Final = Limits(score_min=0.02, overlap_max=0.45, count_max=200)
"""What the network's answers are reduced to before they are weighed."""

FACING_HEIGHT_PX: Final = 48.0
FAR_PX: Final = 720.0
"""Where the facings would need a larger photo than this to have that height, it was taken from far
away: the network is then shown it so much larger. Below, its own sizes serve best."""
ENLARGED_MAX: Final = 2.0
"""Beyond, looking for gaps would take as long as looking for facings."""

MATCH_IOU_MIN: Final = 0.3
"""A stretch and an answer of the network that share more are one place."""
UNSEEN_SCORE: Final = 0.01
"""What the network is taken to have said of a stretch where it said nothing."""
TOLD_SCORE_MIN: Final = 0.5
ROW_APART_MAX: Final = 0.35
"""A gap stands on a row whose line passes its foot no farther away, of the gap's height."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each witness counts: a logistic of the network's logit, the share of the place under
    facings, and whether the rows leave a stretch free there."""

    start: float
    network: float
    covered: float
    stretch: float


WEIGHTS: Final = Weights(start=0.47, network=1.44, covered=-0.22, stretch=0.1)
"""Fitted to the answers on 86 pictures that were trained on (their AP50 is that of kept-out ones,
so little was learnt by heart); a fit that also left the geometry's own score free gave it nothing,
so stretches need no score."""


def default_gap_model() -> Path | None:
    """The gap network that comes with storepulse, or what a chain has put in its place."""
    if chosen := os.environ.get(GAP_MODEL_VARIABLE):
        return None if chosen == GEOMETRY else Path(chosen)
    return _packaged()


def _packaged() -> Path:
    with as_file(files("vision") / "weights" / "gaps.onnx") as path:
        return path


class GapEyes:
    """The gap network, loaded once; geometry alone where its file is missing."""

    def __init__(self, model: Path | None = None, *, threads: int = 2) -> None:
        """Load the network.

        Args:
            model: an exported one; by default ours, and none where ours is not installed.
            threads: cores to use.
        Raises:
            BadModel: a file is there that is no such network, or the named one is missing.
        """
        path = default_gap_model() if model is None else model
        if path is not None and not path.is_file() and path == _packaged():
            path = None
        self._network = None if path is None else Detector(path, threads=threads)

    def rest(self) -> None:
        """As `Detector.rest`."""
        if self._network is not None:
            self._network.rest()

    @property
    def facts(self) -> ModelFacts | None:
        """Which network it is; None: geometry alone."""
        return None if self._network is None else self._network.facts

    def find(
        self,
        boxes_px: NDArray[np.floating],
        rows: Rows,
        *,
        weak_px: NDArray[np.floating],
        rgb: Pixels,
        scale: float,
        score_min: float = TOLD_SCORE_MIN,
        said: Callable[[], Found] | None = None,
    ) -> tuple[Gap, ...]:
        """The places that look bare; arguments and answer as those of `find_gaps`.

        Args:
            said: waits for what `answers` says, where that is asked already.
        """
        if self._network is None:
            return find_gaps(boxes_px, rows, weak_px=weak_px, rgb=rgb, scale=scale)
        stretches = free_places(boxes_px, rows, weak_px=weak_px, rgb=rgb, scale=scale)
        full = said() if said else self.answers(boxes_px, rgb=rgb, scale=scale)
        gaps = weigh(full, stretches, boxes_px, WEIGHTS, score_min=score_min)
        return tuple(
            replace(gap, row=gap.row if gap.row is not None else row_under(gap, rows))
            for gap in gaps
        )

    def answers(self, boxes_px: NDArray[np.floating], *, rgb: Pixels, scale: float) -> Found:
        """What the network alone says, in the photo's full pixels; without one, nothing."""
        network = self._network
        if network is None:
            return Found.nothing()
        looks = looks_at(network.looks, boxes_px, max(rgb.shape[:2]) / scale)
        small = _halved(rgb, max(look.long_px for look in looks))
        seen = network.find_at_all(small, [GAP_LIMITS], looks=looks)[0]
        shrunk = np.float32(scale * small.shape[1] / rgb.shape[1])
        return Found((seen.boxes_px / shrunk).astype(np.float32), seen.scores)

    def bare(
        self, boxes_px: NDArray[np.floating], *, rgb: Pixels, scale: float
    ) -> Callable[[], None]:
        """The network's runs for a photo, alone, on pictures that are ready: for timing."""
        network = self._network
        if network is None:
            return lambda: None
        looks = looks_at(network.looks, boxes_px, max(rgb.shape[:2]) / scale)
        ready = network.ready(rgb, looks)

        def run() -> None:
            for picture in ready:
                network.run_bare(picture)

        return run


def _halved(rgb: Pixels, long_px: int) -> Pixels:
    """The picture by halves, its long side still at least `long_px`: OpenCV halves ten times as
    fast as it averages by odd shares, and every look is made of this one."""
    while max(rgb.shape[:2]) >= 2 * long_px and min(rgb.shape[:2]) > 1:
        half = rgb.shape[1] // 2, rgb.shape[0] // 2
        rgb = np.asarray(cv2.resize(rgb, half, interpolation=cv2.INTER_AREA), np.uint8)
    return rgb


def looks_at(
    own: Sequence[Look], boxes_px: NDArray[np.floating], long_px: float
) -> tuple[Look, ...]:
    """How the network is shown a photo: its own looks, enlarged where the facings are small.

    Args:
        own: the looks that the network's file names.
        boxes_px: (n, 4) facings in pixels of a photo with this long side; none: own looks.
    """
    if not len(boxes_px):
        return tuple(own)
    tall = max(float(np.median(boxes_px[:, 3] - boxes_px[:, 1])), 1.0)
    larger = min(max(long_px * FACING_HEIGHT_PX / tall / FAR_PX, 1.0), ENLARGED_MAX)
    return tuple(
        replace(look, long_px=round(look.long_px * larger / STRIDE_PX) * STRIDE_PX) for look in own
    )


def weigh(
    learnt: Found,
    stretches: Sequence[Place],
    facings_px: NDArray[np.floating],
    weights: Weights,
    *,
    score_min: float = 0.0,
) -> tuple[Gap, ...]:
    """One answer from both witnesses, the surest first.

    Args:
        learnt: the network's answers.
        stretches: what the rows leave free; same pixels.
        facings_px: (n, 4) the facings, same pixels.
        score_min: surer ones only.
    Returns:
        Each answer of the network, and each stretch that is none of them, with the weighed score;
        of two that share too much only the surer.
    """
    free = np.array([place.box_xyxy_px for place in stretches], np.float64).reshape(-1, 4)
    iou = overlaps(learnt.boxes_px, free.astype(np.float32))
    same = iou.max(axis=1, initial=0.0) >= MATCH_IOU_MIN
    alone = np.flatnonzero(iou.max(axis=0, initial=0.0) < MATCH_IOU_MIN)
    boxes = np.concatenate([learnt.boxes_px.astype(np.float64), free[alone]])
    said = np.concatenate([learnt.scores.astype(np.float64), np.full(len(alone), UNSEEN_SCORE)])
    stands = np.concatenate([same, np.ones(len(alone), np.bool_)])
    rows = [
        stretches[int(iou[number].argmax())].row if matched else None
        for number, matched in enumerate(same)
    ] + [stretches[place].row for place in alone.tolist()]
    scores = np.array(_weighed(boxes, said, stands, facings_px, weights), np.float64)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= score_min]
    apart = overlaps(*(boxes[order].astype(np.float32),) * 2) <= GAP_LIMITS.overlap_max
    kept: list[int] = []
    for number in range(len(order)):
        if apart[number, kept].all():
            kept.append(number)
    return tuple(
        Gap(_edges(boxes[number]), float(scores[number]), rows[number]) for number in order[kept]
    )


def _weighed(
    boxes: NDArray[np.float64],
    said: NDArray[np.float64],
    stands: NDArray[np.bool_],
    facings_px: NDArray[np.floating],
    weights: Weights,
) -> list[float]:
    """The score of each (n, 4) box, in thousandths, from what the network said of it and whether a
    stretch is there."""
    held = said.clip(1e-3, 1 - 1e-3)
    witness = (
        weights.start
        + weights.network * np.log(held / (1 - held))
        + weights.covered * covered_shares(boxes, facings_px).clip(None, 1.0)
        + weights.stretch * stands
    )
    return [round(score, 3) for score in (1 / (1 + np.exp(-witness))).tolist()]


def covered_shares(
    boxes: NDArray[np.float64], facings_px: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(n,) share of each (n, 4) box under facings; those that overlap count twice. 0 for none."""
    wide, tall = (
        np.minimum(facings_px[None, :, axis + 2], boxes[:, None, axis + 2])
        - np.maximum(facings_px[None, :, axis], boxes[:, None, axis])
        for axis in (0, 1)
    )
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    shared = (wide.clip(0) * tall.clip(0)).sum(axis=1)
    return np.asarray(shared / areas.clip(1e-9), np.float64)


def row_under(gap: Gap, rows: Rows) -> int | None:
    """The row on whose line a gap stands; None where none passes near its foot."""
    x1, y1, x2, y2 = gap.box_xyxy_px
    middle = (x1 + x2) / 2
    near = [
        (abs(line_y(row, middle) - y2), row.index)
        for row in rows.rows
        if row.line_xyxy_px[0] - (x2 - x1) <= middle <= row.line_xyxy_px[2] + (x2 - x1)
    ]
    apart, index = min(near, default=(np.inf, -1))
    return index if apart <= ROW_APART_MAX * (y2 - y1) else None


def _edges(box: NDArray[np.float64]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return x1, y1, x2, y2
