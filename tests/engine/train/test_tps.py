"""Thin-plate splines: exact at their control points, alike in both directions, and real on wide pictures."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator

from underdrawing.train import tps

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
