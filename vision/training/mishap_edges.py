"""Find at which level a mishap makes a photo useless to the detector: AP50 down ten points."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from pydantic import TypeAdapter, ValidationError

from storepulse.errors import BadInput
from storepulse.simulated.mishaps import LONG_PX, MISHAPS, Mishap, by_jpeg
from storepulse.simulated.packs import Rgb
from vision.detector import Detector, Limits
from vision.photos import read_photo
from vision.training.detect import Detections
from vision.training.evaluate import Judged, average_precision, judge
from vision.training.labels import Boxes, LabelledPhoto

LEVELS: Final[Mapping[str, tuple[float, ...]]] = {
    "moved": (4, 8, 12, 16, 24),
    "unfocused": (3, 5, 8, 11, 15),
    "darkened": (8, 16, 32, 64, 128),
    "glaring": (0.04, 0.08, 0.12, 0.2),
    "turned": (20, 30, 40, 50, 60),
    "distant": (1.5, 2, 2.5, 3, 4),
    "cut_off": (0.05, 0.1, 0.2),
}
"""Pixels at 1280, a part of the light, share of the photo, degrees, times as far, share outside."""
FALL: Final = 0.10
"""Of AP50: where a photo counts as useless."""
_LIMITS: Final = Limits(score_min=0.05, overlap_max=0.6, count_max=800)
_VISIBLE_MIN: Final = 0.5
"""A facing of which less is in the photo need not be found."""


class BadEdges(BadInput):
    """The file of measured edges is missing or of another form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """How AP50 falls with the level of one mishap."""

    mishap: str
    level: float | None
    """Where it has fallen by `FALL`; None: at none of the levels tried."""
    clean_ap50: float
    ap50: Mapping[str, float]
    """Level -> AP50."""
    photos: int


EDGES_JSON: Final[TypeAdapter[dict[str, Edge]]] = TypeAdapter(dict[str, Edge])


def read_edges(path: Path) -> dict[str, Edge]:
    """Edges as `write_edges` wrote them. Raises `BadEdges`."""
    try:
        return EDGES_JSON.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadEdges(f"{path} holds no measured edges; leave it away to measure them") from error


def write_edges(edges: Mapping[str, Edge], path: Path) -> None:
    """Keep edges for another run: measuring them takes minutes. Raises `BadEdges`."""
    try:
        path.write_text(json.dumps(EDGES_JSON.dump_python(dict(edges)), indent=1) + "\n", "utf-8")
    except OSError as error:
        raise BadEdges(f"{path} cannot be written ({error.strerror})") from error


def at_long_side(rgb: Rgb, boxes: Boxes, ignore: Boxes) -> tuple[Rgb, Boxes, Boxes]:
    """A photo and its boxes brought to `LONG_PX`."""
    scale = LONG_PX / max(rgb.shape[:2])
    size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    seen = cv2.resize(rgb, size, interpolation=how).astype(np.uint8, copy=False)
    return seen, (boxes * scale).astype(np.float32), (ignore * scale).astype(np.float32)


def measure_edge(
    mishap: str, detector: Detector, photos: Sequence[LabelledPhoto], *, seed: int
) -> Edge:
    """AP50 at each level of one mishap, and where it has fallen by `FALL`.

    Raises:
        UnreadablePhoto: one of the photos cannot be read.
    """
    judged: dict[float, list[Judged]] = {level: [] for level in (0.0, *LEVELS[mishap])}
    for number, photo in enumerate(photos):
        read = read_photo(photo.path)
        boxes, ignore = photo.facings * read.scale, photo.ignore * read.scale
        good, facings, left_out = at_long_side(read.rgb, boxes, ignore)
        for level, some in judged.items():
            rng = np.random.default_rng([seed, number])
            bad = MISHAPS[mishap](good, level, rng) if level else Mishap(good, np.eye(3))
            found = detector.find(by_jpeg(bad.rgb, rng), _LIMITS)
            truth, skipped = _labels_after(mishap, level, bad, facings, left_out, good)
            some.append(judge(Detections(found.boxes_px, found.scores), truth, skipped))
    curve = {level: average_precision(some).ap50 for level, some in judged.items()}
    return Edge(
        mishap=mishap, level=crossing(curve, FALL), clean_ap50=round(curve[0.0], 4),
        ap50={f"{level:g}": round(value, 4) for level, value in curve.items() if level},
        photos=len(photos),
    )  # fmt: skip


def crossing(curve: Mapping[float, float], fall: float) -> float | None:
    """The level between two measured ones at which the value has fallen by `fall`; None: nowhere.

    Args:
        curve: level -> value, level 0 the clean one, rising levels.
    """
    goal = curve[0.0] - fall
    before, was = 0.0, curve[0.0]
    for level, value in curve.items():
        if value <= goal:
            return before + (level - before) * (was - goal) / max(was - value, 1e-9)
        before, was = level, value
    return None


def _labels_after(
    mishap: str, level: float, bad: Mishap, facings: Boxes, ignore: Boxes, good: Rgb
) -> tuple[Boxes, Boxes]:
    height, width = bad.rgb.shape[:2]
    inside = [width, height, width, height]
    whole, skipped = _mapped(facings, bad), _mapped(ignore, bad).clip(0, inside)
    if mishap == "cut_off" and level:
        return whole, skipped  # what was left out of the photo was not found
    seen = whole.clip(0, inside)
    kept = _areas(seen) >= _VISIBLE_MIN * np.maximum(_areas(whole), 1e-6)
    truth, skipped = seen[kept], np.concatenate([skipped, seen[~kept]])
    if mishap == "distant" and level:
        # The mirrored neighbours carry no labels.
        x1, y1, x2, y2 = _mapped(np.array([[0, 0, good.shape[1], good.shape[0]]]), bad)[0]
        beside = [(0, 0, x1, height), (x2, 0, width, height), (0, 0, width, y1),
                  (0, y2, width, height)]  # fmt: skip
        skipped = np.concatenate([skipped, np.array(beside)])
    return truth.astype(np.float32), skipped.astype(np.float32)


def _mapped(boxes: Boxes, bad: Mishap) -> Boxes:
    if not len(boxes):
        return np.zeros((0, 4), np.float32)
    corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].astype(np.float64)
    there = cv2.perspectiveTransform(corners.reshape(1, -1, 2), bad.homography).reshape(-1, 4, 2)
    # Between the middles of opposite sides: the upright box around would be too large.
    sides = np.sort(there, axis=1)
    low, high = sides[:, :2].mean(axis=1), sides[:, 2:].mean(axis=1)
    return np.concatenate([low, high], axis=1).astype(np.float32)


def _areas(boxes: Boxes) -> Boxes:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1))
