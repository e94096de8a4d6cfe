"""Seams: a layer's colours are led over to those around it, class by class (a membrane, as in gradient-domain pasting).

The difference at the layer's border is spread smoothly over the layer (Farbman et al. 2009 do it with mean-value
coordinates; normalised convolution at several scales does the same for any shape).
"""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.flow_ops import blur, continued, resize
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.mask import touching

RING = 2  # pixels around a layer in which both are compared
MOST = 0.25  # of full brightness: larger differences are contents, not light
SIDE = 0.1  # of a layer's outline: where less of it is seen, what is seen counts less
DARKEST = 0.5  # of a layer's own light that stays: what is dark already must not become a silhouette
LARGE = 96  # pixels: larger pieces are computed at half their size
RIM = 0.03  # of the longer side: so far around filled ground its class is looked at
LIGHT, GRAIN = 0.012, 0.003  # of the longer side: what is coarser than the first is light, finer than the second grain
DEPTH = 0.035  # of the longer side, from the border: in narrower ground nobody sees what light it carries along
RELAXATIONS = 40  # on every level
# Deviation of the three channels from their light: ground smoother than the first is evened out, rougher than the
# second is not. Skies and walls have up to 0.04, water, meadows and hair 0.09 and more.
ROUGH = (0.042, 0.06)
SPREADS = (3.0, 9.0, 27.0)  # pixels; the widest reaches everywhere


def lead_over(
    layer: np.ndarray, base: np.ndarray, mask: np.ndarray, valid: np.ndarray, labels: np.ndarray | None
) -> np.ndarray:
    """The layer with its colours led over to the base's.

    Args:
        layer: (h, w, 3) float32; it counts in the mask, and is known around it where `valid` says so.
        base: (h, w, 3) float32.
        mask: (h, w) bool.
        valid: (h, w) bool, pixels outside of the mask at which layer and base show the same class.
        labels: (h, w) uint8 classes, or None where there are none.

    Returns:
        (h, w, 3) float32; outside of the mask the layer as it was.
    """
    if not mask.any():
        return layer
    ring = _grown(mask) & ~mask & valid
    result = layer.copy()
    count, marks = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    for box in _boxes(marks, count, mask.shape):
        part = box.slices()
        inner, rim = mask[part], ring[part]
        if not rim.any():
            continue
        own = None if labels is None else labels[part]
        for label in (None,) if own is None else np.unique(own[inner]):
            here = inner if own is None else inner & (own == label)
            seen = rim if own is None else rim & (own == label)
            if seen.any():
                enough = min(1.0, float(seen.sum()) / (RING * SIDE * 4 * float(np.sqrt(here.sum()))))
                led = layer[part] + enough * _spread(base[part] - layer[part], seen)
                result[part][here] = np.maximum(led, DARKEST * layer[part])[here]
    return result


