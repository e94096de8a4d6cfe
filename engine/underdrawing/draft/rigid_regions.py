"""Whole objects: regions that are new or moved are carried over in one piece instead of being stretched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.draft.components import Pose, Region, guess, most_frequent, numbered, regions, settle
from underdrawing.draft.flow_ops import blur, continued
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.label_inpainting import grow_classes
from underdrawing.picture.mask import touching

STAYED = 0.2  # overlap from which on a region is where it was
EXPLAINED = 0.6  # share of a region that the registration must fill with its class
GROUND = 0.75  # share of one class around a region that makes that class its ground
VANISHED = 0.002  # of the picture: smaller regions that go are pressed shut
FAR_AWAY = 3.0  # of its own size: a region that moved so far left its surroundings behind
FOLDED = 1e2  # times: so much counts where a flow turns over
EVEN = 2.5  # times: areas that the registration changes more have lost their look
FITS = 0.7  # overlap that a region of the same class must reach to lend its pixels
LARGER = 2.0  # times: sizes differ by no more
FRAMED_LARGER = 1.3  # the same for regions that are cut off by the picture's border
OBJECTS = 16  # regions that are looked up at most, the largest first
LENDERS = 6  # regions that are tried at most
CONTEXT = 0.3  # weight of the classes around a region beside its own shape
FAR = 0.05  # the same of the distance, in longer sides of the picture
RESIZED = 0.06  # and of a change of size, natural logarithm
MARGIN = 0.12  # of a removed region's size: so far around it its shadow may lie
NARROW = 0.008  # of the longer side: its soft border, which always goes with it
VISIBLE = 0.02  # of full brightness: what differs less from the ground beside is no shadow
TEXTURE = 1.5  # times what the ground beside differs from its own mean
ELSEWHERE = (3.0, 9.0, 27.0)  # cells in which the ground beside is looked for
STANDS = 0.15  # of the picture: what is larger stands on no ground that it could throw a shadow on
SPAN = 0.35  # of its size: what lies between parts of it that are no farther from each other than twice this goes, too


@dataclass(frozen=True, eq=False)
class Carried:
    """A region of the edited primitive and the one of the original that lends its pixels."""

    region: Region
    source: Region
    pose: Pose
    strange: bool  # a copy, or from so far that the surroundings did not move along
    labels: tuple[int, ...] = ()  # the classes of a region of several


@dataclass(frozen=True, eq=False)
class Objects:
    """What is to be done about whole regions.

    Attributes:
        carried: regions that are copied in one piece.
        removed: regions of the original whose ground is uncovered.
    """

    carried: tuple[Carried, ...]
    removed: tuple[Region, ...]

    @property
    def strange(self) -> list[Region]:
        """Regions of the edited primitive that say nothing about where their surroundings were."""
        return [one.region for one in self.carried if one.strange]


def find_objects(original: np.ndarray, edited: np.ndarray, flow: np.ndarray) -> Objects:
    """Compare the regions of two grids of classes.

    Args:
        original: (h, w) uint8.
        edited: (h, w) uint8.
        flow: (h, w, 2), what registration made of them; regions that it explains are left to it.
    """
    shape = (original.shape[0], original.shape[1])
    before, after = regions(original), regions(edited)
    used: set[int] = set()
    open_: list[Region] = []
    at = numbered(before, shape)
    carried_labels, carried_numbers = follow(original, flow), follow(at, flow)
    grown = enlargement(flow)
    for region in after:
        here = region.bounds.slices()
        number, value = most_frequent(at[here][region.mask])
        if number >= 0 and before[number].label == region.label:
            share = value / (region.area + before[number].area - value)
            if share >= STAYED:
                used.add(number)
                continue
        filled = carried_labels[here][region.mask] == region.label
        size = grown[here][region.mask]
        even = (size < EVEN) & (size > 1 / EVEN)
        source = most_frequent(carried_numbers[here][region.mask])[0]
        if (filled & even).mean() >= EXPLAINED and source >= 0 and source not in used:
            used.add(source)
            continue
        open_.append(region)
    carried: list[Carried] = []
    for region in sorted(open_, key=lambda r: -r.area)[:OBJECTS]:
        best = _lender(region, before, used, original, edited)
        if best is not None:
            carried.append(best)
    moved = {id(one.source) for one in carried if not one.strange}
    removed = [
        region
        for number, region in enumerate(before)
        if number not in used and id(region) not in moved and _gone(region, original, edited)
    ]
    return Objects(tuple(carried), tuple(removed))


def follow(grid: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The nearest cell's value at the flow's end."""
    height, width = grid.shape
    y, x = np.mgrid[0:height, 0:width]
    column = np.clip(np.rint(x + flow[..., 0]).astype(np.intp), 0, width - 1)
    row = np.clip(np.rint(y + flow[..., 1]).astype(np.intp), 0, height - 1)
    return np.asarray(grid[row, column])


