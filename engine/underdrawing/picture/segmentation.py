"""Automatic areas: a chosen number of areas of a picture, with colours near its own and plain names."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.picture import colour_names
from underdrawing.picture.area_hierarchy import AreaHierarchy, Network, build_hierarchy
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import MOST, Palette, unique_names

APART = 20.0  # Lab distance of any two areas' colours: told apart by eye and by snapping
SMALLEST = 0.0008  # of the picture: smaller pieces join a neighbour


@dataclass(frozen=True, eq=False)
class Segmentation:
    """(H, W) uint8 class indices, and the palette with names by colour and place."""

    indices: np.ndarray
    palette: Palette


def segment(
    rgb: np.ndarray, regions: int = 12, saliency: Network | None = None, outlines: Network | None = None
) -> Segmentation:
    """Divide a picture into areas.

    Args:
        rgb: (H, W, 3) uint8.
        regions: how many areas, 1 to 255; fewer where it has not so many pieces.
        saliency: how much a pixel belongs to the subject (U2-Net); then no area crosses the subject's outline.
        outlines: probability of an outline (HED); without it the slope of the colours alone decides.
    """
    if not 1 <= regions <= MOST:
        raise PictureError(f"A picture can have 1 to {MOST} regions, not {regions}.")
    return segment_tree(rgb, build_hierarchy(rgb, outlines, saliency), regions)


def segment_tree(rgb: np.ndarray, tree: AreaHierarchy, regions: int) -> Segmentation:
    """The areas of a tree that is there already, with borders along the picture's own edges."""
    labels = tree.labels(regions)
    scale = max(rgb.shape[:2]) / tree.settings.side
    if scale > 1.2:
        labels = along_edges(labels, rgb, max(1, round(scale)))
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.uint8)
    return Segmentation(labels, name_classes(rgb, labels))


def along_edges(labels: np.ndarray, rgb: np.ndarray, reach: int) -> np.ndarray:
    """Draw borders along the picture's edges, at most `reach` pixels from where they are.

    Args:
        labels: (H, W) uint8.
        rgb: (H, W, 3) uint8.
    """
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    sure = cv2.erode(labels, kernel) == cv2.dilate(labels, kernel)
    for label in np.setdiff1d(np.unique(labels), labels[sure]):
        sure |= labels == label  # too thin to have an inside
    marks = np.where(sure, labels.astype(np.int32) + 1, 0)
    cv2.watershed(cv2.GaussianBlur(rgb, (0, 0), max(0.6, reach / 3)), marks)
    return np.where(marks > 0, marks - 1, labels).astype(np.uint8)


def area_colours(means: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Colours near the areas' own of which any two are at least 20 apart in Lab.

    Args:
        means: (C, 3) float, the areas' mean colours in 8-bit RGB.
        sizes: (C,) pixels; large areas keep their colours, small ones give way.

    Returns:
        (C, 3) uint8, all different. Where so many colours do not fit, they are as far apart as they can be.
    """
    steps = np.linspace(0, 255, 32)
    grid = np.rint(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)).astype(np.uint8)
    own = np.rint(means).astype(np.uint8)
    lab_grid, lab_own = colour_names.to_lab(grid), colour_names.to_lab(own)
    apart = APART
    while True:
        table = np.zeros_like(own)
        nearest = np.full(len(grid), np.inf, np.float32)
        taken: list[np.ndarray] = []
        for index in np.argsort(-sizes, kind="stable"):
            colour, place = own[index], lab_own[index]
            if taken and float(np.linalg.norm(np.array(taken) - place, axis=1).min()) < apart:
                free = np.flatnonzero(nearest >= apart)
                if not free.size:
                    break
                best = free[np.linalg.norm(lab_grid[free] - place, axis=1).argmin()]
                colour, place = grid[best], lab_grid[best]
            table[index] = colour
            taken.append(place)
            np.minimum(nearest, np.linalg.norm(lab_grid - place, axis=1), out=nearest)
        if len(taken) == len(own):
            return table
        apart *= 0.85


def name_classes(rgb: np.ndarray, labels: np.ndarray) -> Palette:
    """A palette of colours near the picture's own, with names like "sky blue, top left"."""
    count = int(labels.max()) + 1
    step = max(1, round(max(labels.shape) / 512))
    part, shown = labels[::step, ::step], rgb[::step, ::step]
    height, width = part.shape
    names, means, sizes = [], [], []
    for index in range(count):
        rows, columns = np.nonzero(part == index)
        if not rows.size:
            rows, columns = np.nonzero(labels == index)
            rows, columns = rows // step, columns // step
        own = shown[np.minimum(rows, height - 1), np.minimum(columns, width - 1)]
        colour = np.median(own, axis=0)
        means.append(own.mean(axis=0))
        sizes.append(rows.size)
        names.append(f"{colour_names.colour_name(colour)}, {_place(rows / height, columns / width)}")
    return Palette(area_colours(np.array(means), np.array(sizes)), tuple(unique_names(names)))


def _place(rows: np.ndarray, columns: np.ndarray) -> str:
    """Where an area lies: "top left", "middle", "bottom", or "all over"."""
    if np.ptp(rows) > 0.8 and np.ptp(columns) > 0.8:
        return "all around"
    row, column = float(np.mean(rows)), float(np.mean(columns))
    height = "top" if row < 0.36 else "bottom" if row > 0.64 else ""
    side = "left" if column < 0.36 else "right" if column > 0.64 else ""
    return f"{height} {side}".strip() or "middle"
