"""Seams: a layer's colours are led over to those around it, class by class (a membrane, as in gradient-domain pasting).

The difference at the layer's border is spread smoothly over the layer (Farbman et al. 2009 do it with mean-value
coordinates; normalised convolution at several scales does the same for any shape).
"""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.grids import blur, resize
from underdrawing.picture.geometry import Bounds

RING = 2  # pixels around a layer in which both are compared
MOST = 0.25  # of full brightness: larger differences are contents, not light
LARGE = 96  # pixels: larger pieces are computed at half their size
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
    ring = (cv2.dilate(mask.view(np.uint8), np.ones((2 * RING + 1,) * 2, np.uint8)) > 0) & ~mask & valid
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
                change = _spread(base[part] - layer[part], seen)
                result[part][here] += change[here]
    return result


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
    weight = seen.astype(np.float32)
    known = np.clip(difference, -MOST, MOST) * weight[..., None]
    planes = np.dstack([known, (known * known).sum(2), weight])
    height, width = weight.shape
    total = np.zeros((height, width, 5), np.float32)
    # Far cells are computed small: a wide blur has no detail.
    for k, sigma in enumerate((*SPREADS, max(height, width) / 2)):
        times = max(1, int(sigma / 3))
        size = (max(1, round(height / times)), max(1, round(width / times)))
        total += np.float32(1e-2**k) * resize(blur(resize(planes, size), sigma / times), (height, width))
    mean = total[..., :4] / np.maximum(total[..., 4:], 1e-20)
    common = (mean[..., :3] ** 2).sum(2)
    scatter = np.maximum(mean[..., 3] - common, 0)
    return np.asarray(mean[..., :3] * (common / (common + scatter + 1e-6))[..., None], np.float32)
