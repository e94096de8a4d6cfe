"""A folder's model through the real engine: trained, models made at once, what lies between pictures, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from bench import generate
from bench import meta as measure
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.render.interpolate import chosen_scales, mixed_rows
from underdrawing.render.onnx_sessions import open_session
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import CHECKPOINT_FILE, Encoding, Manifest, Procedure

from ..commands.command_line import CommandLine

SMALL = {"width": 4, "embedding": 8, "side": 32, "filters": 4, "layers": 1, "stages": 3, "smallest": 18, "longest": 48}


def train(engine: Engine, pictures: list[Picture], **more: Any) -> tuple[str, dict[str, Any]]:
    frames = [frame_of(picture) for picture in pictures]
    asked = {"method": "meta", "iterations": 3, "name": "few", "options": SMALL, **more}
    started = engine.train(frames[0], {}, pictures=frames, **asked)
    return started["model"], engine.watch(started["job"], deadline=300)


@pytest.fixture(scope="module")
def pictures(coffee: np.ndarray) -> list[Picture]:
    """Of two shapes, one of 16 bits."""
    face = cv2.resize(data.astronaut(), (120, 150), interpolation=cv2.INTER_AREA)
    return [Picture(coffee), Picture(face), Picture(coffee[:, ::-1].astype(np.uint16) * 257)]


@pytest.fixture(scope="module")
def writer(folder: Path, pictures: list[Picture]) -> str:
    with Engine.connect(home=folder) as engine:
        model, ended = train(engine, pictures)
        assert ended["state"] == "done", ended["error"]
        assert ended["figures"]["pictures"] == 3
        return model


@pytest.fixture(scope="module")
def unseen() -> Picture:
    return Picture(cv2.resize(data.chelsea(), (150, 100), interpolation=cv2.INTER_AREA))


def refused(code: str, ask: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        ask()
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value


def test_a_folders_model_is_kept_and_given_away_as_others_are(
    engine: Engine, folder: Path, writer: str, tmp_path: Path
) -> None:
    manifest = Manifest.load(folder / "models" / writer)
    assert manifest.plan.procedure is Procedure.WRITE
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert set(manifest.files) >= {"writer.onnx", "generator.onnx", "painter.onnx", CHECKPOINT_FILE}
    (listed,) = [m for m in engine.models() if m["id"] == writer]
    assert (listed["tasks"], listed["planes"], listed["base"]) == ([], [], None)
    assert listed["makes"] == ["harmonize", "blend", "repaint", "vary", "resize", "animate"]
    engine.export_model(writer, tmp_path / "few.underdrawing")
    again = engine.import_model(tmp_path / "few.underdrawing")
    made = engine.instant(again["id"], frame_of(Picture(np.zeros((60, 80, 3), np.uint8))))
    for model in (made, again):
        engine.delete(model["id"])


def test_a_model_is_made_at_once_without_torch(
    engine: Engine, folder: Path, writer: str, unseen: Picture, tmp_path: Path
) -> None:
    made = engine.instant(writer, frame_of(unseen), name="the cat")
    assert engine.request("status").body["worker"] is None
    assert made["name"] == "the cat"
    assert made["base"] == writer
    assert (made["tasks"], made["makes"]) == (["vary", "resize", "animate"], [])
    assert made["picture_hash"] == unseen.hash
    manifest = Manifest.load(folder / "models" / made["id"])
    assert [i.size for i in manifest.plan.graphs[0].inputs][-1] == (48, 32)
    assert "torch" not in manifest.versions
    reply = engine.generate(made["id"], "vary", count=2, freedom=1.0)
    one, two = (picture_of(engine.result(reply, key)) for key in reply.body["pictures"])
    assert one.size == unseen.size
    assert not np.array_equal(one.pixels, two.pixels)
    reply = engine.generate(made["id"], "resize", width=200, height=90)
    other = picture_of(engine.result(reply, reply.body["picture"]))
    assert other.size == (200, 90)
    afar = [cv2.resize(p.pixels, (6, 4), interpolation=cv2.INTER_AREA).astype(float) for p in (unseen, other)]
    assert np.abs(afar[0] - afar[1]).mean() < 16, "in another shape it is the same scene"
    assert len(engine.generate(made["id"], "animate", frames=2).body["pictures"]) == 2
    engine.export_model(made["id"], tmp_path / "cat.underdrawing")
    assert engine.import_model(tmp_path / "cat.underdrawing")["tasks"] == made["tasks"]


@pytest.mark.parametrize("size", [(20, 20), (240, 80)])
def test_small_and_narrow_pictures_are_varied(engine: Engine, writer: str, size: tuple[int, int]) -> None:
    picture = Picture(cv2.resize(data.chelsea(), size, interpolation=cv2.INTER_AREA))
    made = engine.instant(writer, frame_of(picture))
    for freedom in (0.0, 1.0):
        reply = engine.generate(made["id"], "vary", count=1, freedom=freedom)
        varied = picture_of(engine.result(reply, reply.body["pictures"][0]))
        assert np.array_equal(varied.pixels, picture.pixels) is (freedom == 0)
    engine.delete(made["id"])


def test_weights_that_were_put_in_do_what_weights_that_come_in_do(
    engine: Engine, folder: Path, writer: str, unseen: Picture
) -> None:
    made = engine.instant(writer, frame_of(unseen), task="harmonize")
    assert made["tasks"] == ["harmonize", "blend", "repaint"]
    baked = open_session(folder / "models" / made["id"] / "generator.onnx")
    plan = Manifest.load(folder / "models" / writer).plan
    look = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 32)).astype(np.float32)
    row = open_session(folder / "models" / writer / "writer.onnx").run({"picture": look})
    assert row.shape == (1, plan.graphs[1].inputs[-1].channels, 1, 1)
    rng = np.random.default_rng(1)
    painter = plan.graphs[2]
    assert painter.inputs[0].encoding is Encoding.PICTURE
    given = {i.name: rng.standard_normal((1, 3, *i.size[::-1])).astype(np.float32) for i in painter.inputs[:-1]}
    free = open_session(folder / "models" / writer / "painter.onnx")
    names = {entry.name for entry in baked.session.get_inputs()}
    assert names == set(given)
    (constant,) = [c for c in _constants(folder / "models" / made["id"] / "generator.onnx") if c.shape == row.shape]
    assert np.allclose(baked.run(given), free.run({**given, "weights": constant}), atol=1e-5)
    assert not np.allclose(baked.run(given), free.run({**given, "weights": row}), atol=1e-3)


def _constants(path: Path) -> list[np.ndarray]:
    import onnx
    from onnx import numpy_helper

    return [numpy_helper.to_array(entry) for entry in onnx.load(path).graph.initializer]


@pytest.mark.long
def test_a_model_made_at_once_is_refined(engine: Engine, writer: str, unseen: Picture) -> None:
    for task in ("vary", "harmonize"):
        made = engine.instant(writer, frame_of(unseen), task=task)
        started = engine.train(frame_of(unseen), {}, base=made["id"], iterations=2, name="refined")
        ended = engine.watch(started["job"], deadline=180)
        assert ended["state"] == "done", ended["error"]
        (refined,) = [m for m in engine.models() if m["id"] == started["model"]]
        assert (refined["tasks"], refined["base"]) == (made["tasks"], made["id"])
    other = Picture(unseen.pixels[::-1].copy())
    started = engine.train(frame_of(other), {}, base=made["id"], iterations=2)
    assert engine.watch(started["job"], deadline=60)["error"]["code"] == "wrong_size"
    mask = frame_of(Picture(np.full(unseen.pixels.shape[:2], 255, np.uint8)))
    started = engine.train(frame_of(unseen), {}, frame_of(other), mask, base=made["id"], iterations=2)
    ended = engine.watch(started["job"], deadline=60)
    assert ended["error"]["code"] == "wrong_task", "a composite is not left out in silence"


def test_something_pasted_is_painted_and_nothing_else(engine: Engine, writer: str, unseen: Picture) -> None:
    made = engine.instant(writer, frame_of(unseen), task="harmonize")
    changed, mask = unseen.pixels.copy(), np.zeros(unseen.pixels.shape[:2], np.uint8)
    changed[30:60, 40:90], mask[30:60, 40:90] = (230, 20, 40), 255
    frames = frame_of(Picture(changed)), frame_of(Picture(mask))
    reply = engine.generate(made["id"], "harmonize", *frames, merged=True)
    merged, soft = (picture_of(engine.result(reply, reply.body[name])).pixels for name in ("merged", "mask"))
    x, y, width, height = (reply.body[key] for key in ("x", "y", "width", "height"))
    before = changed[y : y + height, x : x + width]
    assert np.array_equal(merged[soft[..., 0] == 0], before[soft[..., 0] == 0])
    assert (merged != before).any()


def test_what_is_between_begins_and_ends_with_the_pictures(
    engine: Engine, writer: str, pictures: list[Picture], unseen: Picture
) -> None:
    # Small, as every picture on the way is painted anew.
    small = [cv2.resize(picture.pixels[..., :3], (60, 44)) for picture in (unseen, pictures[0])]
    one, two = (frame_of(Picture(pixels)) for pixels in small)

    def way(first: Any, second: Any, **more: Any) -> list[str]:
        return list(engine.between(writer, first, second, count=3, **more).body["pictures"])

    there, back = way(one, two), way(two, one)
    assert there[0] == back[-1]
    assert there[-1] == back[0]
    assert there[0] != there[1] != there[2]
    places = engine.between(writer, one, two, at=[1, 0.5]).body["pictures"]
    assert places == [there[2], there[1]]
    alone = way(one, one)
    assert len(set(alone)) == 1
    assert alone[0] == there[0]
    coarse, fine = way(one, two, scales="coarse"), way(one, two, scales="fine")
    assert coarse[0] == fine[0] == there[0]
    assert len({there[0], coarse[-1], fine[-1]}) == 3
    assert way(one, two, freedom=1.0, seed=1) != way(one, two, freedom=1.0, seed=2)
    tall = Picture(np.ascontiguousarray(small[0].transpose(1, 0, 2)))
    other = engine.between(writer, frame_of(tall), one, count=2)
    assert (other.body["width"], other.body["height"]) == tall.size


def test_scales_are_chosen_in_thirds_and_mixed_alone() -> None:
    chosen = [chosen_scales(5, name) for name in ("coarse", "middle", "fine", "all")]
    assert chosen == [[0, 1], [2, 3], [4], [0, 1, 2, 3, 4]]
    one, two = np.zeros((1, 6, 1, 1), np.float32), np.ones((1, 6, 1, 1), np.float32)
    assert mixed_rows(one, two, 0.25, [1], 3).ravel().tolist() == [0, 0, 0.25, 0.25, 0, 0]
    assert not one.any()


def test_what_cannot_be_is_said(engine: Engine, writer: str, unseen: Picture) -> None:
    picture = frame_of(unseen)
    made = engine.instant(writer, picture)
    refused("wrong_task", lambda: engine.instant(made["id"], picture))
    refused("wrong_task", lambda: engine.between(made["id"], picture, picture))
    said = refused("wrong_task", lambda: engine.generate(writer, "vary"))
    assert "instant" in said.hint
    refused("wrong_task", lambda: engine.generate(made["id"], "harmonize", picture))
    refused("wrong_size", lambda: engine.instant(writer, frame_of(Picture(np.zeros((9, 400, 3), np.uint8)))))
    for ask in (
        lambda: engine.instant(writer, picture, task="enlarge"),
        lambda: engine.between(writer, picture, picture, scales="none"),
        lambda: engine.between(writer, picture, picture, count=1),
        lambda: engine.between(writer, picture, picture, at=[0.5, 1.5]),
        lambda: engine.between(writer, picture, picture, at=["half"]),
        lambda: engine.between(writer, picture, picture, at=[0.5] * 241),
        lambda: engine.train(picture, {}, method="meta", pictures=[picture] * 2049),
    ):
        with pytest.raises(EngineError) as caught:
            ask()
        assert caught.value.code == "bad_request"
    # Nothing half made is left behind.
    assert [m["name"] for m in engine.models() if not m["bytes"]] == []


def test_a_training_that_cannot_be_ends_with_a_sentence(engine: Engine, pictures: list[Picture]) -> None:
    _, ended = train(engine, pictures, method="consingan", options={})
    assert ended["state"] == "failed"
    assert ended["error"]["code"] == "wrong_task"
    assert ended["error"]["hint"]


def test_a_folder_is_paused_and_goes_on(engine: Engine, folder: Path, pictures: list[Picture]) -> None:
    frames = [frame_of(picture) for picture in pictures]
    asked = {"method": "meta", "iterations": 1_000_000, "options": SMALL, "name": "long"}
    started = engine.train(frames[0], {}, pictures=frames, **asked)
    events: list[dict[str, Any]] = []

    def wait(event: dict[str, Any]) -> None:
        events.append(event)
        if event.get("event") == "progress" and event.get("iteration") and len(events) < 1000:
            events.extend([event] * 1000)
            engine.pause(started["job"])

    assert engine.watch(started["job"], wait, deadline=120)["state"] == "paused"
    assert (folder / "training" / started["model"] / CHECKPOINT_FILE).is_file()
    before = engine.resume(started["job"])
    assert before["state"] in ("queued", "running")
    engine.cancel(started["job"])
    assert engine.watch(started["job"], deadline=60)["state"] == "cancelled"
    assert not (folder / "training" / started["model"]).exists()


@pytest.mark.long
def test_from_the_command_line(folder: Path, engine: Engine, writer: str, unseen: Picture, tmp_path: Path) -> None:
    line = CommandLine(tmp_path, folder)
    write_picture(tmp_path / "cat.png", unseen)
    write_picture(tmp_path / "dog.png", Picture(unseen.pixels[::-1].copy()))
    first = line.ask("vary", "cat.png", "--from", "few", "-n", "1", "-o", "kinds/")
    assert first["trained"] is False
    again = line.ask("resize", "cat.png", "90x90", "--from", "few", "-o", "square.png")
    assert again["model"] == first["model"]
    assert engine.model(first["model"])["base"] == writer
    found = line.ask("meta", "between", "few", "cat.png", "dog.png", "-n", "2", "-o", "way/")
    assert [Path(name).name for name in found["files"]] == ["1.png", "2.png"]
    line.ask("meta", "between", "few", "cat.png", "dog.png", "-n", "2", "--scales", "fine", "-o", "way.gif")
    with Image.open(tmp_path / "way.gif") as gif:
        assert gif.n_frames <= 2
        assert gif.size == unseen.size
    assert "--from" in line.run("vary", "cat.png", "--refine", "9s", "-o", "x/").stderr
    wrong = line.run("vary", "cat.png", "--from", "few", "--budget", "9s", "-o", "x/")
    assert wrong.returncode == 2
    assert "With --from" in wrong.stderr
    refining = ("vary", "cat.png", "--from", "few", "--refine", "3s", "-n", "1", "-o", "kinds/")
    refined = line.ask(*refining)
    assert refined["trained"] is True
    assert (line.ask(*refining)["model"], line.ask(*refining)["trained"]) == (refined["model"], False)
    (tmp_path / "empty").mkdir()
    assert "two at least" in line.run("meta", "train", "empty").stderr
    (tmp_path / "pair").mkdir()
    for name in ("cat", "dog"):
        write_picture(tmp_path / "pair" / f"{name}.png", unseen)
    figures = [word for key, value in SMALL.items() for word in ("--option", f"{key}={value}")]
    begun = line.ask("meta", "train", "pair", "--iterations", "1000000", "--detach", *figures)
    assert begun["name"] == "pair"
    line.ask("cancel", begun["job"])


@pytest.mark.long
def test_models_made_at_once_are_measured(
    engine: Engine, writer: str, unseen: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "VARIATIONS", 2)
    monkeypatch.setattr(measure, "STEPS", 3)
    rng = np.random.default_rng(0)
    for number in range(5):
        pixels = cv2.resize(unseen.pixels, (60, 44)).astype(int) + rng.integers(-9, 9, (44, 60, 3))
        write_picture(tmp_path / f"{number}.png", Picture(pixels.clip(0, 255).astype(np.uint8)))
    halves = measure.Halves.read(tmp_path)
    assert [name for name, _ in halves.trained] == ["0", "1", "2", "3"]
    assert [name for name, _ in halves.unseen] == ["4"]
    said: list[str] = []
    further, _ = measure.bench(engine, halves, writer, [], 1, 1, options={}, refine=0.5, note=said.append)
    assert [(row.name, row.how) for row in further] == [
        ("0", "folder, trained"),
        ("0", "folder, trained, refined"),
        ("4", "folder, unseen"),
        ("4", "folder, unseen, refined"),
    ]
    assert further[1].mean("network") != further[0].mean("network")
    rows, sheet = measure.bench(engine, halves, writer, [], 1, 2, options={}, refine=None, note=said.append)
    assert [(row.name, row.how) for row in rows] == [("0", "folder, trained"), ("4", "folder, unseen")]
    for row in rows:
        assert len(row.figures) == 2
        assert all(f["sifid"] > 0 and f["diversity"] > 0 and f["seconds"] > 0 for f in row.figures)
        assert row.figures[0]["parameters"] > 1000
    assert "folder, unseen" in generate.as_markdown(rows)
    assert sheet is not None
    pair = (halves.trained[0], halves.unseen[0])
    smooth = measure.smoothness(engine, writer, [(pair[0][1], pair[1][1])])
    assert set(smooth) == {"coarse", "middle", "fine", "all"}
    assert all(len(steps) == 2 for steps in smooth.values())
    assert measure.interpolations(engine, writer, [pair], 2).shape[2] == 3
    (tmp_path / "4.png").unlink()
    refused("no_data", lambda: measure.Halves.read(tmp_path))
