"""The slope of a picture's colours: outlines without a network."""

from __future__ import annotations

import cv2
import numpy as np

LIGHTNESS = 0.7  # shadows change lightness more than things do


def edge_strength(lab: np.ndarray) -> np.ndarray:
    """(H, W) float32: colour difference across about four pixels of an (H, W, 3) Lab picture, in the steepest way."""
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0) * np.array([LIGHTNESS, 1.0, 1.0], np.float32)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    slope: np.ndarray = np.sqrt(((across**2 + down**2) / 4).sum(axis=2))
    return slope
