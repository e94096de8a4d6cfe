"""Thin-plate splines: exact at their control points, alike in both directions, and real on wide pictures."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator

from underdrawing.store.manifest import Encoding
from underdrawing.train import tps
from underdrawing.train.data import Augmentation, Pair, Sampler

GENERATOR = torch.Generator().manual_seed(3)


def in_pixels(grid: torch.Tensor, height: int, width: int) -> np.ndarray:
    return ((grid.numpy() + 1) / 2) * [width, height]


@pytest.mark.parametrize("grid", [3, 4])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 96), (96, 40)])
def test_the_warp_is_scipys_thin_plate_spline(grid: int, height: int, width: int) -> None:
    points = tps.control_points(height, width, grid)
    shifts = tps.random_shifts(2, grid, 0.1, GENERATOR)
    made = tps.sampling_grid(points, tps.solve(points, shifts), (height, width))
    shorter = min(height, width)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    pixels = np.stack([x, y], -1).reshape(-1, 2)
    for index in range(2):
        spline = RBFInterpolator(points.numpy() * shorter, shifts[index].numpy() * shorter, kernel="thin_plate_spline")
        expected = pixels + spline(pixels)
        assert np.abs(in_pixels(made[index], height, width).reshape(-1, 2) - expected).max() < 0.02


def test_shifts_stay_within_a_tenth_of_the_shorter_side() -> None:
    shifts = tps.random_shifts(500, 3, 0.1, GENERATOR)
    assert shifts.abs().max() <= 0.1
    assert shifts.abs().max() > 0.099
    assert abs(float(shifts.mean())) < 0.003


def test_smoothing_bends_less() -> None:
    points = tps.control_points(64, 64, 3)
    shifts = tps.random_shifts(1, 3, 0.1, GENERATOR)
    exact, smooth = (tps.solve(points, shifts, value)[:, :9].abs().sum() for value in (0.0, 1.0))
    assert smooth < 0.5 * exact


def test_without_shifts_nothing_moves() -> None:
    points = tps.control_points(30, 50, 3)
    grid = tps.sampling_grid(points, tps.solve(points, torch.zeros(1, 9, 2)), (30, 50))
    picture = torch.rand(1, 3, 30, 50, generator=GENERATOR)
    assert (F.grid_sample(picture, grid, align_corners=False) - picture).abs().max() < 1e-4


def test_a_window_is_the_same_part_of_the_whole_warp() -> None:
    points = tps.control_points(60, 90, 3)
    coefficients = tps.solve(points, tps.random_shifts(1, 3, 0.1, GENERATOR))
    mirror = torch.tensor([True])
    whole = tps.sampling_grid(points, coefficients, (60, 90), mirror=mirror)
    part = tps.sampling_grid(points, coefficients, (60, 90), (torch.tensor([[20.0, 10.0]]), 32, 40), mirror)
    assert (part - whole[:, 10:42, 20:60]).abs().max() < 1e-5


def sampler(pair: Pair, **changes: object) -> Sampler:
    figures = {
        "warp": True,
        "grid": 3,
        "shift": 0.1,
        "smoothing": 0.0,
        "warped": 1.0,
        "flip": 0.5,
        "cutmix": 0.0,
        "crop": 0,
    }
    encodings = {"segments": Encoding.ONE_HOT, "edges": Encoding.SIGNED}
    return Sampler(pair, Augmentation(**{**figures, **changes}), encodings, 7)  # type: ignore[arg-type]


def test_draws_repeat_with_the_iteration_and_differ_between_them(pair: Pair) -> None:
    one, again = sampler(pair).draw(5, 2), sampler(pair).draw(5, 2)
    assert torch.equal(one[1], again[1])
    assert torch.equal(one[0]["segments"], again[0]["segments"])
    assert not torch.equal(one[1], sampler(pair).draw(6, 2)[1])


def test_segments_stay_classes_and_follow_the_picture(pair: Pair) -> None:
    planes, picture, places = sampler(pair, crop=48).draw(1, 3)
    assert picture.shape == (3, 3, 48, 48)
    assert places.shape == (3, 2, 48, 48)
    assert set(planes["segments"].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(planes["segments"].sum(1), torch.ones(3, 48, 48))
    # The classes were cut by brightness: in the warped pair they must still be in that order.
    grey = picture.mean(1)
    means = [grey[planes["segments"][:, k] > 0].mean() for k in range(3)]
    assert means == sorted(means)


def test_cutmix_swaps_the_same_patches_everywhere(pair: Pair) -> None:
    plain, mixed = sampler(pair, warped=0.0, flip=0.0), sampler(pair, warped=0.0, flip=0.0, cutmix=1.0)
    before, after = plain.draw(2, 1), mixed.draw(2, 1)
    moved = (before[1] != after[1]).any(1)
    assert moved.any()
    changed_classes = (before[0]["segments"] != after[0]["segments"]).any(1)
    assert not (changed_classes & ~moved).any()
