"""Find faces and make them unrecognisable in a copy that is to be kept. Keeps nothing itself.

A photo is judged first and blurred then: the judgement wants every pixel, the archive none of a
person's. The finder is CenterFace (MIT), a small network that comes with us
(`vision/weights/FACES_CARD.md`); what it finds and misses is measured by `storepulse eval faces`.
Faces printed on packs are blurred too: that costs a blurred pack in the copy, and no finding.
"""

import os
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.errors import NoFaceFinder
from vision.photos import WORKING_LONG_PX, Pixels

Floats = NDArray[np.float64]
FaceBoxes = NDArray[np.int64]
"""(n, 4): x1, y1, x2, y2 in pixels of the picture."""

LONG_PX: Final = WORKING_LONG_PX
"""Faces are sought at the size at which the copy is kept: a face of 20 px is there in both."""
LIKELY_MIN: Final = 0.25
"""Of 1. A face that is kept costs more than a blurred pack: so lower than its authors' .5. On 25
photos .2 blurs 8 other places a photo, .3 blurs 2 and misses one small face more in 75."""
GROW: Final = 0.15
"""The finder marks brow to chin; hair and ears tell people apart too. Added on each side."""
CELLS: Final = 4
"""A face becomes so many flat cells across and down: sixteen colours, from which nothing can be
won back."""
_CELL_PX: Final = 4
_STRIDE_PX: Final = 32
_OVERLAP_MAX: Final = 0.4
_STRIP_PX: Final = 400_000
"""A photo is searched in strips of so many pixels: the network takes some 180 bytes for each, and
the child that judges has 500 MB for everything."""
_SEAM_PX: Final = 32
"""Strips reach so far into each other; larger faces are found on a small whole photo."""
_COARSE_PX: Final = 832
_PART_MIN: Final = 0.6
"""A box of which so much lies in a larger one is a part of the same face."""


