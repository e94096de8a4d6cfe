"""A trained model through the real engine: out as a file, in again, and the same picture from both."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import underdrawing
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import MANIFEST_FILE

from ..end_to_end.conftest import PALETTE, QUICK_OPTIONS, end


def classes() -> np.ndarray:
    """Three fields, (64, 96) uint8."""
    made = np.zeros((64, 96), np.uint8)
    made[20:44, 30:70] = 1
    made[:, 80:] = 2
    return made


def drawn(made: np.ndarray) -> Frame:
    return frame_of(Picture(np.array([c["colour"] for c in PALETTE], np.uint8)[made]))


def edited() -> Frame:
    made = classes()
    made[24:40, 40:60] = 2
    return drawn(made)


def trained() -> np.ndarray:
    """The picture that the model is trained on, (64, 96, 3) uint8."""
    return np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A real engine of its own."""
    place = tmp_path_factory.mktemp("round trip") / "Zuhause ü"
    with Engine.connect(home=place) as connected:
        yield connected
    end(place)


@pytest.fixture(scope="module")
def model(engine: Engine) -> str:
    """A model that was trained for a moment: nothing here is about quality."""
    started = engine.train(
        frame_of(Picture(trained())),
        {"segments": drawn(classes())},
        palette=PALETTE,
        method="deepsim",
        options=QUICK_OPTIONS,
        iterations=2,
        name="Tasse ☕",
    )
    ended = engine.watch(started["job"], deadline=120)
    assert ended["state"] == "done", ended["error"]
    return str(started["model"])


