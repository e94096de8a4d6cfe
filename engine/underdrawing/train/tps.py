"""Thin-plate-spline warps for whole batches, on the device (DeepSIM, section 3.2, equation 4).

Coordinates are measured in units of the shorter side, so that a warp bends a wide picture as it bends a square one.
"""

from __future__ import annotations

import torch
from torch import Tensor


def control_points(height: int, width: int, grid: int) -> Tensor:
    """An equispaced grid of control points that includes the borders.

    Returns:
        (grid * grid, 2): x in [0, width / shorter], y in [0, height / shorter].
    """
    shorter = min(height, width)
    x = torch.linspace(0, width / shorter, grid)
    y = torch.linspace(0, height / shorter, grid)
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([xx.flatten(), yy.flatten()], 1)


def _basis(squared: Tensor) -> Tensor:
    """U(r) = r^2 log r^2, the fundamental solution of the biharmonic equation; 0 at r = 0."""
    return squared * torch.log(squared.clamp_min(1e-12))


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1)


def solve(points: Tensor, shifts: Tensor, smoothing: float = 0.0) -> Tensor:
    """Coefficients of the splines that move `points` by `shifts`.

    Args:
        points: (K, 2) control points.
        shifts: (B, K, 2), one set a warp.
        smoothing: lambda of equation 4; 0 interpolates exactly.

    Returns:
        (B, K + 3, 2): K radial weights, then the affine part (1, x, y).
    """
    count = len(points)
    points = points.double()
    kernel = _basis(_squared_distances(points, points)) + smoothing * torch.eye(count, dtype=torch.float64)
    affine = torch.cat([torch.ones(count, 1, dtype=torch.float64), points], 1)
    system = torch.zeros(count + 3, count + 3, dtype=torch.float64)
    system[:count, :count], system[:count, count:], system[count:, :count] = kernel, affine, affine.T
    target = torch.zeros(len(shifts), count + 3, 2, dtype=torch.float64)
    target[:, :count] = shifts.double()
    return torch.linalg.solve(system.expand(len(shifts), -1, -1), target).float()


def random_shifts(batch: int, grid: int, limit: float, generator: torch.Generator) -> Tensor:
    """Uniform shifts of every control point in both directions, at most `limit` of the shorter side: (B, grid^2, 2)."""
    return (torch.rand(batch, grid * grid, 2, generator=generator) * 2 - 1) * limit


def sampling_grid(
    points: Tensor,
    coefficients: Tensor,
    size: tuple[int, int],
    window: tuple[Tensor, int, int] | None = None,
    mirror: Tensor | None = None,
) -> Tensor:
    """Where each pixel of the warped picture is read from.

    Args:
        points: (K, 2) control points, as in `control_points`.
        coefficients: (B, K + 3, 2), as from `solve`.
        size: height and width of the picture.
        window: corners (B, 2) as x, y in pixels, height and width: only this part of the warped picture is made.
        mirror: (B,) bool, read from the mirrored picture.

    Returns:
        (B, h, w, 2) for `torch.nn.functional.grid_sample` with align_corners=False.
    """
    height, width = size
    shorter = float(min(size))
    device = coefficients.device
    batch = len(coefficients)
    if window is None:
        corners, rows, columns = torch.zeros(batch, 2, device=device), height, width
    else:
        corners, rows, columns = window[0].to(device).float(), window[1], window[2]
    x = torch.arange(columns, device=device) + 0.5 + corners[:, :1]
    y = torch.arange(rows, device=device) + 0.5 + corners[:, 1:]
    xy = torch.stack([x[:, None, :].expand(-1, rows, -1), y[:, :, None].expand(-1, -1, columns)], -1) / shorter
    flat = xy.reshape(batch, -1, 2)
    knots = points.to(device)
    squared = (flat**2).sum(-1, keepdim=True) + (knots**2).sum(-1) - 2 * flat @ knots.T
    terms = torch.cat([_basis(squared.clamp_min(0)), torch.ones_like(flat[..., :1]), flat], -1)
    source = (flat + terms @ coefficients).reshape(batch, rows, columns, 2) * shorter
    grid = source / torch.tensor([width, height], device=device) * 2 - 1
    if mirror is not None:
        sign = torch.where(mirror.to(device), -1.0, 1.0)
        grid = torch.stack([grid[..., 0] * sign[:, None, None], grid[..., 1]], -1)
    return grid
