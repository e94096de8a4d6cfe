"""`underdrawing lift`, `apply --lifted` and `edit` through a real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from underdrawing.commands.lift import KEY
from underdrawing.picture.files import read_picture, read_text, write_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.layer_transform import LayerTransform

from .command_line import CommandLine
from .test_pick import write_ball

WIDTH, HEIGHT = 160, 120
LAWN = (60, 120, 70)


def disc(x: int, y: int, radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    return mask > 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A folder with a photograph of a ball on a lawn, and the ball's layer."""
    folder = tmp_path_factory.mktemp("lift")
    made = CommandLine(folder, folder / "home")
    write_ball(folder / "ball.png")
    try:
        answer = made.ask("lift", "ball.png", "--at", "50,60", "-o", "layer.png")
        assert answer["share"] == pytest.approx(disc(50, 60, 20).mean(), rel=0.15)
        yield made
    finally:
        made.run("engine", "stop")


def fails(place: CommandLine, *words: str) -> str:
    """What a command that fails says, in one line."""
    done = place.run(*words)
    assert done.returncode not in (0, None) and "Traceback" not in done.stderr
    return " ".join(done.stderr.replace("│", " ").split())


def read(place: CommandLine, name: str) -> np.ndarray:
    return read_picture(place.folder / name).pixels.astype(int)


def corner(place: CommandLine) -> tuple[int, int]:
    """Where the layer was, as its file remembers it."""
    memory = json.loads(read_text(place.folder / "layer.png")[KEY])
    return memory["x"], memory["y"]


def test_a_moved_layer_uncovers_where_it_was(place: CommandLine) -> None:
    x, y = corner(place)
    answer = place.ask("apply", "ball.png", "--lifted", f"layer.png@{x + 60},{y}", "-o", "moved.png")
    before, after = read(place, "ball.png"), read(place, "moved.png")
    assert np.array_equal(after[disc(110, 60, 16)], before[disc(50, 60, 16)])
    assert np.abs(after[disc(50, 60, 22)] - LAWN).mean() < 8
    far = ~(disc(50, 60, 34) | disc(110, 60, 26))
    assert np.array_equal(after[far], before[far])
    assert answer["changed"][2] > 80
    assert place.ask("models", "list")["models"] == []


def test_a_removed_layer_is_gone_and_a_second_one_is_a_copy(place: CommandLine) -> None:
    before = read(place, "ball.png")
    place.ask("apply", "ball.png", "--lifted", "layer.png@removed", "-o", "gone.png")
    assert np.abs(read(place, "gone.png")[disc(50, 60, 22)] - LAWN).mean() < 8
    x, y = corner(place)
    place.ask("apply", "ball.png", "--lifted", "layer.png", "--lifted", f"layer.png@{x + 60},{y}", "-o", "two.png")
    after = read(place, "two.png")
    assert np.array_equal(after[disc(50, 60, 28)], before[disc(50, 60, 28)])
    assert np.array_equal(after[disc(110, 60, 16)], before[disc(50, 60, 16)])


def test_a_layer_that_another_program_changed_is_taken_as_it_is(place: CommandLine) -> None:
    layer = read_picture(place.folder / "layer.png")
    blue = np.full_like(layer.pixels, (20, 30, 220))
    write_picture(place.folder / "blue.png", Picture(blue, layer.alpha))
    done = place.run("apply", "ball.png", "--lifted", "blue.png", "-o", "never.png")
    assert "does not say where it was lifted from" in done.stderr
    x, y = corner(place)
    place.ask("apply", "ball.png", "--lifted", f"blue.png@{x},{y}", "-o", "blue-ball.png")
    assert np.array_equal(np.unique(read(place, "blue-ball.png")[disc(50, 60, 16)], axis=0), [(20, 30, 220)])


def test_a_stroke_and_a_layer_count_together(place: CommandLine) -> None:
    place.ask("primitive", "ball.png", "--kind", "segments", "--regions", "2", "-o", "areas.png")
    areas = read_picture(place.folder / "areas.png")
    pixels = areas.pixels.copy()
    pixels[85:105, 120:150] = pixels[60, 50]
    write_picture(place.folder / "painted.png", replace(areas, pixels=pixels))
    place.ask("apply", "ball.png", "painted.png", "--lifted", "layer.png@removed", "-o", "both.png")
    before, after = read(place, "ball.png"), read(place, "both.png")
    assert np.abs(after[disc(50, 60, 22)] - LAWN).mean() < 8
    assert np.abs(after[90:100, 126:144] - before[90:100, 126:144]).mean() > 30


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("apply", "ball.png", "-o", "never.png"), "Give the edited underdrawing"),
        (("apply", "ball.png", "--lifted", "layer.png@5", "-o", "never.png"), "write X,Y or removed"),
        (("apply", "small.png", "--lifted", "layer.png", "-o", "never.png"), "from another picture"),
        (("apply", "ball.png", "--lifted", "layer.png", "-o", "never.png"), "every lifted layer is unchanged"),
        (("lift", "ball.png", "--at", "50,60", "-o", "never.jpg"), "A layer is a PNG file"),
        (("edit", "ball.png", "move", "--at", "50,60", "-o", "never.png"), "Nothing would change"),
    ],
)
def test_what_cannot_be_put_back_is_a_sentence(place: CommandLine, words: tuple[str, ...], text: str) -> None:
    write_picture(place.folder / "small.png", Picture(np.zeros((40, 40, 3), np.uint8)))
    done = place.run(*words)
    assert done.returncode != 0
    assert text in " ".join(done.stderr.split())
    assert not (place.folder / "never.png").exists()


