"""No step is a dead end, and no edit is taken for the truth: draft, paint, apply, train, paint, apply."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.ensure_model import APPLY, ModelWish, Ready, ensure_model, run
from underdrawing.client.frames import Frame
from underdrawing.client.job_status import JobStatus
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import read_primitive
from underdrawing.store.frame_codec import frame_of, picture_of

from .conftest import QUICK_OPTIONS

FIRST, SECOND = (slice(20, 34), slice(24, 44)), (slice(70, 84), slice(80, 100))


def ready(engine: Engine, picture: np.ndarray, **planes: np.ndarray) -> Ready:
    """The model for edited planes of a picture."""
    wish = ModelWish(APPLY, title="cup", planes={name: frame_of(Picture(plane)) for name, plane in planes.items()})
    steps = ensure_model(wish, frame_of(Picture(picture)))
    return run(engine, steps, lambda training: JobStatus.of(engine.watch(training.status.job, deadline=120)))


def changed(engine: Engine, model: str, segments: np.ndarray) -> np.ndarray:
    """Where the result of an edit differs from the picture, (H, W) bool."""
    reply = engine.apply(model, {"segments": frame_of(Picture(segments))})
    mask = picture_of(engine.result(reply, reply.body["mask"])).pixels[..., 0]
    whole = np.zeros(segments.shape[:2], bool)
    x, y = reply.body["x"], reply.body["y"]
    whole[y : y + mask.shape[0], x : x + mask.shape[1]] = mask > 0
    return whole


def painted(segments: np.ndarray, place: tuple[slice, slice]) -> np.ndarray:
    """A stroke in the colour of the underdrawing that is farthest from what is there."""
    colours = np.unique(segments.reshape(-1, 3), axis=0)
    there = segments[place].reshape(-1, 3).mean(axis=0)
    edit = segments.copy()
    edit[place] = colours[np.abs(colours - there).sum(axis=1).argmax()]
    return edit


def test_edits_add_up_across_methods_and_none_becomes_the_truth(
    engine: Engine, folder: Path, coffee: np.ndarray
) -> None:
    picture = frame_of(Picture(coffee))
    made = engine.make_primitive(picture, "segments", regions=3)
    assert made.body["picture_hash"] == Picture(coffee).hash
    segments = picture_of(engine.result(made, made.body["planes"][0]["hash"])).to_bytes()
    once = painted(segments, FIRST)

    draft = ready(engine, coffee, segments=once)
    assert changed(engine, draft.model, once)[FIRST].mean() > 0.9
    assert ready(engine, coffee, segments=once).model == draft.model, "the draft is found again"

    # Trained with what is painted now: it starts from what was made all the same.
    planes: dict[str, Frame] = {"segments": frame_of(Picture(once))}
    more = {"as_made": Picture(coffee).hash, "palette": made.body["palette"], "options": QUICK_OPTIONS}
    begun = engine.train(picture, planes, method="deepsim", iterations=2, device="cpu", **more)
    ended = engine.watch(begun["job"], deadline=300)
    assert ended["state"] == "done", ended["error"]
    for model in (draft.model, begun["model"]):
        kept = read_primitive(folder / "models" / model / "primitive.png").planes()["segments"]
        assert np.array_equal(kept, segments)

    twice = painted(once, SECOND)
    where = changed(engine, begun["model"], twice)
    assert where[FIRST].mean() > 0.9, "the first edit is still there"
    assert where[SECOND].mean() > 0.9


def test_an_edit_goes_to_the_underdrawing_that_it_was_painted_on(engine: Engine, coffee: np.ndarray) -> None:
    """Whichever model of the picture is the newest."""
    picture = np.ascontiguousarray(coffee[::-1, ::-1])
    edits, models = [], []
    for regions in (3, 9):
        made = engine.make_primitive(frame_of(Picture(picture)), "super", regions=regions)
        planes = {one["name"]: picture_of(engine.result(made, one["hash"])).to_bytes() for one in made.body["planes"]}
        edits.append({**planes, "segments": painted(planes["segments"], FIRST)})
        models.append(ready(engine, picture, **edits[-1]).model)
    assert models[0] != models[1], "the second underdrawing has a draft of its own"
    for edit, model in zip(edits, models, strict=True):
        assert ready(engine, picture, **edit).model == model
        assert changed(engine, model, edit["segments"]).mean() < 0.3


def test_a_drawing_of_ones_own_is_trained_as_it_is(engine: Engine, folder: Path, coffee: np.ndarray) -> None:
    """It agrees with nothing that was made, so it is no edit of it."""
    picture = Picture(coffee[::-1].copy())
    engine.make_primitive(frame_of(picture), "segments", regions=3)
    own = np.zeros_like(coffee)
    own[:, : own.shape[1] // 2] = (250, 250, 10)
    palette = [{"colour": [250, 250, 10], "name": "left"}, {"colour": [0, 0, 0], "name": "right"}]
    planes = {"segments": frame_of(Picture(own))}
    begun = engine.train(frame_of(picture), planes, palette=palette, method="draft", as_made=picture.hash)
    assert engine.watch(begun["job"], deadline=120)["state"] == "done"
    kept = read_primitive(folder / "models" / begun["model"] / "primitive.png").planes()["segments"]
    assert np.array_equal(kept, own)


def test_where_nothing_was_made_that_is_an_error_of_its_own(engine: Engine, coffee: np.ndarray) -> None:
    picture = Picture(coffee[:, ::-1].copy())
    with pytest.raises(EngineError) as caught:
        engine.train(frame_of(picture), {}, as_made=picture.hash)
    assert caught.value.code == "unknown_underdrawing"
    assert ready(engine, picture.pixels).created, "and the draft makes it"
