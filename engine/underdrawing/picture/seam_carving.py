"""Other widths and heights without stretching: seams of least energy are taken out or doubled.

Avidan and Shamir, *Seam Carving for Content-Aware Image Resizing*, SIGGRAPH 2007; energy looked ahead as in Rubinstein,
Shamir and Avidan 2008. Meant for small copies: a few thousand pixels.
"""

from __future__ import annotations

import numpy as np


def carved(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture at another size, things kept in their shape as far as there is room between them.

    Args:
        rgb: (H, W, C) float32, of which the first three channels say where seams go; others go along.
        width, height: goal, each at most eight times as long as it was.
    """
    made = _wide(rgb, width)
    turned = _wide(np.ascontiguousarray(made.transpose(1, 0, 2)), height)
    return np.ascontiguousarray(turned.transpose(1, 0, 2))


def _wide(rgb: np.ndarray, width: int) -> np.ndarray:
    """Another width."""
    while rgb.shape[1] > width:
        rgb = _without(rgb, _seam(rgb))
    while rgb.shape[1] < width:
        # At most half as much again at a time: seams would be doubled into stripes.
        rgb = _widened(rgb, min(width - rgb.shape[1], max(1, rgb.shape[1] // 2)))
    return rgb


def _seam(rgb: np.ndarray) -> np.ndarray:
    """(H,) the column, in every row, of the seam whose removal makes the fewest new edges."""
    padded = np.pad(rgb[..., :3], ((1, 0), (1, 1), (0, 0)), mode="edge")
    left, right, above = padded[1:, :-2], padded[1:, 2:], padded[:-1, 1:-1]
    flat = np.abs(right - left).sum(2)
    slant = (np.abs(above - left).sum(2), np.abs(above - right).sum(2))
    cost, way = flat[0], np.zeros(rgb.shape[:2], np.int8)
    for row in range(1, rgb.shape[0]):
        wide = np.pad(cost, 1, constant_values=np.inf)
        choices = np.stack([wide[:-2] + slant[0][row], wide[1:-1], wide[2:] + slant[1][row]])
        way[row] = choices.argmin(0) - 1
        cost = choices.min(0) + flat[row]
    column, seam = int(cost.argmin()), np.zeros(rgb.shape[0], np.int64)
    for row in range(rgb.shape[0] - 1, -1, -1):
        seam[row] = column
        column += int(way[row, column])
    return seam


def _without(values: np.ndarray, seam: np.ndarray) -> np.ndarray:
    keep = np.ones(values.shape[:2], bool)
    keep[np.arange(len(seam)), seam] = False
    return values[keep].reshape(values.shape[0], values.shape[1] - 1, *values.shape[2:])


def _widened(rgb: np.ndarray, more: int) -> np.ndarray:
    """`more` seams doubled: those that would be taken out first."""
    left, places = rgb, np.broadcast_to(np.arange(rgb.shape[1]), rgb.shape[:2]).copy()
    copies = np.ones(rgb.shape[:2], np.int64)
    rows = np.arange(rgb.shape[0])
    for _ in range(more):
        seam = _seam(left)
        copies[rows, places[rows, seam]] += 1
        left, places = _without(left, seam), _without(places, seam)
    return np.stack([np.repeat(row, count, axis=0) for row, count in zip(rgb, copies, strict=True)])
