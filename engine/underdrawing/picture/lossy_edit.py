"""Edits of areas saved by a lossy format: the noise along borders is no edit."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.picture.primitive import Primitive

REACH = 3  # pixels from a border that the noise of JPEG and WebP reaches
FEWEST = 3  # pixels of a change that lie further from all borders make it an edit


def settled(before: Primitive, after: Primitive) -> Primitive:
    """An edited primitive without the differences that its lossy file made.

    Colours mix along the borders of areas, so the classes there are those of a neighbour, or of a third area whose
    colour lies between the two. Every border is put back where it has moved by a pixel, and then every connected
    change that stays near to the borders as they were. A change that reaches into an area is an edit, and is kept.

    Args:
        before: the primitive that was edited; `after`: of the same size, in the same palette.

    Returns:
        `after` as it is where it comes from a lossless file.
    """
    first, second = before.segments, after.segments
    if not after.lossy or first is None or second is None or first.shape != second.shape:
        return after
    moved = _beside(first, second) & _beside(second, first)
    second = np.where(moved, first, second)
    changed = second != first
    square = np.ones((3, 3), np.uint8)
    inner = (cv2.dilate(first, square) == cv2.erode(first, square)).view(np.uint8)
    far = cv2.distanceTransform(inner, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > REACH
    count, pieces = cv2.connectedComponents(changed.view(np.uint8), connectivity=8)
    edit = np.bincount(pieces[far], minlength=count) >= FEWEST
    return after.with_planes(segments=np.where(edit[pieces] & changed, second, first))


def _beside(where: np.ndarray, what: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of `what` whose class `where` has in one of the eight pixels around, or there."""
    found = np.zeros(what.shape, bool)
    for number in np.unique(what[what != where]):
        near = cv2.dilate((where == number).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        found |= (what == number) & near
    return found
