"""Mend a torchvision wheel that lacks its compiled operators. Does nothing where they are there.

The CPU wheels of torch on some indexes come with a torchvision built for another torch: its
`_C` library does not load, and importing torchvision then fails with `operator torchvision::nms
does not exist`, because a module registers a fake for an operator that was never defined.
ultralytics imports torchvision for its NMS. Defining the two operators in Python before
torchvision is imported is enough; training and export never call them in a hot loop.
"""

import importlib.util
import sys
from typing import Any

import torch

# A library object must live as long as its operators: torch drops them with it.
_LIBRARIES: list[torch.library.Library] = []


def non_maximum_suppression(
    boxes: torch.Tensor, scores: torch.Tensor, iou_max: float
) -> torch.Tensor:
    """Keep the best-scored boxes among those that overlap: torchvision's `nms`, slower.

    Args:
        boxes: (n, 4) float, x1 y1 x2 y2.
        scores: (n,) float.
        iou_max: boxes that overlap a kept one by more are dropped.
    Returns:
        (m,) int64 indices of the kept boxes, best first; (0,) when there is no box.
    """
    order = scores.argsort(descending=True)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order.numel() > 0:
        best = int(order[0])
        kept.append(best)
        rest = order[1:]
        low = torch.maximum(boxes[best, :2], boxes[rest, :2])
        high = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        iou = shared / (areas[best] + areas[rest] - shared)
        order = rest[iou <= iou_max]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def mend_torchvision() -> bool:
    """Define `torchvision::nms` and `torchvision::qnms` if the compiled ones are missing.

    Returns:
        True when something was mended, False when torchvision is whole or mended before.
    """
    if _LIBRARIES or _compiled_operators_load():
        return False
    open_library: Any = torch.library.Library
    library = open_library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", non_maximum_suppression, "CPU")
    _LIBRARIES.append(library)
    import torchvision.extension

    # torchvision asks this before each of its own operators; ours are there.
    torchvision.extension._has_ops = lambda: True
    return True


def _compiled_operators_load() -> bool:
    """Say whether torchvision's own operators are there, without leaving a broken import behind."""
    if importlib.util.find_spec("torchvision") is None:
        return False
    try:
        import torchvision  # noqa: F401
    except (RuntimeError, ImportError, OSError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False
    return hasattr(torch.ops.torchvision, "nms")
