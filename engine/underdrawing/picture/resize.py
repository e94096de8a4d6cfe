"""What training and rendering of single-image GANs must do in the same way: small copies, and the fixed noise."""

from __future__ import annotations

import cv2
import numpy as np

ANCHOR_SEED = 20_052_019  # of the noise that the picture itself is made from, where it is not made from a small copy


def small_copy(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture (H, W, 3) float32 at another size: each pixel the mean of what it covers, or bicubic upwards."""
    if rgb.shape[:2] == (height, width):
        return rgb
    smaller = height <= rgb.shape[0] and width <= rgb.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=how), np.float32)


def reduced(rgb: np.ndarray, factor: float) -> np.ndarray:
    """A picture (H, W, 3) or mask (H, W), float32, `factor` times as large, a pixel at least."""
    return small_copy(rgb, *sized(rgb, factor))


def sized(rgb: np.ndarray, factor: float) -> tuple[int, int]:
    """Width and height of `reduced`."""
    return max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor))


def at_most(rgb: np.ndarray, longest: int) -> np.ndarray:
    """A picture (H, W, 3) float32 whose longer side has so many pixels, or fewer where it has fewer."""
    return reduced(rgb, min(1.0, longest / max(rgb.shape[:2])))


def signed(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) in [0, 1] as (1, 3, H, W) in [-1, 1]."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None] * 2 - 1, np.float32)


def anchor(width: int, height: int, channels: int = 3, stage: int = 0) -> np.ndarray:
    """(1, channels, height, width) float32, standard normal: the same for the same size and stage (SinGAN's z*)."""
    seed = [ANCHOR_SEED, stage] if stage else ANCHOR_SEED
    return np.random.default_rng(seed).standard_normal((1, channels, height, width)).astype(np.float32)
