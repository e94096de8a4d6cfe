"""Enlarged pictures that are true to the picture, and as sharp in their texture as it is."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.picture.patch_texture import TextureLevel, brushed
from underdrawing.picture.resize import small_copy

TIMES = 8
MOST_TEXTURED = 400_000  # pixels of an enlarged picture that gets the picture's own pieces; it takes some seconds
HALF = 0.5  # of them, beside what was made


def consistent(made: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """What was made, changed so that it becomes the picture again when it is reduced.

    Back-projection: Irani and Peleg, *Improving Resolution by Image Registration*, 1991.

    Args:
        made: (H, W, 3) float32 in [0, 1].
        picture: (h, w, 3), smaller.
    """
    size, small = (made.shape[1], made.shape[0]), (picture.shape[1], picture.shape[0])
    for _ in range(TIMES):
        missing = picture - cv2.resize(made, small, interpolation=cv2.INTER_AREA)
        made = made + cv2.resize(missing, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(made.clip(0, 1), np.float32)


def textured(made: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """With fine texture from the picture: its pieces as they are fit where they look alike at twice the distance.

    Glasner, Bagon and Irani, *Super-Resolution from a Single Image*, 2009.

    Args: as of `consistent`.
    """
    if made.shape[0] * made.shape[1] > MOST_TEXTURED:
        return made
    height, width = picture.shape[:2]
    ratio = made.shape[1] / width
    coarse = small_copy(picture, max(1, round(width / ratio)), max(1, round(height / ratio)))
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    painted = brushed(TextureLevel.of(soft, picture), made, np.ones(made.shape[:2], bool))
    return np.asarray(made + HALF * (painted - made), np.float32)
