"""Semantic analogy through the real engine: trained, exported, applied, stopped, taken up again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import Manifest, Procedure

from .conftest import PALETTE, drawn, edited, kill, pid, wait_for

TINY = {"filters": 4, "halvings": 1, "discriminator_filters": 4, "classifier_filters": 4, "seen": 64 * 64}


def begin(engine: Engine, coffee: np.ndarray, classes: np.ndarray, **more: object) -> dict[str, str]:
    planes = {"segments": drawn(classes)}
    options = {**TINY, **more.pop("options", {})}  # type: ignore[dict-item]
    return engine.train(frame_of(Picture(coffee)), planes, palette=PALETTE, method="sia", options=options, **more)


@pytest.fixture(scope="module")
def trained(folder: Path, coffee: np.ndarray, classes: np.ndarray) -> str:
    with Engine.connect(home=folder) as engine:
        started = begin(engine, coffee, classes, iterations=8, name="analogous")
        ended = engine.watch(started["job"], deadline=180)
        assert ended["state"] == "done", ended["error"]
        assert ended["figures"]["export_difference"]["generator.onnx"] < 1e-3
    return started["model"]


def test_the_plan_says_that_patches_make_the_result(folder: Path, trained: str) -> None:
    manifest = Manifest.load(folder / "models" / trained)
    assert (manifest.method, manifest.recipe) == ("sia", "quick")
    assert manifest.plan.procedure is Procedure.ANALOGY
    assert [i.plane for i in manifest.plan.graphs[0].inputs] == ["source:picture", "source:segments", "segments"]


def test_an_edit_is_made_and_the_rest_stays(
    engine: Engine, trained: str, coffee: np.ndarray, classes: np.ndarray
) -> None:
    reply = engine.apply(trained, {"segments": edited(classes)})
    made = picture_of(engine.result(reply, reply.body["picture"]))
    mask = picture_of(engine.result(reply, reply.body["mask"])).pixels[..., 0]
    sure = picture_of(engine.result(reply, reply.body["confidence"])).pixels
    assert made.size == (reply.body["width"], reply.body["height"])
    assert mask.max() == 255 and sure.min() < sure.max()
    x, y = reply.body["x"], reply.body["y"]
    before = coffee[y : y + made.size[1], x : x + made.size[0]].astype(int)
    assert np.abs(made.pixels.astype(int) - before)[mask == 255].mean() > 3
    again = engine.apply(trained, {"segments": edited(classes)})
    assert np.array_equal(picture_of(engine.result(again, again.body["picture"])).pixels, made.pixels)


def test_an_unchanged_layout_gives_the_picture_back(
    engine: Engine, trained: str, coffee: np.ndarray, classes: np.ndarray
) -> None:
    reply = engine.apply(trained, {"segments": drawn(classes)}, whole=True)
    assert np.array_equal(picture_of(engine.result(reply, reply.body["picture"])).pixels, coffee)


@pytest.mark.long
def test_without_patches_it_is_the_network_s_own_picture(
    engine: Engine, coffee: np.ndarray, classes: np.ndarray
) -> None:
    started = begin(engine, coffee, classes, iterations=2, name="as published", options={"painted": False})
    assert engine.watch(started["job"], deadline=120)["state"] == "done"
    reply = engine.apply(started["model"], {"segments": drawn(classes)}, whole=True)
    assert reply.body["confidence"] is None
    made = picture_of(engine.result(reply, reply.body["picture"])).pixels
    assert made.shape == coffee.shape and not np.array_equal(made, coffee)
    engine.delete(started["model"])


@pytest.mark.long
def test_outlines_are_a_layout_too(engine: Engine, coffee: np.ndarray) -> None:
    made = engine.make_primitive(frame_of(Picture(coffee)), "edges")
    edges = made.frames[0] if made.frames else engine.result(made, made.body["edges"])
    started = engine.train(
        frame_of(Picture(coffee)), {"edges": edges}, method="sia", options=TINY, iterations=2, name="drawn"
    )
    assert engine.watch(started["job"], deadline=120)["state"] == "done"
    changed = picture_of(edges).pixels.copy()
    changed[40:44, 40:120] = 0
    reply = engine.apply(started["model"], {"edges": frame_of(Picture(changed))})
    assert reply.body["width"] >= 80
    engine.delete(started["model"])


@pytest.mark.long
def test_it_can_be_paused_killed_resumed_and_cancelled(own: Path, coffee: np.ndarray, classes: np.ndarray) -> None:
    with Engine.connect(home=own) as engine:
        started = begin(engine, coffee, classes, budget=600.0, name="long")
        wait_for(lambda: engine.jobs()[-1]["progress"].get("iteration", 0) > 3)
        engine.pause(started["job"])
        paused = engine.watch(started["job"], deadline=30)
        assert paused["state"] == "paused"
        reached = paused["figures"]["iterations"]
        kill(pid(engine))
        engine.resume(started["job"])
        wait_for(lambda: engine.jobs()[-1]["progress"].get("iteration", 0) > reached)
        assert engine.cancel(started["job"])["stopping"] == "cancel"
        assert engine.watch(started["job"], deadline=10)["state"] == "cancelled"
        wait_for(lambda: not (own / "training" / started["model"]).exists())
        assert engine.models() == []
