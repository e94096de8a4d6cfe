"""All divisions of a picture into areas, from the whole to pieces of a few pixels: for automatic maps and for picking.

Outline strength is flooded to pieces (watershed, Beucher and Lantuejoul 1979), the pieces are merged pair by pair, and
the merges make one tree. Every number of areas is a cut through it, so fewer areas are unions of more. Everything is
computed at one working size, so that copies of a picture in other sizes have the same areas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np
from skimage.segmentation import watershed

from underdrawing.picture import colour_names
from underdrawing.picture.area_merging import MergeCost, consensus_merges, greedy_merges, piece_graph
from underdrawing.picture.colour_slope import LIGHTNESS, edge_strength
from underdrawing.picture.image import PictureError
from underdrawing.picture.label_maps import enlarge
from underdrawing.picture.palette import MOST

Network = Callable[[np.ndarray], np.ndarray]  # (h, w, 3) uint8 -> (h, w) float in [0, 1]


@dataclass(frozen=True)
class HierarchySettings:
    """How a tree is computed.

    Attributes:
        side: pixels of the longer side of the working picture.
        outline_sides: longer sides at which the outline network looks; the mean of all is taken.
        outline_weight: colour difference that a certain outline of the network stands for.
        coarse: pieces from which on the order of merges is the consensus of many.
        orders: how many disturbed orders are asked.
        disturbance: standard deviation of the logarithm by which they change the outline strength.
    """

    side: int = 512
    outline_sides: tuple[int, ...] = (384, 512)
    outline_weight: float = 14.0
    coarse: int = 250
    orders: int = 12
    disturbance: float = 0.3
    cost: MergeCost = field(default_factory=MergeCost)


@dataclass(frozen=True, eq=False)
class AreaHierarchy:
    """A picture's areas. Node numbers: 0 to N - 1 are the smallest pieces, the last one is the whole picture.

    Attributes:
        size: width and height of the picture in pixels.
        order: (h, w) int32 at the working size: every pixel's piece, numbered so that the pieces of any node follow
            each other.
        spans: (2N - 1, 2) int: the first piece of each node, and the one after its last.
        parents: (2N - 1,) int: -1 at the root.
        heights: (2N - 1,) float: how late in merging the node came to be; pieces have 0.
        borders: (2N - 1,) float: mean outline strength along the node's border, in units of colour difference.
        settings: how it was computed.
    """

    size: tuple[int, int]
    order: np.ndarray
    spans: np.ndarray
    parents: np.ndarray
    heights: np.ndarray
    borders: np.ndarray
    settings: HierarchySettings

    @property
    def pieces(self) -> int:
        """How many smallest pieces there are."""
        return (len(self.parents) + 1) // 2

    @property
    def root(self) -> int:
        """The whole picture."""
        return len(self.parents) - 1

    @cached_property
    def shares(self) -> np.ndarray:
        """(2N - 1,) float: each node's share of the picture."""
        before = np.concatenate([[0], np.cumsum(np.bincount(self.order.ravel(), minlength=self.pieces))])
        share: np.ndarray = (before[self.spans[:, 1]] - before[self.spans[:, 0]]) / self.order.size
        return share

    def cut(self, areas: int) -> np.ndarray:
        """(h, w) uint8 labels at the working size: exactly `areas` areas, or all pieces where there are fewer.

        Raises:
            PictureError: not 1 to 255.
        """
        if not 1 <= areas <= MOST:
            raise PictureError(f"A picture can have 1 to {MOST} regions, not {areas}.")
        lowest = len(self.parents) - min(areas, self.pieces) + 1
        nodes = [n for n in range(lowest) if self.parents[n] >= lowest or self.parents[n] < 0]
        lookup = np.zeros(self.pieces, np.uint8)
        for label, node in enumerate(nodes):
            lookup[self.spans[node, 0] : self.spans[node, 1]] = label
        return lookup[self.order]

    def labels(self, areas: int) -> np.ndarray:
        """`cut` at the picture's own size, with smooth borders: (H, W) uint8."""
        return enlarge(self.cut(areas), self.size)

    def containing(self, column: int, row: int) -> list[int]:
        """The nodes that hold a pixel of the working size, from the smallest piece to the whole picture."""
        nodes = [int(self._piece_nodes[self.order[row, column]])]
        while self.parents[nodes[-1]] >= 0:
            nodes.append(int(self.parents[nodes[-1]]))
        return nodes

    @cached_property
    def _piece_nodes(self) -> np.ndarray:
        """(N,) the node of each number in `order`."""
        return np.argsort(self.spans[: self.pieces, 0])

    def mask(self, node: int) -> np.ndarray:
        """(h, w) bool at the working size: the pixels of a node."""
        first, last = self.spans[node]
        return (self.order >= first) & (self.order < last)