def enlargement(flow: np.ndarray) -> np.ndarray:
    """(h, w) float32: how many times larger areas become by a flow; `FOLDED` where it turns over."""
    a, b, c, d = _slopes(flow)
    return np.asarray(1 / np.clip(a * d - b * c, 1 / FOLDED, FOLDED), np.float32)


def drawn_out(flow: np.ndarray) -> np.ndarray:
    """(h, w) float32: how many times longer things become by a flow, in the direction in which that is most."""
    a, b, c, d = _slopes(flow)
    # The smaller singular value of the derivative: what is read there of the picture for a step of one cell.
    read = (np.hypot(a + d, b - c) - np.hypot(a - d, b + c)) / 2
    return np.asarray(1 / np.clip(read, 1 / FOLDED, FOLDED), np.float32)


def _slopes(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where x and y lead by a step in x, and by one in y, each (h, w)."""
    if min(flow.shape[:2]) < 2:
        one, none = np.ones(flow.shape[:2], np.float32), np.zeros(flow.shape[:2], np.float32)
        return one, none, none, one
    uy, ux = np.gradient(flow, axis=(0, 1))
    return 1 + ux[..., 0], ux[..., 1], uy[..., 0], 1 + uy[..., 1]


def _gone(region: Region, original: np.ndarray, edited: np.ndarray) -> bool:
    """Whether the ground that lay around a region now lies in its place, too: it was taken away, not pressed shut."""
    shape = (original.shape[0], original.shape[1])
    if region.framed or region.area < VANISHED * original.size:
        return False
    mask = region.whole(shape)
    ring = (cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~mask
    if not ring.any():
        return False
    ground, times = most_frequent(original[ring])
    return bool(times >= GROUND * ring.sum() and (edited[mask] == ground).mean() >= GROUND)


def _lender(
    region: Region, before: list[Region], used: set[int], original: np.ndarray, edited: np.ndarray
) -> Carried | None:
    """The region of the same class that fits best by shape, surroundings, distance and size."""
    shape = (original.shape[0], original.shape[1])
    longest = max(shape)
    alike = [(abs(np.log(r.area / region.area)), n) for n, r in enumerate(before) if r.label == region.label]
    guessed = []
    for _, number in sorted(alike)[:LENDERS]:
        source = before[number]
        if source.framed and not region.framed:
            continue
        value, pose = guess(region, source, shape)
        way = float(np.hypot(region.centre[0] - source.centre[0], region.centre[1] - source.centre[1]))
        score = value + CONTEXT * _surroundings(region, pose, original, edited) - FAR * way / longest
        score -= RESIZED * (abs(np.log(abs(pose.scale[0]))) + abs(np.log(pose.scale[1])))
        # One that is gone from its place is more likely to have come here than one that is copied.
        score += 0.0 if number in used else 0.1
        guessed.append((score, -number, pose, way))
    for _, negative, pose, way in sorted(guessed, key=lambda entry: entry[:2], reverse=True)[:2]:
        source = before[-negative]
        value, settled = settle([(region, source)], pose, shape)
        largest = FRAMED_LARGER if region.framed or source.framed else LARGER
        if value >= FITS and max(np.abs(np.log(np.abs(settled.scale)))) <= np.log(largest):
            return Carried(region, source, settled, -negative in used or way > FAR_AWAY * region.size)
    return None


def _surroundings(region: Region, pose: Pose, original: np.ndarray, edited: np.ndarray) -> float:
    """Share of the cells around a region that have the same class around the region that would lend its pixels."""
    height, width = edited.shape
    reach = max(2, round(0.25 * region.size))
    box = region.bounds.expand(reach, (width, height))
    mask = np.zeros((box.height, box.width), np.uint8)
    x, y = region.bounds.x - box.x, region.bounds.y - box.y
    mask[y : y + region.bounds.height, x : x + region.bounds.width] = region.mask
    ring = (cv2.dilate(mask, np.ones((2 * reach + 1,) * 2, np.uint8)) > 0) & (mask == 0)
    if not ring.any():
        return 1.0
    flow = pose.flow(box)
    rows, columns = np.nonzero(ring)
    source_x = np.rint(columns + box.x + flow[rows, columns, 0]).astype(np.intp)
    source_y = np.rint(rows + box.y + flow[rows, columns, 1]).astype(np.intp)
    inside = (source_x >= 0) & (source_y >= 0) & (source_x < width) & (source_y < height)
    same = original[source_y.clip(0, height - 1), source_x.clip(0, width - 1)] == edited[box.slices()][rows, columns]
    return float((same & inside).mean())


def without(labels: np.ndarray, gone: list[Region]) -> tuple[np.ndarray, np.ndarray]:
    """A grid of classes without some regions: their ground grows in.

    Returns:
        the classes, and (h, w) bool where they changed.
    """
    hole = np.zeros(labels.shape, bool)
    for region in gone:
        hole[region.bounds.slices()] |= region.mask
    if not hole.any() or hole.all():
        return labels, np.zeros(labels.shape, bool)
    return grow_classes(labels, hole), hole


def footprint(region: Region, left: np.ndarray, still: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(h, w) bool: a region, the ground between its limbs, its soft border, and its shadow and glow around.

    Args:
        left: (h, w) uint8, the original's classes without what is removed.
        still: (h, w) uint8, the edited primitive's without what came from elsewhere.
        picture: (h, w, 3) float32 in [0, 1].
    """
    shape = (left.shape[0], left.shape[1])
    mask, span = region.whole(shape), SPAN * region.size
    ground = np.isin(left, np.unique(still[mask]))
    # Beyond the picture there is nothing of it either.
    room = int(span) + 1
    wide = _within(cv2.copyMakeBorder(mask.view(np.uint8), room, room, room, room, cv2.BORDER_CONSTANT), span)
    closed = ~_within(~wide, span)[room:-room, room:-room] | mask
    margin = max(1.0, MARGIN * region.size) if region.area < STANDS * mask.size else 1.0
    border = mask | (_within(closed, min(margin, max(1.0, NARROW * max(shape)))) & ground)
    around = _within(closed, margin) & ground & ~border
    if not around.any():
        return border
    beside = _within(closed, 3 * margin) & ground & ~around & ~border
    return border | touching(border | _differs(picture, left, around, beside), border)


def _differs(picture: np.ndarray, labels: np.ndarray, around: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """(h, w) bool: cells around a thing that look otherwise than their class beside it: its shadow, its glow."""
    result = around.copy()
    box = Bounds.of_mask(around | beside).slices()
    around, beside, labels = around[box], beside[box], labels[box]
    seen = blur(picture[box], 1.0)
    for label in np.unique(labels[around]):
        here, known = around & (labels == label), beside & (labels == label)
        if known.any():
            step = np.abs(seen - continued(seen, known.astype(np.float32), ELSEWHERE)).mean(2)
            result[box][here] = (step > max(VISIBLE, TEXTURE * float(step[known].mean())))[here]
    return result


def _within(mask: np.ndarray, reach: float) -> np.ndarray:
    """(h, w) bool: cells at most so far from a mask."""
    away = cv2.distanceTransform((mask == 0).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= reach)
