"""Fine detail for results of a model trained on a reduced picture.

The network decides what is where; what is finer than it can see is taken from the picture itself, from the place
that looks most alike at the network's own scale (the idea of example-based super-resolution, Freeman et al. 2002,
with the picture as its only example).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

PATCH = 5  # pixels of the small picture that are compared
COMPONENTS = 12  # of the patches' principal components
MOST_PLACES = 40_000  # candidate places in the small picture
NEIGHBOURLY = 2.5  # cells by which neighbours' offsets may differ and still mean the same piece
CHANGED = 0.03  # smaller differences of a result leave detail where it was
NEAR = 0.15  # how much the distance of places counts against the distance of patches


def restore_detail(
    full: np.ndarray,
    small_original: np.ndarray,
    small_result: np.ndarray,
    changed: np.ndarray | None = None,
    size: tuple[int, int] | None = None,
) -> np.ndarray:
    """Bring the picture's own fine detail to a reduced result.

    Args:
        full: (H, W, 3) float32 in [0, 1], the picture at its own resolution.
        small_original: (h, w, 3) the same, reduced to what the network saw.
        small_result: (h', w', 3) what the network made; as a rule of the same size.
        changed: (h', w') bool, where detail must be looked for; elsewhere it stays in its own place. None: wherever the
            result differs, and everywhere where it has another size.
        size: width and height of what is wanted; None: those of `full`.

    Returns:
        (H, W, 3) float32 in [0, 1], or as large as `size` says.
    """
    own = (full.shape[1], full.shape[0])
    width, height = size = size or own
    fine = full - cv2.resize(small_original, own, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.resize(small_result, size, interpolation=cv2.INTER_CUBIC)
    alike = small_original.shape == small_result.shape
    if changed is None:
        changed = np.ones(small_result.shape[:2], bool)
        if alike:
            changed = np.abs(small_original - small_result).max(2) > CHANGED
    if alike and size == own and not changed.any():
        return np.clip(smooth + fine, 0, 1)
    offsets = _coherent(_offsets(small_original, small_result, changed), changed)
    ratio = np.array([own[0] / small_original.shape[1], own[1] / small_original.shape[0]], np.float32)
    # One offset a cell of the small picture: blocks of detail move as they are, unblurred.
    moved = cv2.resize(offsets, size, interpolation=cv2.INTER_NEAREST) * ratio
    step = (np.array(small_result.shape[1::-1]) * ratio / size).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x + 0.5) * step[0] - 0.5, (y + 0.5) * step[1] - 0.5
    detail = cv2.remap(fine, x + moved[..., 0], y + moved[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    # Where neighbours found their detail in quite different places it would be noise: there it fades out.
    sure = cv2.resize(_agreement(offsets), size, interpolation=cv2.INTER_LINEAR)[..., None]
    return np.clip(smooth + detail * sure, 0, 1).astype(np.float32)


def _patches(picture: np.ndarray) -> np.ndarray:
    """(h * w, PATCH * PATCH * 3): the surroundings of every pixel, Gaussian-weighted."""
    half = PATCH // 2
    padded = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_REFLECT_101)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PATCH, PATCH), axis=(0, 1))
    weight = np.outer(*[np.exp(-(np.arange(-half, half + 1) ** 2) / 4.0)] * 2).astype(np.float32)
    return (windows * weight).reshape(picture.shape[0] * picture.shape[1], -1).astype(np.float32)


def _offsets(original: np.ndarray, result: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """(h, w, 2): where, in x and y, the most alike patch of the original lies; 0 where nothing changed."""
    height, width = original.shape[:2]
    alike = original.shape == result.shape
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2).astype(np.float32)
    known = _patches(original)
    chosen = np.arange(len(known))
    if len(chosen) > MOST_PLACES:
        chosen = np.random.default_rng(0).permutation(chosen)[:MOST_PLACES]
    mean = known[chosen].mean(0)
    sample = known[chosen[:: max(1, len(chosen) // 4000)]] - mean
    axes = np.linalg.svd(sample, full_matrices=False)[2][: min(COMPONENTS, *sample.shape)].T
    near = NEAR * known.std() * np.sqrt(known.shape[1]) / max(height, width) * alike
    tree = cKDTree(np.hstack([(known[chosen] - mean) @ axes, places[chosen] * near]))
    asked = np.flatnonzero(changed.reshape(-1))
    rows, columns = np.divmod(asked, changed.shape[1])
    here = np.stack([columns, rows], -1).astype(np.float32)
    query = np.hstack([(_patches(result)[asked] - mean) @ axes, here * near])
    found = chosen[tree.query(query, eps=0.5, workers=-1)[1]]
    offsets = np.zeros((changed.size, 2), np.float32)
    offsets[asked] = places[found] - here
    return offsets.reshape(*changed.shape, 2)


def _coherent(offsets: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """Neighbours that moved alike give one whole piece of detail instead of confetti: a 3 x 3 median of offsets."""
    smooth = np.dstack([cv2.medianBlur(np.ascontiguousarray(offsets[..., k]), 3) for k in range(2)])
    return np.where(changed[..., None], smooth, 0).astype(np.float32)


def _agreement(offsets: np.ndarray) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how many of the eight neighbours have nearly the same offset (mirrored ones too)."""
    height, width = offsets.shape[:2]
    padded = np.pad(offsets, ((1, 1), (1, 1), (0, 0)), mode="edge")
    alike = np.zeros((height, width), np.float32)
    for dy in range(3):
        for dx in range(3):
            step = padded[dy : dy + height, dx : dx + width] - offsets
            alike += (np.abs(step).max(2) <= NEIGHBOURLY).astype(np.float32)
    return np.clip((alike - 2) / 4, 0, 1).astype(np.float32)