@pytest.fixture(scope="module")
def file(engine: Engine, model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a file."""
    path = tmp_path_factory.mktemp("files") / "cup.underdrawing"
    engine.export_model(model, path)
    return path


def made(engine: Engine, model: str) -> np.ndarray:
    reply = engine.apply(model, {"segments": edited()}, whole=True)
    return picture_of(engine.result(reply, reply.body["picture"])).pixels


def test_out_and_in_again_gives_the_same_picture(engine: Engine, model: str, file: Path) -> None:
    taken = engine.import_model(file)
    assert taken["id"] != model and taken["name"] == "Tasse ☕"
    assert {m["id"] for m in engine.models()} == {model, taken["id"]}
    # Another process, another folder, the same numbers.
    engine.unload()
    assert np.array_equal(made(engine, taken["id"]), made(engine, model))
    before, after = (engine.model(identity)["manifest"] for identity in (model, taken["id"]))
    different = {key for key in before if before[key] != after[key]}
    assert different == {"id", "files"}
    assert before["files"].keys() - after["files"].keys() == {"checkpoint.safetensors"}
    engine.delete(taken["id"])
    assert [m["id"] for m in engine.models()] == [model]


def test_a_file_of_a_file_is_the_same_file(engine: Engine, file: Path, tmp_path: Path, synced: set[int]) -> None:
    taken = engine.import_model(file)
    engine.export_model(taken["id"], tmp_path / "again.underdrawing")
    assert (tmp_path / "again.underdrawing").stat().st_ino in synced
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(tmp_path / "again.underdrawing") as two:
        assert one.comment == two.comment and set(one.namelist()) == set(two.namelist())
        assert all(one.read(n) == two.read(n) for n in one.namelist() if n != MANIFEST_FILE)
    engine.delete(taken["id"])


def test_the_file_holds_nothing_that_tells_where_it_was_made(engine: Engine, model: str, file: Path) -> None:
    """The user's own name stands in most of these folders, and the file is there to be given away."""
    folders = (engine.model(model)["folder"], Path.home(), Path(underdrawing.__file__).parent, Path(sys.prefix))
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            assert not [folder for folder in folders if f"{folder}/".encode() in data], name
            assert b".py" not in data, name


def rewritten(file: Path, target: Path, **changed: bytes) -> Path:
    """The file with other contents and a manifest that promises exactly these."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read(MANIFEST_FILE))
        for name in manifest["files"]:
            data = changed.get(Path(name).stem, old.read(name))
            manifest["files"][name] = hashlib.sha256(data).hexdigest()
            new.writestr(name, data)
        new.writestr(MANIFEST_FILE, json.dumps(manifest))
    return target


def evil_graph(file: Path) -> bytes:
    """The model's own graph, and beside it one node that is no arithmetic."""
    import onnx

    with zipfile.ZipFile(file) as archive:
        graph = onnx.load_model_from_string(archive.read("generator.onnx"))
    graph.graph.node.append(onnx.helper.make_node("Print", [graph.graph.input[0].name], ["x"], domain="evil"))
    return bytes(graph.SerializeToString())


@pytest.mark.parametrize("what", ["an operator", "no graph", "no primitive", "not a file of ours"])
def test_hostile_files_are_refused_and_the_engine_stays(
    engine: Engine, model: str, file: Path, tmp_path: Path, what: str
) -> None:
    strange, before = tmp_path / "strange.underdrawing", engine.hello()["pid"]
    if what == "an operator":
        rewritten(file, strange, generator=evil_graph(file))
    elif what == "no graph":
        rewritten(file, strange, generator=b"\x00" * 1000)
    elif what == "no primitive":
        rewritten(file, strange, primitive=b"\x89PNG\r\n\x1a\n" + bytes(100))
    else:
        strange.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(EngineError) as caught:
        engine.import_model(strange)
    assert caught.value.code in ("bad_model", "bad_picture")
    assert caught.value.message
    assert [m["id"] for m in engine.models()] == [model]
    status = engine.status()
    assert status["pid"] == before
    home = Path(status["home"])
    assert list((home / "training").iterdir()) == []
    assert made(engine, model).shape == (64, 96, 3)


def test_a_file_that_is_only_rewritten_is_taken_in(engine: Engine, file: Path, tmp_path: Path) -> None:
    """Else the refusals above would say nothing."""
    taken = engine.import_model(rewritten(file, tmp_path / "mine.underdrawing"))
    engine.delete(taken["id"])


@pytest.mark.parametrize("order", ["BGRA", "RGBA"])
def test_pictures_come_in_the_order_that_is_asked_for(engine: Engine, model: str, order: str) -> None:
    plain = engine.apply(model, {"segments": edited()})
    natural = picture_of(engine.result(plain, plain.body["picture"])).pixels
    reply = engine.apply(model, {"segments": edited()}, order=order)
    frame = engine.result(reply, reply.body["picture"])
    assert frame.order == order
    pixels = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 4)
    turned = pixels[..., 2::-1] if order == "BGRA" else pixels[..., :3]
    assert np.array_equal(turned, natural)
    assert (pixels[..., 3] == 255).all()
    planes = engine.make_primitive(frame, "super", regions=3)
    assert [f.order for f in planes.frames] == ["RGB", "L"]
    body = {"picture": {"hash": frame.hash}, "kind": "super", "options": {"regions": 3}, "order": order}
    asked = engine.request("primitive", body, [frame], deadline=60)
    assert [f.order for f in asked.frames] == [order, order]
    for mine, theirs in zip(asked.frames, planes.frames, strict=True):
        assert np.array_equal(picture_of(mine).to_bytes(), picture_of(theirs).to_bytes())


def test_a_baked_result_carries_its_mask(engine: Engine, model: str) -> None:
    reply = engine.apply(model, {"segments": edited()}, order="BGRA", baked=True)
    picture = picture_of(engine.result(reply, reply.body["picture"]))
    mask = picture_of(engine.result(reply, reply.body["mask"])).pixels[..., 0]
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, mask)
    assert 0 < int((mask > 0).sum()) < mask.size


def test_a_merged_result_is_the_picture_with_the_result_laid_over(engine: Engine, model: str) -> None:
    plain = engine.apply(model, {"segments": edited()}, feather=4)
    assert "merged" not in plain.body
    reply = engine.apply(model, {"segments": edited()}, feather=4, merged=True)
    names = ("picture", "mask", "merged")
    new, mask, merged = (picture_of(engine.result(reply, reply.body[name])).pixels for name in names)
    x, y, width, height = (reply.body[name] for name in ("x", "y", "width", "height"))
    old = trained()[y : y + height, x : x + width]
    outside, inside = mask[..., 0] == 0, mask[..., 0] == 255
    assert outside.any()
    assert inside.any()
    assert np.array_equal(merged[outside], old[outside])
    assert np.array_equal(merged[inside], new[inside])


def test_there_is_no_other_order(engine: Engine, model: str) -> None:
    with pytest.raises(EngineError) as caught:
        engine.apply(model, {"segments": edited()}, order="ABGR")
    assert caught.value.code == "bad_request"
