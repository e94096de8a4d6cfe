"""A second picture segmented in a model's palette, so that its layout can be used.

Every class of the model is known by how its own picture looks there: colour, texture, and weakly where. Superpixels of
the second picture take the class whose looks lie nearest, neighbours that look alike agree, and small pieces go.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree
from skimage.segmentation import slic

from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.label_inpainting import grow_classes
from underdrawing.picture.palette import Palette

WORK = 384  # pixels of the longer side at which pictures are compared
PIECES = 2400  # superpixels a picture
NEAR = 2  # looks of a class that are averaged: a single one may be a wrong pixel of the drawing
PLACE = 0.8  # weight of the position beside the looks, whose spread over the picture is 1
SMOOTH = 0.9  # how strongly neighbours agree, in units of the costs' spread
ROUNDS = 12  # of agreement
CRUMB = 0.0008  # of the picture: smaller pieces are given to what is around them


@dataclass(frozen=True, eq=False)
class _Pieces:
    """A picture in superpixels.

    Attributes:
        labels: (h, w) number of the superpixel.
        looks: (n, features) float32, means over the superpixels.
        places: (n, 2) x and y in [0, 1].
        area: (n,) pixels.
        joined: (m, 2) pairs of neighbours.
        length: (m,) pixels of the border between them.
    """

    labels: np.ndarray
    looks: np.ndarray
    places: np.ndarray
    area: np.ndarray
    joined: np.ndarray
    length: np.ndarray


def segment_like(picture: Picture, model_picture: Picture, model_segments: np.ndarray, palette: Palette) -> np.ndarray:
    """Segment a picture into the classes of a model.

    Only classes that occur in the model's segments can come out. Deterministic.

    Args:
        picture: any size and depth.
        model_picture: what the model was trained on.
        model_segments: (H, W) uint8 class indices of the model's picture, of its size.
        palette: the classes.

    Returns:
        (H, W) uint8 class indices in the size of `picture`.

    Raises:
        PictureError: segments of another size than the model's picture, or a class that the palette lacks.
    """
    width, height = model_picture.size
    if model_segments.shape != (height, width):
        raise PictureError(
            f"The model's segments have shape {model_segments.shape}, its picture {(height, width)} (rows, columns); "
            "they must be the same."
        )
    if int(model_segments.max()) >= len(palette):
        raise PictureError(f"Class {int(model_segments.max())} is not in the palette of {len(palette)} colours.")
    classes = np.unique(model_segments)
    if len(classes) == 1:
        return np.full(picture.size[::-1], classes[0], np.uint8)
    known, new = _pieces(model_picture.to_bytes()), _pieces(picture.to_bytes())
    shares = _shares(known, model_segments, classes)
    costs = _costs(known, new, shares)
    agreed = _agree(costs, new)
    return classes[_full(agreed, new, picture.size)]


def _pieces(rgb: np.ndarray) -> _Pieces:
    """Superpixels of an (H, W, 3) uint8 picture, compared in reduced size."""
    height, width = rgb.shape[:2]
    scale = min(1.0, WORK / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    pixels = small.shape[0] * small.shape[1]
    if pixels < 64:
        labels = np.arange(pixels).reshape(small.shape[:2])
    else:
        count = min(PIECES, pixels // 16)
        labels = slic(small, n_segments=count, compactness=8, start_label=0, sigma=0.7)
        labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    area = np.bincount(labels.ravel()).astype(np.float32)

    def mean(plane: np.ndarray) -> np.ndarray:
        return np.bincount(labels.ravel(), plane.ravel()) / area

    rows, columns = np.mgrid[0 : small.shape[0], 0 : small.shape[1]].astype(np.float32)
    places = np.stack([mean((columns + 0.5) / size[0]), mean((rows + 0.5) / size[1])], axis=1)
    looks = np.stack([mean(plane) for plane in _features(lab)], axis=1)
    joined, length = _neighbours(labels)
    return _Pieces(labels, looks, places, area, joined, length)


def _features(lab: np.ndarray) -> list[np.ndarray]:
    """Planes of what a place looks like: its colour, the colour around it, how rough it is and which way."""
    light = lab[..., 0]
    wide = cv2.GaussianBlur(lab, (0, 0), 6)
    planes = [light, 1.5 * lab[..., 1], 1.5 * lab[..., 2], wide[..., 0], 1.5 * wide[..., 1], 1.5 * wide[..., 2]]
    for sigma in (1.5, 5.0):
        mean = cv2.GaussianBlur(light, (0, 0), sigma)
        spread = cv2.GaussianBlur(light * light, (0, 0), sigma) - mean * mean
        planes.append(1.5 * np.sqrt(np.maximum(spread, 0)))
    for dx, dy in ((1, 0), (0, 1)):
        slope = np.abs(cv2.Sobel(light, cv2.CV_32F, dx, dy, scale=0.25))
        planes.append(1.5 * cv2.GaussianBlur(slope, (0, 0), 4))
    return planes


def _neighbours(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of superpixels that touch, and the length of their border."""
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1)
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1)
    pairs = np.sort(np.concatenate([across, down]), axis=1)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if not len(pairs):
        return np.zeros((0, 2), np.int64), np.zeros(0)
    joined, length = np.unique(pairs, axis=0, return_counts=True)
    return joined, length.astype(np.float64)


