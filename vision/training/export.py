"""Write a network as ONNX with its facts inside. Checks what it wrote; trains nothing."""

import copy
import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from vision.training.errors import WeightsUnfit
from vision.training.model_facts import ModelFacts

OPSET = 17
LARGE_TENSOR = 1024  # shorter ones are not worth a node more
INPUT_NAME, OUTPUT_NAME = "photo", "facings"
# Beyond rounding, what onnxruntime answers must be what torch answers.
PIXELS_APART_MAX, SCORES_APART_MAX = 0.1, 1e-3


def weights_sha256(network: Any) -> str:
    """Return a hash of all weights in half precision, the same for a file and its network."""
    digest = hashlib.sha256()
    state = network.state_dict()
    for name in sorted(state):
        if name.endswith("num_batches_tracked"):
            continue
        digest.update(name.encode())
        digest.update(state[name].detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()


def export_onnx(network: Any, path: Path, *, facts: ModelFacts) -> None:
    """Write `photo` (B, 3, H, W) RGB 0..1 -> `facings` (B, 5, N); batch, H and W are free.

    The five rows are centre x, centre y, width, height in pixels of the input, and the score.
    There is no suppression of doubles in the graph: counting and measuring want other limits.
    The file is written whole or not at all.

    Raises:
        RuntimeError: onnxruntime answers otherwise than torch on a size not exported with.
    """
    properties = facts.as_properties(weights_sha256=weights_sha256(network))
    frozen = copy.deepcopy(network).float().eval().fuse(verbose=False)
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    head = frozen.model[-1]
    head.export, head.format, head.dynamic, head.shape = True, "onnx", True, None
    unfinished = path.with_suffix(".part")
    with warnings.catch_warnings(), torch.no_grad():
        # The traced exporter is deprecated in favour of one that needs onnxscript; it works.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            frozen,
            (torch.zeros(1, 3, 640, 480),),
            str(unfinished),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_axes={
                INPUT_NAME: {0: "batch", 2: "height", 3: "width"},
                OUTPUT_NAME: {0: "batch", 2: "places"},
            },
        )
    model = onnx.load(unfinished)
    _write_properties(model, properties)
    onnx.checker.check_model(model)
    onnx.save(model, unfinished)
    _same_answers(frozen, unfinished)
    unfinished.replace(path)


def halve_stored_numbers(path: Path) -> None:
    """Keep a model's large tensors in half precision; they are widened when it is loaded.

    The weights were trained to no more: the file is half as long, and the arithmetic the same.
    The file is written whole or not at all.
    """
    model = onnx.load(path)
    narrow, widened = [], []
    for tensor in model.graph.initializer:
        numbers = onnx.numpy_helper.to_array(tensor)
        if numbers.dtype != np.float32 or numbers.size < LARGE_TENSOR:
            narrow.append(tensor)
            continue
        name = f"{tensor.name}_half"
        narrow.append(onnx.numpy_helper.from_array(numbers.astype(np.float16), name))
        widened.append(
            onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*widened, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(narrow)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    unfinished = path.with_suffix(".part")
    onnx.save(model, unfinished)
    unfinished.replace(path)


def add_properties(path: Path, properties: Mapping[str, str]) -> None:
    """Write further facts into a model file, whole or not at all; those it has stay.

    Raises:
        WeightsUnfit: it is no ONNX model.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # onnx raises whatever the broken bytes lead to
        raise WeightsUnfit(f"{path} cannot be read as an ONNX model: {error}") from error
    said = {entry.key: entry.value for entry in model.metadata_props}
    _write_properties(model, said | dict(properties))
    unfinished = path.with_suffix(".part")
    onnx.save(model, unfinished)
    unfinished.replace(path)


def _write_properties(model: Any, properties: Mapping[str, str]) -> None:
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(properties))


def _same_answers(network: Any, path: Path) -> None:
    """Compare torch and onnxruntime on two photos of a size that was not exported with."""
    pixels = np.random.default_rng(0).random((2, 3, 320, 416), np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(pixels)).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = np.asarray(session.run(None, {INPUT_NAME: pixels})[0])
    if got.shape != wanted.shape:
        raise RuntimeError(f"the exported model answers {got.shape}, torch {wanted.shape}")
    apart = np.abs(got - wanted)
    if apart[:, :4].max() > PIXELS_APART_MAX or apart[:, 4].max() > SCORES_APART_MAX:
        raise RuntimeError(
            f"the exported model is off by {apart[:, :4].max():.3f} px and "
            f"{apart[:, 4].max():.5f} of score; it was not written"
        )
