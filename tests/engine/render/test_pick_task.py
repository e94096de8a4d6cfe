"""The task `pick` with a stand-in for EfficientSAM: a graph with the published one's inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.pick_task import Picker
from underdrawing.render.pretrained import EFFICIENT_SAM_FILE, HED_ABSENT, efficient_sam
from underdrawing.store.frame_codec import Inputs

WIDTH, HEIGHT, RADIUS = 200, 100, 200  # the radius is in pixels of the network's 1024
OVERLAPS = (0.97, 0.6, 0.8)


def write_stand_in(path: Path) -> None:
    """A graph whose mask k is what is red within a radius of the prompt's point k, where there is one."""
    side = np.arange(1024, dtype=np.float32)
    constants: dict[str, np.ndarray] = {
        **{name: np.array([value], np.int64) for name, value in (("0", 0), ("1", 1), ("2", 2), ("3", 3))},
        "columns": side.reshape(1, 1, 1, 1, 1024),
        "rows": side.reshape(1, 1, 1, 1024, 1),
        "one_a_mask": np.array([1, 1, 3, 1, 1], np.int64),
        "picture": np.array([1, 1, 1, 1024, 1024], np.int64),
        "reach": np.array(RADIUS**2, np.float32),
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
        ("Sub", "reach distance2", "near"),
        ("GreaterOrEqual", "label_of_mask none", "is_point"),
        ("Where", "is_point near outside", "disc"),
        ("Slice", "batched_images 0 1 1", "red_channel"),
        ("Reshape", "red_channel picture", "red_plane"),
        ("Sub", "red_plane half", "red"),
        ("Min", "disc red", "output_masks"),
        ("Identity", "overlaps", "iou_predictions"),
    )

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        [helper.make_node(kind, inputs.split(), [output]) for kind, inputs, output in steps],
        "efficientsam",
        [
            value("batched_images", 1, 3, 1024, 1024),
            value("batched_point_coords", 1, 1, 6, 2),
            value("batched_point_labels", 1, 1, 6, 1),
        ],
        [value("output_masks", 1, 1, 3, 1024, 1024), value("iou_predictions", 1, 1, 3)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_stand_in(folder / EFFICIENT_SAM_FILE)
    return folder


def red_right_of(x: int) -> np.ndarray:
    """Green, and red from a column on: two areas, so that a disc comes from the network alone."""
    rgb = np.full((HEIGHT, WIDTH, 3), (30, 90, 60), np.uint8)
    rgb[:, x:] = (200, 40, 40)
    return rgb


def test_points_and_corners_reach_the_network_where_they_are(weights: Path) -> None:
    rgb = red_right_of(0)
    made = efficient_sam(rgb, [(150, 25)], Bounds(20, 10, 80, 60), weights / EFFICIENT_SAM_FILE, SessionStore())
    assert [expected for _, expected in made] == pytest.approx(OVERLAPS)
    for (mask, _), (x, y) in zip(made, ((20, 10), (100, 70), (150, 25)), strict=True):
        rows, columns = np.nonzero(mask)
        assert mask[round(y * 10.24), round(x * 5.12)]
        assert max(abs(columns - x * 5.12).max(), abs(rows - y * 10.24).max()) == pytest.approx(RADIUS, abs=1)
    alone = efficient_sam(rgb, [(150, 25)], None, weights / EFFICIENT_SAM_FILE, SessionStore())
    assert [mask.any() for mask, _ in alone] == [True, False, False], "a place without a point is marked as one"


def test_the_network_s_thing_is_among_the_candidates(weights: Path, home: Path) -> None:
    inputs = Inputs(home / "spool")
    args = {
        "picture": {"hash": inputs.put(Picture(red_right_of(100)))},
        "inside": [(110.0, 50.0)],
        "outside": [],
        "spool": str(home / "spool"),
        "weights": str(weights),
    }
    answer = Picker(SessionStore()).pick(args)
    first = answer["candidates"][0]
    assert (first["source"], first["score"]) == ("prompted", 0.97)
    assert {one["source"] for one in answer["candidates"]} == {"prompted", "tree"}
    mask = inputs.mask({"hash": first["mask"]})
    assert mask[50, 130] and not mask[50, 90] and not mask[50, 160] and not mask[90, 110]
    assert answer["notes"] == [HED_ABSENT]
    (weights / EFFICIENT_SAM_FILE).unlink()
    assert {one["source"] for one in Picker(SessionStore()).pick(args)["candidates"]} == {"tree"}
