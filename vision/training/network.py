"""Build the network and read and write its weights as safetensors. Does not train."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vision.training.errors import WeightsUnfit
from vision.training.torchvision_ops import mend_torchvision

ARCHITECTURE = "yolov5n"
# The loss weights of ultralytics' own recipe for detection.
BOX_GAIN, CLASS_GAIN, DISTANCE_GAIN = 7.5, 0.5, 1.5


def build_network() -> Any:
    """Build ultralytics' `yolov5n` with an anchor-free head for one class, random weights.

    Returns:
        A `DetectionModel`. In training it answers (B, 3, H, W) with a dict of `boxes`
        (B, 64, N), `scores` (B, 1, N) and `feats`; in evaluation with (B, 5, N), centre x,
        centre y, width, height in pixels and a score. H and W are multiples of 32.
    """
    _keep_ultralytics_to_itself()
    mend_torchvision()
    from ultralytics.nn import tasks

    # Untyped: what ultralytics builds and takes is only known when it runs.
    detection_model: Any = tasks.DetectionModel
    network = detection_model(f"{ARCHITECTURE}.yaml", nc=1, verbose=False)
    network.args = SimpleNamespace(box=BOX_GAIN, cls=CLASS_GAIN, dfl=DISTANCE_GAIN)
    return network


def _keep_ultralytics_to_itself() -> None:
    # Importing ultralytics asks the net for its newest version, installs packages it misses,
    # writes settings into the home folder and talks on stdout, where data goes.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    if "YOLO_CONFIG_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="ultralytics-settings-")
        os.environ["YOLO_CONFIG_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def load_weights(network: Any, path: Path, *, without: Sequence[str] = ()) -> int:
    """Load the tensors of a safetensors file that fit by name and shape; leave the others.

    A file of an older head therefore gives its backbone and neck.

    Args:
        without: beginnings of names that keep the network's own values.

    Returns:
        How many tensors were loaded.
    Raises:
        WeightsUnfit: the file cannot be read or not one tensor fits.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsUnfit(f"{path} cannot be read as safetensors: {error}") from error
    own = network.state_dict()
    fitting = {
        name: tensor.to(own[name].dtype)
        for name, tensor in stored.items()
        if name in own and own[name].shape == tensor.shape and not name.startswith(tuple(without))
    }
    if not fitting:
        raise WeightsUnfit(
            f"{path.name} has no tensor of {ARCHITECTURE} with one class; "
            "give weights that `storepulse vision train` wrote"
        )
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def save_weights(network: Any, path: Path, *, facts: dict[str, str] | None = None) -> None:
    """Write the weights in half precision, whole or not at all; `facts` go into its header."""
    tensors = {
        name: tensor.detach().to("cpu", torch.float16).contiguous().clone()
        for name, tensor in network.state_dict().items()
        # Counts of batches are of no use to anyone and overflow half precision.
        if not name.endswith("num_batches_tracked")
    }
    unfinished = path.with_suffix(".part")
    save_file(tensors, unfinished, metadata=facts or {})
    unfinished.replace(path)
