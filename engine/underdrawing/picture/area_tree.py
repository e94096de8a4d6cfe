"""The area tree: a picture's areas as a hierarchy, from small pieces up to the whole picture.

Outline strength (a network's outlines, or the colour gradient) is divided into basins by a watershed, and neighbouring
areas are merged, the weakest common border first (Arbelaez et al., "Contour detection and hierarchical image
segmentation", PAMI 2011). Every thing that a person can point at is a node, or close to one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from underdrawing.picture import colour_names
from underdrawing.picture.colour_slope import LIGHTNESS, edge_strength

Outlines = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class TreeSettings:
    """How a tree is made.

    Attributes:
        side: pixels of the longer side at which it is made, whatever the picture's size: its areas do not depend on it.
        outline_sides: sizes at which the outline network looks; coarse outlines belong to things, fine ones to detail.
        network: share of the network's outlines; the rest is the colour gradient.
        gradient: colour difference at which a gradient counts as a full outline.
        colour: how much a difference of the areas' colours strengthens the border between them.
        plain: the price of a colour difference without any outline.
        balance: exponent of the areas' sizes: small areas are merged before large ones.
        smallest: of the picture; smaller areas are merged before everything else.
        apart: colour difference that counts as a full one.
    """

    side: int = 512
    outline_sides: tuple[int, ...] = (384, 512)
    network: float = 0.5
    gradient: float = 28.0
    colour: float = 0.35
    plain: float = 0.06
    balance: float = 0.25
    smallest: float = 8e-4
    apart: float = 40.0


@dataclass(frozen=True, eq=False)
class AreaTree:
    """A picture's areas as a binary tree. Nodes 0 to `leaves` - 1 are the pieces; the last node is the whole picture.

    Attributes:
        pieces: (h, w) int32 at the working size: the piece of every pixel.
        parent: (nodes,) int; -1 for the whole picture.
        height: (nodes,) float: how strong a border had to be overcome to make it, never less than its children's.
        size: (nodes,) int, pixels at the working size.
        border: (nodes,) float: mean outline strength along its border; 0 for the whole picture.
    """

    pieces: np.ndarray
    parent: np.ndarray
    height: np.ndarray
    size: np.ndarray
    border: np.ndarray

    @property
    def leaves(self) -> int:
        """How many pieces there are."""
        return (len(self.parent) + 1) // 2

    @cached_property
    def _first_last(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pieces in the tree's order, and the span of it that each node covers."""
        nodes, leaves = len(self.parent), self.leaves
        count = np.ones(nodes, np.int64)
        count[leaves:] = 0
        for node in range(nodes - 1):
            count[self.parent[node]] += count[node]
        first = np.zeros(nodes, np.int64)
        free = np.zeros(nodes, np.int64)
        for node in range(nodes - 2, -1, -1):
            up = self.parent[node]
            first[node] = free[node] = first[up] + free[up] - first[up]
            free[up] += count[node]
        order = np.zeros(leaves, np.int64)
        order[:] = first[:leaves]
        return order, first, first + count

    def mask(self, node: int) -> np.ndarray:
        """(h, w) bool at the working size: the pixels of a node."""
        order, first, last = self._first_last
        inside = (order >= first[node]) & (order < last[node])
        return inside[self.pieces]

    def containing(self, x: int, y: int) -> list[int]:
        """The nodes that contain a pixel of the working size, from its piece up to the whole picture."""
        found = [int(self.pieces[y, x])]
        while self.parent[found[-1]] >= 0:
            found.append(int(self.parent[found[-1]]))
        return found

    def cut(self, count: int) -> np.ndarray:
        """(h, w) int32: the picture in `count` areas, 0 to count - 1; fewer areas are unions of more."""
        nodes = len(self.parent)
        undone = nodes - (max(1, min(count, self.leaves)) - 1)  # the last merges are undone
        top = np.arange(nodes)
        for node in range(nodes - 1, -1, -1):
            if self.parent[node] >= 0 and self.parent[node] < undone:
                top[node] = top[self.parent[node]]
        return np.unique(top[: self.leaves], return_inverse=True)[1].astype(np.int32)[self.pieces]


def working_copy(rgb: np.ndarray, settings: TreeSettings | None = None) -> np.ndarray:
    """(h, w, 3) uint8 of the size at which trees are made."""
    height, width = rgb.shape[:2]
    scale = (settings or TreeSettings()).side / max(height, width)
    size = max(2, round(width * scale)), max(2, round(height * scale))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def area_tree(rgb: np.ndarray, outlines: Outlines | None = None, settings: TreeSettings | None = None) -> AreaTree:
    """A picture's areas.

    Args:
        rgb: (H, W, 3) uint8.
        outlines: takes (h, w, 3) uint8, gives (h, w) float in [0, 1], 1 is an outline (HED); without it the colour
            gradient alone decides.
    """
    how = settings or TreeSettings()
    small = working_copy(rgb, how)
    lab = colour_names.to_lab(small)
    strength = _strength(small, lab, outlines, how)
    smooth = cv2.GaussianBlur(strength, (0, 0), 1.0)
    seeds = np.zeros(smooth.shape, np.int32)
    lows = peak_local_max(-smooth, min_distance=3, exclude_border=False)
    seeds[lows[:, 0], lows[:, 1]] = np.arange(1, len(lows) + 1)
    if not len(lows):
        seeds[0, 0] = 1
    pieces = np.asarray(watershed(smooth, seeds), np.int32) - 1
    return _merged(pieces, smooth, lab, how)


