"""Picking a thing: from points, a box or a rough mask to masks of what a person may mean, the most likely first.

Candidates are nodes of the area tree, nested, the mask of a subject network on windows around the point, where it finds
something that stands apart from its surroundings, and the masks of a network that takes points and boxes. Borders are
refined against the picture (GrabCut: Rother, Kolmogorov and Blake 2004).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from underdrawing.picture.area_hierarchy import AreaHierarchy
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError

Subject = Callable[[np.ndarray], np.ndarray]
Point = tuple[float, float]
Prompted = Callable[[np.ndarray, Sequence[Point], Bounds | None], list[tuple[np.ndarray, float]]]


@dataclass(frozen=True)
class PickSettings:
    """How candidates are found and ordered.

    Attributes:
        windows: sides of the windows that the subject network sees, half of them, as shares of the longer side.
        apart: a window's mask counts as a thing of its own when at most this share of its outline lies on the window.
        sure: mean saliency of such a mask, at least.
        likely_size: share of the picture that a thing most likely has.
        base, size_weight, border_weight, lasting_weight, frame_weight: what a likely size, a strong border, a long life
            in the tree, and lying at the picture's own border count: the overlap with the thing to be expected, fitted
            by least squares to 351 clicks into labelled things of street pictures.
        filled: share of a box that a thing in it fills at least.
        within: share of an area that lies in a box at least, or the box does not mean it.
        smallest, largest: shares of the picture that a candidate may have.
        alike: candidates whose masks overlap by more than this are one.
    """

    windows: tuple[float, ...] = (0.11, 0.18, 0.28)
    apart: float = 0.02
    sure: float = 0.8
    likely_size: float = 0.0163
    base: float = 0.112
    size_weight: float = 0.03
    border_weight: float = 0.063
    lasting_weight: float = 0.083
    frame_weight: float = 0.065
    filled: float = 0.05
    within: float = 0.5
    smallest: float = 4e-4
    largest: float = 0.6
    alike: float = 0.85


@dataclass(frozen=True, eq=False)
class Candidate:
    """A thing that may be meant.

    Attributes:
        mask: (h, w) bool at the tree's size.
        score: 0 to 1, how likely it is meant.
        source: "tree", "subject" or "prompted".
    """

    mask: np.ndarray = field(repr=False)
    score: float
    source: str

    @property
    def share(self) -> float:
        """Its share of the picture."""
        return float(self.mask.mean())


def pick(
    rgb: np.ndarray,
    tree: AreaHierarchy,
    inside: Sequence[Point],
    outside: Sequence[Point] = (),
    rough: np.ndarray | None = None,
    subject: Subject | None = None,
    prompted: Prompted | None = None,
    settings: PickSettings | None = None,
) -> list[Candidate]:
    """What a person may mean.

    Args:
        rgb: (H, W, 3) uint8, the picture.
        tree: its area tree.
        inside: points of the thing, (x, y) in pixels of the picture.
        outside: points that do not belong to it.
        rough: (H, W) bool, a box or a rough selection; then what fits it best is meant.
        subject: takes (h, w, 3) uint8, gives (h, w) float in [0, 1] (U2-Net).
        prompted: takes (H, W, 3) uint8, points of a thing and a box around it, gives masks, bool of any one size, each
            with the overlap with the thing that is expected, in [0, 1] (EfficientSAM).

    Returns:
        Candidates, the most likely first; `nested` orders them by size.

    Raises:
        PictureError: nothing was pointed at, or a point lies outside the picture.
    """
    how = settings or PickSettings()
    height, width = rgb.shape[:2]
    size = tree.order.shape[1], tree.order.shape[0]
    for x, y in (*inside, *outside):
        if not (0 <= x < width and 0 <= y < height):
            raise PictureError(f"The point {x:g},{y:g} lies outside the picture of {width} x {height} pixels.")
    if not inside and rough is None:
        raise PictureError("Nothing was pointed at: give a point, a box or a mask.")
    scale_x, scale_y = size[0] / width, size[1] / height
    ins = [(int(x * scale_x), int(y * scale_y)) for x, y in inside]
    outs = [(int(x * scale_x), int(y * scale_y)) for x, y in outside]
    wanted = None if rough is None else cv2.resize(rough.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    found = _from_tree(tree, ins, outs, wanted, how)
    if wanted is not None:
        found += _from_rough(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), wanted, ins, outs, how)
    if subject is not None and ins and wanted is None:
        found += _from_windows(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), ins, outs, subject, how)
    box = None if rough is None else Bounds.of_mask(rough)
    if prompted is not None and (ins or (box is not None and not box.is_empty)):
        for full, expected in prompted(rgb, inside, box):
            mask = cv2.resize(full.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
            held = all(mask[y, x] for x, y in ins) and not any(mask[y, x] for x, y in outs)
            meant = wanted is None or (mask & wanted).sum() >= how.within * mask.sum()
            if held and meant and how.smallest <= mask.mean() <= how.largest:
                found.append(Candidate(mask, float(np.clip(expected, 0, 1)), "prompted"))
    found.sort(key=lambda candidate: -candidate.score)
    kept: list[Candidate] = []
    for candidate in found:
        if all(overlap(candidate.mask, other.mask) < how.alike for other in kept):
            kept.append(candidate)
    if not kept and wanted is not None and wanted.any():
        kept = [Candidate(wanted, 1.0, "tree")]
    return kept


def nested(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The tree's candidates and the first one, smallest to largest: steps for "bigger" and "smaller"."""
    return sorted(candidates, key=lambda candidate: candidate.share)


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float(np.logical_and(one, two).sum() / max(1, np.logical_or(one, two).sum()))