def test_a_thing_is_made_larger_about_its_foot(place: CommandLine) -> None:
    place.ask("edit", "ball.png", "scale", "--at", "50,60", "--factor", "1.5", "--foot", "-o", "large.png")
    red = read(place, "large.png")[..., 0] > 130
    rows, columns = np.nonzero(red)
    assert abs(rows.max() - 80) <= 2
    assert abs(rows.max() - rows.min() - 61) <= 3
    assert abs(columns.mean() - 50) <= 2


@pytest.mark.parametrize(
    ("transform", "size", "at"),
    [
        (LayerTransform("horizontal"), (4, 2), (10, 20)),
        (LayerTransform(factor=(2.0, 2.0)), (8, 4), (8, 19)),
        (LayerTransform(angle=90), (2, 4), (11, 19)),
        (LayerTransform(factor=(2.0, 2.0), foot=True), (8, 4), (8, 18)),
    ],
)
def test_a_layer_keeps_its_middle_or_its_foot(
    transform: LayerTransform, size: tuple[int, int], at: tuple[int, int]
) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
    made, corner = transform.of(Picture(pixels, np.full((2, 4), 255, np.uint8)), (10, 20))
    assert (made.size, corner) == (size, at)
    if transform.angle == 90:
        assert np.array_equal(made.pixels, np.rot90(pixels))
    if transform.mirror:
        assert np.array_equal(made.pixels, pixels[:, ::-1])


def test_edits_of_things_add_up_and_each_is_taken_back_by_itself(place: CommandLine) -> None:
    there = ("--edits", "ball.edits")
    place.ask("edit", "ball.png", "copy", "--at", "50,60", "--dx", "70", *there, "-o", "one.png")
    place.ask("edit", "ball.png", "remove", "--at", "50,60", *there, "-o", "both.png")
    before, both = read(place, "ball.png"), read(place, "both.png")
    assert np.abs(both[disc(50, 60, 15)] - LAWN).max() < 30, "the first is gone"
    assert np.abs(both[disc(120, 60, 15)] - (200, 60, 50)).mean() < 10, "the copy is there"
    listed = place.ask("edits", "ball.edits")["edits"]
    assert [edit["title"] for edit in listed] == ["copied at 50,60", "removed at 50,60"]

    place.ask("edits", "ball.edits", "--take-back", "2")
    place.ask("apply", "ball.png", *there, "-o", "again.png")
    assert np.array_equal(read(place, "again.png"), read(place, "one.png"))

    place.ask("edits", "ball.edits", "--take-back", "1")
    assert place.ask("edits", "ball.edits")["edits"] == []
    assert "keeps no edits" in fails(place, "apply", "ball.png", *there, "-o", "none.png")
    assert np.abs(before - read(place, "ball.png")).max() == 0


def test_a_folder_of_edits_belongs_to_one_picture(place: CommandLine) -> None:
    place.ask("edit", "ball.png", "remove", "--at", "50,60", "--edits", "mine.edits", "-o", "gone.png")
    write_picture(place.folder / "other.png", Picture(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)))
    assert "another picture" in fails(place, "apply", "other.png", "--edits", "mine.edits", "-o", "no.png")
    assert "can be no folder" in fails(
        place, "edit", "ball.png", "remove", "--at", "50,60", "--edits", "a/b", "-o", "x.png"
    )
    assert "There is no folder of edits" in fails(place, "edits", "none.edits")
    assert "stands alone" in fails(place, "edits", "mine.edits", "ball.png")
    assert "There is no edit 5" in fails(place, "edits", "mine.edits", "--take-back", "5")
    assert len(place.ask("edits", "mine.edits")["edits"]) == 1


def test_a_painted_edit_is_taken_back_and_the_other_stays(place: CommandLine) -> None:
    place.ask("primitive", "ball.png", "--kind", "segments", "-o", "areas.png")
    areas = read_picture(place.folder / "areas.png")
    ball, lawn = areas.pixels[60, 50], areas.pixels[10, 150]
    painted = areas.pixels.copy()
    painted[60:80, 110:150] = ball
    painted[disc(50, 60, 24)] = lawn
    write_picture(place.folder / "painted.png", replace(areas, pixels=painted))
    listed = place.ask("edits", "ball.png", "painted.png")["edits"]
    assert len(listed) == 2 and any("painted" in edit["title"] for edit in listed)
    number = next(at for at, edit in enumerate(listed, 1) if edit["x"] > 100)
    place.ask("edits", "ball.png", "painted.png", "--take-back", str(number), "-o", "rest.png")
    rest = read(place, "rest.png")
    assert np.array_equal(rest[:, 100:], areas.pixels[:, 100:].astype(int))
    assert (rest[60, 50] == lawn).all()
    assert place.ask("edits", "ball.png", "areas.png")["edits"] == []
    assert "--out" in fails(place, "edits", "ball.png", "painted.png", "--take-back", "1")


def test_a_dash_is_standard_input_and_output(place: CommandLine) -> None:
    place.ask("edit", "ball.png", "remove", "--at", "50,60", "-o", "removed.png")
    done = subprocess.run(
        [sys.executable, "-m", "underdrawing", "edit", "-", "remove", "--at", "50,60", "-o", "-", "--json"],
        input=(place.folder / "ball.png").read_bytes(),
        env={**os.environ, "UNDERDRAWING_HOME": str(place.home)},
        capture_output=True,
        check=True,
    )
    (place.folder / "piped.png").write_bytes(done.stdout)
    assert np.array_equal(read(place, "piped.png"), read(place, "removed.png"))
    assert b'"share"' in done.stderr
