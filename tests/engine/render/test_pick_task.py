"""The task `pick` with a stand-in for EfficientSAM: a graph with the published one's inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engine.render.stand_ins import OVERLAPS, REACH, write_efficient_sam
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.pick_task import Picker
from underdrawing.render.pretrained import EFFICIENT_SAM_FILE, HED_ABSENT, efficient_sam
from underdrawing.store.frame_codec import Inputs

WIDTH, HEIGHT = 200, 100


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_efficient_sam(folder / EFFICIENT_SAM_FILE)
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
        assert max(abs(columns - x * 5.12).max(), abs(rows - y * 10.24).max()) == pytest.approx(REACH, abs=1)
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
