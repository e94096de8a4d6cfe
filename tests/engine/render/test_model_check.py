"""Models from elsewhere whose manifest is not true are refused before anything is made with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from underdrawing.client.messages import EngineError
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, write_primitive
from underdrawing.render.model_check import check_contents
from underdrawing.store import model_writer
from underdrawing.store.manifest import ApplyPlan, Manifest, PlaneKind, PlaneSpec, Procedure

SIZE = (60, 40)
PALETTE = Palette.from_json([{"colour": [200, 30, 30], "name": "red"}, {"colour": [20, 90, 200], "name": "blue"}])


def write_model(folder: Path, depth: type = np.uint8) -> Manifest:
    """A model of the training-free method, as a training leaves it."""
    folder.mkdir()
    pixels = np.random.default_rng(1).random((SIZE[1], SIZE[0], 3))
    scaled = pixels if np.dtype(depth).kind == "f" else pixels * np.iinfo(depth).max
    picture = Picture(scaled.astype(depth))
    classes = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    classes[10:30, 20:40] = 1
    model_writer.keep_picture(folder, picture)
    preview = model_writer.keep_preview(folder, Picture(picture.to_bytes()))
    write_primitive(folder / "primitive.png", Primitive(classes, PALETTE))
    manifest = Manifest(
        id="0123456789ab",
        name="made by a test",
        created="2026-01-01T00:00:00+00:00",
        method="draft",
        recipe="draft",
        planes=(PlaneSpec("segments", PlaneKind.CLASSES, True),),
        plan=ApplyPlan(procedure=Procedure.DRAFT, minimum=1, region=(0, 0, *SIZE)),
        picture=model_writer.picture_info(picture, SIZE, 1.0),
        palette=tuple(PALETTE.to_json()),
    )
    model_writer.keep_manifest(folder, manifest, [model_writer.picture_file(picture), preview, "primitive.png"])
    return Manifest.load(folder)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32])
def test_an_honest_model_is_taken(tmp_path: Path, depth: type) -> None:
    check_contents(tmp_path / "model", write_model(tmp_path / "model", depth))


def _set(*path: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        *way, last = path
        for key in way:
            raw = raw[key]
        raw[last] = to

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("plan", "scale", to=10.0), "enlarges"),
        (_set("plan", "scale", to=1.01), "enlarges"),
        (_set("plan", "region", to=[0, 0, 20_000, 20_000]), "region"),
        (_set("plan", "region", to=[1, 0, 60, 40]), "outside"),
        (_set("plan", "region", to=[0, 0, 30, 40]), "region"),
        (_set("plan", "minimum", to=4096), "larger"),
        (_set("plan", "stride", to=1024), "larger"),
        (_set("picture", "depth", to="u16"), "picture"),
        (_set("picture", "channels", to=1), "picture"),
        (_set("picture", "hash", to="0" * 64), "picture"),
        (_set("planes", to=[{"name": "depth", "kind": "classes", "required": True}]), "planes"),
        (_set("planes", to=[{"name": "edges", "kind": "lines", "required": True}]), "lacks a plane"),
        (_set("planes", to=[{"name": "segments", "kind": "classes", "required": True}] * 2), "planes"),
        (_set("palette", to=[]), ""),
    ],
)
def test_a_manifest_that_is_not_true_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    raw = json.loads(write_model(tmp_path / "model").to_json())
    change(raw)
    manifest = Manifest.from_json(json.dumps(raw))
    if not said:  # without a palette the colours of the underdrawing are counted, which is harmless
        check_contents(tmp_path / "model", manifest)
        return
    with pytest.raises(EngineError, match=said) as caught:
        check_contents(tmp_path / "model", manifest)
    assert caught.value.code == "bad_model"


def test_a_size_that_the_picture_does_not_have_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = json.loads(write_model(tmp_path / "model").to_json())
    raw["picture"] |= {"width": 20_000, "height": 20_000, "full_width": 20_000, "full_height": 20_000}
    raw["plan"]["region"] = [0, 0, 20_000, 20_000]
    monkeypatch.setattr("underdrawing.render.model_check.read_picture", lambda _: pytest.fail("it was unpacked"))
    with pytest.raises(EngineError, match="60 x 40 pixels, its manifest says 20000 x 20000"):
        check_contents(tmp_path / "model", Manifest.from_json(json.dumps(raw)))


@pytest.mark.parametrize("name", ["picture.png", "primitive.png", "preview.png"])
def test_a_damaged_or_exchanged_picture_is_refused(tmp_path: Path, name: str) -> None:
    manifest, path = write_model(tmp_path / "model"), tmp_path / "model" / name
    whole = path.read_bytes()
    for data in (b"no picture", whole[: len(whole) // 2], bytes([*whole[:60], *(255 - v for v in whole[60:])])):
        path.write_bytes(data)
        with pytest.raises(EngineError) as caught:
            check_contents(tmp_path / "model", manifest)
        assert caught.value.code == "bad_model"
    write_picture(path, Picture(np.zeros((2000, 2000), np.uint8)))
    with pytest.raises(EngineError):
        check_contents(tmp_path / "model", manifest)
    assert hashlib.sha256(whole).hexdigest() == manifest.files[name]