def build_hierarchy(
    rgb: np.ndarray,
    outlines: Network | None = None,
    saliency: Network | None = None,
    settings: HierarchySettings | None = None,
) -> AreaHierarchy:
    """The area tree of a picture.

    Args:
        rgb: (H, W, 3) uint8.
        outlines: probability of an outline (HED); half of the outline strength where it is given.
        saliency: how much a pixel belongs to the subject (U2-Net); then areas that cross the subject's outline are
            made last.

    Raises:
        PictureError: a network's result has another size than the picture that it was shown.
    """
    settings = settings or HierarchySettings()
    small = working_picture(rgb, settings.side)
    height, width = small.shape[:2]
    strength = outline_strength(small, outlines, settings)
    # A piece for every lowest place within 7 pixels; a flat area is one place.
    lowest = strength <= cv2.erode(strength, np.ones((7, 7), np.uint8))
    marks = cv2.connectedComponents(lowest.astype(np.uint8))[1]
    pieces = watershed(strength, marks) - 1
    subject = np.zeros((height, width), bool)
    if saliency is not None:
        subject = _asked(saliency, small, "subject") > 0.5
        pieces = np.unique(pieces * 2 + subject, return_inverse=True)[1].reshape(height, width)
    merges, heights = _merges(pieces, small, strength, subject, settings)
    return _hierarchy((rgb.shape[1], rgb.shape[0]), pieces, merges, heights, strength, settings)


def working_picture(rgb: np.ndarray, side: int) -> np.ndarray:
    """A picture at the working size, made smaller or larger."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def outline_strength(rgb: np.ndarray, outlines: Network | None, settings: HierarchySettings) -> np.ndarray:
    """(H, W) float32, in units of colour difference: the colour's slope, or half of it and half of a network's."""
    strength = edge_strength(colour_names.to_lab(rgb))
    if outlines is not None:
        height, width = rgb.shape[:2]
        found = []
        for side in settings.outline_sides:
            shown = working_picture(rgb, side)
            found.append(cv2.resize(_asked(outlines, shown, "outline"), (width, height)))
        strength = 0.5 * strength + 0.5 * settings.outline_weight * np.mean(found, axis=0, dtype=np.float32)
    return cv2.GaussianBlur(strength, (0, 0), 1.0)


def texture(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: how rough the picture is around a pixel, at three scales, in units of lightness."""
    smooth = colour_names.to_lab(rgb)[..., 0]
    bands = []
    for sigma in (1.0, 2.0, 4.0):
        rougher = smooth
        smooth = cv2.GaussianBlur(smooth, (0, 0), sigma)
        bands.append(np.sqrt(cv2.GaussianBlur((rougher - smooth) ** 2, (0, 0), 2.5 * sigma)))
    return np.dstack(bands)


def _asked(network: Network, shown: np.ndarray, name: str) -> np.ndarray:
    found: np.ndarray = np.nan_to_num(np.asarray(network(np.ascontiguousarray(shown)), np.float32))
    if found.shape != shown.shape[:2]:
        raise PictureError(f"The {name} network gave shape {found.shape} for a picture of {shown.shape[:2]}.")
    return found


