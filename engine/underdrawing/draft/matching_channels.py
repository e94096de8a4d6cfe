"""What registration compares: the planes of two primitives as soft channels, and how much each channel counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from underdrawing.draft.flow_ops import blur, resize
from underdrawing.picture.primitive import Primitive

MOST_CLASSES = 48  # classes with a channel of their own; rarer ones share channels
SHARED = 16
RAREST = 30.0  # a class counts at most as much as if it had 1/30 of the largest one's area
REACHES = (0.006, 0.02, 0.06)  # of the longer side: how far an outline is felt
EDGE_WEIGHT = 4.0  # of an outline's channels, where a class counts from 1 to RAREST
PAINT_WEIGHT = 4.0  # of the three channels of paint


@dataclass(frozen=True, eq=False)
class Channels:
    """Two primitives on one grid.

    Attributes:
        original: (h, w, C) float32 in [0, 1], area means.
        edited: (h, w, C), the same channels of the edited primitive.
        weights: (C,) float32, how much a squared difference counts.
        classes: the first so many channels say which class lies where.
        channel_of: (256,) int, the channel of every class; -1 for those that the original lacks.
    """

    original: np.ndarray
    edited: np.ndarray
    weights: np.ndarray
    classes: int
    channel_of: np.ndarray

    def resized(self, size: tuple[int, int]) -> Channels:
        """On a grid of (height, width) cells."""
        return replace(self, original=resize(self.original, size), edited=resize(self.edited, size))

    def with_labels(self, labels: np.ndarray, where: np.ndarray, *, original: bool) -> Channels:
        """With other classes in some cells of the original or the edited primitive.

        Args:
            labels: (h, w) uint8.
            where: (h, w) bool.
        """
        if not where.any():
            return self
        maps = (self.original if original else self.edited).copy()
        hot = np.zeros((int(where.sum()), self.classes), np.float32)
        channel = self.channel_of[labels[where]]
        has = channel >= 0
        hot[has, channel[has]] = 1
        inner = maps[where]
        inner[:, : self.classes] = hot
        maps[where] = inner
        return replace(self, original=maps) if original else replace(self, edited=maps)

    def mismatch(self, carried: np.ndarray) -> np.ndarray:
        """(h, w) float32 in [0, 1]: how much of each cell has another class than the edited primitive wants.

        Args:
            carried: (h, w, C), the original's channels after a flow.
        """
        count = self.classes or self.weights.size
        return np.abs(carried[..., :count] - self.edited[..., :count]).sum(2) / 2


def channels(original: Primitive, edited: Primitive, size: tuple[int, int]) -> Channels:
    """The planes that both primitives have, on a grid of (height, width) cells.

    A class that the original lacks has no channel: where the edited primitive wants it, no class is there.
    """
    first: list[np.ndarray] = []
    second: list[np.ndarray] = []
    weights: list[float] = []
    channel_of = np.full(256, -1)
    if original.segments is not None and edited.segments is not None:
        areas = np.bincount(original.segments.ravel(), minlength=256)
        for group in _groups(areas):
            lookup = np.zeros(256, np.uint8)
            lookup[group] = 255
            channel_of[group] = len(weights)
            first.append(_small(lookup[original.segments], size))
            second.append(_small(lookup[edited.segments], size))
            weights.append(float(min(areas.max() / areas[group].sum(), RAREST)))
    classes = len(weights)
    if original.edges is not None and edited.edges is not None:
        for one, two in zip(_nearness(original.edges), _nearness(edited.edges), strict=True):
            first.append(_small(one, size))
            second.append(_small(two, size))
            weights.append(EDGE_WEIGHT)
    if original.paint is not None and edited.paint is not None:
        for channel in range(3):
            first.append(_small(original.paint[..., channel], size))
            second.append(_small(edited.paint[..., channel], size))
            weights.append(PAINT_WEIGHT)
    return Channels(np.dstack(first), np.dstack(second), np.array(weights, np.float32), classes, channel_of)


def _groups(areas: np.ndarray) -> list[np.ndarray]:
    """Classes that occur, largest first, one a channel; from the 49th on they share channels."""
    order = np.argsort(-areas, kind="stable")
    order = order[areas[order] > 0]
    groups = [np.array([label]) for label in order[:MOST_CLASSES]]
    rest = order[MOST_CLASSES:]
    return groups + [rest[start::SHARED] for start in range(min(SHARED, len(rest)))]


def _small(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return resize(plane, size).astype(np.float32) / 255


def _nearness(edges: np.ndarray) -> list[np.ndarray]:
    """Outlines as (H, W) uint8 fields that fall off with the distance: thin lines alone leave nothing to follow."""
    away = cv2.distanceTransform((edges >= 128).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    side = max(edges.shape)
    return [np.rint(255 * np.exp(-away / max(reach * side, 1.0))).astype(np.uint8) for reach in REACHES]


def scales(maps: np.ndarray, sigmas: tuple[float, ...]) -> np.ndarray:
    """(h, w, C * S): the channels blurred by each sigma (cells)."""
    return np.concatenate([blur(maps, sigma) for sigma in sigmas], axis=2)


def reduce(first: np.ndarray, second: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Both stacks on the first one's principal components: distances stay nearly as they are, at less cost.

    Args:
        first: (h, w, C) float32.
        second: (h, w, C).
        most: components that are kept.
    """
    depth = first.shape[2]
    if depth <= most:
        return first, second
    flat = first.reshape(-1, depth)
    mean = flat.mean(0)
    centred = flat - mean
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :most].astype(np.float32)
    return np.ascontiguousarray((first - mean) @ axes), np.ascontiguousarray((second - mean) @ axes)