def _from_tree(
    tree: AreaHierarchy,
    ins: list[tuple[int, int]],
    outs: list[tuple[int, int]],
    wanted: np.ndarray | None,
    how: PickSettings,
) -> list[Candidate]:
    """Nodes that hold the first point, with what the other points add and take away."""
    if ins:
        start = tree.containing(*ins[0])
    else:
        rows, columns = np.nonzero(wanted if wanted is not None else np.zeros((1, 1), bool))
        if not len(rows):
            return []
        start = sorted(
            {
                node
                for k in range(0, len(rows), max(1, len(rows) // 64))
                for node in tree.containing(int(columns[k]), int(rows[k]))
            }
        )
    made: list[Candidate] = []
    for node in start:
        share = tree.shares[node]
        if not how.smallest <= share <= how.largest:
            continue
        own = mask = tree.mask(node)
        for x, y in ins[1:]:
            if not mask[y, x]:  # the largest area around that point which is no larger than this one
                more = [other for other in tree.containing(x, y) if tree.shares[other] <= tree.shares[node]]
                mask = mask | tree.mask(more[-1]) if more else mask
        for x, y in outs:
            if mask[y, x]:
                less = [other for other in tree.containing(x, y) if not any(tree.mask(other)[b, a] for a, b in ins)]
                mask = mask & ~tree.mask(less[-1]) if less else mask
        if any(not mask[y, x] for x, y in ins) or any(mask[y, x] for x, y in outs):
            continue
        if wanted is not None and (mask & wanted).sum() < how.within * mask.sum():
            continue
        score = overlap(mask, wanted) if wanted is not None else _likely(tree, node, own, how)
        made.append(Candidate(mask, score, "tree"))
    return made


def _from_rough(
    small: np.ndarray, wanted: np.ndarray, ins: list[tuple[int, int]], outs: list[tuple[int, int]], how: PickSettings
) -> list[Candidate]:
    """What differs from the surroundings of a box or a rough mask, inside of it."""
    if not wanted.any() or wanted.all():
        return []
    labels = np.where(wanted, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    for x, y in ins:
        cv2.circle(labels, (x, y), 3, cv2.GC_FGD, -1)
    for x, y in outs:
        cv2.circle(labels, (x, y), 3, cv2.GC_BGD, -1)
    mask = _settled(small, labels, 4)
    # Specks beside the thing are its surroundings' own texture.
    pieces, places, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] > 0.1 * max(1, mask.sum())
    large[0] = False
    mask = large[places]
    if pieces < 2 or mask.sum() < how.filled * wanted.sum():
        return []
    return [Candidate(mask, 1.0, "subject")]


def _settled(rgb: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray:
    """(H, W) bool: GrabCut's foreground, from labels (H, W) of `cv2.GC_*` that it settles in so many rounds."""
    cv2.setRNGSeed(0)  # the same picture gives the same mask
    none: Any = None  # the rectangle, which a mask replaces
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(rgb), labels, none, *models, rounds, cv2.GC_INIT_WITH_MASK)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def _likely(tree: AreaHierarchy, node: int, mask: np.ndarray, how: PickSettings) -> float:
    """How likely a node is meant: by its size, its border, and how long it lasts while areas are merged."""
    up = tree.parents[node]
    if up < 0:
        return 0.0
    frame = sum(int(side.sum()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) / mask.sum() ** 0.5
    value = (
        how.base
        - how.size_weight * np.log(tree.shares[node] / how.likely_size) ** 2
        + how.border_weight * np.log1p(tree.borders[node])
        + how.lasting_weight * min(4.0, tree.heights[up] - tree.heights[node])
        + how.frame_weight * min(3.0, frame)
    )
    return float(np.clip(value, 0.0, 0.9))


def _from_windows(
    small: np.ndarray, ins: list[tuple[int, int]], outs: list[tuple[int, int]], subject: Subject, how: PickSettings
) -> list[Candidate]:
    """Masks of the subject network on windows around the first point, where they stand apart from the window."""
    height, width = small.shape[:2]
    x, y = ins[0]
    made = []
    for part in how.windows:
        reach = max(8, int(part * max(height, width) * 2))
        top, bottom = max(0, y - reach), min(height, y + reach)
        left, right = max(0, x - reach), min(width, x + reach)
        saliency = np.asarray(subject(np.ascontiguousarray(small[top:bottom, left:right])), np.float32)
        inner = (saliency > 0.5).astype(np.uint8)
        if not inner[y - top, x - left]:
            continue
        piece = cv2.connectedComponents(inner)[1]
        own = piece == piece[y - top, x - left]
        edge = np.concatenate(
            [
                own[0] if top else own[0] & False,
                own[-1] if bottom < height else own[-1] & False,
                own[:, 0] if left else own[:, 0] & False,
                own[:, -1] if right < width else own[:, -1] & False,
            ]
        )
        around = own.sum() ** 0.5 * 4
        if edge.sum() > how.apart * around or saliency[own].mean() < how.sure:
            continue
        mask = np.zeros((height, width), bool)
        mask[top:bottom, left:right] = own
        if any(not mask[b, a] for a, b in ins) or any(mask[b, a] for a, b in outs):
            continue
        made.append(Candidate(mask, 0.9 + 0.1 * float(saliency[own].mean()), "subject"))
    return made


def refined(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A candidate's mask at the picture's size, its border led to where the picture's own edge is.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (h, w) bool at the tree's size.

    Returns:
        (H, W) float32 in [0, 1], soft along the border.
    """
    height, width = rgb.shape[:2]
    longest = 1024 / max(height, width)
    size = (width, height) if longest >= 1 else (max(2, round(width * longest)), max(2, round(height * longest)))
    seen = rgb if longest >= 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    large = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    reach = max(2, round(min(size) / 120))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near, core = cv2.dilate(large.view(np.uint8), kernel), cv2.erode(large.view(np.uint8), kernel)
    labels = np.full(large.shape, cv2.GC_BGD, np.uint8)
    labels[near > 0] = cv2.GC_PR_BGD
    labels[large] = cv2.GC_PR_FGD
    labels[core > 0] = cv2.GC_FGD
    settled = large
    if core.any() and (near == 0).any():
        settled = _settled(seen, labels, 2)
        if overlap(settled, large) < 0.6:  # it ran away: colours on both sides are alike
            settled = large
    soft = cv2.GaussianBlur(settled.astype(np.float32), (0, 0), 0.7)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)
