"""Superpixels as a graph, and the merging of its nodes to areas."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackError, eigsh

EIGENVECTORS = 12
LIGHTNESS = 0.7  # shadows change lightness more than things do
TEXTURE = 1.5
SPECTRAL = 4.0  # length of the spectral embedding in units of colour difference
BALANCE = 0.6  # exponent of the sizes: 1 is Ward's criterion, less lets small areas of strong contrast live
PLAIN = 0.04  # what is left of the price of merging where no edge runs along the common border: a gradient
CLEAR = 10.0  # edge strength, in units of colour difference, of a border that counts in full
APART = 1.3  # the same for areas that do not touch; two halves of one thing are to become one class
EARLY = 1.35  # times the regions wanted: from then on such pairs may be merged too
STRIP = 0.35  # least share of the common border in the smaller one's outline that counts as a full neighbour


@dataclass(frozen=True, eq=False)
class Graph:
    """Superpixels and who touches whom.

    Attributes:
        sizes: (N,) pixels of each.
        features: (N, F) float: colour and texture, in units of colour difference.
        pairs: (E, 2) neighbours, the smaller number first.
        lengths: (E,) pixels of their common border.
        strengths: (E,) mean edge strength along it, in units of colour difference.
    """

    sizes: np.ndarray
    features: np.ndarray
    pairs: np.ndarray
    lengths: np.ndarray
    strengths: np.ndarray

    @property
    def count(self) -> int:
        """Number of superpixels."""
        return len(self.sizes)


def build(atoms: np.ndarray, lab: np.ndarray, rough: np.ndarray, slope: np.ndarray) -> Graph:
    """The graph of (H, W) superpixel numbers over a Lab picture, its texture (H, W, T) and its edge strength (H, W)."""
    count = int(atoms.max()) + 1
    flat = atoms.ravel()
    sizes = np.bincount(flat, minlength=count).astype(np.float64)

    def means(values: np.ndarray) -> np.ndarray:
        channels = values.reshape(len(flat), -1)
        return np.stack([np.bincount(flat, c, count) for c in channels.T], 1) / np.maximum(sizes, 1)[:, None]

    tone = means(lab) * np.array([LIGHTNESS, 1.0, 1.0])
    features = np.hstack([tone, TEXTURE * np.log1p(means(rough)) * 3.0])
    first, second, edge = [], [], []
    for a, b, s in (
        (atoms[:, :-1], atoms[:, 1:], np.maximum(slope[:, :-1], slope[:, 1:])),
        (atoms[:-1], atoms[1:], np.maximum(slope[:-1], slope[1:])),
    ):
        differ = a != b
        first.append(np.minimum(a, b)[differ])
        second.append(np.maximum(a, b)[differ])
        edge.append(s[differ])
    key = np.concatenate(first).astype(np.int64) * count + np.concatenate(second)
    pairs, place = np.unique(key, return_inverse=True)
    lengths = np.bincount(place, minlength=len(pairs)).astype(np.float64)
    strengths = np.bincount(place, np.concatenate(edge), len(pairs)) / np.maximum(lengths, 1)
    return Graph(sizes, features, np.stack([pairs // count, pairs % count], 1), lengths, strengths)


def edge_strength(lab: np.ndarray) -> np.ndarray:
    """(H, W): colour difference across about four pixels, in the steepest direction."""
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    total = np.zeros(lab.shape[:2], np.float32)
    for channel, weight in zip(cv2.split(smooth), (LIGHTNESS, 1.0, 1.0), strict=True):
        across, down = cv2.Sobel(channel, cv2.CV_32F, 1, 0), cv2.Sobel(channel, cv2.CV_32F, 0, 1)
        total += (weight * across / 2) ** 2 + (weight * down / 2) ** 2
    return np.sqrt(total)


def embed(graph: Graph) -> np.ndarray:
    """(N, EIGENVECTORS): where the superpixels lie when walks on the graph decide who belongs together."""
    if graph.count < 24:
        return np.zeros((graph.count, 0))
    first, second = graph.pairs.T
    offset = np.linalg.norm(graph.features[first] - graph.features[second], axis=1)
    distance = offset + 0.5 * graph.strengths
    scale = max(2.0, float(np.median(distance)))
    weight = np.exp(-distance / scale) * np.sqrt(graph.lengths) + 1e-6
    both = np.concatenate([first, second]), np.concatenate([second, first])
    affinity = sparse.coo_array((np.tile(weight, 2), both), (graph.count, graph.count)).tocsr()
    degree = np.maximum(affinity.sum(1), 1e-12)
    half = sparse.diags_array(1 / np.sqrt(degree))
    # The same start gives the same vectors on every run.
    try:
        values, vectors = eigsh(half @ affinity @ half, EIGENVECTORS + 1, which="LA", v0=np.sqrt(degree))
    except ArpackError:  # it did not converge: colours and borders alone decide
        return np.zeros((graph.count, 0))
    values, vectors = values[::-1][1:], vectors[:, ::-1][:, 1:]
    points = vectors / np.sqrt(degree)[:, None]
    points /= np.sqrt(np.average(points**2, axis=0, weights=graph.sizes))
    # Slow eigenvectors say more about the whole; the weight is that of contour detectors (Arbelaez et al. 2011).
    return points / np.sqrt(np.maximum(1 - values, 1e-4)) * np.sqrt(max(1 - values[0], 1e-4))


def merge(graph: Graph, regions: int, smallest: float, side: np.ndarray | None = None) -> np.ndarray:
    """Merge superpixels until `regions` areas are left.

    Args:
        smallest: pixels; smaller areas go first, whatever they look like.
        side: (N,) superpixels of different sides are never merged (subject and background).

    Returns:
        (N,) int: the area of each superpixel, 0 to at most regions - 1.
    """
    spectral = embed(graph)
    features = np.hstack([graph.features, SPECTRAL / np.sqrt(max(spectral.shape[1], 1)) * spectral])
    looks, size = graph.features.shape[1], graph.sizes.copy()
    neighbours: list[dict[int, tuple[float, float]]] = [{} for _ in range(graph.count)]
    for (a, b), length, strength in zip(graph.pairs.tolist(), graph.lengths, graph.strengths, strict=True):
        neighbours[a][b] = neighbours[b][a] = (length, length * strength)
    version = np.zeros(graph.count, np.int64)
    parent = np.arange(graph.count)
    total = float(size.sum())

    def cost(a: int, b: int) -> float:
        if side is not None and side[a] != side[b]:
            return np.inf
        square = (features[a] - features[b]) ** 2
        harmonic = (size[a] * size[b] / (size[a] + size[b]) / total) ** BALANCE
        small = min(size[a], size[b])
        # Where a thing lies does not count for areas that are apart.
        value = APART * harmonic * float(np.sqrt(square[:looks].sum()))
        if b in neighbours[a]:
            length, edge = neighbours[a][b]
            clear = PLAIN + min(2.0, (edge / length / CLEAR) ** 1.5)
            # Areas that touch in a few pixels only are hardly neighbours.
            touch = min(1.0, length / (STRIP * 4.0 * np.sqrt(small)))
            value = harmonic * float(np.sqrt(square.sum())) * clear / (0.4 + 0.6 * touch)
        return value * 1e-6 if small < smallest else value

    queue = [(cost(a, b), a, b, 0, 0) for a, b in graph.pairs.tolist()]
    heapq.heapify(queue)
    left, apart = graph.count, False
    while left > regions and (queue or not apart):
        if not apart and (left <= EARLY * regions or not queue):
            apart = True
            alive = np.flatnonzero(version >= 0).tolist()
            for place, a in enumerate(alive):
                for b in alive[place + 1 :]:
                    if b not in neighbours[a]:
                        heapq.heappush(queue, (cost(a, b), a, b, int(version[a]), int(version[b])))
            continue
        price, a, b, old_a, old_b = heapq.heappop(queue)
        if version[a] != old_a or version[b] != old_b or not np.isfinite(price):
            continue
        share = size[b] / (size[a] + size[b])
        features[a] = (1 - share) * features[a] + share * features[b]
        size[a] += size[b]
        parent[b] = a
        version[a] += 1
        version[b] = -1
        for other, (length, edge) in neighbours[b].items():
            del neighbours[other][b]
            if other != a:
                old = neighbours[a].get(other, (0.0, 0.0))
                neighbours[a][other] = neighbours[other][a] = (old[0] + length, old[1] + edge)
        neighbours[b] = {}
        others = [other for other in np.flatnonzero(version >= 0).tolist() if other != a] if apart else neighbours[a]
        for other in others:
            heapq.heappush(queue, (cost(a, other), a, other, int(version[a]), int(version[other])))
        left -= 1
    for node in range(graph.count):
        root = node
        while parent[root] != root:
            root = int(parent[root])
        parent[node] = root
    return np.unique(parent, return_inverse=True)[1]
