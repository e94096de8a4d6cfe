"""What a refining network is told about a draft, the same for every picture: nothing counts classes or names them.

So one network's weights fit every picture, whatever its classes are.
"""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import Draft
from underdrawing.draft.flow_ops import blur
from underdrawing.picture.primitive import Primitive

CHANNELS = 11
CONFIDENCE = 3  # the channel of the draft's confidence
GATE = 4  # the channel that says how much may be changed
SURE = (0.7, 0.95)  # confidence: below the first everything may be changed, above the second nothing
NEAR = 3.0  # pixels in which the nearness of an outline falls off


def class_colours(picture: np.ndarray, primitive: Primitive) -> np.ndarray | None:
    """(256, 3) float32 in [0, 1]: the mean colour of every class, NaN where it does not occur; None without classes.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        primitive: its own.
    """
    if primitive.segments is None:
        return None
    labels = primitive.segments.ravel()
    counts = np.bincount(labels, minlength=256)
    sums = [np.bincount(labels, picture[..., channel].ravel(), 256) for channel in range(3)]
    means = np.stack(sums, 1) / np.maximum(counts, 1)[:, None]
    means[counts == 0] = np.nan
    return means.astype(np.float32)


def gate(confidence: np.ndarray) -> np.ndarray:
    """(H, W) float32 in [0, 1]: how much may be changed; 0 where the draft is sure."""
    low, high = SURE
    around = blur(cv2.erode(confidence, np.ones((3, 3), np.uint8)), 1.0)
    share = np.clip((high - around) / (high - low), 0, 1)
    # Not a hair where the draft is the picture itself.
    return np.asarray(np.where(confidence >= 1, 0, share * share * (3 - 2 * share)), np.float32)


def hints(found: Draft, edited: Primitive, colours: np.ndarray | None) -> np.ndarray:
    """A draft as a network's input.

    Args:
        found: the draft, (H, W).
        edited: the primitive that it was made for.
        colours: of the classes, see `class_colours`.

    Returns:
        (11, H, W) float32: the draft in [-1, 1] (3), its confidence, the gate, 1 where a pixel came with an object,
        1 where it was filled, the class's mean colour in [-1, 1] (3; 0 without classes), nearness of outlines.
    """
    size = found.confidence.shape
    flat, allowed = np.zeros((*size, 3), np.float32), gate(found.confidence)
    lines = np.zeros(size, np.uint8)
    if edited.segments is not None and colours is not None:
        # Of a class that it never saw a network knows nothing.
        allowed = allowed * np.isfinite(colours[edited.segments]).all(axis=2)
        flat = np.nan_to_num(colours, nan=0.5)[edited.segments] * 2 - 1
        kernel = np.ones((2, 2), np.uint8)
        lines |= (cv2.dilate(edited.segments, kernel) != cv2.erode(edited.segments, kernel)).view(np.uint8)
    if edited.edges is not None:
        lines |= (edited.edges < 128).view(np.uint8)
    away = cv2.distanceTransform(1 - lines, cv2.DIST_L2, cv2.DIST_MASK_5) if lines.any() else np.full(size, 1e3)
    planes = [
        found.picture * 2 - 1,
        found.confidence[..., None],
        allowed[..., None],
        (found.origin == Origin.OBJECT)[..., None],
        (found.origin == Origin.FILLED)[..., None],
        flat,
        np.exp(-away / NEAR)[..., None],
    ]
    return np.ascontiguousarray(np.concatenate(planes, axis=2, dtype=np.float32).transpose(2, 0, 1))
