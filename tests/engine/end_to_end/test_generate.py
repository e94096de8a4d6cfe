"""Pictures without an underdrawing, through the real engine: every task, masks, depths, limits, cancel, going on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import Manifest, Procedure

from .conftest import wait_for

SMALL = {"filters": 6, "stages": 2, "smallest": 20, "longest": 60, "crop": 40}
PASTE = (slice(40, 70), slice(60, 100))
PIXELS = 30 * 40


def train(engine: Engine, picture: Picture, recipe: str, **more: Any) -> str:
    options = {**SMALL, **more.pop("options", {})}
    given = {"recipe": recipe, "iterations": 4, "name": recipe, "options": options, **more}
    started = engine.train(frame_of(picture), {}, **given)
    ended = engine.watch(started["job"], deadline=180)
    assert ended["state"] == "done", ended["error"]
    return started["model"]


@pytest.fixture(scope="module")
def harmonizer(folder: Path, coffee: np.ndarray) -> str:
    with Engine.connect(home=folder) as engine:
        return train(engine, Picture(coffee), "harmonize")


@pytest.fixture(scope="module")
def variator(folder: Path, coffee: np.ndarray) -> str:
    with Engine.connect(home=folder) as engine:
        return train(engine, Picture(coffee), "vary")


@pytest.fixture(scope="module")
def pasted(coffee: np.ndarray) -> np.ndarray:
    changed = coffee.copy()
    changed[PASTE] = (20, 230, 40)
    return changed


@pytest.fixture(scope="module")
def mask(coffee: np.ndarray) -> np.ndarray:
    marked = np.zeros(coffee.shape[:2], np.uint8)
    marked[PASTE] = 255
    return marked


def area(body: dict[str, Any]) -> tuple[slice, slice]:
    return slice(body["y"], body["y"] + body["height"]), slice(body["x"], body["x"] + body["width"])


def test_a_model_without_an_underdrawing_is_kept_as_others_are(
    engine: Engine, folder: Path, harmonizer: str, tmp_path: Path
) -> None:
    manifest = Manifest.load(folder / "models" / harmonizer)
    assert manifest.planes == ()
    assert manifest.plan.procedure is Procedure.GENERATE
    assert not (folder / "models" / harmonizer / "primitive.png").exists()
    (listed,) = [m for m in engine.models() if m["id"] == harmonizer]
    assert listed["tasks"] == ["harmonize", "repaint"]
    assert listed["planes"] == []
    assert listed["base"] is None
    file = tmp_path / "given.underdrawing"
    engine.export_model(harmonizer, file)
    again = engine.import_model(file)
    assert again["tasks"] == listed["tasks"]
    assert again["picture_hash"] == listed["picture_hash"]
    engine.delete(again["id"])


def test_the_plan_survives_as_text(folder: Path, harmonizer: str) -> None:
    manifest = Manifest.load(folder / "models" / harmonizer)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert [entry.size for entry in manifest.plan.graphs[0].inputs][-1] == (60, 40)


def test_what_was_pasted_changes_and_nothing_else(
    engine: Engine, harmonizer: str, pasted: np.ndarray, mask: np.ndarray
) -> None:
    reply = engine.generate(
        harmonizer, "harmonize", frame_of(Picture(pasted)), frame_of(Picture(mask)), merged=True, baked=True
    )
    body = reply.body
    made, marked, merged = (picture_of(engine.result(reply, body[name])) for name in ("picture", "mask", "merged"))
    here = area(body)
    inside = marked.pixels[..., 0]
    assert inside[mask[here] > 0].min() > 200
    assert np.array_equal(merged.pixels[inside == 0], pasted[here][inside == 0])
    assert np.abs(merged.pixels[mask[here] > 0].astype(int) - pasted[PASTE].reshape(-1, 3)[0]).mean() > 20
    assert np.array_equal(made.alpha, inside)
    assert body["confidence"] is None
    assert body["device"] in ("CPU", "GPU")
    assert body["model"] == harmonizer
    assert any("works at" in note for note in body["notes"])
    # Beyond the widened mask there is no result at all.
    reach = max(1, round(7 / 250 * max(pasted.shape)))
    assert body["x"] == PASTE[1].start - reach
    assert body["height"] == PASTE[0].stop - PASTE[0].start + 2 * reach


def test_far_from_what_was_pasted_the_picture_stays_though_the_network_knows_little(
    engine: Engine, harmonizer: str, pasted: np.ndarray, mask: np.ndarray
) -> None:
    """Four steps of training make mud of everything; that is no part of the change."""
    reply = engine.generate(
        harmonizer, "harmonize", frame_of(Picture(pasted)), frame_of(Picture(mask)), grow=60, merged=True
    )
    merged = picture_of(engine.result(reply, reply.body["merged"])).pixels.astype(int)
    here = area(reply.body)
    away = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)[here]
    apart = np.abs(merged - pasted[here]).mean(2)
    assert apart[mask[here] > 0].mean() > 20
    assert apart[(away > 45) & (away < 60)].mean() < 6


def test_without_a_mask_it_is_where_the_picture_differs_or_is_not_transparent(
    engine: Engine, harmonizer: str, pasted: np.ndarray, mask: np.ndarray
) -> None:
    by_mask = engine.generate(harmonizer, "harmonize", frame_of(Picture(pasted)), frame_of(Picture(mask))).body
    by_difference = engine.generate(harmonizer, "harmonize", frame_of(Picture(pasted))).body
    layer = Picture(np.where(mask[..., None] > 0, pasted, 0).astype(np.uint8), mask)
    by_alpha = engine.generate(harmonizer, "harmonize", frame_of(layer)).body
    assert by_mask["picture"] == by_difference["picture"] == by_alpha["picture"]
    assert by_mask["mask"] == by_difference["mask"] == by_alpha["mask"]


def test_the_same_seed_gives_the_same_and_light_and_width_count(
    engine: Engine, harmonizer: str, pasted: np.ndarray, mask: np.ndarray
) -> None:
    def made(**options: Any) -> dict[str, Any]:
        return engine.generate(
            harmonizer, "harmonize", frame_of(Picture(pasted)), frame_of(Picture(mask)), **options
        ).body

    first = made(seed=3)
    assert made(seed=3)["picture"] == first["picture"]
    assert made(seed=4)["picture"] != first["picture"]
    assert made(seed=3, light=1.0)["picture"] != first["picture"]
    assert made(grow=0)["width"] == 40
    assert made(grow=0, feather=0)["mask"] != made(grow=0, feather=6)["mask"]
    assert made(blend="poisson")["picture"] != first["picture"]


@pytest.mark.parametrize(
    ("marked", "code"),
    [("empty", "nothing_edited"), ("small", "wrong_size"), ("none", "nothing_edited"), ("other", "wrong_size")],
)
def test_masks_and_pictures_that_cannot_be_used(
    engine: Engine, harmonizer: str, coffee: np.ndarray, pasted: np.ndarray, mask: np.ndarray, marked: str, code: str
) -> None:
    picture, drawn = Picture(pasted), Picture(mask)
    if marked == "empty":
        drawn = Picture(np.zeros_like(mask))
    elif marked == "small":
        drawn = Picture(mask[:50, :60])
    elif marked == "none":
        picture = Picture(coffee)
    elif marked == "other":
        picture = Picture(pasted[:100])
    given = None if marked == "none" else frame_of(drawn)
    with pytest.raises(EngineError) as caught:
        engine.generate(harmonizer, "harmonize", frame_of(picture), given)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_mask_of_everything_makes_everything(engine: Engine, harmonizer: str, pasted: np.ndarray) -> None:
    whole = Picture(np.full(pasted.shape[:2], 255, np.uint8))
    body = engine.generate(harmonizer, "harmonize", frame_of(Picture(pasted)), frame_of(whole)).body
    assert (body["x"], body["y"], body["width"], body["height"]) == (0, 0, pasted.shape[1], pasted.shape[0])
    alone = engine.generate(harmonizer, "repaint", frame_of(Picture(pasted))).body
    assert (alone["width"], alone["height"]) == (pasted.shape[1], pasted.shape[0])


@pytest.mark.long
def test_a_painting_is_held_to_or_taken_as_a_hint(engine: Engine, harmonizer: str, pasted: np.ndarray) -> None:
    def made(freedom: float, seed: int = 0) -> str:
        given = frame_of(Picture(pasted))
        return str(engine.generate(harmonizer, "repaint", given, freedom=freedom, seed=seed).body["picture"])

    assert made(0.0) == made(0.0)
    assert len({made(0.0), made(1.0), made(0.0, seed=1)}) == 3


@pytest.mark.long
@pytest.mark.parametrize("kind", ["u16", "f32", "grey"])
def test_other_depths_are_exact_outside_of_the_mask(
    engine: Engine, coffee: np.ndarray, pasted: np.ndarray, mask: np.ndarray, kind: str
) -> None:
    def of(values: np.ndarray) -> Picture:
        if kind == "u16":
            return Picture(values.astype(np.uint16) * 257 + 3)
        if kind == "f32":
            return Picture(values.astype(np.float32) / 200)
        return Picture(values[..., :1])

    model = train(engine, of(coffee), "harmonize", iterations=1)
    given = of(pasted)
    reply = engine.generate(model, "harmonize", frame_of(given), frame_of(Picture(mask)), merged=True)
    merged = picture_of(engine.result(reply, reply.body["merged"]))
    marked = picture_of(engine.result(reply, reply.body["mask"])).pixels[..., 0]
    assert (merged.depth, merged.channels) == (given.depth, given.channels)
    outside = marked == 0
    assert np.array_equal(merged.pixels[outside], given.pixels[area(reply.body)][outside])
    assert (merged.pixels != given.pixels[area(reply.body)]).any()
    engine.delete(model)


def test_variations_differ_the_more_the_freer_they_are(engine: Engine, variator: str, coffee: np.ndarray) -> None:
    def spread(freedom: float) -> float:
        reply = engine.generate(variator, "vary", count=2, freedom=freedom)
        one, two = (picture_of(engine.result(reply, key)).pixels.astype(int) for key in reply.body["pictures"])
        assert one.shape == coffee.shape
        assert freedom > 0 or np.array_equal(one, coffee)
        return float(np.abs(one - two).mean())

    assert spread(0.0) == 0
    assert 0 < spread(0.2) < spread(1.0)


def test_progress_is_told_picture_by_picture(engine: Engine, variator: str) -> None:
    events: list[dict[str, Any]] = []
    reply = engine.generate(variator, "vary", count=3, on_event=events.append)
    told = [event for event in events if event["event"] == "progress"]
    assert [(event["done"], event["of"]) for event in told] == [(1, 3), (2, 3), (3, 3)]
    assert len(set(reply.body["pictures"])) == 3


@pytest.mark.long
def test_a_clip_ends_where_it_begins(engine: Engine, variator: str) -> None:
    reply = engine.generate(variator, "animate", frames=8, freedom=0.5)
    frames = [picture_of(engine.result(reply, key)).pixels.astype(int) for key in reply.body["pictures"]]
    assert len(frames) == 8
    steps = [np.abs(a - b).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert min(steps) > 0
    # The step from the last frame to the first is like the others.
    assert steps[-1] < 1.5 * max(steps[:-1])
    assert reply.body["rate"] > 0


def test_another_size_is_made_at_that_size(engine: Engine, variator: str) -> None:
    for width, height in ((320, 134), (140, 200)):
        reply = engine.generate(variator, "resize", width=width, height=height)
        made = picture_of(engine.result(reply, reply.body["picture"]))
        assert made.size == (width, height) == (reply.body["width"], reply.body["height"])


@pytest.mark.long
def test_more_pixels(engine: Engine, coffee: np.ndarray) -> None:
    small = coffee[:64, :80]
    model = train(engine, Picture(small), "enlarge", options={"longest": 400})
    reply = engine.generate(model, "enlarge", width=200, height=160)
    assert picture_of(engine.result(reply, reply.body["picture"])).size == (200, 160)
    engine.delete(model)


@pytest.mark.long
def test_a_model_is_fine_tuned_for_one_picture(
    engine: Engine, harmonizer: str, coffee: np.ndarray, pasted: np.ndarray, mask: np.ndarray
) -> None:
    given = frame_of(Picture(coffee)), {}, frame_of(Picture(pasted)), frame_of(Picture(mask))
    started = engine.train(*given, base=harmonizer, iterations=3, name="tuned")
    ended = engine.watch(started["job"], deadline=180)
    assert ended["state"] == "done", ended["error"]
    (listed,) = [m for m in engine.models() if m["id"] == started["model"]]
    assert listed["base"] == harmonizer
    assert listed["recipe"] == "harmonize"
    plain, tuned = (
        engine.generate(model, "harmonize", frame_of(Picture(pasted)), frame_of(Picture(mask))).body["picture"]
        for model in (harmonizer, started["model"])
    )
    assert plain != tuned
    engine.delete(started["model"])


def test_what_cannot_go_on_says_so(
    engine: Engine, harmonizer: str, model: str, coffee: np.ndarray, pasted: np.ndarray, mask: np.ndarray
) -> None:
    pictures = frame_of(Picture(pasted)), frame_of(Picture(mask))
    with pytest.raises(EngineError) as caught:
        engine.train(frame_of(Picture(coffee)), {}, *pictures, base=model)
    assert caught.value.code == "wrong_task"
    with pytest.raises(EngineError) as caught:
        engine.train(frame_of(Picture(coffee)), {}, pictures[0], base=harmonizer)
    assert caught.value.code == "bad_request"
    started = engine.train(frame_of(Picture(coffee[::-1].copy())), {}, *pictures, base=harmonizer, iterations=1)
    ended = engine.watch(started["job"], deadline=120)
    assert ended["state"] == "failed"
    assert ended["error"]["code"] == "wrong_size"
    engine.cancel(started["job"])


def test_a_request_that_is_given_up_ends_soon(engine: Engine, variator: str) -> None:
    seen: list[dict[str, Any]] = []
    with pytest.raises(EngineError) as caught:
        engine.generate(variator, "animate", frames=240, on_event=seen.append, cancelled=lambda: len(seen) > 2)
    assert caught.value.code == "cancelled"
    assert len(seen) < 100
    wait_for(lambda: not (engine.status()["renderer"] or {}).get("busy"), 20)
    assert len(engine.generate(variator, "vary", count=1).body["pictures"]) == 1


def test_fields_that_nobody_knows_are_ignored(engine: Engine, variator: str) -> None:
    wanted = {"model": variator, "task": "vary", "count": 1, "colour": "red"}
    assert engine.request("generate", wanted, deadline=120).body


def test_each_kind_of_model_says_what_it_is_for(engine: Engine, variator: str, model: str, coffee: np.ndarray) -> None:
    with pytest.raises(EngineError) as caught:
        engine.generate(model, "vary")
    assert caught.value.code == "wrong_task"
    assert "apply" in caught.value.hint
    with pytest.raises(EngineError) as caught:
        engine.generate(variator, "enlarge", width=100, height=100)
    assert caught.value.code == "wrong_task"
    for verb, body in (("apply", {"planes": {"segments": frame_of(Picture(coffee))}}), ("layout", {})):
        with pytest.raises(EngineError) as caught:
            if verb == "apply":
                engine.apply(variator, body["planes"])
            else:
                engine.layout(variator, frame_of(Picture(coffee)))
        assert caught.value.code == "wrong_task"
        assert "vary" in caught.value.hint


def test_an_underdrawing_is_still_needed_where_nothing_else_is_asked_for(engine: Engine, coffee: np.ndarray) -> None:
    with pytest.raises(EngineError) as caught:
        engine.train(frame_of(Picture(coffee)), {})
    assert caught.value.code == "plane_missing"
    started = engine.train(frame_of(Picture(coffee)), {}, method="draft")
    ended = engine.watch(started["job"], deadline=60)
    assert ended["error"]["code"] == "no_plane"
    engine.cancel(started["job"])
