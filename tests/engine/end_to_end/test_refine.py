"""A draft that is repaired, through the real engine: an answer at once, another one later."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.render.model import Model
from underdrawing.render.worker import Renderer
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import Manifest, Procedure

from .conftest import PALETTE, drawn, edited, wait_for


def begin(engine: Engine, coffee: np.ndarray, classes: np.ndarray, **more: object) -> dict[str, str]:
    planes = {"segments": drawn(classes)}
    options = {"perceptual": 0, "crop": 64, "lessons": 4}
    return engine.train(frame_of(Picture(coffee)), planes, palette=PALETTE, method="refine", options=options, **more)


@pytest.fixture(scope="module")
def trained(folder: Path, coffee: np.ndarray, classes: np.ndarray) -> str:
    with Engine.connect(home=folder) as engine:
        started = begin(engine, coffee, classes, iterations=12, name="refined")
        ended = engine.watch(started["job"], deadline=180)
        assert ended["state"] == "done", ended["error"]
        assert ended["figures"]["export_difference"]["generator.onnx"] < 1e-3
    return started["model"]


def test_it_is_a_model_of_its_own_kind(folder: Path, trained: str) -> None:
    manifest = Manifest.load(folder / "models" / trained)
    assert manifest.method == "refine"
    assert manifest.plan.procedure is Procedure.REFINE
    size = sum((folder / "models" / trained / name).stat().st_size for name in manifest.files if name.endswith(".onnx"))
    assert size < 20e6
    # What was for the time of training is not part of the model.
    assert not (folder / "models" / trained / "live").exists()


def test_every_result_says_how_sure_it_is(engine: Engine, trained: str, classes: np.ndarray) -> None:
    reply = engine.apply(trained, {"segments": edited(classes)})
    sure = picture_of(engine.result(reply, reply.body["confidence"]))
    made = picture_of(engine.result(reply, reply.body["picture"]))
    assert sure.size == made.size == (reply.body["width"], reply.body["height"])
    assert sure.pixels.min() < sure.pixels.max()


def test_a_network_of_another_method_cannot_tell(engine: Engine, model: str, classes: np.ndarray) -> None:
    assert engine.apply(model, {"segments": edited(classes)}).body["confidence"] is None


def test_a_whole_picture_is_unchanged_far_from_the_edit(
    engine: Engine, trained: str, coffee: np.ndarray, classes: np.ndarray
) -> None:
    reply = engine.apply(trained, {"segments": edited(classes)}, whole=True)
    made = picture_of(engine.result(reply, reply.body["picture"])).pixels
    sure = picture_of(engine.result(reply, reply.body["confidence"])).pixels[..., 0]
    assert (made[sure == 255] == coffee[sure == 255]).mean() > 0.95


def test_a_region_is_the_same_part_of_the_whole(engine: Engine, trained: str, classes: np.ndarray) -> None:
    part, whole = (engine.apply(trained, {"segments": edited(classes)}, whole=w) for w in (False, True))
    one = picture_of(engine.result(part, part.body["picture"])).pixels.astype(int)
    two = picture_of(engine.result(whole, whole.body["picture"])).pixels.astype(int)
    x, y = part.body["x"], part.body["y"]
    assert np.abs(one - two[y : y + one.shape[0], x : x + one.shape[1]]).max() <= 1


def test_a_colour_that_the_picture_lacks_is_said_to_be_a_guess(
    engine: Engine, coffee: np.ndarray, classes: np.ndarray
) -> None:
    two = np.minimum(classes, 1)
    started = engine.train(
        frame_of(Picture(coffee)), {"segments": drawn(two)}, palette=PALETTE, method="draft", name="two of three"
    )
    engine.watch(started["job"], deadline=60)
    painted = two.copy()
    painted[40:90, 40:120] = 2
    notes = engine.apply(started["model"], {"segments": drawn(painted)}).body["notes"]
    assert any("light" in note and "guess" in note for note in notes)
    engine.delete(started["model"])


@pytest.mark.parametrize("renewed", [False, pytest.param(True, marks=pytest.mark.long)], ids=["draft", "network"])
def test_it_can_be_used_during_training(own: Path, coffee: np.ndarray, classes: np.ndarray, renewed: bool) -> None:
    with Engine.connect(home=own) as engine:
        started = begin(engine, coffee, classes, budget=600, name="on its way")
        identity = started["model"]
        wait_for((own / "training" / identity / "live" / "manifest.json").is_file)
        first = engine.apply(identity, {"segments": edited(classes)})
        assert first.body["width"] > 0
        assert engine.model("on its way")["id"] == identity
        assert identity not in [model["id"] for model in engine.models()]
        for refused in (engine.delete, lambda model: engine.rename(model, "other")):
            with pytest.raises(EngineError) as caught:
                refused(identity)
            assert caught.value.code == "still_learning"
        if renewed:
            # A model in training is used without being asked for.
            graph = own / "training" / identity / "live" / "generator.onnx"
            wait_for(graph.is_file, 600)
            wait_for(lambda: engine.model(identity)["manifest"]["plan"]["procedure"] == "refine", 600)
            assert engine.apply(identity, {"segments": edited(classes)}).body["width"] == first.body["width"]
            before = graph.stat().st_mtime_ns
            wait_for(lambda: graph.stat().st_mtime_ns != before, 600)
            assert engine.apply(identity, {"segments": edited(classes)}).body["width"] == first.body["width"]
        engine.cancel(started["job"])
        wait_for(lambda: not (own / "training" / identity).exists())
        with pytest.raises(EngineError) as caught:
            engine.apply(identity, {"segments": edited(classes)})
        assert caught.value.code == "unknown_model"


@pytest.mark.long
def test_asking_while_it_is_being_finished_always_gives_an_answer(
    own: Path, coffee: np.ndarray, classes: np.ndarray
) -> None:
    with Engine.connect(home=own) as engine:
        started = begin(engine, coffee, classes, iterations=4, name="soon done")
        wait_for((own / "training" / started["model"] / "live" / "manifest.json").is_file)
        until = time.monotonic() + 600
        while engine.jobs()[-1]["state"] != "done":
            assert time.monotonic() < until
            # Training stands still while something is applied: it needs some time of its own.
            time.sleep(0.5)
            assert engine.apply(started["model"], {"segments": edited(classes)}).body["width"]
        assert engine.apply(started["model"], {"segments": edited(classes)}).body["width"]
        assert engine.model(started["model"])["manifest"]["plan"]["procedure"] == "refine"


def test_a_model_that_is_finished_while_it_is_used_is_found_in_its_new_place(
    folder: Path, trained: str, tmp_path: Path
) -> None:
    finished, live = tmp_path / "finished", tmp_path / "live"
    shutil.copytree(folder / "models" / trained, live)
    args = {"model_folder": str(live), "finished_folder": str(finished)}
    used: list[Path] = []

    def work(model: Model) -> dict[str, object]:
        used.append(model.folder)
        if live.exists():
            live.rename(finished)  # as the daemon does, after the model was found and before its picture is read
        return {"size": model.picture.size}

    assert Renderer()._on_model(args, work)["size"] == (202, 134)
    assert used == [live, finished]

    def fails(model: Model) -> dict[str, object]:
        used.append(model.folder)
        raise ValueError("a fault of its own")

    with pytest.raises(ValueError, match="a fault of its own"):
        Renderer()._on_model({"model_folder": str(finished)}, fails)
    assert used == [live, finished, finished]
