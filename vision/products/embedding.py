"""Run the embedding on crops, all in one go. Compares nothing.

The embedding is a small network of ours (`weights/products.onnx`, MODEL_CARD.md beside it) that
puts pictures of one product near each other; it knows no product by name.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.products.errors import BadEmbedding

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

INPUT_PX: Final = 96
GROUND: Final = (114, 114, 114)
"""What a square is filled with beside a tall or wide product."""
BATCH_MAX: Final = 32
"""More at once is no faster and needs 10 MB for each 16 crops."""


def squares(crops: Sequence[Pixels]) -> NDArray[np.uint8]:
    """Fit crops of any size into squares, proportions kept: (n, 96, 96, 3)."""
    out = np.empty((len(crops), INPUT_PX, INPUT_PX, 3), np.uint8)
    out[:] = GROUND
    for square, crop in zip(out, crops, strict=True):
        height, width = crop.shape[:2]
        scale = INPUT_PX / max(height, width)
        wide, high = max(1, round(width * scale)), max(1, round(height * scale))
        x, y = (INPUT_PX - wide) // 2, (INPUT_PX - high) // 2
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        square[y : y + high, x : x + wide] = cv2.resize(crop, (wide, high), interpolation=how)
    return out


class Embedder:
    """The network, loaded once."""

    def __init__(self, model: Path | None = None, *, threads: int = 2) -> None:
        """Load it.

        Args:
            model: an exported embedding; by default the packaged one.
            threads: cores to use.
        Raises:
            BadEmbedding: it cannot be loaded.
        """
        path = model or Path(str(files("vision.weights") / "products.onnx"))
        options = onnxruntime.SessionOptions()
        # Several batches at once, each on one core: the layers are too small to be shared.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises classes of its own that it does not export
            raise BadEmbedding(path, f"cannot be loaded as ONNX ({error})") from error
        answer = self._session.get_outputs()[0]
        if answer.name != "embeddings":
            raise BadEmbedding(path, "is no embedding of products")
        self.dimensions = int(answer.shape[1])
        self._threads = threads
        self._beside = ThreadPoolExecutor(threads, thread_name_prefix="embedder")

    def embed(self, crops: Sequence[Pixels]) -> Floats:
        """Embed crops, each (h, w, 3) uint8: (n, `dimensions`) of unit length; (0, …) for none."""
        # Two cores halve a short list too.
        size = max(1, min(BATCH_MAX, math.ceil(len(crops) / self._threads)))
        batches = [crops[start : start + size] for start in range(0, len(crops), size)]
        if len(batches) < 2:
            parts = [self._embed(batch) for batch in batches]
        else:
            parts = list(self._beside.map(self._embed, batches))
        return np.concatenate([np.zeros((0, self.dimensions), np.float32), *parts])

    def _embed(self, crops: Sequence[Pixels]) -> Floats:
        pictures = np.ascontiguousarray(squares(crops).transpose(0, 3, 1, 2), dtype=np.float32)
        pictures /= 255
        return np.asarray(self._session.run(None, {"crops": pictures})[0], np.float32)
