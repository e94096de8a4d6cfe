"""Registration: where every cell of the edited primitive was in the original one.

From coarse to fine: a nearest neighbour for every cell gives the start, windowed Gauss-Newton steps (Lucas and Kanade
1981) settle it, descent on the whole flow at several scales at once makes it exact and smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.draft.flow_ops import blur, gradients, places, resize, resize_flow, sample
from underdrawing.draft.matching_channels import Channels, reduce, scales

START_SIGMAS = (0.5, 1.0, 2.0, 4.0, 8.0)  # cells of the coarse grid
START_COMPONENTS = 32
POSITION = 3.0  # how much a step of half the shorter side counts beside the classes
SIGMAS = (0.0, 0.5, 1.0, 2.0)  # cells of the middle grid
COMPONENTS = 12
WINDOWS = (8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 2.0, 1.5, 1.5)  # of each Gauss-Newton step, cells
SMOOTHING = (8.0, 6.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.8, 0.6)  # of the flow after each step, cells
DAMPING = 0.05
LONGEST = 1.5  # cells: a Gauss-Newton step stays well below
FAITH = 0.02  # weight in smoothing of cells where nothing can be seen
STIFFNESS = 0.6  # of the flow in the descent
SCALES = (1, 2, 4, 8)  # of the grids whose sum the descent changes
RATE = 0.005  # of the longer side in cells, a descent step at first
DOUBTFUL = 0.35  # mismatch from which on the classes are not to be believed


@dataclass(frozen=True)
class Grids:
    """Sizes (height, width) of the grids that registration works on."""

    coarse: tuple[int, int]
    middle: tuple[int, int]
    fine: tuple[int, int]

    @classmethod
    def of(cls, size: tuple[int, int], most: int = 128) -> Grids:
        """For a picture of (height, width): a quarter of its side, no more than `most` cells."""
        share = min(0.25, most / max(size))
        share = max(share, min(1.0, 32 / max(size)))

        def cells(times: float) -> tuple[int, int]:
            return max(1, round(size[0] * share * times)), max(1, round(size[1] * share * times))

        return cls(cells(0.5), cells(1.0), cells(2.0))


@dataclass(frozen=True, eq=False)
class Level:
    """What is compared on one grid: (h, w, K) components of both primitives, and the original's gradients behind."""

    source: np.ndarray  # (h, w, 3 K): values, their x and their y gradients
    target: np.ndarray
    count: int

    @classmethod
    def of(cls, maps: Channels, spread: float) -> Level:
        """`spread`: how many cells of this grid make one of the middle grid."""
        sigmas = tuple(sigma * spread for sigma in SIGMAS)
        weight = np.tile(maps.weights**0.25, len(sigmas)).astype(np.float32)
        first, second = scales(maps.original, sigmas) * weight, scales(maps.edited, sigmas) * weight
        first, second = reduce(first, second, COMPONENTS)
        return cls(np.concatenate([first, *gradients(first)], axis=2), second, first.shape[2])

    def residual(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Difference of what the flow brings to what is wanted, and the x and y gradients there."""
        carried = sample(self.source, flow)
        count = self.count
        return carried[..., :count] - self.target, carried[..., count : 2 * count], carried[..., 2 * count :]


def register(maps: Channels, grids: Grids) -> tuple[np.ndarray, tuple[Level, Level]]:
    """The flow on the middle grid, (h, w, 2) float32 in its cells, and what was compared on the middle and fine grid.

    What a first pass cannot explain is new content, which a second one leaves out.

    Args:
        maps: both primitives on the fine grid.
        grids: see there.
    """
    middle = maps.resized(grids.middle)
    begin = resize_flow(_start(maps.resized(grids.coarse)), grids.middle)
    levels = (Level.of(middle, 1.0), Level.of(maps, 2.0))
    flow = _gauss_newton(levels[0], begin)
    trust = _trust(middle, flow)
    if (trust < 0.5).mean() > 0.1:
        flow = _gauss_newton(levels[0], begin, trust)
    return descend(levels, flow, trust=trust), levels


def _start(maps: Channels) -> np.ndarray:
    """For each cell the most alike one of the original, by classes in all surroundings and by place."""
    size = maps.original.shape[:2]
    weight = np.tile(maps.weights**0.5, len(START_SIGMAS)).astype(np.float32)
    first = scales(maps.original, START_SIGMAS) * weight
    second = scales(maps.edited, START_SIGMAS) * weight
    first, second = reduce(first, second, START_COMPONENTS)
    here = places(size)
    unit = POSITION * 2 / min(size)
    known = np.concatenate([first, here * unit], axis=2).reshape(size[0] * size[1], -1)
    asked = np.concatenate([second, here * unit], axis=2).reshape(size[0] * size[1], -1)
    length = (known * known).sum(1)
    nearest = np.concatenate([(length - 2 * part @ known.T).argmin(1) for part in _parts(asked)])
    flow = (here.reshape(-1, 2)[nearest] - here.reshape(-1, 2)).reshape(*size, 2)
    for _ in range(3):
        flow = np.dstack([cv2.medianBlur(np.ascontiguousarray(flow[..., axis]), 5) for axis in range(2)])
    return blur(flow, 2.0)


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + 1024] for start in range(0, len(rows), 1024)]


def _gauss_newton(level: Level, flow: np.ndarray, trust: np.ndarray | None = None) -> np.ndarray:
    """Steps with ever smaller windows; the flow is smoothed by what can be seen (normalised convolution)."""
    for window, smoothing in zip(WINDOWS, SMOOTHING, strict=True):
        rest, across, down = level.residual(flow)
        products = np.dstack(
            [
                np.einsum("hwc,hwc->hw", one, two)
                for one, two in ((rest, across), (rest, down), (across, across), (across, down), (down, down))
            ]
        )
        if trust is not None:
            products *= trust[..., None]
        seen = products[..., 2] + products[..., 4]
        faith = seen / (seen + DAMPING) + FAITH
        rx, ry, xx, xy, yy = np.moveaxis(blur(products, window), 2, 0)
        xx, yy = xx + DAMPING, yy + DAMPING
        step = np.dstack([yy * rx - xy * ry, xx * ry - xy * rx]) / (xx * yy - xy * xy)[..., None]
        step *= LONGEST / (np.linalg.norm(step, axis=2, keepdims=True) + LONGEST)
        moved = (flow - step) * faith[..., None]
        flow = blur(moved, smoothing) / blur(faith, smoothing)[..., None]
    return flow.astype(np.float32)


def _trust(maps: Channels, flow: np.ndarray) -> np.ndarray:
    """(h, w) in [0, 1]: near 0 where the classes still disagree over more than a seam."""
    wrong = blur(maps.mismatch(sample(maps.original, flow)), 1.5)
    trust = 1 / (1 + np.exp(np.clip((wrong - DOUBTFUL) * 25, -30, 30)))
    return blur(cv2.erode(trust, np.ones((7, 7), np.uint8)), 1.0)


def descend(
    levels: tuple[Level, Level],
    begin: np.ndarray,
    steps: tuple[int, int] = (20, 10),
    trust: np.ndarray | None = None,
    stiffness: float = STIFFNESS,
    relative: bool = False,
    scales_: tuple[int, ...] = SCALES,
) -> np.ndarray:
    """Adam (Kingma and Ba 2015) on a flow that is the sum of grids at several scales, so that far parts move together.

    Args:
        levels: the middle and the fine grid.
        begin: (h, w, 2) flow on the middle grid.
        steps: how many on each of the two.
        trust: (h, w) weight of the comparison.
        stiffness: weight of the flow's Laplacian.
        relative: the change of the flow shall be smooth, not the flow itself.
        scales_: how many times coarser the grids are whose sum is changed.
    """
    size = (begin.shape[0], begin.shape[1])
    shapes = [(max(2, size[0] // scale), max(2, size[1] // scale)) for scale in scales_]
    change = [np.zeros((*shape, 2), np.float32) for shape in shapes]
    mean, square = [c.copy() for c in change], [c.copy() for c in change]
    rate, total, count = RATE * max(size), sum(steps), 0
    flow = begin
    for level, times in zip(levels, steps, strict=True):
        cells = (level.target.shape[0], level.target.shape[1])
        for _ in range(times):
            rest, across, down = level.residual(resize_flow(flow, cells))
            ratio = cells[1] / size[1]
            pull = np.dstack([np.einsum("hwc,hwc->hw", rest, across), np.einsum("hwc,hwc->hw", rest, down)])
            pull = resize(pull, size) * np.float32(2 * ratio / len(SIGMAS))
            if trust is not None:
                pull *= trust[..., None]
            pull += stiffness * _laplacian(flow - begin if relative else flow)
            length = rate * (1 - count / total + 0.02)
            count += 1
            flow = begin
            for k, shape in enumerate(shapes):
                slope = resize(pull, shape) * np.float32(scales_[k] ** 2)
                mean[k] = 0.8 * mean[k] + 0.2 * slope
                square[k] = 0.95 * square[k] + 0.05 * slope * slope
                unit = mean[k] / (1 - 0.8**count) / (np.sqrt(square[k] / (1 - 0.95**count)) + 1e-6)
                change[k] -= np.float32(length) * unit
                flow = flow + resize(change[k], size)
    return flow.astype(np.float32)


def _laplacian(flow: np.ndarray) -> np.ndarray:
    """Four times each cell less its neighbours; at the border the border's own value goes on."""
    padded = cv2.copyMakeBorder(flow, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    around = padded[1:-1, 2:] + padded[1:-1, :-2] + padded[2:, 1:-1] + padded[:-2, 1:-1]
    return 4 * flow - around
