"""Measures against known values, and against what they must be able to tell apart."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from bench.lpips import LPIPS
from bench.metrics import changed, mean_iou, outline_fidelity, patch_distance, sharpness, sifid
from bench.segmentation_probe import Judge
from underdrawing.picture.edges import canny_edges


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return data.astronaut().astype(np.float32) / 255


@pytest.fixture(scope="module")
def lpips() -> LPIPS:
    return LPIPS(Path(os.environ["UNDERDRAWING_WEIGHTS"]))


def test_lpips_has_its_known_values(lpips: LPIPS, astronaut: np.ndarray) -> None:
    """Values of the authors' program for these pairs."""
    cat = cv2.resize(data.chelsea(), (512, 512), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    assert lpips(astronaut, astronaut) == 0
    assert lpips(astronaut, np.roll(astronaut, 2, 1)) == pytest.approx(0.055, abs=0.005)
    assert lpips(astronaut, cv2.GaussianBlur(astronaut, (0, 0), 1)) == pytest.approx(0.14, abs=0.01)
    assert lpips(astronaut, cv2.GaussianBlur(astronaut, (0, 0), 4)) == pytest.approx(0.51, abs=0.02)
    assert lpips(astronaut, cat) == pytest.approx(0.74, abs=0.03)


def test_lpips_says_where(lpips: LPIPS, astronaut: np.ndarray) -> None:
    other = astronaut.copy()
    other[100:200, 300:400] = other[100:200, 300:400][::-1]
    _, where = lpips.distances(astronaut, other)
    assert where.shape == astronaut.shape[:2]
    assert where[100:200, 300:400].mean() > 20 * where[300:, :200].mean()


def test_lpips_with_vgg_takes_odd_sizes(astronaut: np.ndarray) -> None:
    vgg = LPIPS(Path(os.environ["UNDERDRAWING_WEIGHTS"]), "vgg16")
    part = astronaut[:67, :91]
    assert vgg(part, part) == 0
    assert vgg(part, part[::-1].copy()) > 0.2


def test_missing_weights_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LPIPS(tmp_path)


def test_patches_of_the_picture_itself_are_no_distance_away(astronaut: np.ndarray) -> None:
    part = astronaut[:120, :140]
    assert patch_distance(part, part) == 0
    # Shuffled pieces are still its own; a blurred copy and noise are not.
    pieces = [part[y : y + 40, x : x + 35] for y in (80, 0, 40) for x in (35, 105, 0, 70)]
    shuffled = np.vstack([np.hstack(pieces[k : k + 4]) for k in (0, 4, 8)])
    soft = cv2.GaussianBlur(part, (0, 0), 3)
    noise = np.random.default_rng(0).random(part.shape).astype(np.float32)
    found = [patch_distance(other, part) for other in (shuffled, soft, noise)]
    assert found[0] < 0.5 * found[2]
    assert 0 < found[1] < found[2]
    assert found[2] > 20


def test_sifid_knows_textures_and_not_places(astronaut: np.ndarray) -> None:
    part = astronaut[:200, :240]
    assert sifid(part, part) == pytest.approx(0, abs=1e-6)
    mirrored, blurred = sifid(part[:, ::-1], part), sifid(cv2.GaussianBlur(part, (0, 0), 2), part)
    assert 0 <= mirrored < blurred / 4


def test_sharpness_is_one_for_the_same_and_falls_with_blur(astronaut: np.ndarray) -> None:
    assert sharpness(astronaut, astronaut) == 1
    assert sharpness(cv2.GaussianBlur(astronaut, (0, 0), 2), astronaut) < 0.4


def test_what_changed_is_widened() -> None:
    before = np.zeros((21, 31), np.uint8)
    after = before.copy()
    after[10, 15] = 1
    found = changed(before, after, 3)
    assert found[10, 12:19].all()
    assert not found[10, 11]
    assert not changed(before, before, 3).any()


def test_mean_iou_counts_classes_that_are_there() -> None:
    truth = np.array([[0, 0, 1, 1]])
    found = np.array([[0, 1, 1, 1]])
    assert mean_iou(found, truth, np.arange(5)) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert np.isnan(mean_iou(found, truth, np.array([4])))


def test_a_judge_reads_what_is_there() -> None:
    """It must see a disc where one is, and none where there is none, in a picture that it was not trained on."""
    noise = np.random.default_rng(0)

    def scene(x: int) -> tuple[np.ndarray, np.ndarray]:
        classes = np.zeros((64, 96), np.uint8)
        cv2.circle(classes, (x, 30), 12, 1, -1)
        colours = np.array([[0.2, 0.4, 0.3], [0.8, 0.6, 0.2]])[classes]
        return (colours + noise.normal(0, 0.03, colours.shape)).clip(0, 1).astype(np.float32), classes

    judge = Judge([scene(30)], 2, iterations=60)
    picture, classes = scene(60)
    seen = judge.read(picture)
    assert mean_iou(seen, classes, np.arange(2)) > 0.85
    assert mean_iou(judge.read(scene(30)[0]), classes, np.arange(2)) < 0.6


def test_outlines_count_where_they_were_changed() -> None:
    """A square that moved: the picture that shows it in its new place has all outlines right, the old one none."""

    def scene(x: int) -> np.ndarray:
        picture = np.full((80, 120, 3), 0.2, np.float32)
        picture[30:60, x : x + 24] = 0.9
        picture[5:20, 5:110] = 0.6  # stays where it is
        return picture

    before, after = (canny_edges(scene(x)) for x in (20, 70))
    assert outline_fidelity(scene(70), after, before) == pytest.approx(1, abs=0.02)
    assert outline_fidelity(scene(20), after, before) == pytest.approx(0, abs=0.02)
    assert outline_fidelity(scene(71), after, before) > 0.95, "a pixel is within the tolerance"
    assert outline_fidelity(scene(75), after, before) < 0.8, "five are not"
    assert np.isnan(outline_fidelity(scene(20), before, before))
