"""Lift a thing, move it, put it back: through a real engine, without a model and with one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from underdrawing.client.engine import Engine, LiftedThing
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.picture.composite import composite
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of

WIDTH, HEIGHT = 160, 120


@pytest.fixture(scope="module")
def photograph() -> Picture:
    """A ball on a lawn, in 16 bits."""
    pixels = np.full((HEIGHT, WIDTH, 3), (60, 120, 70), np.float32)
    cv2.circle(pixels, (50, 60), 20, (200, 60, 50), -1)
    pixels += np.random.default_rng(5).normal(0, 3, pixels.shape)
    return Picture((pixels.clip(0, 255) * 257).astype(np.uint16))


def disc(x: int, y: int, radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    return mask > 0


def lifted(engine: Engine, picture: Frame) -> tuple[Frame, int, int, Frame]:
    """The ball's layer, its place, and the mask of where it was."""
    found = engine.pick(picture, [[50, 60]])
    mask = engine.result(found, found.body["candidates"][0]["mask"])
    reply = engine.lift(picture, mask)
    layer, was = (engine.result(reply, reply.body[name]) for name in ("layer", "mask"))
    return layer, int(reply.body["x"]), int(reply.body["y"]), was


def after(engine: Engine, picture: Picture, model: str | None, planes: dict[str, Frame], thing: LiftedThing) -> Picture:
    """What the engine makes of it, laid over the picture."""
    reply = engine.apply(model, planes, frame_of(picture), lifted=[thing])
    made, mask = (picture_of(engine.result(reply, reply.body[name])) for name in ("picture", "mask"))
    return composite(picture, made, (reply.body["x"], reply.body["y"]), mask.to_float()[..., 0])


def test_a_lifted_thing_is_moved_without_a_model(engine: Engine, photograph: Picture) -> None:
    layer, x, y, was = lifted(engine, frame_of(photograph))
    assert layer.depth == "u16"
    moved = after(engine, photograph, None, {}, LiftedThing(layer, x + 60, y, was))
    assert np.array_equal(moved.pixels[disc(110, 60, 16)], photograph.pixels[disc(50, 60, 16)])
    assert np.abs(moved.to_float()[disc(50, 60, 22)] * 255 - (60, 120, 70)).mean() < 8
    far = ~(disc(50, 60, 34) | disc(110, 60, 26))
    assert np.array_equal(moved.pixels[far], photograph.pixels[far])


def test_a_deleted_layer_and_a_stroke_count_together(engine: Engine, photograph: Picture) -> None:
    picture = frame_of(photograph)
    *_, was = lifted(engine, picture)
    made = engine.make_primitive(picture, "segments", regions=2)
    segments = engine.result(made, made.body["planes"][0]["hash"])
    begun = engine.train(picture, {"segments": segments}, palette=made.body["palette"], method="draft")
    assert engine.watch(begun["job"], deadline=120)["state"] == "done"
    painted = picture_of(segments).to_bytes().copy()
    painted[90:110, 120:150] = painted[60, 50]
    thing = LiftedThing(None, was=was)
    both = after(engine, photograph, begun["model"], {"segments": frame_of(Picture(painted))}, thing)
    assert np.abs(both.to_float()[disc(50, 60, 22)] * 255 - (60, 120, 70)).mean() < 8
    assert np.abs(both.to_float()[95:105, 126:144] - photograph.to_float()[95:105, 126:144]).mean() > 0.1
    alone = after(engine, photograph, begun["model"], {}, thing)
    assert np.array_equal(alone.pixels[95:105, 126:144], photograph.pixels[95:105, 126:144])


def test_a_thing_that_was_not_moved_is_no_edit(engine: Engine, photograph: Picture) -> None:
    layer, x, y, was = lifted(engine, frame_of(photograph))
    with pytest.raises(EngineError) as caught:
        after(engine, photograph, None, {}, LiftedThing(layer, x, y, was))
    assert caught.value.code == "nothing_edited"
