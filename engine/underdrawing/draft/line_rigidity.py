"""Straight things stay straight: where a picture is full of parallel and upright lines, a flow may shear but not bend.

Outlines of areas are drawn by hand or found by networks, and registration follows every wave of them. Houses, towers
and fences must not.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from underdrawing.draft.flow_ops import blur, resize, sample
from underdrawing.draft.matching_channels import Channels
from underdrawing.picture.resize import at_most

LONGEST = 512  # pixels of the longer side in which lines are looked for
LEAST = 0.05  # of the shorter side: shorter lines are none
LINES = 8  # in an area, at least
DENSE = 0.02  # pixels of lines in a pixel of an area, at least; facades have up to 0.08, hair 0.03
PARALLEL = 0.6  # of the lines have one direction or stand upright on it: facades from 0.67, hair and stripes up to 0.45
REACH = 0.06  # of the shorter side: so far around its lines an area is held
CROWDED = 60.0  # how soon there are enough lines around
STIFF = 100.0  # weight of bending
FREE = 0.1  # weight of the flow itself within an area; outside of it, and at borders that fit, it has 1 more
WRONG = 0.3  # blurred mismatch at which a border holds nothing


def straightened(flow: np.ndarray, picture: np.ndarray, segments: np.ndarray, maps: Channels) -> np.ndarray:
    """A flow that does not bend what the picture has built straight.

    Its bending energy (that of thin plates: squares of second derivatives) is weighed against staying as it is.

    Args:
        flow: (h, w, 2) float32 on the middle grid.
        picture: (H, W, 3) float32 in [0, 1].
        segments: (H, W) uint8, its classes.
        maps: both primitives on the flow's grid.
    """
    size = (flow.shape[0], flow.shape[1])
    if min(size) < 3:
        return flow
    stiff = sample(resize(built(picture, segments), size), flow)
    if stiff.max() < 0.05:
        return flow
    held = np.where(stiff < 0.05, 1, FREE + _held(maps, flow))
    solved = splu((sparse.diags_array(held.ravel().astype(np.float64)) + _bending(STIFF * stiff)).tocsc())
    axes = [solved.solve((held * flow[..., axis]).ravel().astype(np.float64)).reshape(size) for axis in (0, 1)]
    return np.dstack(axes).astype(np.float32)


def built(picture: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """(h, w) float32 in [0, 1]: areas that are full of parallel and upright lines, around these; at most as large.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        segments: (H, W) uint8.
    """
    small = at_most(picture, LONGEST)
    height, width = small.shape[:2]
    classes = np.asarray(cv2.resize(segments, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    result = np.zeros((height, width), np.float32)
    grey = cv2.cvtColor((small.clip(0, 1) * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    found: np.ndarray | None = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if found is None:
        return result
    ends = found.reshape(-1, 4)
    ways = ends[:, 2:] - ends[:, :2]
    lengths, angles = np.hypot(*ways.T), np.arctan2(ways[:, 1], ways[:, 0])
    middles = np.rint((ends[:, 2:] + ends[:, :2]) / 2).astype(np.intp).clip(0, (width - 1, height - 1))
    kernel = np.ones((7, 7), np.uint8)
    # Outlines of areas are none of their lines.
    within = (cv2.erode(classes, kernel) == cv2.dilate(classes, kernel))[middles[:, 1], middles[:, 0]]
    lines = within & (lengths > LEAST * min(height, width))
    labels = classes[middles[:, 1], middles[:, 0]]
    drawn = np.zeros((height, width), np.float32)
    for line in np.rint(ends[lines]).astype(int):
        cv2.line(drawn, line[:2].tolist(), line[2:].tolist(), 1.0)
    near = np.minimum(CROWDED * blur(drawn, REACH * min(height, width)), 1)
    for label in np.unique(labels[lines]):
        own = lines & (labels == label)
        length = float(lengths[own].sum())
        # Four times the angle: what stands upright on a line counts as parallel to it.
        parallel = abs((lengths[own] * np.exp(4j * angles[own])).sum()) / length
        area = classes == label
        if own.sum() >= LINES and length > DENSE * area.sum() and parallel > PARALLEL:
            result[area] = near[area]
    return result


def _held(maps: Channels, flow: np.ndarray) -> np.ndarray:
    """(h, w): 1 at borders of classes that the flow brings where they are wanted, 0 elsewhere."""
    wanted, kernel = maps.edited[..., : maps.classes], np.ones((3, 3), np.uint8)
    planes = (np.ascontiguousarray(wanted[..., k]) for k in range(maps.classes))
    borders = sum(cv2.dilate(plane, kernel) - cv2.erode(plane, kernel) for plane in planes)
    wrong = blur(maps.mismatch(sample(maps.original, flow)), 1.0)
    return np.asarray(np.clip(borders, 0, 1) * np.clip(1 - wrong / WRONG, 0, 1))


def _bending(weight: np.ndarray) -> sparse.sparray:
    """The matrix of the weighted bending energy of a grid (h, w)."""
    height, width = weight.shape

    def steps(count: int, stencil: tuple[float, ...]) -> sparse.sparray:
        offsets, rows = list(range(len(stencil))), count - len(stencil) + 1
        return sparse.diags_array([np.full(rows, v) for v in stencil], offsets=offsets, shape=(rows, count))

    twice, once = (1.0, -2.0, 1.0), (-1.0, 1.0)
    parts = (
        (sparse.kron(sparse.eye_array(height), steps(width, twice)), weight[:, 1:-1]),
        (sparse.kron(steps(height, twice), sparse.eye_array(width)), weight[1:-1]),
        (sparse.kron(steps(height, once), steps(width, once)), 2 * _corners(weight)),
    )
    return sum(part.T @ sparse.diags_array(w.ravel().astype(np.float64)) @ part for part, w in parts)


def _corners(weight: np.ndarray) -> np.ndarray:
    """(h - 1, w - 1): the means of four cells each."""
    return (weight[1:, 1:] + weight[:-1, :-1] + weight[1:, :-1] + weight[:-1, 1:]) / 4