def _strength(small: np.ndarray, lab: np.ndarray, outlines: Outlines | None, how: TreeSettings) -> np.ndarray:
    """(h, w) float32: how much of an outline there is, about 0 to 1."""
    gradient = (edge_strength(lab) / how.gradient).astype(np.float32)
    if outlines is None:
        return gradient
    height, width = small.shape[:2]
    total = np.zeros((height, width), np.float32)
    for side in how.outline_sides:
        scale = side / max(height, width)
        size = max(2, round(width * scale)), max(2, round(height * scale))
        seen = small if size == (width, height) else cv2.resize(small, size, interpolation=cv2.INTER_AREA)
        total += cv2.resize(np.asarray(outlines(seen), np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return how.network * total / len(how.outline_sides) + (1 - how.network) * gradient


def _merged(pieces: np.ndarray, strength: np.ndarray, lab: np.ndarray, how: TreeSettings) -> AreaTree:
    count, total = int(pieces.max()) + 1, float(pieces.size)
    flat = pieces.ravel()
    size = np.zeros(2 * count - 1)
    size[:count] = np.bincount(flat, minlength=count)
    colour = np.zeros((2 * count - 1, 3))
    weights = np.array([LIGHTNESS, 1.0, 1.0])
    sums = np.stack([np.bincount(flat, lab[..., k].ravel(), count) for k in range(3)], 1)
    colour[:count] = sums / size[:count, None] * weights
    near: list[dict[int, tuple[float, float]]] = [{} for _ in range(2 * count - 1)]
    for a, b, length, weight in _borders(pieces, strength, count):
        near[a][b] = near[b][a] = (length, weight)

    def price(a: int, b: int) -> float:
        length, weight = near[a][b]
        outline = weight / length
        step = colour[a] - colour[b]
        differ = min(float(np.sqrt(step @ step)) / how.apart, 1.5)
        harmonic = size[a] * size[b] / (size[a] + size[b]) / total
        value = (outline + how.colour * differ * outline + how.plain * differ) * harmonic**how.balance
        return float(value) * (1e-4 if min(size[a], size[b]) < how.smallest * total else 1.0)

    border = np.zeros(2 * count - 1)

    def measure(node: int) -> None:
        lengths, sums = zip(*near[node].values(), strict=True) if near[node] else ((1.0,), (0.0,))
        border[node] = sum(sums) / sum(lengths)

    for node in range(count):
        measure(node)
    parent = np.full(2 * count - 1, -1)
    height = np.zeros(2 * count - 1)
    queue = [(price(a, b), a, b) for a in range(count) for b in near[a] if a < b]
    heapq.heapify(queue)
    fresh = count
    while queue:
        cost, a, b = heapq.heappop(queue)
        if parent[a] >= 0 or parent[b] >= 0:
            continue
        parent[a] = parent[b] = fresh
        size[fresh] = size[a] + size[b]
        colour[fresh] = (size[a] * colour[a] + size[b] * colour[b]) / size[fresh]
        height[fresh] = max(cost, height[a], height[b])
        for old in (a, b):
            for other, (length, weight) in near[old].items():
                if other not in (a, b):
                    del near[other][old]
                    before = near[fresh].get(other, (0.0, 0.0))
                    near[fresh][other] = near[other][fresh] = (before[0] + length, before[1] + weight)
            near[old] = {}
        measure(fresh)
        for other in near[fresh]:
            heapq.heappush(queue, (price(fresh, other), fresh, other))
        fresh += 1
    return AreaTree(pieces, parent, height, size.astype(np.int64), border)


def _borders(pieces: np.ndarray, strength: np.ndarray, count: int) -> list[tuple[int, int, float, float]]:
    """Neighbours, the length of their common border in pixels, and the sum of the strength along it."""
    keys, values = [], []
    for one, two in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1),), (slice(1, None),)),
    ):
        a, b = pieces[one], pieces[two]
        differ = a != b
        keys.append(np.minimum(a, b)[differ].astype(np.int64) * count + np.maximum(a, b)[differ])
        values.append(np.maximum(strength[one], strength[two])[differ])
    pairs, place = np.unique(np.concatenate(keys), return_inverse=True)
    lengths = np.bincount(place, minlength=len(pairs))
    sums = np.bincount(place, np.concatenate(values), len(pairs))
    return [
        (int(pair) // count, int(pair) % count, float(length), float(weight))
        for pair, length, weight in zip(pairs, lengths, sums, strict=True)
    ]
