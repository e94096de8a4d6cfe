"""The command line against a real engine: what is written, what is said, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from underdrawing.client.job_status import JobStatus
from underdrawing.client.key_values import options_of
from underdrawing.commands import output
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture

from .command_line import CommandLine

WIDTH, HEIGHT = 72, 64
LITTLE = ("filters=8", "halvings=1", "blocks=1", "crop=64", "perceptual=0")
TRAIN = ("--method", "deepsim", "--iterations", "1", *(word for figure in LITTLE for word in ("--option", figure)))


class Place(CommandLine):
    """A folder with a picture, and an engine's home of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, folder / "home 家")
        yellow, blue, green = (230, 200, 40), (50, 90, 200), (40, 120, 60)
        pixels = np.full((HEIGHT, WIDTH, 3), blue, np.uint8)
        pixels[40:] = green
        cv2.circle(pixels, (24, 26), 12, yellow, -1)
        noise = np.random.default_rng(2).integers(-12, 13, pixels.shape)
        deep = ((pixels.astype(np.int32) + noise).clip(0, 255) * 257).astype(np.uint16)
        self.picture = Picture(deep)
        write_picture(folder / "sun 太陽.png", self.picture)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An engine that trained one small picture in one iteration."""
    made = Place(tmp_path_factory.mktemp("cli"))
    try:
        made.ask("primitive", "sun 太陽.png", "--kind", "segments", "--regions", "3", "-o", "areas.png")
        made.ask("train", "sun 太陽.png", "areas.png", "--name", "sun", *TRAIN)
        yield made
    finally:
        made.run("engine", "stop")


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, underdrawing.commands.main\n"
        "heavy = {'torch', 'numpy', 'cv2', 'onnx', 'onnxruntime', 'zmq', 'requests', 'skimage', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_command(tmp_path: Path) -> None:
    done = Place(tmp_path).run("--help")
    assert done.returncode == 0
    for word in (
        "primitive",
        "region",
        "train",
        "apply",
        "animate",
        "models",
        "weights",
        "engine",
        "doctor",
        "install",
    ):
        assert word in done.stdout


def test_an_edit_changes_the_mask_alone_at_the_pictures_own_depth(place: Place) -> None:
    edit = place.ask("region", "areas.png", "move", "--at", "24,26", "--dx", "20", "-o", "moved.png")
    assert edit["files"] == ["moved.png"]
    found = place.ask("apply", "sun", "moved.png", "-o", "out.png", "--save-mask", "mask.png", "--save-layer", "l.png")
    before, after = read_picture(place.folder / "sun 太陽.png"), read_picture(place.folder / "out.png")
    mask = read_picture(place.folder / "mask.png").pixels[..., 0]
    assert after.depth == "u16"
    assert np.array_equal(before.pixels[mask == 0], after.pixels[mask == 0])
    assert not np.array_equal(before.pixels[mask > 0], after.pixels[mask > 0])
    x, y, width, height = found["changed"]
    assert 0 <= x < x + width <= WIDTH
    assert 0 <= y < y + height <= HEIGHT
    assert not mask[:y].any()
    layer = read_picture(place.folder / "l.png")
    assert layer.size == (width, height)
    assert layer.alpha is not None
    alpha = (layer.alpha.astype(np.int64) + 128) // 257
    assert np.abs(alpha - mask[y : y + height, x : x + width]).max() <= 1


def test_a_given_picture_stays_what_it_is_outside_the_edit(place: Place) -> None:
    place.ask("region", "areas.png", "remove", "--at", "24,26", "-o", "gone.png")
    other = Picture(place.picture.pixels[:, ::-1].copy())
    write_picture(place.folder / "other.png", other)
    place.ask(
        "apply", "sun", "gone.png", "--image", "other.png", "-o", "o.tif", "--save-mask", "m.png", "--feather", "4"
    )
    mask = read_picture(place.folder / "m.png").pixels[..., 0]
    after = read_picture(place.folder / "o.tif")
    assert (mask > 0).any()
    assert np.array_equal(other.pixels[mask == 0], after.pixels[mask == 0])


@pytest.mark.long
def test_apply_takes_a_picture_and_no_edit_is_lost_by_training(place: Place) -> None:
    fresh = Picture(place.picture.pixels[:, ::-1].copy())
    write_picture(place.folder / "fresh.png", fresh)
    place.ask("primitive", "fresh.png", "--kind", "segments", "--regions", "3", "-o", "made.png")
    place.ask("region", "made.png", "move", "--at", "47,26", "--dx", "-22", "-o", "once.png")
    place.ask("apply", "fresh.png", "once.png", "-o", "first.png", "--save-mask", "first mask.png")
    place.ask("train", "fresh.png", *TRAIN, "--name", "fresh again")
    models = {m["name"]: m for m in place.ask("models", "list")["models"] if m["picture_hash"] == fresh.hash}
    assert (models["fresh"]["method"], models["fresh again"]["method"]) == ("draft", "deepsim")
    assert models["fresh again"]["planes"] == ["segments"], "from the areas that were made, not from new ones"

    twice = read_picture(place.folder / "once.png").pixels.copy()
    twice[-8:, -8:] = twice[26, 25]
    write_picture(place.folder / "twice.png", Picture(twice))
    place.ask("apply", "fresh.png", "twice.png", "-o", "second.png", "--save-mask", "second mask.png")
    first, second = (read_picture(place.folder / f"{name} mask.png").pixels[..., 0] > 0 for name in ("first", "second"))
    assert second[26, 25], "the first edit is still there"
    assert second[-4, -4]
    assert first[26, 25]
    assert not first[-4, -4]
    assert len([m for m in place.ask("models", "list")["models"] if m["picture_hash"] == fresh.hash]) == 2
    for model in models:
        place.ask("models", "delete", model, "--yes")


def test_a_lossy_file_is_said_aloud(place: Place) -> None:
    place.ask("region", "areas.png", "move", "--at", "24,26", "--dy", "6", "-o", "down.png")
    done = place.run("apply", "sun", "down.png", "-o", "out.jpg")
    assert done.returncode == 0
    assert "JPEG is lossy" in done.stderr
    assert "JPEG holds 8 bits" in done.stderr


def test_parts_of_another_picture_are_told_and_matched_by_hand(place: Place) -> None:
    write_picture(place.folder / "mirrored.png", Picture(place.picture.pixels[:, ::-1].copy()))
    told = place.ask("layout", "sun", "mirrored.png", "--areas", "3", "-o", "found.png")
    assert len(told["areas"]) == 3
    found = read_picture(place.folder / "found.png").pixels
    assert place.ask("layout", "sun", "mirrored.png", "-o", "plain.png")["areas"] == []
    assert np.array_equal(read_picture(place.folder / "plain.png").pixels, found)
    largest, other = told["areas"][0], told["areas"][1]["class"]
    assert largest["class"] != other
    done = place.run("layout", "sun", "mirrored.png", "--areas", "3", "--match", f"0={other}", "-o", "matched.png")
    assert f"{largest['name']}: {other}" in done.stdout
    changed = (read_picture(place.folder / "matched.png").pixels != found).any(2)
    assert changed.mean() == pytest.approx(largest["share"] * largest["agreed"], abs=0.01)
    assert place.run("layout", "sun", "mirrored.png", "--match", "sky", "-o", "x.png").returncode == 2
    unknown = place.run("layout", "sun", "mirrored.png", "--match", "0=castle", "-o", "x.png")
    assert unknown.returncode == 1
    assert "No class is named 'castle'" in unknown.stderr


def test_a_clip_has_a_frame_for_each_drawing(place: Place) -> None:
    folder = place.folder / "frames"
    folder.mkdir(exist_ok=True)
    drawn = read_picture(place.folder / "areas.png")
    for number in range(3):
        shifted = np.roll(drawn.pixels, 4 * number, axis=1)
        write_picture(folder / f"{number}.png", Picture(shifted))
    assert place.ask("animate", "sun", "frames", "-o", "clip.gif")["frames"] == 3
    assert place.ask("animate", "sun", "frames", "-o", "clip.mp4", "--fps", "8")["frames"] == 3
    film = cv2.VideoCapture(str(place.folder / "clip.mp4"))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 3
    film.release()
    place.ask("animate", "sun", "frames", "-o", "clip")
    assert len(list((place.folder / "clip").glob("*.png"))) == 3


def test_models_can_be_listed_renamed_given_away_and_deleted(place: Place) -> None:
    assert [m["name"] for m in place.ask("models", "list")["models"]] == ["sun"]
    assert place.ask("models", "export", "sun", "-o", "given.underdrawing")["files"] == ["given.underdrawing"]
    copy = place.ask("models", "import", "given.underdrawing")
    place.ask("models", "rename", copy["id"], "moon")
    assert sorted(m["name"] for m in place.ask("models", "list")["models"]) == ["moon", "sun"]
    assert place.ask("models", "show", "moon")["manifest"]["method"] == "deepsim"
    place.ask("models", "delete", "moon", "--yes")
    assert [m["name"] for m in place.ask("models", "list")["models"]] == ["sun"]


def test_a_training_can_be_paused_resumed_and_cancelled(place: Place) -> None:
    begun = place.ask(
        "train", "sun 太陽.png", "areas.png", "--name", "slow", "--method", "deepsim", "--budget", "1h", "--detach"
    )
    job = begun["job"]
    place.ask("pause", job)
    assert place.ask("watch", job)["state"] == "paused"
    place.ask("resume", job, "--detach")
    place.ask("cancel", job)
    states = {j["job"]: j["state"] for j in place.ask("jobs")["jobs"]}
    assert states[job] == "cancelled"


def test_errors_are_one_sentence_and_an_exit_code(place: Place) -> None:
    done = place.run("apply", "nobody", "areas.png", "-o", "x.png")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "✗ There is no model 'nobody'."
    assert "models list" in done.stderr
    told = place.run("apply", "nobody", "areas.png", "-o", "x.png", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["error"]["code"] == "unknown_model"
    missing = place.run("primitive", "nothing.png", "-o", "x.png")
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
    assert place.run("region", "areas.png", "move", "-o", "x.png").returncode == 2
    assert not (place.folder / "x.png").exists()


def test_a_picture_of_another_size_is_refused(place: Place) -> None:
    write_picture(place.folder / "small.png", Picture(np.zeros((9, 9, 3), np.uint8)))
    done = place.run("apply", "sun", "areas.png", "--image", "small.png", "-o", "x.png")
    assert done.returncode == 2
    assert "9 x 9" in done.stderr


def test_the_engine_says_what_it_does(place: Place) -> None:
    status = place.ask("engine", "status")
    assert status["running"]
    assert status["models"] == 1
    assert "daemon" in place.run("engine", "logs").stdout


def test_an_engine_that_does_not_run_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    here = Place(tmp_path)
    assert here.run("engine", "status").returncode == 3
    assert here.run("engine", "stop").returncode == 0


def test_install_writes_down_which_python_runs_the_engine(tmp_path: Path) -> None:
    here = Place(tmp_path)
    done = here.run("install", "--offline", str(tmp_path / "nothing"))
    assert json.loads((here.home / "install.json").read_text())["python"] == sys.executable
    assert done.returncode in (0, 1), "0 when the weights are there already, 1 when the empty folder was needed"


@pytest.mark.parametrize(("text", "value"), [("90", 90.0), ("90s", 90.0), ("2m", 120.0), ("1.5h", 5400.0)])
def test_times_are_read(text: str, value: float) -> None:
    assert output.seconds(text) == value


@pytest.mark.parametrize("text", ["", "x", "5x", "-3s", "nan", "1e99h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="is no"):
        output.seconds(text)


def test_options_keep_their_types() -> None:
    words = ["rate=0.001", "width=32", "gan=no", "norm=instance"]
    assert options_of(words) == {"rate": 0.001, "width": 32, "gan": False, "norm": "instance"}


def test_progress_is_one_line() -> None:
    event = {
        "event": "progress",
        "phase": "training",
        "left": 75.4,
        "iteration": 12,
        "rate": 3.21,
        "device": "CPU",
        "losses": {"l1": 0.12345},
    }
    told = JobStatus("j", "m", state="running").after(event).details
    assert told == "Training · on the processor · 1:15 min left · 3.2 steps a second · iteration 12 · l1 0.123"
