"""LaMa as another fill for uncovered ground, by a graph with the published one's inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.engine.draft.test_draft import primitive
from tests.engine.render.stand_ins import TINT, write_lama
from tests.engine.render.test_lifted import LAWN, disc, scene
from underdrawing.client.messages import EngineError
from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import draft
from underdrawing.picture.image import Picture
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.pretrained import LAMA_FILE, lama
from underdrawing.render.worker import Renderer
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.worker_pipe import Context

GROUND = np.array((0.8, 0.4, 0.2), np.float32)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_lama(folder / LAMA_FILE)
    return folder


@pytest.mark.parametrize(("height", "width"), [(140, 200), (900, 1300)])
def test_a_hole_is_filled_from_around_it_and_nothing_else_changes(weights: Path, height: int, width: int) -> None:
    picture = np.broadcast_to(GROUND, (height, width, 3)).copy()
    hole = np.zeros((height, width), bool)
    hole[height // 4 : height // 2, width // 3 : width // 2] = True
    picture[hole] = (0, 1, 0)
    filled = lama(picture, hole, weights / LAMA_FILE, SessionStore())
    assert np.array_equal(filled[~hole], picture[~hole])
    assert np.abs(filled[hole] - GROUND * TINT).max() < 0.004


def test_a_draft_changes_by_it_where_ground_is_filled_alone() -> None:
    picture = scene().to_float()
    classes = disc(60, 70, 24).astype(np.uint8)
    gone = primitive(np.zeros_like(classes))
    found = draft(picture, primitive(classes), gone, filler=lambda made, hole: np.full_like(made, 0.25))
    filled = found.origin == Origin.FILLED
    assert filled[disc(60, 70, 22)].all()
    assert (found.picture[filled] == 0.25).all()
    assert np.array_equal(found.picture[~filled], picture[~filled])


def removed(home: Path, weights: Path, **more: Any) -> tuple[np.ndarray, np.ndarray]:
    """The ball's place after it was lifted off and deleted, and the result's mask there."""
    inputs = Inputs(home / "spool")
    was = {"hash": inputs.put(Picture(disc(60, 70, 23).astype(np.uint8) * 255))}
    args = {
        "picture": {"hash": inputs.put(scene())},
        "planes": {},
        "lifted": [{"pixels": None, "x": 0, "y": 0, "was": was}],
        "spool": str(home / "spool"),
        "weights": str(weights),
        **more,
    }
    done = Renderer().apply(args, cast(Context, None))
    pixels = inputs.picture({"hash": done["picture"]}).to_float()
    y, x = 70 - done["y"], 60 - done["x"]
    return pixels[y - 12 : y + 13, x - 12 : x + 13], inputs.weights({"hash": done["mask"]})


def test_it_fills_where_it_is_asked_for(home: Path, weights: Path) -> None:
    own, _ = removed(home, weights, fill="draft")
    other, mask = removed(home, weights, fill="lama")
    assert np.abs(own.mean((0, 1)) - LAWN).max() < 0.03
    assert np.abs(other.mean((0, 1)) - LAWN * TINT).max() < 0.03
    assert mask.max() == 1


def test_without_its_weights_the_error_says_how_to_get_them(home: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        removed(home, tmp_path, fill="lama")
    assert caught.value.code == "weights_missing"
    assert caught.value.hint.endswith("weights fetch lama")
