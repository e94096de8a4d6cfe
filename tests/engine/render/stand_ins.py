"""Small graphs with the inputs and outputs of published networks, for tests without their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

REACH = 200  # pixels of EfficientSAM's 1024
OVERLAPS = (0.97, 0.6, 0.8)
TINT = np.array((0.5, 0.5, 1.0), np.float32)  # of red, green and blue

Shapes = Mapping[str, tuple[int, ...]]


def write_efficient_sam(path: Path) -> None:
    """Mask k is what is red within `REACH` of the prompt's point k, where there is one."""
    side = np.arange(1024, dtype=np.float32)
    constants: dict[str, np.ndarray] = {
        **{str(value): np.array([value], np.int64) for value in range(4)},
        "columns": side.reshape(1, 1, 1, 1, 1024),
        "rows": side.reshape(1, 1, 1, 1024, 1),
        "one_a_mask": np.array([1, 1, 3, 1, 1], np.int64),
        "picture": np.array([1, 1, 1, 1024, 1024], np.int64),
        "reach2": np.array(REACH**2, np.float32),
        "none": np.array(0, np.float32),
        "outside": np.array(-1, np.float32),
        "half": np.array(0.5, np.float32),
        "overlaps": np.array([[OVERLAPS]], np.float32),
    }
    steps = (
        ("Slice", "batched_point_coords 0 3 2", "points"),
        ("Slice", "points 0 1 3", "x"),
        ("Slice", "points 1 2 3", "y"),
        ("Slice", "batched_point_labels 0 3 2", "label"),
        *(("Reshape", f"{name} one_a_mask", f"{name}_of_mask") for name in ("x", "y", "label")),
        ("Sub", "columns x_of_mask", "across"),
        ("Sub", "rows y_of_mask", "down"),
        ("Mul", "across across", "across2"),
        ("Mul", "down down", "down2"),
        ("Add", "across2 down2", "distance2"),
        ("Sub", "reach2 distance2", "near"),
        ("GreaterOrEqual", "label_of_mask none", "is_point"),
        ("Where", "is_point near outside", "disc"),
        ("Slice", "batched_images 0 1 1", "red_channel"),
        ("Reshape", "red_channel picture", "red_plane"),
        ("Sub", "red_plane half", "red"),
        ("Min", "disc red", "output_masks"),
        ("Identity", "overlaps", "iou_predictions"),
    )
    takes = {
        "batched_images": (1, 3, 1024, 1024),
        "batched_point_coords": (1, 1, 6, 2),
        "batched_point_labels": (1, 1, 6, 1),
    }
    _write(path, steps, takes, {"output_masks": (1, 1, 3, 1024, 1024), "iou_predictions": (1, 1, 3)}, constants)


def write_lama(path: Path) -> None:
    """The hole is the mean of all pixels around it times `TINT`; everything else is black."""
    constants: dict[str, np.ndarray] = {
        "one": np.array(1, np.float32),
        "white": np.array(255, np.float32),
        "sides": np.array([2, 3], np.int64),
        "tint": TINT[::-1].reshape(1, 3, 1, 1),
    }
    steps = (
        ("Sub", "one mask", "around"),
        ("Mul", "image around", "known"),
        ("ReduceSum", "known sides", "sum"),
        ("ReduceSum", "around sides", "count"),
        ("Div", "sum count", "mean"),
        ("Mul", "mean tint", "tinted"),
        ("Mul", "tinted mask", "filled"),
        ("Mul", "filled white", "output"),
    )
    takes = {"image": (1, 3, 512, 512), "mask": (1, 1, 512, 512)}
    _write(path, steps, takes, {"output": (1, 3, 512, 512)}, constants)


def _write(
    path: Path,
    steps: Sequence[tuple[str, str, str]],
    takes: Shapes,
    gives: Shapes,
    constants: Mapping[str, np.ndarray],
) -> None:
    """Write a graph of float32 tensors.

    Args:
        steps: operator, names of its inputs, name of its output.
    """
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
        for side in (takes, gives)
    )
    nodes = [helper.make_node(kind, given.split(), [made]) for kind, given, made in steps]
    fixed = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, fixed)
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))
