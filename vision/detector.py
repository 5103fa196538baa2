"""Find facings on a photo with the exported network. Knows nothing of rows, gaps or products."""

import os
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.errors import BadModel
from vision.observation import ModelFacts
from vision.photos import Pixels
from vision.providers import chosen_provider

Boxes = NDArray[np.float32]
"""(n, 4): x1, y1, x2, y2 in pixels of the picture they were found on."""

STRIDE_PX: Final = 32
"""Coarsest grid of the network: both sides of its input are multiples of this."""

PAD_GREY: Final = 114
"""What the network saw beside the photo while it was trained."""

INPUT_PX: Final = 1280
"""Long side that the network sees when its file does not say; on dense shelves smaller inputs
lose narrow facings and larger ones gain nothing."""


MODEL_VARIABLE: Final = "STOREPULSE_FACINGS_MODEL"
"""Environment variable: path of the detector that is used where none is named."""


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
class Found:
    """Facings on one picture, best first."""

    boxes_px: Boxes
    scores: NDArray[np.float32]
    """(n,), 0 to 1."""

    def __post_init__(self) -> None:
        if self.boxes_px.shape != (len(self.scores), 4):
            raise ValueError(f"{self.boxes_px.shape} boxes for {len(self.scores)} scores")

    @classmethod
    def nothing(cls) -> "Found":
        """No facing at all."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def default_model() -> Path:
    """The detector that comes with storepulse, or the one that a chain has put in its place."""
    if chosen := os.environ.get(MODEL_VARIABLE):
        return Path(chosen)
    with as_file(files("vision") / "weights" / "facings.onnx") as path:
        return path


class Detector:
    """The network, loaded once and warm; about 60 MB, and 250 MB more while it looks."""

    def __init__(self, model: Path | None = None, *, threads: int = 2) -> None:
        """Load the network.

        Args:
            model: an exported detector (.onnx); by default ours.
            threads: cores to use; beside other work one may be faster than two.
        Raises:
            BadModel: no such file, or no detector of facings.
            NoSuchProvider: `STOREPULSE_PROVIDER` names what this onnxruntime cannot do.
        """
        path = model if model is not None else default_model()
        if not path.is_file():
            raise BadModel(path, "there is no such detector file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Photos come one at a time: threads that spin between them only heat the box.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = chosen_provider()
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=providers
            )
        except Exception as error:  # onnxruntime's own errors have no common public class
            raise BadModel(path, "is no ONNX model that can be loaded") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or len(outputs) != 1:
            raise BadModel(path, "is an ONNX model, but no detector of facings")
        self._input_name: str = inputs[0].name
        said: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.licence = said.get("licence", "not stated")
        self.facts = ModelFacts(
            name=said.get("name", path.stem),
            version=said.get("version", "unknown"),
            input_px=_input_px(path, said),
        )
        try:  # the first run allocates; a photo should not wait for it
            raw = self._raw(np.zeros((1, 3, STRIDE_PX * 30, self.facts.input_px), np.float32))
        except Exception as error:
            raise BadModel(path, "does not take photos of a free size") from error
        if raw.ndim != 2 or raw.shape[0] != 5:
            raise BadModel(path, f"answers {raw.shape} instead of (5, n): one class, no NMS")

    def find(self, rgb: Pixels, limits: Limits | None = None) -> Found:
        """The facings of one picture in its own pixels, best first; none: (0, 4).

        Args:
            rgb: (h, w, 3).
            limits: other ones than for counting, to measure with.
        """
        return self.find_at_all(rgb, [limits or Limits()])[0]

    def find_at_all(self, rgb: Pixels, limits: list[Limits]) -> list[Found]:
        """As `find`, at several limits from one run of the network."""
        picture, scale = letterbox(rgb, self.facts.input_px)
        raw = self._raw(picture)
        height, width = rgb.shape[:2]
        return [choose(raw, scale, width, height, one) for one in limits]

    def run_bare(self, picture: NDArray[np.float32]) -> None:
        """The network alone on a picture that is ready, for timing."""
        self._raw(picture)

    def _raw(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """(5, n) raw answers: centre x, centre y, width, height in input pixels, score."""
        answer = self._session.run(None, {self._input_name: picture})[0]
        first: NDArray[np.float32] = np.asarray(answer, np.float32)[0]
        return first


def _input_px(path: Path, said: dict[str, str]) -> int:
    text = said.get("input_size", str(INPUT_PX))
    if not text.isdigit() or not 0 < int(text) <= 4096 or int(text) % STRIDE_PX:
        raise BadModel(path, f"says input_size {text}; a multiple of {STRIDE_PX} is needed")
    return int(text)


def letterbox(rgb: Pixels, long_px: int) -> tuple[NDArray[np.float32], float]:
    """The picture as the network wants it.

    Args:
        rgb: (h, w, 3).
        long_px: the long side becomes this.
    Returns:
        (1, 3, H, W) float32 from 0 to 1, the picture in its upper left and grey to the next
        multiples of 32; and input pixels for each pixel of the picture.
    """
    height, width = rgb.shape[:2]
    scale = long_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(rgb, size, interpolation=how)
    boxed = np.full(
        (size[1] + -size[1] % STRIDE_PX, size[0] + -size[0] % STRIDE_PX, 3), PAD_GREY, np.uint8
    )
    boxed[: size[1], : size[0]] = picture
    planes = np.ascontiguousarray(boxed.transpose(2, 0, 1))[None]
    return planes.astype(np.float32) * np.float32(1 / 255), scale


def choose(
    raw: NDArray[np.float32], scale: float, width: int, height: int, limits: Limits
) -> Found:
    """From raw answers to facings: scores, doubles and the picture's edge.

    Args:
        raw: (5, n) centre x, centre y, width, height in input pixels, score.
        scale: input pixels for each pixel of the picture.
        width, height: of the picture; boxes are cut at its edge.
    """
    raw = raw[:, raw[4] >= limits.score_min]
    centre, size, scores = raw[:2].T, raw[2:4].T, raw[4]
    corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1) / np.float32(scale)
    boxes: Boxes = corners.clip(0, [width, height, width, height]).astype(np.float32)
    real = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
    boxes, scores = boxes[real], scores[real]
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    kept = without_doubles(boxes, limits.overlap_max, limits.count_max)
    return Found(boxes[kept], scores[kept])


def without_doubles(boxes: Boxes, overlap_max: float, count_max: int) -> NDArray[np.intp]:
    """Indexes of the boxes that stay when each drops the weaker ones that overlap it too much.

    Args:
        boxes: (n, 4), best first.
        overlap_max: largest intersection over union of two that stay.
        count_max: stop after so many.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left) and len(kept) < count_max:
        best, left = left[0], left[1:]
        kept.append(int(best))
        corner = np.maximum(boxes[best, :2], boxes[left, :2])
        far = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (far - corner).clip(0).prod(axis=1)
        left = left[shared <= overlap_max * (areas[best] + areas[left] - shared)]
    return np.array(kept, np.intp)
