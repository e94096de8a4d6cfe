"""Outlines of a picture: Canny, or soft outlines from a network that the caller brings."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from skimage.color import rgb2gray
from skimage.feature import canny

from underdrawing.picture.image import PictureError

SIGMA_ALONE = 2.5  # reproduces the outlines that DeepSIM's authors published, pixel for pixel
SIGMA_SUPER = 0.5  # fine outlines on top of segments (DeepSIM, section 3.3)
LOW, HIGH = 0.1, 0.2  # hysteresis thresholds on grey values in [0, 1] (scikit-image's defaults)
SOFT_SIDE = 1024  # pixels of the longer side that a network is shown


def canny_edges(rgb: np.ndarray, sigma: float = SIGMA_ALONE, low: float = LOW, high: float = HIGH) -> np.ndarray:
    """Canny's edge detector on the grey picture.

    Args:
        rgb: (H, W, 3) uint8, or float in [0, 1].
        sigma: of the Gaussian in pixels; more gives fewer and smoother lines.
        low: weak edges above this count where they hang on a strong one.
        high: strong edges are above this.

    Returns:
        (H, W) uint8: 0 a line, 255 none.
    """
    if not 0 <= sigma <= 50:
        raise PictureError(f"Sigma is {sigma}; use a value from 0 to 50 pixels.")
    if not 0 <= low <= high:
        raise PictureError(
            f"The thresholds {low} and {high} do not fit; the lower one comes first, neither is negative."
        )
    if min(rgb.shape[:2]) < 3:
        return np.full(rgb.shape[:2], 255, np.uint8)
    found = canny(rgb2gray(rgb), sigma, low, high)
    return np.where(found, np.uint8(0), np.uint8(255))


def soft_edges(rgb: np.ndarray, network: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Outlines by a network (HED); large pictures are shown to it reduced.

    Args:
        rgb: (H, W, 3) uint8.
        network: takes (h, w, 3) uint8, gives (h, w) float, the probability of an outline.

    Returns:
        (H, W) uint8: 0 a line, 255 none, soft values between.
    """
    height, width = rgb.shape[:2]
    scale = SOFT_SIDE / max(height, width)
    shown = rgb
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        shown = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    probability: np.ndarray = np.asarray(network(np.ascontiguousarray(shown)), np.float32)
    if probability.shape != shown.shape[:2]:
        raise PictureError(f"The outline network gave shape {probability.shape} for a picture of {shown.shape[:2]}.")
    if scale < 1:
        probability = cv2.resize(probability, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.rint(255 * (1 - np.clip(np.nan_to_num(probability), 0, 1))).astype(np.uint8)