def even_out(filled: np.ndarray, hole: np.ndarray, clear: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Filled ground whose class is smooth all around (a sky, a wall) made as smooth: its fine grain stays as it is.

    Patches carry shadows and glows of elsewhere along, which nobody sees in a meadow and everybody in a sky.

    Args:
        filled: (h, w, 3) float32.
        hole: (h, w) bool, what was filled.
        clear: (h, w) bool, pixels outside of the hole whose colours are surely those of their class.
        labels: (h, w) uint8, classes.

    Returns:
        (h, w, 3) float32; outside of the hole and the ring around it as it was.
    """
    side = max(hole.shape)
    reach, made = max(4, round(RIM * side)), filled.copy()
    for label in np.unique(labels[hole]):
        wide = _wide(hole & (labels == label), DEPTH * side)
        if not wide.any():
            continue
        box = Bounds.of_mask(wide).expand(2 * reach, hole.shape[::-1]).slices()
        here, part = wide[box], filled[box]
        near = cv2.dilate(here.view(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
        rim = near & clear[box] & (labels[box] == label)
        if not rim.any():
            continue
        light = _within(part, rim, max(2.0, LIGHT * side))
        rough = float(np.sqrt(((part - light)[rim] ** 2).sum(1).mean()))
        even = float(np.clip((ROUGH[1] - rough) / (ROUGH[1] - ROUGH[0]), 0, 1))
        if even == 0:
            continue
        fine = max(3.0, GRAIN * side)
        smooth = _membrane(_within(part, rim, fine), rim, here)
        grain = part - _within(part, here | rim, fine)
        most = 1.5 * grain[rim].std(axis=0)  # what exceeds it are borders between patches
        # Over the border, too: it is blended in there.
        blended = here | (_grown(here) & rim)
        made[box][blended] += even * (smooth + np.clip(grain, -most, most) - part)[blended]
    return made


def _grown(mask: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((2 * RING + 1,) * 2, np.uint8)) > 0)


def _wide(mask: np.ndarray, least: float) -> np.ndarray:
    """The pieces of a mask that are somewhere at least so far from their border."""
    depth = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    return touching(mask, depth >= least)


def _membrane(values: np.ndarray, known: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """(h, w, 3): values in the hole such that each is the mean of its neighbours: nothing is smoother.

    What is neither known nor hole has no say. Relaxed coarse to fine, each level from the one before.
    """
    height, width = hole.shape
    share = (known | hole).astype(np.float32)
    result = None
    for times in (16, 8, 4, 2, 1):
        size = (height // times, width // times)
        if min(size) < 3:
            continue
        amount, surely = resize(share, size), resize(known.astype(np.float32), size)
        there = resize(values * known[..., None], size) / np.maximum(surely, 1e-6)[..., None]
        # A cell that is partly known is held by that part, or a narrow rim would hold nothing where cells are large.
        held = np.minimum(1, 4 * surely / np.maximum(amount, 1e-6))[..., None]
        if result is None:
            result = continued(there, surely, (3.0, 9.0, float(max(size))))
        result = resize(result, size)
        weight = (cv2.blur(amount, (3, 3)) + np.float32(1e-6))[..., None]
        for _ in range(RELAXATIONS):
            mean = cv2.blur(result * amount[..., None], (3, 3)) / weight
            result = mean + held * (there - mean)
    return values if result is None else np.asarray(result, np.float32)


def _within(values: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    """(h, w, 3): blurred, of the pixels in the mask alone."""
    share = mask.astype(np.float32)
    return blur(values * share[..., None], sigma) / np.maximum(blur(share, sigma), 1e-3)[..., None]


def _boxes(marks: np.ndarray, count: int, shape: tuple[int, ...]) -> list[Bounds]:
    """Boxes of the pieces; where they are many or lie in each other's way, one box of all of them."""
    margin = RING + 1
    if count > 16:
        return [Bounds.of_mask(marks > 0).expand(margin, (shape[1], shape[0]))]
    boxes = [Bounds.of_mask(marks == k).expand(margin, (shape[1], shape[0])) for k in range(1, count)]
    for k, one in enumerate(boxes):
        if any(not one.intersect(other).is_empty for other in boxes[k + 1 :]):
            return [Bounds.of_mask(marks > 0).expand(margin, (shape[1], shape[0]))]
    return boxes


def _spread(difference: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(h, w, 3): the differences of the seen pixels, continued smoothly over all of the box.

    Where they scatter more than they have in common they are texture, not light, and nothing is led over.
    """
    if max(seen.shape) > LARGE:
        half = ((seen.shape[0] + 1) // 2, (seen.shape[1] + 1) // 2)
        share = resize(seen.astype(np.float32), half)
        mean = resize(difference * seen[..., None], half) / np.maximum(share, 1e-6)[..., None]
        return resize(_spread(mean, share > 0), seen.shape)
    known = np.clip(difference, -MOST, MOST)
    planes = np.dstack([known, (known * known).sum(2)])
    mean = continued(planes, seen.astype(np.float32), (*SPREADS, max(seen.shape) / 2))
    common = (mean[..., :3] ** 2).sum(2)
    scatter = np.maximum(mean[..., 3] - common, 0)
    return np.asarray(mean[..., :3] * (common / (common + scatter + 1e-6))[..., None], np.float32)
