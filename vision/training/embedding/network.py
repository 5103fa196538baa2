"""The embedding's network and its weights as safetensors and ONNX. Does not train."""

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from vision.training.errors import WeightsUnfit

INPUT_PX: Final = 96
DIMENSIONS: Final = 192
WIDTHS: Final = (16, 32, 64, 128)


class _Unit(nn.Module):  # type: ignore[misc] # torch is untyped here
    """Convolution, norm, step; with a residual path where the shape stays."""

    def __init__(self, inside: int, outside: int, *, stride: int = 1, size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.conv(x)))


class _Residual(nn.Module):  # type: ignore[misc] # torch is untyped here
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _Unit(width, width)
        self.conv = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.norm(self.conv(self.first(x))))


class EmbeddingNetwork(nn.Module):  # type: ignore[misc] # torch is untyped here
    """(B, 3, 96, 96) float 0 to 1 -> (B, 192) of unit length. About 53 M multiplications."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.body = nn.Sequential(
            _Unit(3, a, stride=2, size=5),
            _Unit(a, b, stride=2),
            _Residual(b),
            _Unit(b, c, stride=2),
            _Residual(c),
            _Unit(c, d, stride=2),
            _Residual(d),
            _Residual(d),
        )
        self.head = nn.Linear(2 * d + c, DIMENSIONS)
        self.norm = nn.BatchNorm1d(DIMENSIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - 0.45) / 0.25
        middle = self.body[:5](x)
        deep = self.body[5:](middle)
        # The strongest answer says what is there, the mean how much of it; the middle layer keeps
        # colours and small print that the deep one has no room for.
        pooled = torch.cat(
            [deep.amax(dim=(2, 3)), deep.mean(dim=(2, 3)), middle.mean(dim=(2, 3))], dim=1
        )
        return functional.normalize(self.norm(self.head(pooled.float())), dim=1)


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights in half precision, whole or not at all."""
    tensors = {
        name: tensor.detach().to(torch.float16).contiguous().clone()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    unfinished = path.with_suffix(".part")
    save_file(tensors, unfinished)
    unfinished.replace(path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Load what `save_weights` wrote.

    Raises:
        WeightsUnfit: the file cannot be read or is of another network.
    """
    try:
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        missing, unknown = network.load_state_dict(tensors, strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsUnfit(f"{path} cannot be loaded as an embedding: {error}") from error
    if unknown or any(not name.endswith("num_batches_tracked") for name in missing):
        raise WeightsUnfit(f"{path} belongs to another network")


def export_onnx(network: nn.Module, path: Path) -> None:
    """Write the network as ONNX: input `crops` (B, 3, 96, 96) float, output `embeddings`."""
    arguments: dict[str, Any] = {
        "input_names": ["crops"],
        "output_names": ["embeddings"],
        "dynamic_axes": {"crops": {0: "batch"}, "embeddings": {0: "batch"}},
        "dynamo": False,
        "opset_version": 17,
    }
    network = network.eval().to(memory_format=torch.contiguous_format)
    with warnings.catch_warnings():
        # The exporter that torch prefers now needs a package more; this one is enough for us.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(network, (torch.zeros(2, 3, INPUT_PX, INPUT_PX),), path, **arguments)
    _halve(path)


def _halve(path: Path) -> None:
    """Store tensors in half precision; the graph widens them when it is loaded, once."""
    model = onnx.load(path)
    wide = {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and numpy_helper.to_array(tensor).size >= 64
    }
    for name, tensor in wide.items():
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        model.graph.node.insert(
            0, onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
        )
    onnx.save(model, path)
