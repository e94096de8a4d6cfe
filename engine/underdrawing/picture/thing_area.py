"""A thing as an area of its own: whatever the automatic areas say, what a person picked can be moved and removed."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.picture import colour_names
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import MOST, Palette, unique_names
from underdrawing.picture.primitive import Primitive

MOSTLY = 0.4  # of an area: then the rest of it belongs to the thing, too
MARGIN = 250  # longer sides of a picture for a pixel of margin: about 6 pixels at 1,500, so that no rim stays behind


def widened(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) of values from 0 to 1 with the margin that belongs to a thing's soft border: (H, W) bool."""
    reach = max(1, round(max(mask.shape) / MARGIN))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate((mask > 0.5).astype(np.uint8), kernel) > 0


def with_remains(mask: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """A thing's mask with the rest of areas that lie mostly in it: slivers around it would grow into its place.

    Args:
        mask: (H, W) bool.
        segments: (H, W) uint8.
    """
    result = mask.copy()
    for index in np.unique(segments[mask]):
        pieces = cv2.connectedComponents((segments == index).astype(np.uint8), connectivity=4)[1]
        inside = np.bincount(pieces[mask], minlength=int(pieces.max()) + 1)
        whole = np.bincount(pieces.ravel(), minlength=len(inside))
        mostly = (inside > MOSTLY * whole) & (whole - inside < mask.sum())
        mostly[0] = False
        result |= mostly[pieces]
    return result


def with_area(primitive: Primitive, mask: np.ndarray, name: str = "thing") -> Primitive:
    """A primitive of areas with one more: the pixels of a mask.

    Args:
        primitive: with segments; other planes stay as they are.
        mask: (H, W) bool.
        name: of the new area.

    Raises:
        PictureError: there are no segments, no room for a class, a mask of another size or without a pixel.
    """
    if primitive.segments is None or primitive.palette is None:
        raise PictureError("The underdrawing has no areas.")
    if mask.shape != primitive.segments.shape or not mask.any():
        raise PictureError("The mask is empty, or not of the picture's size.")
    count = len(primitive.palette)
    if count >= MOST:
        raise PictureError(f"An underdrawing can have {MOST} areas; this one has no room for another.")
    taken = colour_names.to_lab(primitive.palette.colours)
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    apart = np.linalg.norm(colour_names.to_lab(grid)[:, None] - taken[None], axis=2).min(1)
    colours = np.vstack([primitive.palette.colours, grid[int(apart.argmax())][None]])
    palette = Palette(colours, tuple(unique_names([*primitive.palette.names, name])))
    segments = np.where(mask, np.uint8(count), primitive.segments)
    return Primitive(segments, palette, primitive.edges, primitive.paint)
