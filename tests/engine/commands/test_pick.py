"""`underdrawing pick`, `edit` and `region --picture` through a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture

from .command_line import CommandLine

WIDTH, HEIGHT = 160, 120


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A folder with a photograph of a ball on a lawn, and its underdrawing."""
    folder = tmp_path_factory.mktemp("pick")
    made = CommandLine(folder, folder / "home")
    write_ball(folder / "ball.png")
    try:
        made.ask("primitive", "ball.png", "--kind", "segments", "--regions", "2", "-o", "areas.png")
        yield made
    finally:
        made.run("engine", "stop")


def write_ball(path: Path) -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), (60, 120, 70), np.float32)
    cv2.circle(pixels, (50, 60), 20, (200, 60, 50), -1)
    pixels += np.random.default_rng(5).normal(0, 3, pixels.shape)
    write_picture(path, Picture(pixels.clip(0, 255).astype(np.uint8)))


def ball() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (50, 60), 20, 1, -1)
    return mask > 0


def read(folder: Path, name: str) -> np.ndarray:
    return read_picture(folder / name).pixels[..., 0]


def test_the_thing_at_a_point_is_written_as_a_mask(place: CommandLine) -> None:
    answer = place.ask("pick", "ball.png", "--at", "50,60", "-o", "mask.png")
    mask = read(place.folder, "mask.png")
    assert mask.shape == (HEIGHT, WIDTH)
    assert (mask[ball()] > 127).mean() > 0.95
    assert (mask[~ball()] > 127).mean() < 0.02
    assert answer["share"] == pytest.approx(ball().mean(), rel=0.15)
    assert answer["candidates"][0]["score"] == max(one["score"] for one in answer["candidates"])


def test_a_bigger_thing_holds_the_thing(place: CommandLine) -> None:
    small = place.ask("pick", "ball.png", "--at", "50,60", "-o", "one.png")["share"]
    assert place.ask("pick", "ball.png", "--at", "50,60", "--smaller", "1", "-o", "two.png")["share"] <= small


def test_a_box_means_what_is_in_it(place: CommandLine) -> None:
    place.ask("pick", "ball.png", "--box", "28,38,44,44", "-o", "boxed.png")
    assert (read(place.folder, "boxed.png")[ball()] > 127).mean() > 0.95


def test_an_area_can_be_removed_by_pointing_at_the_photograph(place: CommandLine) -> None:
    place.ask("region", "areas.png", "remove", "--at", "50,60", "--picture", "ball.png", "-o", "empty.png")
    colours = read_picture(place.folder / "empty.png").pixels.reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) == 1


def test_areas_are_merged_and_split_again_and_the_legend_names_them(place: CommandLine) -> None:
    place.ask("primitive", "ball.png", "--kind", "segments", "--regions", "2", "--legend", "names.png", "-o", "two.png")
    assert read_picture(place.folder / "names.png").size[0] == 720
    place.ask("region", "two.png", "merge", "--at", "50,60", "--into", "5,5", "--picture", "ball.png", "-o", "one.png")
    merged = read_picture(place.folder / "one.png").pixels
    assert len(np.unique(merged.reshape(-1, 3), axis=0)) == 1
    place.ask("region", "one.png", "split", "--at", "5,5", "--picture", "ball.png", "-o", "apart.png")
    apart = read_picture(place.folder / "apart.png").pixels
    inside = (apart == apart[60, 50]).all(2)
    assert inside[ball()].mean() > 0.95 and inside[~ball()].mean() < 0.05


def far_from(mask: np.ndarray, pixels: int = 12) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1, 2 * pixels + 1))) == 0


def test_a_thing_is_removed_by_one_click(place: CommandLine) -> None:
    answer = place.ask("edit", "ball.png", "remove", "--at", "50,60", "-o", "gone.png")
    before, after = (read_picture(place.folder / name).pixels.astype(int) for name in ("ball.png", "gone.png"))
    assert np.abs(after[ball()] - (60, 120, 70)).mean() < 8
    assert np.array_equal(after[far_from(ball())], before[far_from(ball())])
    assert answer["share"] == pytest.approx(ball().mean(), rel=0.15)
    assert place.ask("models", "list")["models"] == []


def test_a_thing_is_moved_by_one_click(place: CommandLine) -> None:
    place.ask("edit", "ball.png", "move", "--at", "50,60", "--dx", "60", "-o", "moved.png")
    before, after = (read_picture(place.folder / name).pixels.astype(int) for name in ("ball.png", "moved.png"))
    there = np.roll(ball(), 60, axis=1)
    assert np.abs(after[there] - before[ball()]).mean() < 12
    assert np.abs(after[ball()] - (60, 120, 70)).mean() < 8


def test_a_thing_of_most_of_the_picture_is_asked_about(place: CommandLine) -> None:
    done = place.run("edit", "ball.png", "remove", "--box", "0,0,160,120", "-o", "never.png")
    assert done.returncode != 0
    assert "more than a third" in done.stderr
    assert not (place.folder / "never.png").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "Point at the thing"),
        (("--at", "400,10"), "outside the picture"),
        (("--at", "5"), "write X,Y"),
        (("--box", "500,500,5,5"), "outside the picture"),
        (("--at", "5,5", "--bigger", "1", "--smaller", "1"), "not both"),
    ],
)
def test_what_cannot_be_picked_is_a_sentence(place: CommandLine, words: tuple[str, ...], text: str) -> None:
    done = place.run("pick", "ball.png", *words, "-o", "never.png")
    assert done.returncode != 0
    assert text in done.stderr
    assert not (place.folder / "never.png").exists()
