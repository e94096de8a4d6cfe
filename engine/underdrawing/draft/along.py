"""What comes along with an edit: the rest of a thing of which a part was moved, the shadow of one that is gone."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import Draft
from underdrawing.draft.grids import places
from underdrawing.picture.primitive import Primitive

MOVED = 1.5  # pixels: what moves less can be told from what stays by nobody


def along(found: Draft, original: Primitive, edited: Primitive) -> np.ndarray:
    """(H, W) bool: pixels that are to be taken from a draft though nobody painted there.

    What was carried over or filled, and what was moved of the areas that were edited. Ground that is bent a little
    around a thing that was edited stays as it is: nobody misses it.

    Args:
        found: the draft.
        original: the picture's primitive.
        edited: the one that the draft was made for, (H, W).
    """
    way = found.came - places((found.origin.shape[0], found.origin.shape[1]))
    moved = (np.abs(way).max(2) > MOVED) & (found.origin == Origin.REGISTERED)
    if original.segments is not None and edited.segments is not None:
        moved &= _edited(original.segments, edited.segments)
    return np.asarray((found.origin == Origin.FILLED) | (found.origin == Origin.OBJECT) | moved)


def _edited(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(H, W) bool: areas that an edit touches; those at the picture's border where two of these were edited."""
    changed = before != after
    ground = _at_border(before) & _at_border(after)
    result = np.zeros(after.shape, bool)
    for where, part in ((changed & ground, _at_border(after)), (changed, ~_at_border(after))):
        near = cv2.dilate(where.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        for label in np.unique(after[near]):
            _, marks = cv2.connectedComponents(((after == label) & part).view(np.uint8), connectivity=8)
            touched = np.unique(marks[near])
            result |= np.isin(marks, touched[touched > 0])
    return result


def _at_border(segments: np.ndarray) -> np.ndarray:
    """(H, W) bool: areas that reach the picture's border."""
    result = np.zeros(segments.shape, bool)
    for label in np.unique(np.concatenate([segments[0], segments[-1], segments[:, 0], segments[:, -1]])):
        _, marks = cv2.connectedComponents((segments == label).view(np.uint8), connectivity=8)
        touched = np.unique(np.concatenate([marks[0], marks[-1], marks[:, 0], marks[:, -1]]))
        result |= np.isin(marks, touched[touched > 0])
    return result
