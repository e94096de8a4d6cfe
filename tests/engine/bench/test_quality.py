"""`python -m bench quality` on a small set of its own: a disc that moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.datasets import crossed, read_set
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture


def scene(x: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (64, 80, 3) and its grey-coded classes."""
    classes = np.zeros((64, 80), np.uint8)
    classes[44:] = 90
    cv2.circle(classes, (x, 26), 10, 200, -1)
    rows, columns = np.mgrid[:64, :80]
    picture = np.zeros((64, 80, 3), np.uint8)
    picture[..., 0] = np.where(classes == 200, 220, 60 + 20 * ((rows // 4 + columns // 4) % 2))
    picture[..., 1] = np.where(classes == 90, 160, 90)
    picture[..., 2] = 120 + rows
    return picture, classes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    place = tmp_path / "moving disc"
    for name in ("train", "test/image", "test/primitive"):
        (place / name).mkdir(parents=True)
    picture, classes = scene(24)
    write_picture(place / "train" / "image.png", Picture(picture))
    write_picture(place / "train" / "primitive.png", Picture(classes))
    for number, x in enumerate((24, 40, 56)):
        picture, classes = scene(x)
        classes[classes == 200] = 198  # a level that the pair does not have
        write_picture(place / "test" / "image" / f"{number}.png", Picture(picture))
        write_picture(place / "test" / "primitive" / f"{number}.png", Picture(classes))
    return place


def test_a_set_is_read_at_the_size_that_was_asked_for(data: Path) -> None:
    read = read_set(data, 32)
    assert read.picture.shape == (32, 40, 3)
    assert len(read.palette) == 3
    assert [frame.name for frame in read.frames] == ["0", "1", "2"]
    # A level that was not trained counts as the nearest.
    assert set(np.unique(read.frames[1].classes)) == {0, 1, 2}
    assert (read.frames[0].classes == read.classes).all()


def test_a_coloured_set_of_edits_has_no_truth(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "edits").mkdir()
    picture, classes = scene(24)
    colours = np.zeros((256, 3), np.uint8)
    colours[[0, 90, 200]] = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    write_picture(tmp_path / "train" / "image.png", Picture(picture))
    for path in ("train/primitive.png", "edits/1.png", "edits/mask_1.png"):
        write_picture(tmp_path / path, Picture(colours[classes]))
    read = read_set(tmp_path, 64)
    assert [(frame.name, frame.truth) for frame in read.frames] == [("1", None)]
    assert not read.video


def test_jpeg_files_are_read_and_snapped_to_the_palette(tmp_path: Path) -> None:
    for name in ("train", "edits"):
        (tmp_path / name).mkdir()
    picture, classes = scene(24)
    colours = np.array([(250, 0, 0), (0, 250, 0), (0, 0, 250)], np.uint8)[np.searchsorted([0, 90, 200], classes)]
    cv2.imwrite(str(tmp_path / "train" / "image.jpg"), picture)
    for path in ("train/primitive.jpg", "edits/1.jpg"):
        cv2.imwrite(str(tmp_path / path), colours, [cv2.IMWRITE_JPEG_QUALITY, 95])
    read = read_set(tmp_path, 64)
    assert [frame.name for frame in read.frames] == ["1"]
    assert (read.frames[0].classes == read.classes).mean() > 0.99


def test_layouts_of_other_sets_are_matched_by_what_their_classes_look_like(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "the other"
    for name in ("train", "edits"):
        (other / name).mkdir(parents=True)
    picture, classes = scene(56)
    # The same things under other levels, and larger.
    levels = np.array([30, 0, 120], np.uint8)[np.searchsorted([0, 90, 200], classes)]
    big = (120, 96)
    write_picture(other / "train" / "image.png", Picture(cv2.resize(picture, big, interpolation=cv2.INTER_NEAREST)))
    for path in ("train/primitive.png", "edits/1.png"):
        write_picture(other / path, Picture(cv2.resize(levels, big, interpolation=cv2.INTER_NEAREST)))
    one, two = read_set(data, 64), read_set(other, 96)
    frames = crossed(one, [one, two]).frames
    assert [frame.name for frame in frames] == ["0", "1", "2", "like the other"]
    assert [frame.foreign for frame in frames] == [False, False, False, True]
    wanted = np.searchsorted([0, 90, 200], classes)
    assert frames[-1].classes.shape == one.classes.shape
    assert (frames[-1].classes == wanted).mean() > 0.97


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        read_set(tmp_path, 64)
    assert caught.value.code == "no_data"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "quality", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})


@pytest.mark.long
def test_the_table_has_a_row_for_every_method_and_budget(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("--methods", "true,unchanged,quick", "--budgets", "1,2", "--size", "64", "--no-judge", "--json")
    done = run(str(data), *words, "-o", str(out))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [(row["method"], row["budget"]) for row in rows] == [
        ("true", 0),
        ("unchanged", 0),
        ("quick", 1),
        ("quick", 2),
    ]
    true, unchanged, first, _ = rows
    assert true["lpips"] == 0
    assert unchanged["lpips_region"] > unchanged["lpips"] > 0
    assert unchanged["outside"] == 0
    assert first["seconds"] >= 1
    assert first["memory_mb"] > 100
    assert first["consistency"] is None
    assert "quick" in (out / "moving disc.md").read_text()
    assert read_picture(out / "moving disc.png").size[0] > 400
    assert read_picture(out / "moving disc.curves.png").size[0] > 1000


def test_what_does_not_exist_cannot_be_measured(data: Path) -> None:
    done = run(str(data), "--methods", "magic", "--no-judge")
    assert done.returncode == 1
    assert "no method 'magic'" in done.stderr
