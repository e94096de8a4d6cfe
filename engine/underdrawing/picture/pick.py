"""Picking a thing by pointing at it: masks from small to large, from the area tree and from networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from underdrawing.picture.area_tree import AreaTree, Network
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError

Point = tuple[int, int]  # x, y in pixels
# (H, W, 3) uint8, points inside, points outside, a box or None -> masks (H, W) bool, each with a score in [0, 1]
Segmenter = Callable[[np.ndarray, Sequence[Point], Sequence[Point], Bounds | None], Sequence[tuple[np.ndarray, float]]]


class Source(StrEnum):
    """Where a candidate comes from."""

    AREA = "area"
    SUBJECT = "subject"
    SEGMENTER = "segmenter"


@dataclass(frozen=True)
class PickSettings:
    """How candidates are chosen.

    Attributes:
        windows: half sides of the windows that the subject network is shown, as shares of the longer side.
        step: the next larger candidate has at least so many times the pixels.
        usual: share of the picture that a thing most often has.
        spread: standard deviation of that, in natural logarithms.
        least, most: shares of the picture outside of which an area of the tree is no candidate.
    """

    windows: tuple[float, ...] = (0.22, 0.35)
    step: float = 1.6
    usual: float = 0.045
    spread: float = 1.2
    least: float = 0.0005
    most: float = 0.6


@dataclass(frozen=True, eq=False)
class Candidate:
    """A mask that may be the thing.

    Attributes:
        mask: (H, W) bool.
        score: 0 to 1, how likely it is the thing.
        source: where it comes from.
    """

    mask: np.ndarray
    score: float
    source: Source

    @property
    def share(self) -> float:
        """Of the picture."""
        return float(self.mask.mean())


def pick(
    rgb: np.ndarray,
    tree: AreaTree,
    inside: Sequence[Point],
    outside: Sequence[Point] = (),
    *,
    box: Bounds | None = None,
    rough: np.ndarray | None = None,
    saliency: Network | None = None,
    segmenter: Segmenter | None = None,
    settings: PickSettings | None = None,
) -> list[Candidate]:
    """What a person may mean who points at a picture.

    Args:
        rgb: (H, W, 3) uint8.
        tree: of this picture.
        inside: points of the thing.
        outside: points that do not belong to it.
        box: a rectangle around the thing.
        rough: (H, W) bool, a rough selection of the thing.
        saliency: how much a pixel belongs to the subject of what is shown (U2-Net); it is shown windows around the
            first point.
        segmenter: a network that takes points and a box (EfficientSAM).

    Returns:
        candidates, the most likely first. `smallest_first` puts them in the order of "bigger" and "smaller".

    Raises:
        PictureError: nothing to go by, or a point, box or selection that does not fit the picture.
    """
    settings = settings or PickSettings()
    height, width = rgb.shape[:2]
    if tree.size != (width, height):
        raise PictureError("The areas belong to a picture of another size.")
    for x, y in (*inside, *outside):
        if not (0 <= x < width and 0 <= y < height):
            raise PictureError(f"The point {x}, {y} lies outside of the picture of {width} by {height} pixels.")
    wanted = _wanted(box, rough, (height, width))
    if wanted is None and not inside:
        raise PictureError("Point at the thing, or give a box or a rough selection around it.")
    found = [*_of_tree(tree, inside, wanted, settings)]
    if saliency is not None and inside:
        found += _of_windows(rgb, inside[0], saliency, settings)
    if segmenter is not None:
        found += [Candidate(mask, score, Source.SEGMENTER) for mask, score in segmenter(rgb, inside, outside, box)]
    fitting = [c for c in found if _fits(c.mask, inside, outside) and c.mask.any()]
    if wanted is not None:
        fitting = [Candidate(c.mask, overlap(c.mask, wanted), c.source) for c in fitting]
    fitting.sort(key=lambda candidate: -candidate.score)
    distinct: list[Candidate] = []
    for candidate in fitting:
        if all(overlap(candidate.mask, other.mask) < 0.85 for other in distinct):
            distinct.append(candidate)
    if not distinct:
        raise PictureError("No area holds all the points inside and none of those outside; try fewer points.")
    return distinct


def smallest_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The order in which "bigger" and "smaller" step through candidates."""
    return sorted(candidates, key=lambda candidate: int(candidate.mask.sum()))


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks, (H, W) bool."""
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 0.0


def _wanted(box: Bounds | None, rough: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray | None:
    """(H, W) bool, what a box or a rough selection covers; None where there is neither."""
    if rough is not None:
        if rough.shape != shape or not rough.any():
            raise PictureError("The rough selection is empty or has another size than the picture.")
        return rough.astype(bool)
    if box is None:
        return None
    part = box.intersect(Bounds.of_size((shape[1], shape[0])))
    if part.is_empty:
        raise PictureError("The box lies outside of the picture.")
    mask = np.zeros(shape, bool)
    mask[part.slices()] = True
    return mask


def _fits(mask: np.ndarray, inside: Sequence[Point], outside: Sequence[Point]) -> bool:
    return all(mask[y, x] for x, y in inside) and not any(mask[y, x] for x, y in outside)


def _of_tree(
    tree: AreaTree, inside: Sequence[Point], wanted: np.ndarray | None, settings: PickSettings
) -> list[Candidate]:
    """Nodes that hold the points: scored by how long they stay alone while the picture is merged, and by size."""
    if inside:
        paths = [tree.path(*point) for point in inside]
        nodes = [node for node in paths[0] if all(node in path for path in paths[1:])]
    elif wanted is not None:
        small = cv2.resize(wanted.astype(np.uint8), tree.order.shape[::-1], interpolation=cv2.INTER_AREA) > 0
        rows, columns = np.nonzero(small)
        scale = tree.size[0] / tree.order.shape[1], tree.size[1] / tree.order.shape[0]
        # The nodes over some pieces of the selection; the overlap with it decides among them.
        chosen = np.linspace(0, len(rows) - 1, min(32, len(rows))).astype(int)
        points = [((columns[i] + 0.5) * scale[0], (rows[i] + 0.5) * scale[1]) for i in chosen]
        nodes = sorted({node for x, y in points for node in tree.path(min(x, tree.size[0] - 1), y)})
    share = np.bincount(tree.order.ravel(), minlength=tree.pieces) / tree.order.size
    under = np.concatenate([[0.0], np.cumsum(share)])
    found: list[Candidate] = []
    best: dict[int, tuple[float, int]] = {}
    for node in nodes:
        part = float(under[tree.spans[node, 1]] - under[tree.spans[node, 0]])
        if node == tree.root or not settings.least <= part <= settings.most:
            continue
        alone = float(tree.heights[tree.parents[node]] - tree.heights[node])
        usual = np.exp(-0.5 * (np.log(part / settings.usual) / settings.spread) ** 2)
        score = (1 - np.exp(-alone)) ** 0.5 * usual
        # One candidate a step of size: the one that stays alone longest.
        rung = round(np.log(part) / np.log(settings.step)) if wanted is None or inside else node
        if score > best.get(rung, (-1.0, -1))[0]:
            best[rung] = (score, node)
    for score, node in best.values():
        mask = cv2.resize(tree.mask(node).astype(np.float32), tree.size, interpolation=cv2.INTER_LINEAR) >= 0.5
        found.append(Candidate(mask, float(score), Source.AREA))
    return found


def _of_windows(rgb: np.ndarray, point: Point, saliency: Network, settings: PickSettings) -> list[Candidate]:
    """Subjects of windows around a point; those that touch their window's border are cut off, and no candidates."""
    height, width = rgb.shape[:2]
    x, y = point
    found = []
    for half in settings.windows:
        reach = max(8, round(half * max(height, width)))
        window = Bounds(x - reach, y - reach, 2 * reach, 2 * reach).intersect(Bounds.of_size((width, height)))
        subject = np.asarray(saliency(np.ascontiguousarray(rgb[window.slices()])), np.float32)
        inside = subject > 0.5
        if not inside[y - window.y, x - window.x]:
            continue
        pieces = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)[1]
        piece = pieces == pieces[y - window.y, x - window.x]
        cut_off = (
            (window.x > 0 and piece[:, 0].any())
            or (window.y > 0 and piece[0].any())
            or (window.right < width and piece[:, -1].any())
            or (window.bottom < height and piece[-1].any())
        )
        if cut_off or piece.mean() > 0.9:
            continue
        mask = np.zeros((height, width), bool)
        mask[window.slices()] = piece
        found.append(Candidate(mask, float(subject[piece].mean()), Source.SUBJECT))
    return found


