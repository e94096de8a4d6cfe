"""The method that needs no training, through the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.picture.composite import composite
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import MANIFEST_FILE, Manifest, ManifestError

from .conftest import PALETTE, drawn, edited


@pytest.fixture(scope="module")
def sketch(folder: Path, coffee: np.ndarray, classes: np.ndarray) -> str:
    """A picture that is kept with its primitive, and not trained."""
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


def test_a_thing_that_is_mirrored_comes_whole_and_nothing_far_away_changes(engine: Engine) -> None:
    """Most of it has the class that it had: the difference of the underdrawings alone is a rim."""
    y, x = np.mgrid[0:150, 0:200]
    picture = np.dstack([40 + x // 8, 110 + y // 8, 60 + 0 * x]).astype(np.uint8)
    classes = np.zeros((150, 200), np.uint8)
    cv2.fillPoly(classes, [np.array([[45, 110], [45, 60], [75, 60], [80, 40], [110, 40], [150, 90], [150, 110]])], 1)
    thing = np.dstack([250 - x, 20 + 0 * x, y + 60]).astype(np.uint8)
    picture[classes > 0] = thing[classes > 0]
    # Mirrored about the middle of its box.
    wanted = np.zeros_like(classes)
    wanted[:, 45:151] = classes[:, 45:151][:, ::-1]
    truth = picture.copy()
    truth[:, 45:151] = picture[:, 45:151][:, ::-1]
    given = {"segments": drawn(classes)}, {"segments": drawn(wanted)}
    started = engine.train(frame_of(Picture(picture)), given[0], palette=PALETTE, name="thing")
    assert engine.watch(started["job"], deadline=60)["state"] == "done"

    def result(**options: object) -> np.ndarray:
        reply = engine.apply(started["model"], given[1], **options)
        mask = picture_of(engine.result(reply, reply.body["mask"])).pixels[..., 0].astype(np.float32) / 255
        made = picture_of(engine.result(reply, reply.body["picture"]))
        return composite(Picture(picture), made, (reply.body["x"], reply.body["y"]), mask).pixels

    inside = cv2.erode(wanted, np.ones((7, 7), np.uint8)) > 0
    whole = result()
    assert np.abs(whole.astype(int) - truth)[inside].mean() < 3
    assert np.array_equal(whole[:10], picture[:10]) and np.array_equal(whole[-10:], picture[-10:])
    # With a width of one's own it is the difference that is made anew.
    still = (cv2.erode(classes & wanted, np.ones((25, 25), np.uint8))) > 0
    assert np.array_equal(result(grow=3)[still], picture[still])
