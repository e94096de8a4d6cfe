"""Files that commands read and write: what they hold is kept, and no input is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture

from .command_line import CommandLine

WIDTH, HEIGHT = 72, 64
TRAIN = ("--iterations", "1", "--option", "filters=4", "--option", "smallest=20", "--option", "longest=48")
SMALL = (*TRAIN, "--option", "stages=2", "--option", "crop=40")


class Place(CommandLine):
    """A folder with a sticker, a disc on transparent ground with 16 bits, and an engine's home of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, folder / "home")
        pixels = np.full((HEIGHT, WIDTH, 3), (60, 60, 200), np.uint8)
        cv2.circle(pixels, (24, 26), 12, (230, 200, 40), -1)
        noise = np.random.default_rng(2).integers(-12, 13, pixels.shape)
        deep = ((pixels.astype(np.int32) + noise).clip(0, 255) * 257).astype(np.uint16)
        alpha = np.zeros((HEIGHT, WIDTH), np.uint16)
        cv2.circle(alpha, (24, 26), 12, 65_535, -1)
        alpha[60:, 60:] = 300  # nearly invisible, and to be kept as it is
        self.picture = Picture(deep, alpha)
        write_picture(folder / "sticker.png", self.picture)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("files"))
    try:
        made.ask("primitive", "sticker.png", "--kind", "segments", "--regions", "2", "-o", "areas.png")
        made.ask("train", "sticker.png", "areas.png", "--name", "sun", "--method", "draft")
        made.ask("region", "areas.png", "move", "--at", "24,26", "--dx", "24", "-o", "moved.png")
        yield made
    finally:
        made.run("engine", "stop")


@pytest.mark.parametrize("given", [(), ("--image", "sticker.png")])
def test_transparency_is_kept_outside_an_edit_and_follows_it_inside(place: Place, given: tuple[str, ...]) -> None:
    place.ask("apply", "sun", "moved.png", *given, "-o", "out.png", "--save-mask", "mask.png")
    made, mask = read_picture(place.folder / "out.png"), read_picture(place.folder / "mask.png").pixels[..., 0]
    assert made.alpha is not None and place.picture.alpha is not None
    assert np.array_equal(made.alpha[mask == 0], place.picture.alpha[mask == 0])
    assert made.opacity()[26, 48] > 0.9
    assert made.opacity()[26, 20] < 0.1


@pytest.mark.long
def test_generated_pictures_keep_their_transparency_or_say_that_they_do_not(place: Place) -> None:
    assert place.ask("vary", "sticker.png", "-n", "1", "-o", "kind.png", *SMALL)["losses"] == []
    assert place.picture.alpha is not None
    varied = read_picture(place.folder / "kind.1.png")
    assert varied.alpha is not None and np.array_equal(varied.alpha, place.picture.alpha)
    (loss,) = place.ask("resize", "sticker.png", "90x64", "-o", "wide.png")["losses"]
    assert "transparency was left out" in loss
    (loss,) = place.ask("animate", "sticker.png", "--walk", "--length", "2", "-o", "clip.gif")["losses"]
    assert "transparency was left out" in loss


@pytest.mark.long
def test_an_enlarged_picture_has_its_transparency_enlarged(place: Place) -> None:
    assert place.ask("enlarge", "sticker.png", "2x", "-o", "large.png", *SMALL)["losses"] == []
    large = read_picture(place.folder / "large.png").opacity()
    assert large.shape == (2 * HEIGHT, 2 * WIDTH)
    assert large[52, 48] == 1 and large[4, 4] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("apply", "sun", "moved.png", "-o", "moved.png"),
        ("apply", "sun", "moved.png", "-o", "./link.png"),
        ("apply", "sun", "moved.png", "-o", "hard.png"),
        ("apply", "sun", "moved.png", "-o", "x.png", "--save-mask", "moved.png"),
        ("apply", "sun", "moved.png", "--mask", "areas.png", "-o", "areas.png"),
        ("apply", "sun", "moved.png", "--image", "sticker.png", "-o", "x.png", "--save-layer", "sticker.png"),
        ("primitive", "sticker.png", "--kind", "edges", "-o", "sticker.png"),
        ("region", "areas.png", "remove", "--at", "24,26", "-o", "areas.png"),
        ("region", "areas.png", "remove", "--mask", "moved.png", "-o", "moved.png"),
        ("layout", "sun", "sticker.png", "-o", "sticker.png"),
        ("harmonize", "sticker.png", "moved.png", "-o", "sticker.png"),
        ("blend", "sticker.png", "moved.png", "-o", "moved.png"),
        ("resize", "sticker.png", "90x64", "-o", "sticker.png"),
        ("enlarge", "sticker.png", "2x", "-o", "sticker.png"),
        ("vary", "1.png", "-n", "2", "-o", "."),
    ],
)
def test_results_never_overwrite_what_they_are_made_from(place: Place, words: tuple[str, ...]) -> None:
    folder = place.folder
    if not (folder / "link.png").is_symlink():
        (folder / "link.png").symlink_to("moved.png")
        os.link(folder / "moved.png", folder / "hard.png")
        write_picture(folder / "1.png", place.picture)
    before = {file: file.read_bytes() for file in folder.glob("*.png")}
    done = place.run(*words)
    assert done.returncode == 1
    assert "would be overwritten" in done.stderr
    assert {file: file.read_bytes() for file in folder.glob("*.png")} == before


