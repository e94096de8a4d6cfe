"""Pictures without an underdrawing from the command line: trained once, used again, written as they were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture

from .command_line import CommandLine

SMALL = ("filters=4", "smallest=20", "longest=64", "stages=2", "crop=40")
TRAIN = ("--iterations", "2", *(word for figure in SMALL for word in ("--option", figure)))
WIDTH, HEIGHT = 72, 56
PASTE = (slice(20, 36), slice(30, 50))


class Place(CommandLine):
    """A folder with a picture of 16 bits, something pasted onto it, its mask; and an engine's home of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, folder / "home")
        random = np.random.default_rng(2)
        pixels = np.full((HEIGHT, WIDTH, 3), (50, 90, 200), np.float32)
        pixels[34:] = (40, 120, 60)
        pixels += random.normal(0, 12, pixels.shape)
        self.deep = (pixels.clip(0, 255) * 257).astype(np.uint16)
        self.changed = self.deep.copy()
        self.changed[PASTE] = (60_000, 1_000, 50_000)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[PASTE] = 255
        for name, picture in (("meadow", self.deep), ("pasted", self.changed), ("mask", mask)):
            write_picture(folder / f"{name}.png", Picture(picture))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("generate"))
    try:
        yield made
    finally:
        made.run("engine", "stop")


def test_harmonize_trains_once_and_changes_nothing_else(place: Place) -> None:
    words = ("harmonize", "meadow.png", "pasted.png", "--mask", "mask.png", "-o", "result.png")
    first = place.ask(*words, "--save-mask", "soft.png", "--name", "the meadow", *TRAIN)
    assert first["trained"] is True
    assert first["files"] == ["result.png", "soft.png"]
    made, soft = read_picture(place.folder / "result.png"), read_picture(place.folder / "soft.png").pixels[..., 0]
    assert made.depth == "u16"
    assert np.array_equal(made.pixels[soft == 0], place.changed[soft == 0])
    assert (made.pixels[PASTE] != place.changed[PASTE]).any(axis=2).mean() > 0.9
    x, y, width, _ = first["changed"]
    assert not soft[:y].any()
    assert not soft[:, x + width :].any()
    again = place.ask(*words, "--seed", "1")
    assert again["trained"] is False
    assert again["model"] == first["model"]


@pytest.mark.long
def test_a_model_that_is_fine_tuned_for_one_paste_is_not_taken_for_the_next(place: Place) -> None:
    words = ("harmonize", "meadow.png", "pasted.png", "--mask", "mask.png", "-o", "result.png")
    first = place.ask(*words, "--name", "the meadow", *TRAIN)
    tuned = place.ask(*words, "--fine-tune", "--iterations", "2")
    assert tuned["model"] != first["model"]
    assert place.ask(*words)["model"] == first["model"]


@pytest.mark.long
def test_blend_finds_the_edit_itself(place: Place) -> None:
    found = place.ask("blend", "meadow.png", "pasted.png", "-o", "blended.png", *TRAIN)
    x, y, width, height = found["changed"]
    assert x <= PASTE[1].start
    assert y <= PASTE[0].start
    assert x + width >= PASTE[1].stop
    assert y + height >= PASTE[0].stop
    # A model trained for edits can repaint, too.
    painted = place.ask("repaint", "meadow.png", "pasted.png", "-o", "painted.png")
    assert painted["model"] == found["model"]
    assert painted["changed"] == [0, 0, WIDTH, HEIGHT]


def test_variations_sizes_and_clips(place: Place) -> None:
    found = place.ask("vary", "meadow.png", "-n", "3", "--freedom", "0.6", "-o", "kinds/", *TRAIN)
    assert [Path(name).name for name in found["files"]] == ["1.png", "2.png", "3.png"]
    pictures = [read_picture(place.folder / name) for name in found["files"]]
    assert all(picture.size == (WIDTH, HEIGHT) and picture.depth == "u16" for picture in pictures)
    assert not np.array_equal(pictures[0].pixels, pictures[1].pixels)
    numbered = place.ask("vary", "meadow.png", "-n", "1", "-o", "kind.png")
    assert numbered["files"] == ["kind.1.png"]
    wide = place.ask("resize", "meadow.png", "120x56", "-o", "wide.png")
    assert wide["model"] == found["model"]
    assert read_picture(place.folder / "wide.png").size == (120, 56)
    clip = place.ask("animate", "meadow.png", "--walk", "--length", "4", "--fps", "10", "-o", "clip.gif")
    assert clip["frames"] == 4
    with Image.open(place.folder / "clip.gif") as gif:
        assert gif.n_frames == 4
        assert gif.size == (WIDTH, HEIGHT)
    place.ask("animate", "meadow.png", "--walk", "--length", "2", "-o", "frames")
    assert sorted(path.name for path in (place.folder / "frames").iterdir()) == ["00001.png", "00002.png"]


@pytest.mark.long
def test_enlarge(place: Place) -> None:
    found = place.ask("enlarge", "meadow.png", "1.5x", "-o", "large.png", *TRAIN)
    assert found["trained"] is True
    assert read_picture(place.folder / "large.png").size == (108, 84)


@pytest.mark.long
def test_a_picture_is_trained_on_without_an_underdrawing(place: Place) -> None:
    found = place.ask("train", "meadow.png", "--recipe", "harmonize", "--name", "by hand", *TRAIN)
    assert found["state"] == "done"
    (model,) = [m for m in place.ask("models", "list")["models"] if m["id"] == found["model"]]
    assert model["planes"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("harmonize", "meadow.png", "mask.png", "--budget", "9s", "--iterations", "3", "-o", "x.png"), "not both"),
        (("resize", "meadow.png", "large", "-o", "x.png"), "WxH"),
        (("enlarge", "meadow.png", "0.5x", "-o", "x.png"), "smaller"),
        (("enlarge", "meadow.png", "twice", "-o", "x.png"), "2x"),
        (("animate", "meadow.png", "-o", "x.gif"), "--walk"),
        (("animate", "meadow.png", "kinds", "--walk", "-o", "x.gif"), "--walk"),
    ],
)
def test_wrong_words_are_explained(place: Place, words: tuple[str, ...], said: str) -> None:
    done = place.run(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_faults_are_one_sentence(place: Place) -> None:
    write_picture(place.folder / "other.png", Picture(place.deep[:40].copy()))
    done = place.run("harmonize", "meadow.png", "other.png", "-o", "x.png")
    assert done.returncode == 2
    assert "72 x 56" in done.stderr
    same = place.run("blend", "meadow.png", "meadow.png", "-o", "x.png")
    assert same.returncode == 1
    assert "Nothing is changed" in same.stderr
    assert "Traceback" not in same.stderr
    assert not (place.folder / "x.png").exists()
