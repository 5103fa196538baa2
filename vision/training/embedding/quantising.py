"""Write an exported embedding in whole numbers (int8), measured on crops. Trains nothing.

Only the convolutions, which are all of the work: what the network first evens out and what it last
brings to length 1 stays as it is.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from vision.products.embedding import squares

Pixels = NDArray[np.uint8]

CROPS_AT_ONCE: Final = 16


class _Shows(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands the crops to onnxruntime, which notes how large each layer's answers become."""

    def __init__(self, crops: Sequence[Pixels]) -> None:
        self._batches = _batches(crops)

    def get_next(self) -> Mapping[str, NDArray[np.float32]] | None:
        return next(self._batches, None)


def _batches(crops: Sequence[Pixels]) -> Iterator[dict[str, NDArray[np.float32]]]:
    for start in range(0, len(crops), CROPS_AT_ONCE):
        pictures = squares(crops[start : start + CROPS_AT_ONCE]).transpose(0, 3, 1, 2)
        yield {"crops": np.asarray(pictures / 255, np.float32)}


def quantise(exported: Path, crops: Sequence[Pixels], path: Path) -> None:
    """Write the network with int8 convolutions.

    Args:
        exported: what `export_onnx` wrote.
        crops: some hundred facings, (h, w, 3), as it will see them; not those it is scored on.
        path: the file to write.
    """
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "wide.onnx"
        options = onnxruntime.SessionOptions()
        # Widens the tensors, which are kept in half precision, and folds the constants.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(wide)
        onnxruntime.InferenceSession(str(exported), options, providers=["CPUExecutionProvider"])
        quantize_static(
            wide,
            path,
            _Shows(crops),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Seven bits: processors without VNNI add pairs of products in 16 bits, which eight
            # would overflow; it costs nothing that could be measured (docs/products.md).
            reduce_range=True,
            op_types_to_quantize=["Conv"],
        )
