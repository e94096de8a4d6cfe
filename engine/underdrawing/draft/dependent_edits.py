"""Dependent changes of an edit: the rest of a thing of which a part was moved, the shadow of one that is gone."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import Draft
from underdrawing.draft.flow_ops import places
from underdrawing.picture.mask import NOISE, touching, without_specks
from underdrawing.picture.primitive import Primitive

AROUND = np.ones((5, 5), np.uint8)  # what is taken is led over into its surroundings
MOVED = 1.5  # pixels: what moves less can be told from what stays by nobody


def along(found: Draft, original: Primitive, edited: Primitive) -> np.ndarray:
    """(H, W) bool: pixels that are to be taken from a draft though nobody painted there.

    What was carried over or filled, and what was moved of the areas that were edited. Ground that is bent a little
    around a thing that was edited stays as it is, unless the thing reaches the picture's border: then both may be
    parts of one scene that was moved.

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
    changed, at_border = without_specks(before != after, NOISE), _at_border(after)
    both = changed & at_border & _at_border(before)
    result = np.zeros(after.shape, bool)
    for where, part in ((both, at_border), (changed, ~at_border)):
        near = cv2.dilate(where.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        for label in np.unique(after[near]):
            result |= touching((after == label) & part, near)
    return result


def _at_border(segments: np.ndarray) -> np.ndarray:
    """(H, W) bool: areas that reach the picture's border."""
    border = np.ones(segments.shape, bool)
    border[1:-1, 1:-1] = False
    result = np.zeros(segments.shape, bool)
    for label in np.unique(segments[border]):
        result |= touching(segments == label, border)
    return result


def hanging_together(rest: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """(H, W) bool: what depends on an edit, as far as it is connected with it.

    Args:
        rest: (h, w) bool of any size, see `along`.
        changed: (H, W) bool, the edit itself.
    """
    height, width = changed.shape
    large = np.asarray(cv2.resize(rest.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST))
    return touching(cv2.dilate(large, AROUND) > 0, changed)
