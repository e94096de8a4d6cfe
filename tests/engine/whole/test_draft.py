"""The method that needs no training, through the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from underdrawing.link.client import Engine
from underdrawing.manifest import MANIFEST_FILE, Manifest, ManifestError
from underdrawing.picture.composite import composite
from underdrawing.picture.image import Picture
from underdrawing.serve.frames import frame_of, picture_of

from .conftest import PALETTE, drawn, edited


@pytest.fixture(scope="module")
def sketch(folder: Path, coffee: np.ndarray, classes: np.ndarray) -> str:
    """A picture that is kept with its primitive, and not learnt."""
    with Engine.connect(home=folder) as engine:
        planes = {"segments": drawn(classes)}
        # No method is named: this is the usual one.
        started = engine.train(frame_of(Picture(coffee)), planes, palette=PALETTE, name="sketch")
        ended = engine.watch(started["job"], deadline=60)
        assert ended["state"] == "done", ended["error"]
    return started["model"]


def test_a_draft_is_a_model_without_graphs(folder: Path, sketch: str) -> None:
    manifest = Manifest.load(folder / "models" / sketch)
    assert manifest.method == "draft"
    assert manifest.plan.graphs == ()
    assert "checkpoint.safetensors" not in manifest.files


def test_it_is_applied_at_once(engine: Engine, sketch: str, coffee: np.ndarray, classes: np.ndarray) -> None:
    reply = engine.apply(sketch, {"segments": edited(classes)})
    made = picture_of(engine.result(reply, reply.body["picture"]))
    mask = picture_of(engine.result(reply, reply.body["mask"])).pixels[..., 0].astype(np.float32) / 255
    whole = composite(Picture(coffee), made, (reply.body["x"], reply.body["y"]), mask)
    # What is painted bright gets bright pixels of the picture's own: the square was dark, or the other way round.
    inside = (slice(56, 74), slice(66, 94))
    assert np.abs(whole.pixels[inside].astype(int).mean() - coffee[inside].astype(int).mean()) > 10
    assert (whole.pixels[0] == coffee[0]).all()


def test_it_can_be_given_away(engine: Engine, sketch: str, classes: np.ndarray, tmp_path: Path) -> None:
    engine.export_model(sketch, tmp_path / "sketch.underdrawing")
    copy = engine.import_model(tmp_path / "sketch.underdrawing")
    assert engine.apply(copy["id"], {"segments": edited(classes)}).body["width"]
    engine.delete(copy["id"])


def test_an_unknown_procedure_is_refused(folder: Path, sketch: str, tmp_path: Path) -> None:
    raw = json.loads((folder / "models" / sketch / MANIFEST_FILE).read_text(encoding="utf-8"))
    raw["plan"]["procedure"] = "os.system"
    with pytest.raises(ManifestError):
        Manifest.from_json(json.dumps(raw))