class FaceFinder:
    """The network, loaded once."""

    def __init__(self, model: Path | None = None, *, threads: int = 2) -> None:
        """Load it.

        Args:
            model: another CenterFace; by default ours.
            threads: cores to use.
        Raises:
            NoFaceFinder: it is not there or cannot be loaded.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # What it needs for one photo is given back: the judging child has 500 MB for everything.
        options.enable_cpu_mem_arena = False
        try:
            with as_file(files("vision") / "weights" / "faces.onnx") as ours:
                self._session: Any = onnxruntime.InferenceSession(
                    os.fspath(model or ours), options, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # onnxruntime's own errors have no common public class
            raise NoFaceFinder(
                "the finder of faces (vision/weights/faces.onnx) cannot be loaded, so photos "
                "cannot be blurred and none is kept; install storepulse again"
            ) from error

    def find(self, rgb: Pixels) -> FaceBoxes:
        """The faces of a picture, each grown to the whole head and inside it; none: (0, 4).

        Args:
            rgb: (h, w, 3).
        """
        height, width = rgb.shape[:2]
        boxes, scores = self._marked_everywhere(rgb)
        kept = cv2.dnn.NMSBoxes(
            np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).tolist(),
            scores.tolist(), LIKELY_MIN, _OVERLAP_MAX,
        )  # fmt: skip
        boxes = boxes[np.asarray(kept, np.int64).ravel()]
        margin = GROW * (boxes[:, 2:] - boxes[:, :2])
        grown = np.concatenate(
            [np.floor(boxes[:, :2] - margin), np.ceil(boxes[:, 2:] + margin)], axis=1
        )
        inside: FaceBoxes = grown.clip(0, [width, height, width, height]).astype(np.int64)
        return _joined(inside)

    def _marked_everywhere(self, rgb: Pixels) -> tuple[Floats, Floats]:
        """(n, 4) and (n,) from strips at full size, and from a small whole for large faces."""
        height, width = rgb.shape[:2]
        shrink = min(1.0, LONG_PX / max(height, width))
        fine = _resized(rgb, shrink)
        found = []
        step = max(_STRIDE_PX, _STRIP_PX // fine.shape[1])
        for top in range(0, fine.shape[0], step):
            strip = fine[max(0, top - _SEAM_PX) : top + step + _SEAM_PX]
            boxes, scores = self._marked(strip)
            boxes[:, [1, 3]] += max(0, top - _SEAM_PX)
            found.append((boxes / shrink, scores))
        if fine.shape[0] > step:
            coarse = shrink * min(1.0, _COARSE_PX / max(fine.shape[:2]))
            boxes, scores = self._marked(_resized(rgb, coarse))
            found.append((boxes / coarse, scores))
        return (
            np.concatenate([boxes for boxes, _ in found]),
            np.concatenate([scores for _, scores in found]),
        )

    def _marked(self, rgb: Pixels) -> tuple[Floats, Floats]:
        """(n, 4) in pixels of the picture given, and (n,) how likely each is."""
        height, width = rgb.shape[:2]
        planes = np.zeros(
            (1, 3, height + -height % _STRIDE_PX, width + -width % _STRIDE_PX), np.float32
        )
        planes[0, :, :height, :width] = rgb.transpose(2, 0, 1)
        likely, size, shift = self._session.run(["likely", "size", "shift"], {"photo": planes})
        down, across = np.nonzero(likely[0, 0] >= LIKELY_MIN)
        tall, wide = np.exp(size[0, :, down, across].astype(np.float64).clip(-4, 8)).T * _CELL_PX
        y = (down + shift[0, 0, down, across] + 0.5) * _CELL_PX
        x = (across + shift[0, 1, down, across] + 0.5) * _CELL_PX
        boxes = np.column_stack([x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2])
        return boxes, likely[0, 0, down, across].astype(np.float64)

    def blur(self, rgb: Pixels) -> tuple[Pixels, FaceBoxes]:
        """A copy of the picture with every face that is found blurred, and where they are."""
        boxes = self.find(rgb)
        return blurred(rgb, boxes), boxes


def blur_faces(rgb: Pixels) -> tuple[Pixels, FaceBoxes]:
    """A copy of the picture with every face that is found blurred, and where they are.

    Args:
        rgb: (h, w, 3), left as it is.
    Returns:
        The copy, and (n, 4) boxes.
    Raises:
        NoFaceFinder: faces cannot be found here; then the picture must not be kept.
    """
    return _finder().blur(rgb)


_finder = cache(FaceFinder)


def blurred(rgb: Pixels, boxes: FaceBoxes) -> Pixels:
    """A copy of the picture in which each box is a few flat cells.

    Args:
        rgb: (h, w, 3).
        boxes: (n, 4) inside the picture.
    """
    copy = np.array(rgb)
    for x1, y1, x2, y2 in boxes.tolist():
        part = copy[y1:y2, x1:x2]
        if part.size:
            cells = cv2.resize(part, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
            copy[y1:y2, x1:x2] = cv2.resize(
                cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST
            )
    return copy


def _joined(boxes: FaceBoxes) -> FaceBoxes:
    """A part of a face that a strip showed, and the whole of it, as one box about both."""
    order = np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(axis=1), kind="stable")
    kept: list[NDArray[np.int64]] = []
    for box in boxes[order]:
        for whole in kept:
            shared = (np.minimum(whole[2:], box[2:]) - np.maximum(whole[:2], box[:2])).clip(0)
            if shared.prod() >= _PART_MIN * (box[2:] - box[:2]).prod():
                whole[:2] = np.minimum(whole[:2], box[:2])
                whole[2:] = np.maximum(whole[2:], box[2:])
                break
        else:
            kept.append(box.copy())
    return np.array(kept, np.int64).reshape(-1, 4)


def _resized(rgb: Pixels, scale: float) -> Pixels:
    if scale >= 1:
        return rgb
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