def refine_border(rgb: np.ndarray, mask: np.ndarray, reach: int | None = None) -> np.ndarray:
    """Settle a mask's border by the colours on both sides (GrabCut, Rother et al. 2004).

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) bool.
        reach: pixels by which the border may move; None takes a sixtieth of the shorter side, at least 3.

    Returns:
        (H, W) bool; the mask itself where it is too small to have an inside.
    """
    if not mask.any() or mask.all():
        return mask
    reach = reach or max(3, round(min(mask.shape) / 60))
    part = Bounds.of_mask(mask).expand(3 * reach).intersect(Bounds.of_size(mask.shape[::-1])).slices()
    own = mask[part].astype(np.uint8)
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    outer, inner = cv2.dilate(own, kernel), cv2.erode(own, np.ones((reach, reach), np.uint8))
    if not inner.any() or outer.all():
        return mask
    marks = np.full(own.shape, cv2.GC_BGD, np.uint8)
    marks[outer > 0], marks[own > 0], marks[inner > 0] = cv2.GC_PR_BGD, cv2.GC_PR_FGD, cv2.GC_FGD
    cv2.setRNGSeed(0)  # the same mask on every call
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(rgb[part]), marks, (0, 0, 0, 0), *models, 2, cv2.GC_INIT_WITH_MASK)
    result = mask.copy()
    result[part] = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    return result


def soft_alpha(rgb: np.ndarray, mask: np.ndarray, reach: int = 4) -> np.ndarray:
    """A mask with the softness of its border in the picture: hair, fur, blur (guided filter, He et al. 2010).

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) bool.
        reach: radius of the filter in pixels; further from the border alpha is 0 or 1.

    Returns:
        (H, W) float32 in [0, 1].
    """
    side = (2 * reach + 1, 2 * reach + 1)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    hard = mask.astype(np.float32)
    mean, level = cv2.blur(grey, side), cv2.blur(hard, side)
    slope = (cv2.blur(grey * hard, side) - mean * level) / (cv2.blur(grey * grey, side) - mean**2 + 1e-4)
    offset = level - slope * mean
    alpha = np.clip(cv2.blur(slope, side) * grey + cv2.blur(offset, side), 0, 1)
    kernel = np.ones(side, np.uint8)
    near = cv2.dilate(mask.astype(np.uint8), kernel) != cv2.erode(mask.astype(np.uint8), kernel)
    return np.where(near, alpha, hard).astype(np.float32)