def test_two_results_need_two_names(place: Place) -> None:
    done = place.run("apply", "sun", "moved.png", "-o", "same.png", "--save-mask", "same.png")
    assert done.returncode == 1
    assert "Two results" in done.stderr


def test_a_clip_does_not_overwrite_its_frames(place: Place) -> None:
    (place.folder / "frames").mkdir()
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(place.folder / "frames" / "00001.png")
    done = place.run("animate", "sun", "frames", "-o", "frames/")
    assert done.returncode == 2
    assert "would be overwritten" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("apply", "sun", "moved.png", "-o", "mistyped/out.png"),
        ("primitive", "sticker.png", "-o", "mistyped/out.png"),
        ("vary", "sticker.png", "-o", "mistyped/out.png"),
        ("vary", "sticker.png", "-o", "mistyped/folder"),
        ("animate", "sticker.png", "--walk", "-o", "mistyped/clip.gif"),
    ],
)
def test_a_mistyped_folder_is_an_error(place: Place, words: tuple[str, ...]) -> None:
    done = place.run(*words)
    assert done.returncode == 1
    assert "no folder" in done.stderr
    assert not (place.folder / "mistyped").exists()


def camera_jpeg(path: Path) -> None:
    """A photograph of the sticker that lies on its side, with place, resolution, and a thumbnail."""
    upright = read_picture(path.with_name("sticker.png")).to_bytes()
    exif = Image.Exif()
    exif[271], exif[274] = "A camera", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.5)})
    Image.fromarray(np.rot90(upright, 1)).save(path, exif=exif, dpi=(300, 300), quality=95)


@pytest.mark.parametrize(
    "name", ["out.jpg", "out.png", *(pytest.param(name, marks=pytest.mark.long) for name in ("out.tif", "out.webp"))]
)
@pytest.mark.parametrize("given", [(), pytest.param(("--image", "photo.jpg"), marks=pytest.mark.long)])
def test_metadata_are_kept_from_the_camera_to_the_result(place: Place, name: str, given: tuple[str, ...]) -> None:
    if not (place.folder / "photo.jpg").exists():
        camera_jpeg(place.folder / "photo.jpg")
        place.ask("train", "photo.jpg", "areas.png", "--name", "photo", "--method", "draft")
    place.ask("apply", "photo", "moved.png", *given, "-o", name)
    with Image.open(place.folder / name) as image:
        assert image.size == (WIDTH, HEIGHT)
        exif = image.getexif()
        assert exif[271] == "A camera"
        assert exif.get(274, 1) == 1
        assert exif.get_ifd(0x8825)[1] == "N"
        assert [round(float(value)) for value in (image.info.get("dpi") or (exif[282], exif[283]))] == [300, 300]
    place.ask("apply", "photo", "moved.png", *given, "--strip", "-o", f"plain.{name}")
    with Image.open(place.folder / f"plain.{name}") as image:
        assert not {271, 0x8825} & set(image.getexif())
        assert "dpi" not in image.info or image.format == "JPEG"


def test_wrong_files_are_called_what_they_are(place: Place) -> None:
    photo = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8), (0, 0), 2)
    write_picture(place.folder / "photo.png", Picture(photo))
    region = ("region", "photo.png", "remove", "--at", "5,5")
    for words in (("apply", "sun", "photo.png"), ("apply", "photo.png", "photo.png"), region):
        done = place.run(*words, "-o", "wrong.png")
        assert done.returncode == 1
        assert "photo.png is a photograph" in done.stderr
        assert not (place.folder / "wrong.png").exists()


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_numbers_that_are_none_are_refused(place: Place, number: str) -> None:
    done = place.run("apply", "sun", "moved.png", "--feather", number, "-o", "x.png")
    assert done.returncode == 2
    assert "no number that can be used" in done.stderr


def test_models_of_one_name_are_told_apart(place: Place) -> None:
    first = place.ask("models", "list")["models"]
    done = place.run("train", "sticker.png", "areas.png", "--name", "sun", "--method", "draft")
    assert done.returncode == 0
    (old,) = [model["id"] for model in first if model["name"] == "sun"]
    assert "'sun' is there already" in done.stderr and old in done.stderr
    done = place.run("apply", "sun", "moved.png", "-o", "x.png")
    assert "2 models are called 'sun'" in done.stderr and old in done.stderr
    assert place.ask("apply", old, "moved.png", "-o", "x.png")["model"] == old
    assert "are called" not in place.run("apply", old, "moved.png", "-o", "x.png").stderr
