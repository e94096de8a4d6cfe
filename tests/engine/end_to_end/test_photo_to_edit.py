"""From a picture to an edited picture, through the real daemon, worker and renderer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.composite import composite
from underdrawing.picture.image import DEPTHS, Picture
from underdrawing.store.frame_codec import frame_of, picture_of
from underdrawing.store.manifest import Manifest
from underdrawing.store.model_library import check_files

from .conftest import PALETTE, QUICK_OPTIONS, drawn, edited, kill, pid, wait_for

Train = Callable[..., dict[str, str]]


def result(engine: Engine, reply) -> tuple[Picture, np.ndarray, tuple[int, int]]:
    """Unblended pixels, the mask as float, and the corner of an answer to `apply`."""
    made = picture_of(engine.result(reply, reply.body["picture"]))
    mask = picture_of(engine.result(reply, reply.body["mask"]))
    full = np.iinfo(mask.pixels.dtype).max
    return made, mask.pixels[..., 0].astype(np.float32) / full, (reply.body["x"], reply.body["y"])


def test_a_model_is_whole_and_says_everything(engine: Engine, folder: Path, model: str, coffee: np.ndarray) -> None:
    place = folder / "models" / model
    manifest = Manifest.load(place)
    check_files(place, manifest)
    assert manifest.figures["iterations"] == 6
    assert manifest.figures["export_difference"]["generator.onnx"] < 1e-3
    assert manifest.hyperparameters["crop"] == {"value": 64, "source": "asked for by the user"}
    assert manifest.picture.hash == Picture(coffee).hash
    assert {"generator.onnx", "checkpoint.safetensors", "preview.png", "picture.png"} <= manifest.files.keys()
    assert not list(place.glob("*.partial")) and not (place / "inputs").exists()
    assert [m["id"] for m in engine.models()].count(model) == 1
    assert engine.model("coffee")["id"]


def test_an_edit_changes_what_its_mask_covers_and_nothing_else(
    engine: Engine, model: str, coffee: np.ndarray, classes: np.ndarray
) -> None:
    made, mask, corner = result(engine, engine.apply(model, {"segments": edited(classes)}))
    original = Picture(coffee)
    whole = composite(original, made, corner, mask)
    changed = (whole.pixels != coffee).any(2)
    assert changed[52:78, 62:98].mean() > 0.9
    covered = np.zeros_like(changed)
    covered[corner[1] : corner[1] + mask.shape[0], corner[0] : corner[0] + mask.shape[1]] = mask > 0
    assert not (changed & ~covered).any()
    assert covered.sum() < 0.15 * covered.size


def test_a_region_run_alone_is_the_same_part_of_the_whole(engine: Engine, model: str, classes: np.ndarray) -> None:
    plane = {"segments": edited(classes)}
    part, _, (x, y) = result(engine, engine.apply(model, plane))
    whole, mask, _ = result(engine, engine.apply(model, plane, whole=True))
    assert whole.size == (202, 134)
    assert mask.min() == 1
    width, height = part.size
    step = np.abs(part.pixels.astype(int) - whole.pixels[y : y + height, x : x + width])
    assert step.max() <= 1


def test_nothing_edited_is_said(engine: Engine, model: str, classes: np.ndarray) -> None:
    with pytest.raises(EngineError, match="Nothing is edited") as caught:
        engine.apply(model, {"segments": drawn(classes)})
    assert caught.value.code == "nothing_edited"


def test_a_wrong_size_is_said(engine: Engine, model: str, classes: np.ndarray) -> None:
    with pytest.raises(EngineError, match="100 x 100 pixels; the model was trained on 202 x 134"):
        engine.apply(model, {"segments": drawn(classes[:100, :100])})


def test_a_missing_plane_is_taken_as_in_training(engine: Engine, model: str) -> None:
    edges = frame_of(Picture(np.full((134, 202), 255, np.uint8)))
    with pytest.raises(EngineError, match="Nothing is edited"):
        engine.apply(model, {"edges": edges})


def test_unseen_colours_are_reported(engine: Engine, model: str, classes: np.ndarray) -> None:
    picture = picture_of(drawn(classes)).pixels.copy()
    picture[40:80, 50:90] = (250, 240, 20)
    reply = engine.apply(model, {"segments": frame_of(Picture(picture))})
    assert "yellow" in reply.body["unseen"][0]


def test_a_given_mask_limits_or_adds(engine: Engine, model: str, classes: np.ndarray) -> None:
    given = np.zeros((134, 202), np.uint8)
    given[40:64, :] = 255
    frame = frame_of(Picture(given))
    planes = {"segments": edited(classes)}
    limited = engine.apply(model, planes, mask=frame).body
    assert limited["y"] + limited["height"] <= 64
    full, half = (frame_of(Picture(given // part)) for part in (1, 2))
    _, hard, _ = result(engine, engine.apply(model, planes, mask=full, feather=0))
    _, soft, _ = result(engine, engine.apply(model, planes, mask=half, feather=0))
    assert np.allclose(soft, hard * (127 / 255), atol=1 / 255), "grey counts in part"
    added = engine.apply(model, planes, mask=frame, mask_mode="add").body
    assert added["width"] == 202 and added["y"] + added["height"] > 80


@pytest.mark.long
@pytest.mark.parametrize("depth", ["u8", "u16", "f16", "f32"])
def test_every_depth_stays_exact_outside_the_edit(
    engine: Engine, coffee: np.ndarray, classes: np.ndarray, train: Train, depth: str
) -> None:
    dtype = DEPTHS[depth]
    noise = np.random.default_rng(0).random(coffee.shape)
    pixels = (coffee + noise) / 256
    pixels = (pixels * np.iinfo(dtype).max).astype(dtype) if dtype.kind == "u" else pixels.astype(dtype)
    started = train(engine, pixels, classes, iterations=1)
    assert engine.watch(started["job"], deadline=120)["state"] == "done"
    made, mask, corner = result(engine, engine.apply(started["model"], {"segments": edited(classes)}))
    assert made.depth == depth
    whole = composite(Picture(pixels), made, corner, mask)
    changed = (whole.pixels != pixels).any(2)
    assert 0 < changed.sum() < 0.15 * changed.size
    assert (whole.pixels[0] == pixels[0]).all()
    engine.delete(started["model"])


@pytest.mark.long
def test_grey_pictures_come_back_grey(engine: Engine, coffee: np.ndarray, classes: np.ndarray, train: Train) -> None:
    started = train(engine, cv2.cvtColor(coffee, cv2.COLOR_RGB2GRAY), classes, iterations=1)
    assert engine.watch(started["job"], deadline=120)["state"] == "done"
    made, _, _ = result(engine, engine.apply(started["model"], {"segments": edited(classes)}))
    assert made.channels == 1
    engine.delete(started["model"])


@pytest.mark.long
def test_a_region_of_24_megapixels_in_16_bits(engine: Engine, coffee: np.ndarray, train: Train) -> None:
    """A 500 x 500 region is trained on and edited; everything outside the mask is bit for bit the picture."""
    generator = np.random.default_rng(1)
    big = cv2.resize(coffee, (6000, 4000), interpolation=cv2.INTER_CUBIC).astype(np.uint16) * 257
    big[::7, ::5] ^= generator.integers(0, 255, big[::7, ::5].shape).astype(np.uint16)
    region = (2600, 1500, 500, 500)
    part = big[1500:2000, 2600:3100]
    grey = cv2.GaussianBlur((part.mean(2) / 257).astype(np.uint8), (0, 0), 5)
    classes = np.digitize(grey, np.quantile(grey, [0.33, 0.66])).astype(np.uint8)
    started = train(engine, big, classes, iterations=1, region=list(region), name="big")
    ended = engine.watch(started["job"], deadline=300)
    assert ended["state"] == "done", ended["error"]
    changed = classes.copy()
    changed[200:260, 200:300] = 2 - changed[200, 200]
    made, mask, (x, y) = result(engine, engine.apply(started["model"], {"segments": drawn(changed)}))
    assert made.depth == "u16"
    assert x >= 2600 and x + made.size[0] <= 3100 and y >= 1500 and y + made.size[1] <= 2000
    whole = composite(Picture(big), made, (x, y), mask)
    different = (whole.pixels != big).any(2)
    assert different[1705:1755, 2805:2895].mean() > 0.9
    covered = np.zeros_like(different)
    covered[y : y + made.size[1], x : x + made.size[0]] = mask > 0
    assert not (different & ~covered).any()
    engine.delete(started["model"])


@pytest.mark.long
def test_a_reduced_picture_says_so_and_comes_back_at_full_size(
    engine: Engine, coffee: np.ndarray, classes: np.ndarray, train: Train
) -> None:
    started = train(engine, coffee, classes, options={"pixels": 5000}, name="reduced")
    ended = engine.watch(started["job"], deadline=120)
    assert any("finer detail" in note for note in ended["notes"])
    reply = engine.apply(started["model"], {"segments": edited(classes)})
    made, mask, (x, y) = result(engine, reply)
    assert made.size == (mask.shape[1], mask.shape[0])
    assert any("works at" in note for note in reply.body["notes"])
    whole = composite(Picture(coffee), made, (x, y), mask)
    assert (whole.pixels[0] == coffee[0]).all()
    engine.delete(started["model"])


def test_applying_goes_before_training_and_two_clients_are_served(
    engine: Engine, folder: Path, model: str, coffee: np.ndarray, classes: np.ndarray, train: Train
) -> None:
    started = train(engine, coffee, classes, iterations=100_000)
    wait_for(lambda: engine.jobs()[-1]["progress"].get("phase") == "training")
    with Engine.connect(home=folder) as other:
        for client in (engine, other, engine):
            assert client.apply(model, {"segments": edited(classes)}, deadline=30).body["width"]
        before = other.jobs()[-1]["progress"]["iteration"]
        wait_for(lambda: other.jobs()[-1]["progress"]["iteration"] > before)
        assert other.cancel(started["job"])["stopping"] == "cancel"
    assert engine.watch(started["job"], deadline=10)["state"] == "cancelled"
    assert not (folder / "training" / started["model"]).exists()


@pytest.mark.long
def test_pause_and_resume(engine: Engine, coffee: np.ndarray, classes: np.ndarray, train: Train) -> None:
    started = train(engine, coffee, classes, iterations=400, name="paused")
    wait_for(lambda: engine.jobs()[-1]["progress"].get("iteration", 0) > 3)
    engine.pause(started["job"])
    paused = engine.watch(started["job"], deadline=30)
    assert paused["state"] == "paused"
    reached = paused["figures"]["iterations"]
    assert 3 < reached < 400
    told: list[int] = []

    def on_event(event: dict[str, object]) -> None:
        if event.get("phase") == "training":
            told.append(int(str(event["iteration"])))

    engine.resume(started["job"])
    with pytest.raises(EngineError, match="Cancelled"):
        engine.watch(started["job"], on_event, deadline=60, cancelled=lambda: len(told) > 1)
    assert reached <= told[0] < 400
    engine.cancel(started["job"])


def test_training_goes_on_after_kill_9(own: Path, coffee: np.ndarray, classes: np.ndarray, train: Train) -> None:
    """The client that watched finds the next engine by itself, which takes the training up from its checkpoint."""
    with Engine.connect(home=own) as engine:
        started = train(engine, coffee, classes, iterations=None, budget=20.0)
        checkpoint = own / "training" / started["model"] / "checkpoint.safetensors"
        wait_for(checkpoint.exists)
        first = checkpoint.stat().st_mtime_ns
        wait_for(lambda: checkpoint.stat().st_mtime_ns != first)
        reached = engine.jobs()[-1]["progress"]
        killed = pid(engine)
        children = psutil.Process(killed).children(recursive=True)
        heard: list[dict[str, object]] = []
        watching = engine.submit("watch", {"job": started["job"]}, (), 240.0, heard.append)
        engine.process(1.0)
        assert heard
        kill(killed)
        # No orphan goes on training behind the user's back.
        wait_for(
            lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 10
        )
        heard.clear()
        wait_for(lambda: engine.process(0.05) is not None or watching.done, 240)
        ended = watching.result().body
        assert ended["state"] == "done", ended["error"]
        assert pid(engine) != killed
        again = [event for event in heard if event.get("phase") == "training"]
        assert float(str(again[0]["elapsed"])) > 5
        assert ended["figures"]["iterations"] >= 0.5 * reached["iteration"]
        assert engine.models()[0]["id"] == started["model"]


def worker_of(engine: Engine) -> int:
    """The process that trains; 0 when there is none."""
    worker = engine.status()["worker"]
    return int(worker["pid"]) if worker else 0


def test_a_killed_worker_is_replaced_and_the_engine_stays(
    engine: Engine, coffee: np.ndarray, classes: np.ndarray, train: Train
) -> None:
    before = pid(engine)
    started = train(engine, coffee, classes, iterations=100_000)
    wait_for(lambda: engine.jobs()[-1]["progress"].get("phase") == "training")
    first = worker_of(engine)
    kill(first)
    wait_for(lambda: worker_of(engine) not in (0, first))
    assert any("from the last checkpoint" in note for note in engine.jobs()[-1]["notes"])
    # One that never comes further is given up, and its checkpoint kept: the user can go on.
    killed = {0, first}
    while engine.jobs()[-1]["state"] != "failed":
        wait_for(lambda: worker_of(engine) not in killed or engine.jobs()[-1]["state"] == "failed")
        if (worker := worker_of(engine)) != 0:
            kill(worker)
            killed.add(worker)
    assert len(killed) <= 6
    ended = engine.watch(started["job"], deadline=20)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "crashed")
    assert pid(engine) == before
    assert engine.resume(started["job"])["state"] in ("queued", "running")
    engine.cancel(started["job"])


def test_bad_data_is_refused_with_a_sentence(engine: Engine, coffee: np.ndarray, classes: np.ndarray) -> None:
    frame = frame_of(Picture(coffee))
    options = {"method": "deepsim", "iterations": 1, "options": QUICK_OPTIONS, "region": [0, 0, 4, 4]}
    started = engine.train(frame, {"segments": drawn(classes)}, palette=PALETTE, **options)
    ended = engine.watch(started["job"], deadline=60)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "too_small")
    assert ended["error"]["hint"]
    engine.cancel(started["job"])
    with pytest.raises(EngineError):
        engine.train(frame, {"segments": drawn(classes)}, budget=-1.0)


def test_the_daemon_loads_nothing_heavy(engine: Engine, model: str) -> None:
    maps = Path(f"/proc/{pid(engine)}/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what a process has loaded")
    loaded = maps.read_text()
    assert "zmq" in loaded
    for heavy in ("torch", "onnxruntime", "numpy", "cv2"):
        assert f"site-packages/{heavy}" not in loaded
    assert engine.status()["memory"] < 60 << 20


def test_methods_are_described_as_data(engine: Engine) -> None:
    described = engine.methods()
    assert {m["name"] for m in described["methods"]} == {"consingan", "deepsim", "draft", "meta", "refine", "sia"}
    assert described["devices"][0]["kind"] == "cpu"


@pytest.mark.parametrize(
    "options", [{"mask_mode": "perhaps"}, {"blend": "magic"}, {"feather": "soft"}, {"grow": 1.5}, {"seed": -1}]
)
def test_options_of_the_wrong_kind_are_refused(
    engine: Engine, model: str, classes: np.ndarray, options: dict[str, object]
) -> None:
    with pytest.raises(EngineError, match=next(iter(options))) as caught:
        engine.apply(model, {"segments": edited(classes)}, **options)
    assert caught.value.code == "bad_request"


def test_no_option_is_as_good_as_null(engine: Engine, model: str, classes: np.ndarray) -> None:
    nothing = dict.fromkeys(("mask_mode", "blend", "feather", "grow", "seed"))
    assert engine.apply(model, {"segments": edited(classes)}, **nothing).body["width"]


def test_the_cache_of_pictures_can_be_emptied_and_nothing_needs_it(engine: Engine, folder: Path) -> None:
    picture = frame_of(Picture(np.random.default_rng(5).integers(0, 255, (120, 160, 3), np.uint8)))
    made = engine.make_primitive(picture, "edges")
    held = sum(path.stat().st_size for path in (folder / "spool").glob("*.raw"))
    assert engine.clear()["freed"] == held > 0
    assert not list((folder / "spool").glob("*.raw"))
    assert engine.make_primitive(picture, "edges").body["planes"] == made.body["planes"], "it is simply sent again"
