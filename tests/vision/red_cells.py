"""A detector for tests: it takes every red cell of 32 px for a facing. `red_cells.onnx` is made so.

The real network needs its weights and a shelf; this one has the same form (free height and width,
(1, 5, n) raw answers, facts inside) and finds exactly what a test draws. To make it again, with
`onnx` installed: python tests/vision/red_cells.py
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MODEL = Path(__file__).with_name("red_cells.onnx")
INPUT_PX = 640
CELL_PX = 32
FACING_PX = 30
"""Width and height of what it finds, in the middle of a cell."""


def draw_cells(
    cells: Iterable[tuple[int, int]], *, width: int = 640, height: int = 480
) -> NDArray[np.uint8]:
    """(height, width, 3) a grey, slightly noisy picture with these (column, row) cells red."""
    noise = np.random.default_rng(7).integers(70, 76, (height, width, 1), np.uint8)
    picture = np.repeat(noise, 3, axis=2)
    for column, row in cells:
        x, y = column * CELL_PX, row * CELL_PX
        picture[y : y + CELL_PX, x : x + CELL_PX] = (240, 20, 20)
        # Print on the pack, so that it is busier than the shelf.
        picture[y + 8 : y + 24 : 4, x + 6 : x + 26] = (250, 10, 250)
    return picture


def cell_box(column: int, row: int) -> tuple[float, float, float, float]:
    """The facing that it finds in a cell, x1, y1, x2, y2."""
    margin = (CELL_PX - FACING_PX) / 2
    x, y = column * CELL_PX + margin, row * CELL_PX + margin
    return x, y, x + FACING_PX, y + FACING_PX


def make_model() -> None:
    """Write `red_cells.onnx`."""
    import onnx
    from onnx import TensorProto, helper

    def constant(name: str, values: object, kind: int = TensorProto.FLOAT) -> onnx.TensorProto:
        array = np.array(values, np.float32 if kind == TensorProto.FLOAT else np.int64)
        return helper.make_tensor(name, kind, array.shape, array.ravel())

    whole = TensorProto.INT64
    nodes = [
        helper.make_node("Split", ["photo", "one_each"], ["red", "green", "blue"], axis=1),
        helper.make_node("Sub", ["red", "green"], ["redness"]),
        helper.make_node(
            "AveragePool", ["redness"], ["score"], kernel_shape=[32, 32], strides=[32, 32]
        ),
        helper.make_node("Mul", ["score", "zero"], ["zeros"]),
        helper.make_node("Add", ["zeros", "cell"], ["cells"]),
        helper.make_node("CumSum", ["cells", "across"], ["right"]),
        helper.make_node("CumSum", ["cells", "down"], ["foot"]),
        helper.make_node("Sub", ["right", "half"], ["x"]),
        helper.make_node("Sub", ["foot", "half"], ["y"]),
        helper.make_node("Add", ["zeros", "facing"], ["size"]),
        helper.make_node("Concat", ["x", "y", "size", "size", "score"], ["grid"], axis=1),
        helper.make_node("Reshape", ["grid", "flat"], ["facings"]),
    ]
    graph = helper.make_graph(
        nodes,
        "red_cells",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["b", 3, "h", "w"])],
        [helper.make_tensor_value_info("facings", TensorProto.FLOAT, ["b", 5, "n"])],
        [
            constant("one_each", [1, 1, 1], whole),
            constant("zero", 0.0),
            constant("cell", float(CELL_PX)),
            constant("half", CELL_PX / 2),
            constant("facing", float(FACING_PX)),
            helper.make_tensor("across", whole, [], [3]),
            helper.make_tensor("down", whole, [], [2]),
            constant("flat", [0, 5, -1], whole),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    facts = {"name": "red-cells", "version": "test", "input_size": str(INPUT_PX)}
    helper.set_model_props(model, {**facts, "licence": "MIT OR Apache-2.0"})
    onnx.checker.check_model(model)
    onnx.save(model, MODEL)


if __name__ == "__main__":
    make_model()
