"""Flows on grids: blur, resize and sample arrays of any number of channels.

A flow is (h, w, 2) float32, x then y: cell p of the result is taken from p + flow[p], in cells of its own grid.
"""

from __future__ import annotations

import cv2
import numpy as np


def deep(array: np.ndarray) -> np.ndarray:
    """(h, w, C) of what OpenCV may have made (h, w)."""
    return array[..., None] if array.ndim == 2 else array


def blur(array: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of every channel; the border's values go on outside. Sigma in cells; 0 leaves it as it is."""
    if sigma <= 0:
        return array
    reach = 2 * max(1, int(2.5 * sigma + 0.5)) + 1
    done = cv2.GaussianBlur(array, (reach, reach), sigma, borderType=cv2.BORDER_REPLICATE)
    return deep(done) if array.ndim == 3 else done


def resize(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """To (height, width): by area where it gets smaller, linearly where it grows."""
    height, width = size
    if array.shape[:2] == (height, width):
        return array
    smaller = height * width < array.shape[0] * array.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    if array.ndim == 2:
        return cv2.resize(array, (width, height), interpolation=how)
    # OpenCV averages areas of four channels at most.
    parts = [array[..., k : k + 4] for k in range(0, array.shape[2], 4)]
    return np.concatenate([deep(cv2.resize(part, (width, height), interpolation=how)) for part in parts], axis=2)


def continued(values: np.ndarray, weight: np.ndarray, sigmas: tuple[float, ...]) -> np.ndarray:
    """Values where they are known, continued smoothly over everything: normalised convolution at several scales.

    Args:
        values: (h, w, C) float32.
        weight: (h, w) float32, how much each counts; 0 where it is unknown.
        sigmas: in cells, rising; a wider one counts where a narrower one reaches nothing.

    Returns:
        (h, w, C) float32.
    """
    planes = np.dstack([values * weight[..., None], weight])
    height, width = weight.shape
    total = np.zeros(planes.shape, np.float32)
    # Far cells are computed small: a wide blur has no detail.
    for k, sigma in enumerate(sigmas):
        times = max(1, int(sigma / 3))
        size = (max(1, round(height / times)), max(1, round(width / times)))
        total += np.float32(1e-2**k) * resize(blur(resize(planes, size), sigma / times), (height, width))
    return np.asarray(total[..., :-1] / np.maximum(total[..., -1:], 1e-20), np.float32)


def resize_flow(flow: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The same flow on a grid of (height, width) cells, in cells of that grid."""
    ratio = np.array([size[1] / flow.shape[1], size[0] / flow.shape[0]], np.float32)
    return resize(flow, size) * ratio


def places(size: tuple[int, int]) -> np.ndarray:
    """(h, w, 2) float32: x and y of every cell."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    return np.dstack([x, y])


def sampled(source: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(h, w, C): what lies at these places of an array, linearly; beyond its border the border's values go on."""
    # OpenCV samples four channels at a time.
    parts = [source[..., k : k + 4] for k in range(0, source.shape[2], 4)]
    taken = [deep(cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)) for part in parts]
    return np.concatenate(taken, axis=2)


def sample(source: np.ndarray, flow: np.ndarray, how: int = cv2.INTER_LINEAR) -> np.ndarray:
    """What lies at the flow's ends in an array of the same grid; beyond its border the border's values go on."""
    at = places((flow.shape[0], flow.shape[1])) + flow
    done = cv2.remap(source, at[..., 0], at[..., 1], how, borderMode=cv2.BORDER_REPLICATE)
    return deep(done) if source.ndim == 3 else done


def gradients(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Central differences in x and y of every channel, a step of one cell."""
    padded = cv2.copyMakeBorder(array, 1, 1, 1, 1, cv2.BORDER_REPLICATE).reshape(
        array.shape[0] + 2, array.shape[1] + 2, -1
    )
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    return across, down