def _merges(
    pieces: np.ndarray, rgb: np.ndarray, strength: np.ndarray, subject: np.ndarray, settings: HierarchySettings
) -> tuple[list[tuple[int, int]], list[float]]:
    """All merges from the pieces to the whole: first in greedy order, then in the consensus of disturbed orders."""
    features = np.dstack(
        [colour_names.to_lab(rgb) * np.array([LIGHTNESS, 1.0, 1.0], np.float32), texture(rgb)]
    ).reshape(-1, 6)

    def means(labels: np.ndarray) -> np.ndarray:
        flat = labels.ravel()
        sums = np.stack([np.bincount(flat, channel) for channel in features.T], 1)
        looks: np.ndarray = sums / np.bincount(flat)[:, None]
        looks[:, 3:] = 4.5 * np.log1p(looks[:, 3:])
        return looks

    def sides(labels: np.ndarray) -> np.ndarray:
        flat = labels.ravel()
        inside: np.ndarray = np.bincount(flat, subject.ravel()) > 0.5 * np.bincount(flat)
        return inside

    fine = piece_graph(pieces, strength, means, sides(pieces))
    count = len(fine.sizes)
    merges = greedy_merges(fine, settings.cost, settings.coarse)
    roots = _roots(count, merges)
    kept, coarse = np.unique(roots, return_inverse=True)
    large = coarse[pieces]
    heights = [1e-9 * number for number in range(1, len(merges) + 1)]
    graph = piece_graph(large, strength, means, sides(large))
    graphs, costs = [], []
    random = np.random.default_rng(0)  # the same disturbances for every picture: copies are disturbed alike
    for _ in range(settings.orders):
        grid = random.normal(0, settings.disturbance, (12, 12)).astype(np.float32)
        factor = np.exp(cv2.resize(grid, (pieces.shape[1], pieces.shape[0]), interpolation=cv2.INTER_CUBIC))
        changed = piece_graph(large, strength * factor, lambda _: graph.looks, graph.sides)
        graphs.append(changed)
        balance, clear = random.uniform(-0.1, 0.1), np.exp(random.uniform(-0.3, 0.3))
        costs.append(replace(settings.cost, balance=settings.cost.balance + balance, clear=settings.cost.clear * clear))
    above, levels = consensus_merges(graphs, costs, graph.sizes, graph.pairs)
    numbers = kept.tolist()
    for (a, b), level in zip(above, levels, strict=True):
        numbers.append(count + len(merges))
        merges.append((numbers[a], numbers[b]))
        heights.append(level + 1e-3)
    return merges, heights


def _roots(count: int, merges: list[tuple[int, int]]) -> np.ndarray:
    """(count,) int: the topmost node over each piece."""
    over = np.arange(count + len(merges))
    for number, (a, b) in enumerate(merges):
        over[a] = over[b] = count + number
    for node in range(len(over) - 1, -1, -1):
        over[node] = over[over[node]]
    return over[:count]


def _hierarchy(
    size: tuple[int, int],
    pieces: np.ndarray,
    merges: list[tuple[int, int]],
    heights: list[float],
    strength: np.ndarray,
    settings: HierarchySettings,
) -> AreaHierarchy:
    count = int(pieces.max()) + 1
    nodes = count + len(merges)
    parents = np.full(nodes, -1)
    sizes = np.ones(nodes, np.int64)
    for number, (a, b) in enumerate(merges, start=count):
        parents[a] = parents[b] = number
        sizes[number] = sizes[a] + sizes[b]
    first = np.zeros(nodes, np.int64)
    for number in range(nodes - 1, count - 1, -1):
        a, b = merges[number - count]
        first[a], first[b] = first[number], first[number] + sizes[a]
    spans = np.stack([first, first + sizes], 1)
    levels = np.concatenate([np.zeros(count), np.asarray(heights, np.float64)])
    borders = _borders(pieces, strength, first, spans, parents)
    return AreaHierarchy(size, first[pieces].astype(np.int32), spans, parents, levels, borders, settings)


def _borders(
    pieces: np.ndarray, strength: np.ndarray, first: np.ndarray, spans: np.ndarray, parents: np.ndarray
) -> np.ndarray:
    """Mean outline strength along each node's border."""
    nodes, count = len(parents), (len(parents) + 1) // 2
    graph = piece_graph(pieces, strength, lambda _: np.zeros((count, 1)), np.zeros(count, bool))
    lengths, sums = [0.0] * nodes, [0.0] * nodes
    above, (low, high) = parents.tolist(), spans.T.tolist()
    for (a, b), length, mean in zip(
        graph.pairs.tolist(), graph.lengths.tolist(), graph.strengths.tolist(), strict=True
    ):
        for piece, other in ((a, first[b]), (b, first[a])):
            node = piece
            while not low[node] <= other < high[node]:  # up to the node in which both pieces are
                lengths[node] += length
                sums[node] += length * mean
                node = above[node]
    return np.array(sums) / np.maximum(lengths, 1e-9)