def _shares(pieces: _Pieces, segments: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n, C) share of every class in every superpixel."""
    size = pieces.labels.shape[::-1]
    shares = []
    for label in classes:
        own = cv2.resize((segments == label).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        shares.append(np.bincount(pieces.labels.ravel(), own.ravel()) / pieces.area)
    return np.stack(shares, axis=1)


def _costs(known: _Pieces, new: _Pieces, shares: np.ndarray) -> np.ndarray:
    """(n, C): how far the looks of the new superpixels lie from those of every class."""
    # Colours and texture are measured by their spread over the model's picture: in a dull picture little counts much.
    spread = np.sqrt(np.average((known.looks - np.average(known.looks, axis=0, weights=known.area)) ** 2, axis=0))
    spread = np.maximum(spread, 0.25 * spread.mean() + 1e-3)
    width = np.sqrt(known.looks.shape[1])

    def described(pieces: _Pieces) -> np.ndarray:
        return np.concatenate([pieces.looks / spread / width, PLACE * pieces.places], axis=1)

    model, wanted = described(known), described(new)
    costs = np.empty((len(wanted), shares.shape[1]))
    for index in range(shares.shape[1]):
        own = shares[:, index]
        # Superpixels over a border show two classes; they count only where a class has no others.
        samples = model[own >= min(0.7, 0.9 * float(own.max()))]
        near = min(NEAR, len(samples))
        distance = cKDTree(samples).query(wanted, k=near)[0].reshape(len(wanted), near)
        costs[:, index] = distance.mean(axis=1)
    return costs


def _agree(costs: np.ndarray, pieces: _Pieces) -> np.ndarray:
    """(n, C) weights of the classes after neighbours that look alike have agreed (mean field of a Potts model)."""
    second = np.partition(costs, 1, axis=1)[:, 1] - costs.min(axis=1)
    unary = (costs - costs.min(axis=1, keepdims=True)) / max(float(np.median(second)), 1e-6)
    weights = np.exp(-np.minimum(unary, 50))
    weights /= weights.sum(axis=1, keepdims=True)
    if not len(pieces.joined):
        return weights
    first, other = pieces.joined.T
    apart = np.linalg.norm(pieces.looks[first, :3] - pieces.looks[other, :3], axis=1)
    bond = pieces.length * np.exp(-apart / max(float(np.median(apart)), 1e-6))
    total = np.bincount(first, bond, len(costs)) + np.bincount(other, bond, len(costs)) + 1e-9
    for _ in range(ROUNDS):
        support = np.zeros_like(weights)
        for index in range(weights.shape[1]):
            support[:, index] = np.bincount(first, bond * weights[other, index], len(costs))
            support[:, index] += np.bincount(other, bond * weights[first, index], len(costs))
        energy = unary - 2 * SMOOTH * support / total[:, None]
        weights = np.exp(-np.minimum(energy - energy.min(axis=1, keepdims=True), 50))
        weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _full(weights: np.ndarray, pieces: _Pieces, size: tuple[int, int]) -> np.ndarray:
    """(H, W) class numbers in full size: crumbs gone, borders smooth."""
    small = weights.argmax(axis=1).astype(np.uint8)[pieces.labels]
    crumbs = _crumbs(small)
    if crumbs.any() and not crumbs.all():
        small = grow_classes(small, crumbs)
    result = np.zeros(size[::-1], np.uint8)
    best = np.full(size[::-1], -1, np.float32)
    for label in np.unique(small):
        soft = cv2.GaussianBlur((small == label).astype(np.float32), (0, 0), 1.0)
        value = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
        wins = value > best
        best[wins] = value[wins]
        result[wins] = label
    return result


def _crumbs(labels: np.ndarray) -> np.ndarray:
    """(h, w) bool: connected pieces of one class that are too small to be meant."""
    crumbs = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        _, parts, stats, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8), connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < CRUMB * labels.size
        small[0] = False
        crumbs |= small[parts]
    return crumbs
