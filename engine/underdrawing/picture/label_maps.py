"""Maps of numbered areas: specks tidied away, borders brought to another size."""

from __future__ import annotations

import cv2
import numpy as np


def tidy(labels: np.ndarray, smallest: int) -> np.ndarray:
    """Give connected pieces below `smallest` pixels to the areas next to them, and number the classes without gaps."""
    result = labels.copy()
    for index in np.unique(labels):
        _, pieces, stats, _ = cv2.connectedComponentsWithStats((labels == index).view(np.uint8), connectivity=4)
        sizes = stats[:, cv2.CC_STAT_AREA].copy()
        sizes[0] = labels.size
        largest = int(np.argmax(np.where(np.arange(len(sizes)) > 0, sizes, -1))) if len(sizes) > 1 else 0
        sizes[largest] = labels.size  # a class does not vanish altogether
        result[(sizes < smallest)[pieces]] = 255
    hole = result == 255
    if hole.any() and not hole.all():
        _, nearest = cv2.distanceTransformWithLabels(
            hole.view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        lookup = np.zeros(int(nearest.max()) + 1, np.uint8)
        lookup[nearest[~hole]] = result[~hole]
        result = np.where(hole, lookup[nearest], result)
    return np.unique(result, return_inverse=True)[1].reshape(labels.shape).astype(np.uint8)


def enlarge(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Labels at another size with smooth borders: each class is enlarged softly, the strongest one wins."""
    height, width = labels.shape
    if size == (width, height):
        return labels
    if min(height, width) < 2:
        return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    best = np.full((size[1], size[0]), -1, np.float32)
    result = np.zeros((size[1], size[0]), np.uint8)
    for index in np.unique(labels):
        member = cv2.GaussianBlur((labels == index).astype(np.float32), (0, 0), 0.8)
        soft = cv2.resize(member, size, interpolation=cv2.INTER_LINEAR)
        stronger = soft > best
        result[stronger] = index
        np.maximum(best, soft, out=best)
    return result
