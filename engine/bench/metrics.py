"""Measures of pictures that need no reference network but the shipped stem: SIFID, sharpness, outlines, change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import scipy.linalg
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from scipy.spatial import cKDTree

from underdrawing.picture.edges import SIGMA_ALONE, canny_edges

TOLERANCE = 2  # pixels by which an outline may be off
STEM = Path(__file__).parent / "_weights" / "inception_stem.safetensors"


@cache
def _stem() -> dict[str, torch.Tensor]:
    return load_file(STEM)


@torch.no_grad()
def _stem_features(picture: np.ndarray) -> np.ndarray:
    """(H', W', 64) -> (N, 64): Inception-v3 (2015) before its first pooling, batch norm folded into the weights."""
    weights = _stem()
    x = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None] * 2 - 1
    for name, stride, padding in (("conv", 2, 0), ("conv_1", 1, 0), ("conv_2", 1, 1)):
        x = F.relu(F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride, padding))
    return x[0].flatten(1).T.double().numpy()


def sifid(made: np.ndarray, real: np.ndarray) -> float:
    """Single-image Fréchet Inception distance (SinGAN, section 3.1): texture statistics of two pictures.

    Args:
        made, real: (H, W, 3) in [0, 1], at least 16 pixels a side; sizes may differ.

    Returns:
        at least 0; to be compared only with figures made with the same weights.
    """
    a, b = _stem_features(made), _stem_features(real)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    step = a.mean(0) - b.mean(0)
    return max(0.0, float(step @ step + np.trace(first + second - 2 * root)))


def sharpness(made: np.ndarray, real: np.ndarray) -> float:
    """Energy of fine detail against the real picture's: 1 as sharp, below softer, above noisier."""

    def energy(picture: np.ndarray) -> float:
        grey = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
        return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())

    return energy(made) / max(energy(real), 1e-6)


def patch_distance(made: np.ndarray, real: np.ndarray, where: np.ndarray | None = None) -> float:
    """How far patches of a picture lie from the nearest of another: whether it is made of the same stuff.

    Args:
        made, real: (H, W, 3) in [0, 1]; sizes may differ. Patches are 7 x 7, every third pixel of the first.
        where: (H, W) bool, the middles of the first's patches that are asked for, every pixel of them.

    Returns:
        the mean over the patches of the root mean square difference of their pixels, in levels of 255.
    """
    side = 7

    def patches(picture: np.ndarray, step: int, chosen: np.ndarray | None = None) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(picture.astype(np.float32), (side, side), axis=(0, 1))
        found = windows[::step, ::step] if chosen is None else windows[chosen[reach:-reach, reach:-reach]]
        return np.asarray(found.reshape(-1, side * side * 3))

    reach = side // 2
    known = patches(real, 1)
    mean = known.mean(0)
    axes = np.linalg.svd(known[:: max(1, len(known) // 5000)] - mean, full_matrices=False)[2][:16].T
    asked = patches(made, 3, where)
    # Found by what matters most of them, compared as they are.
    nearest = cKDTree((known - mean) @ axes).query((asked - mean) @ axes, eps=0.2)[1]
    return float(np.sqrt(((asked - known[nearest]) ** 2).mean(1)).mean() * 255)


def changed(before: np.ndarray, after: np.ndarray, reach: int) -> np.ndarray:
    """Where the classes of two maps differ, widened by `reach` pixels: (H, W) bool."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate((before != after).astype(np.uint8), kernel).astype(bool)


def mean_iou(found: np.ndarray, truth: np.ndarray, classes: np.ndarray) -> float:
    """Mean intersection over union of those of `classes` that occur in the truth; NaN where none does."""
    scores = []
    for number in classes:
        there = truth == number
        if there.any():
            scores.append((there & (found == number)).sum() / (there | (found == number)).sum())
    return float(np.mean(scores)) if scores else float("nan")


def outline_fidelity(made: np.ndarray, wanted: np.ndarray, before: np.ndarray, sigma: float = SIGMA_ALONE) -> float:
    """How well a result's outlines follow the wanted ones where those were changed: F1 at a tolerance of 2 pixels.

    Args:
        made: (H, W, 3) in [0, 1], the result; its outlines are Canny's.
        wanted, before: (H, W) uint8, the edited and the original outlines by the same detector, 0 a line, 255 none.
        sigma: the detector's, in pixels.

    Returns:
        0 to 1; NaN where no outline was changed.
    """
    goal, old, found = wanted < 128, before < 128, canny_edges(made, sigma) < 128
    moved = (goal & ~_near(old, TOLERANCE)) | (old & ~_near(goal, TOLERANCE))
    where = _near(moved, 2 * TOLERANCE)
    if not (goal & where).any():
        return float("nan")
    hits, right = (goal & where & _near(found, TOLERANCE)).sum(), (found & where & _near(goal, TOLERANCE)).sum()
    recall, precision = hits / (goal & where).sum(), right / max(1, (found & where).sum())
    return float(2 * recall * precision / max(1e-9, recall + precision))


def _near(lines: np.ndarray, pixels: int) -> np.ndarray:
    """(H, W) bool: within so many pixels of a line."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.dilate(lines.view(np.uint8), kernel).astype(bool)
