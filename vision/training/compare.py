"""Time `ultralytics predict` with the same weights, at the same size, on the same photo."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from ultralytics.models import YOLO

from vision.detector import Limits
from vision.training.torchvision_ops import mend_torchvision


def predictor(model: Path, photo: Path, *, input_px: int, folder: Path) -> Callable[[], float]:
    """One prediction by ultralytics, from the photo's file to boxes: its milliseconds.

    Args:
        model: our exported detector; a copy that says what ultralytics asks of a file goes into
            `folder`, with the same weights.
        input_px: long side that the network sees.
    """
    mend_torchvision()  # its suppression is then plain torch, some ms slower than compiled
    graph = onnx.load(model)
    said = {"stride": "32", "task": "detect", "batch": "1", "names": "{0: 'facing'}",
            "imgsz": f"[{input_px}, {input_px}]", "dynamic": "True"}  # fmt: skip
    onnx.helper.set_model_props(graph, said)
    copy = folder / "facings-for-ultralytics.onnx"
    onnx.save(graph, copy)
    limits = Limits()
    yolo: Any = YOLO(str(copy), task="detect")

    def predict() -> float:
        started = time.perf_counter()
        yolo.predict(
            str(photo), imgsz=input_px, conf=limits.score_min, iou=limits.overlap_max,
            max_det=limits.count_max, device="cpu", verbose=False, save=False,
        )  # fmt: skip
        return (time.perf_counter() - started) * 1e3

    return predict
