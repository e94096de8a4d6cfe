"""Merging of the pieces of a picture, pair by pair: a greedy order of merges, and the consensus of many such orders."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Merges = list[tuple[int, int]]  # the k-th merge of N pieces makes piece N + k of the two
Look = tuple[float, ...]


@dataclass(frozen=True)
class MergeCost:
    """What merging two neighbours costs: Ward's criterion on their looks, weighted by the border between them.

    Attributes:
        balance: exponent of the sizes; 1 is Ward's criterion, less lets small areas of strong contrast live.
        clear: strength, in units of colour difference, of a border that counts in full.
        plain: what is left of the cost where no outline runs along the common border: a gradient.
        touch: least share of the common border in the smaller one's outline that counts as a full neighbour.
        smallest: of the picture; smaller pieces are merged first, whatever they look like.
    """

    balance: float = 0.6
    clear: float = 10.0
    plain: float = 0.04
    touch: float = 0.35
    smallest: float = 0.0008


@dataclass(frozen=True, eq=False)
class PieceGraph:
    """Pieces of a picture and which of them touch.

    Attributes:
        sizes: (N,) share of the picture of each.
        looks: (N, F) float: colour and texture, in units of colour difference.
        pairs: (E, 2) neighbours, the smaller number first.
        lengths: (E,) length of their common border, in units of the square root of the picture's area.
        strengths: (E,) mean outline strength along it, in units of colour difference.
        sides: (N,) bool; pieces of different sides are merged last (subject and background).
    """

    sizes: np.ndarray
    looks: np.ndarray
    pairs: np.ndarray
    lengths: np.ndarray
    strengths: np.ndarray
    sides: np.ndarray


def greedy_merges(graph: PieceGraph, cost: MergeCost, stop: int = 1) -> Merges:
    """Merge the cheapest pair of neighbours again and again until `stop` pieces are left."""
    count = len(graph.sizes)
    size: list[float] = graph.sizes.tolist()
    looks: list[Look] = [tuple(row) for row in graph.looks.tolist()]
    # Mixed pieces have no side; two pieces of different sides have a sum of 1.
    side: list[float] = graph.sides.astype(float).tolist()
    borders: list[dict[int, tuple[float, float]]] = [{} for _ in range(count)]
    for (a, b), length, strength in zip(
        graph.pairs.tolist(), graph.lengths.tolist(), graph.strengths.tolist(), strict=True
    ):
        borders[a][b] = borders[b][a] = (length, length * strength)

    def price(a: int, b: int) -> float:
        length, total = borders[a][b]
        small = min(size[a], size[b])
        harmonic = (size[a] * size[b] / (size[a] + size[b])) ** cost.balance
        apart = sum((u - v) ** 2 for u, v in zip(looks[a], looks[b], strict=True)) ** 0.5
        weight = cost.plain + min(2.0, (total / length / cost.clear) ** 1.5)
        # Pieces that touch in a few pixels only are hardly neighbours.
        near = 0.4 + 0.6 * min(1.0, length / (cost.touch * 4.0 * small**0.5))
        value = harmonic * apart * weight / near
        if side[a] != side[b]:
            return 1e6 + value
        return value * 1e-6 if small < cost.smallest else value

    queue = [(price(a, b), a, b) for a, b in graph.pairs.tolist()]
    heapq.heapify(queue)
    alive = [True] * count
    merges: Merges = []
    while queue and count - len(merges) > stop:
        _, a, b = heapq.heappop(queue)
        if not (alive[a] and alive[b]):
            continue
        merged = len(size)
        merges.append((a, b))
        alive[a] = alive[b] = False
        alive.append(True)
        total = size[a] + size[b]
        looks.append(tuple((size[a] * u + size[b] * v) / total for u, v in zip(looks[a], looks[b], strict=True)))
        size.append(total)
        side.append(side[a] if side[a] == side[b] else 0.5)
        around: dict[int, tuple[float, float]] = {}
        for part in (a, b):
            for other, (length, strength) in borders[part].items():
                if other in (a, b):
                    continue
                del borders[other][part]
                old = around.get(other, (0.0, 0.0))
                around[other] = borders[other][merged] = (old[0] + length, old[1] + strength)
        borders.append(around)
        for other in around:
            heapq.heappush(queue, (price(merged, other), merged, other))
    return merges


def consensus_merges(
    graphs: Sequence[PieceGraph], costs: Sequence[MergeCost], sizes: np.ndarray, pairs: np.ndarray
) -> tuple[Merges, list[float]]:
    """One order of merges from several: two pieces stay apart as long as most of the orders hold them apart.

    A greedy order turns over at the slightest change of a picture; what many disturbed orders agree on does not
    (evidence accumulation, Fred and Jain 2005; average linkage, between neighbours only).

    Returns:
        the merges; and the height of each, which never falls.
    """
    count = len(sizes)
    apart = np.zeros((2 * count, 2 * count))
    for graph, cost in zip(graphs, costs, strict=True):
        members = [[piece] for piece in range(count)]
        for number, (a, b) in enumerate(greedy_merges(graph, cost)):
            height = np.log(count / (count - 1 - number)) if number < count - 1 else np.log(count)
            apart[np.ix_(members[a], members[b])] += height / len(graphs)
            apart[np.ix_(members[b], members[a])] += height / len(graphs)
            members.append(members[a] + members[b])
    return _average_linkage(apart, sizes, pairs)


def _average_linkage(apart: np.ndarray, sizes: np.ndarray, pairs: np.ndarray) -> tuple[Merges, list[float]]:
    count = len(sizes)
    size = sizes.tolist()
    around: list[set[int]] = [set() for _ in range(count)]
    for a, b in pairs.tolist():
        around[a].add(b)
        around[b].add(a)
    queue = [(float(apart[a, b]), a, b) for a, b in pairs.tolist()]
    heapq.heapify(queue)
    alive = [True] * count
    merges: Merges = []
    heights: list[float] = []
    while queue:
        height, a, b = heapq.heappop(queue)
        if not (alive[a] and alive[b]):
            continue
        merged = len(size)
        merges.append((a, b))
        heights.append(max(height, heights[-1] if heights else 0.0))
        alive[a] = alive[b] = False
        alive.append(True)
        size.append(size[a] + size[b])
        apart[merged] = (size[a] * apart[a] + size[b] * apart[b]) / size[merged]
        apart[:, merged] = apart[merged]
        around.append((around[a] | around[b]) - {a, b})
        for other in around[merged]:
            around[other] -= {a, b}
            around[other].add(merged)
            heapq.heappush(queue, (float(apart[merged, other]), merged, other))
    return merges, heights


def piece_graph(
    pieces: np.ndarray, strength: np.ndarray, describe: Callable[[np.ndarray], np.ndarray], sides: np.ndarray
) -> PieceGraph:
    """The graph of (H, W) piece numbers from 0 without gaps.

    Args:
        strength: (H, W) outline strength in units of colour difference.
        describe: takes the pieces, gives their looks (N, F).
        sides: (N,) bool.
    """
    count = int(pieces.max()) + 1
    keys, values = [], []
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        a, b = pieces[here].astype(np.int64), pieces[there].astype(np.int64)
        differ = a != b
        keys.append((np.minimum(a, b) * count + np.maximum(a, b))[differ])
        values.append(np.maximum(strength[here], strength[there])[differ])
    pairs, place = np.unique(np.concatenate(keys), return_inverse=True)
    lengths = np.bincount(place, minlength=len(pairs)).astype(np.float64)
    strengths = np.bincount(place, np.concatenate(values), len(pairs)) / np.maximum(lengths, 1)
    sizes = np.bincount(pieces.ravel(), minlength=count) / pieces.size
    unit = float(np.sqrt(pieces.size))
    both = np.stack([pairs // max(count, 1), pairs % max(count, 1)], 1)
    return PieceGraph(sizes, describe(pieces), both, lengths / unit, strengths, sides)
