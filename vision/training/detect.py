"""Run an exported model on photos, for measuring and relabelling only; the node has its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.training.augment import GREY, Picture
from vision.training.errors import WeightsUnfit
from vision.training.labels import Boxes

STRIDE_PX = 32
FACINGS_MAX = 800  # a dense bay has 600; more would only be noise


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Facings found on one photo, best first."""

    boxes: Boxes
    scores: NDArray[np.float32]  # (n,)


Detector = Callable[[Picture], Detections]


def load_detector(
    model: Path,
    *,
    long_side_px: int = 1280,
    score_min: float = 0.01,
    iou_max: float = 0.6,
    threads: int = 2,
) -> Detector:
    """Open an exported model and return a function from a BGR photo to its facings.

    Args:
        long_side_px: the photo is resized to this before the single pass.
        score_min: weaker answers are dropped; low for measuring, so that the curve is whole.
        iou_max: two facings may overlap by this much.
    Raises:
        WeightsUnfit: not an ONNX model that onnxruntime can open.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own error classes are not public
        raise WeightsUnfit(f"{model} cannot be opened as an ONNX model: {error}") from error
    name = session.get_inputs()[0].name

    def detect(picture: Picture) -> Detections:
        pixels, scale = network_input(picture, long_side_px)
        raw = np.asarray(session.run(None, {name: pixels})[0])[0]
        return strongest(raw, scale=scale, score_min=score_min, iou_max=iou_max)

    return detect


def network_input(picture: Picture, long_side_px: int) -> tuple[NDArray[np.float32], float]:
    """Resize to the long side and pad right and bottom with grey to multiples of 32.

    Returns:
        (1, 3, H, W) float32 RGB from 0 to 1, and the factor by which the photo was resized.
    """
    height, width = picture.shape[:2]
    scale = long_side_px / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(picture, size, interpolation=how)
    padded = cv2.copyMakeBorder(
        resized,
        0,
        -size[1] % STRIDE_PX,
        0,
        -size[0] % STRIDE_PX,
        cv2.BORDER_CONSTANT,
        value=(GREY, GREY, GREY),
    )
    pixels = padded[:, :, ::-1].transpose(2, 0, 1)[None]
    return np.ascontiguousarray(pixels, np.float32) / np.float32(255), scale


def strongest(
    raw: NDArray[np.float32], *, scale: float, score_min: float, iou_max: float
) -> Detections:
    """Turn (5, N) raw answers into at most 800 facings in pixels of the photo, best first."""
    scores = raw[4]
    candidates = np.flatnonzero(scores >= score_min)
    order = candidates[np.argsort(-scores[candidates], kind="stable")]
    centre, size = raw[:2, order].T, raw[2:4, order].T
    boxes = np.hstack([centre - size / 2, centre + size / 2]).astype(np.float32)
    kept = suppress_overlapping(boxes, iou_max=iou_max, kept_max=FACINGS_MAX)
    return Detections(
        (boxes[kept] / scale).astype(np.float32), scores[order][kept].astype(np.float32)
    )


def suppress_overlapping(
    boxes: NDArray[np.float32], *, iou_max: float, kept_max: int
) -> NDArray[np.int64]:
    """Return the numbers of the boxes kept, given (n, 4) boxes sorted best first."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left) and len(kept) < kept_max:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (high - low).clip(0).prod(axis=1)
        left = left[shared <= iou_max * (areas[best] + areas[left] - shared)]
    return np.array(kept, np.int64)


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Return the (n, m) intersections over union of (n, 4) and (m, 4) boxes."""
    shared = shared_areas(first, second)
    sizes = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = sizes[0][:, None] + sizes[1][None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def shared_areas(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Return the (n, m) areas that (n, 4) and (m, 4) boxes share, in square pixels."""
    # By columns: numpy's product over an axis of two takes ten times as long.
    wide, tall = (
        np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
        - np.maximum(first[:, None, axis], second[None, :, axis])
        for axis in (0, 1)
    )
    return np.asarray(wide.clip(0) * tall.clip(0), np.float32)
