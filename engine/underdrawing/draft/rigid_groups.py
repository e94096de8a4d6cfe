"""Figures: what was moved, turned, mirrored or made larger as one piece, of whatever classes and however large it is.

A car is a body with windows and wheels. Registration pulls each cell to the nearest one that looks alike, and what is
mirrored or half as large does not arrive whole. A region whose shape is another one's exactly tells how all of it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from underdrawing.draft.components import (
    LARGEST,
    NOBODY,
    Pose,
    Region,
    cut_off,
    guess,
    most_frequent,
    numbered,
    overlap,
    regions,
    settle,
)
from underdrawing.draft.rigid_regions import EVEN, Carried, Objects
from underdrawing.picture.geometry import Bounds

LEAST = 0.0003  # of the picture: smaller regions tell nothing
FIGURES = 6  # regions that are asked at most, the largest first
LEFT = 0.3  # of a region that the picture's border cuts off, at least
LENDERS = 4  # regions each is compared with
IN_PLACE = 0.93  # overlap from which on a region is where it was
BETTER = 0.08  # by which another pose must explain it better
EXACT = 0.9  # overlap that a shape must reach to be the same
MIRRORED = 0.85  # the same of one that was mirrored in its place
BLUNT = 1.3  # how much less suffices where a small one was made larger, divided by its size in cells
FEWEST = 16  # cells: smaller ones have no shape
APART = 0.1  # of a region's size: nearer to where registration brings it there is nothing to mend
LARGER = 5.0  # times: sizes differ by no more
UNEVEN = 2.0  # times: one side's change of size by the other's
AGREES = 0.85  # share of a region that comes along
GAIN = 0.05  # by which it must agree better so than in its old place
SAME_AREA = 1.5  # times
REMAINS = 0.5  # share of what lent its pixels that is still there: it was copied
PLAIN = 0.75  # overlap from which on no other turns are tried
TURN = np.pi / 6  # steps of the turns of a region that has no longer side
AS_GOOD = 0.05  # of overlap: lenders that differ by less are chosen from by where they are
LIKELY = 0.4  # overlap from which on a first guess is followed up
SCENE = 0.5  # of all outlines: where more of them moved a whole scene did, and not a thing of it
COVERED = 0.1  # of a region that must be free of what was laid over it before it counts as removed
REST = 0.03  # of what changed: so little is the borders of what was carried or removed
AROUND = 3  # cells around these that change with them: borders, outlines
FINE_STEPS, ROUNDS = (1.5, 0.5, 0.15, 0.05, 0.02), 6


def find_things(original: np.ndarray, edited: np.ndarray, changed: np.ndarray) -> Objects | None:
    """What was carried whole or removed, where that is all there is to an edit; None where it is not.

    Then nothing else has to move, and nothing has to be registered.

    Args:
        original: (h, w) uint8.
        edited: (h, w) uint8.
        changed: (h, w) bool, cells in which any plane differs.
    """
    before, others = regions(original, LARGEST), edited.copy()
    touched = [changed[region.bounds.slices()][region.mask].any() for region in before]
    if sum(touched) > FIGURES and _moved_outlines(original, changed) > SCENE:
        return None
    for region, own in zip(before, touched, strict=True):
        if not own:
            others[region.bounds.slices()][region.mask] = NOBODY
    # What is as it was may be of the class of a thing that was moved beside it, or over it.
    return _all_of_it(original, others, changed, before) or _all_of_it(original, edited, changed, before)


def _moved_outlines(labels: np.ndarray, changed: np.ndarray) -> float:
    """Share of the outlines of areas, (h, w) uint8, beside which something changed."""
    outlines = np.zeros(labels.shape, bool)
    outlines[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    outlines[1:] |= labels[1:] != labels[:-1]
    near = cv2.dilate(changed.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float(near[outlines].mean()) if outlines.any() else 0.0


def _all_of_it(original: np.ndarray, edited: np.ndarray, changed: np.ndarray, before: list[Region]) -> Objects | None:
    """What was carried or removed; None where more than that changed."""
    shape = (original.shape[0], original.shape[1])
    found = find_figures(original, edited, None, before)
    places = np.zeros(shape, bool)
    for one in (*(c.region for c in found.carried), *found.removed):
        places[one.bounds.slices()] |= one.mask
    gone = []
    for region in before:
        box = region.bounds.slices()
        left = region.mask & ~places[box]
        if left.sum() > COVERED * region.area and _still(region, edited)[left].mean() < REST:
            gone.append(region)
    for region in gone:
        places[region.bounds.slices()] |= region.mask
    near = cv2.dilate(places.view(np.uint8), np.ones((2 * AROUND + 1,) * 2, np.uint8)) > 0
    if (changed & ~near).sum() > REST * changed.sum():
        return None
    return Objects(found.carried, found.removed + tuple(_joined(gone, shape)))


def find_figures(
    original: np.ndarray, edited: np.ndarray, flow: np.ndarray | None, before: list[Region] | None = None
) -> Objects:
    """Figures of the edited primitive, each as one region with its pose, and what they leave behind.

    Args:
        original: (h, w) uint8.
        edited: (h, w) uint8.
        flow: (h, w, 2), what registration made of them; figures that it brings are left to it. None: it was not asked.
        before: the regions of the original, up to `LARGEST`, where they are known already.
    """
    shape = (original.shape[0], original.shape[1])
    before, after = regions(original, LARGEST) if before is None else before, regions(edited, LARGEST)
    at = numbered(before, shape)
    taken = np.zeros(shape, bool)
    carried: list[Carried] = []
    lent: list[set[int]] = []
    least = max(FEWEST, LEAST * original.size)
    asked = [r for r in after if r.area >= least and not _stays(r, before, at)]
    for region in sorted(asked, key=lambda r: -r.area)[:FIGURES]:
        if taken[region.bounds.slices()][region.mask].mean() > 0.5:
            continue
        found = _pose(region, before, edited, flow)
        if found is None:
            continue
        number, pose = found
        members = _members((region, number), pose, before, after, at)
        if len(members) > 1:
            # All of it tells better how it lies than the part that told first.
            pose = _settled(members, pose, before, shape)
            members = _members((region, number), pose, before, after, at)
        whole = _union([member for member, _ in members], shape, region.label)
        taken[whole.bounds.slices()] |= whole.mask
        labels = tuple(sorted({member.label for member, _ in members}))
        carried.append(Carried(whole, before[number], pose, True, labels))
        lent.append({n for _, n in members})
    removed = []
    for sources in lent:
        there = 0
        for region in (before[n] for n in sources):
            box = region.bounds.slices()
            there += int((region.mask & _still(region, edited) & ~taken[box]).sum())
        if there < REMAINS * sum(before[n].area for n in sources):
            removed.append(_union([before[n] for n in sources], shape, before[min(sources)].label))
    return Objects(tuple(carried), tuple(removed))


def _still(region: Region, edited: np.ndarray) -> np.ndarray:
    """(h, w) bool of the region's box: cells that have its class still."""
    part = edited[region.bounds.slices()]
    return np.asarray((part == region.label) | (part == NOBODY))


def _stays(region: Region, before: list[Region], at: np.ndarray) -> bool:
    """Whether a region is where it was."""
    number, _ = most_frequent(at[region.bounds.slices()][region.mask])
    if number < 0:
        return False
    source = before[number]
    return source.label == region.label and _in_place(region, source, at.shape) > IN_PLACE


def _pose(region: Region, before: list[Region], edited: np.ndarray, flow: np.ndarray | None) -> tuple[int, Pose] | None:
    """Which region of the original has the shape of this one, and how it lies; None where registration brings it."""
    shape = (edited.shape[0], edited.shape[1])
    most = region.area / LEFT if region.framed else np.inf
    alike = [
        (abs(np.log(r.area / region.area)), n)
        for n, r in enumerate(before)
        if r.label == region.label and not r.framed and FEWEST <= r.area <= most
    ]
    guessed: list[tuple[float, float, int, Pose]] = []
    for _, number in sorted(alike)[:LENDERS]:
        source = before[number]
        value, pose = cut_off(region, source, shape) if region.framed else guess(region, source, shape)
        if value < PLAIN and not region.framed:
            value, pose = max((value, pose), _turned(region, source, shape), key=lambda entry: entry[0])
        if value > LIKELY:
            way = np.hypot(region.centre[0] - source.centre[0], region.centre[1] - source.centre[1]) / max(shape)
            # One that is gone from its place is more likely to have come here than one that is copied.
            here = float(_still(source, edited)[source.mask].mean())
            guessed.append((value, float(way) + here, -number, pose))
    if not guessed:
        return None
    best = max(entry[0] for entry in guessed)
    _, _, negative, pose = min((e for e in guessed if e[0] > best - AS_GOOD), key=lambda e: (e[1], -e[0], -e[2]))
    source = before[-negative]
    value, pose = settle([(region, source)], pose, shape, FINE_STEPS, ROUNDS)
    sx, sy = np.abs(pose.scale)
    if max(sx, sy, 1 / sx, 1 / sy) > LARGER or max(sx / sy, sy / sx) > UNEVEN:
        return None
    stays, exact = _in_place(region, source, shape), EXACT
    if sx * sy < 1 / EVEN:
        exact = min(EXACT, 1 - BLUNT / source.size)
    elif pose.scale[0] < 0 and stays > 0:
        exact = MIRRORED
    if value < max(exact, stays + BETTER):
        return None
    if flow is None:
        return -negative, pose
    away = np.linalg.norm(pose.flow(region.bounds) - flow[region.bounds.slices()], axis=2)[region.mask]
    # What registration enlarges so far is filled with patches, and what it makes so small pulls the ground along.
    missed = abs(np.log(sx * sy)) > np.log(EVEN) or away.mean() > APART * region.size
    return (-negative, pose) if missed else None


def _settled(members: list[tuple[Region, int]], pose: Pose, before: list[Region], shape: tuple[int, int]) -> Pose:
    """The pose that suits all of a figure, beginning with what a part of it told, as it is and in plain."""
    pairs = [(member, before[number]) for member, number in members]
    mirror = float(np.sign(pose.scale[0]))
    even = float(np.sqrt(abs(pose.scale[0] * pose.scale[1])))
    begins = [pose, replace(pose, scale=(even * mirror, even)), replace(pose, scale=(mirror, 1.0))]
    return max((settle(pairs, begin, shape, FINE_STEPS, ROUNDS) for begin in begins), key=lambda e: e[0])[1]


def _turned(region: Region, source: Region, shape: tuple[int, int]) -> tuple[float, Pose]:
    """The best of the poses on which both longer axes lie on each other, or of all turns where there is none."""
    even = source.size / region.size
    tried = []
    for mirror in (1.0, -1.0):
        turns = [k * TURN for k in range(12)]
        if region.angle is not None and source.angle is not None:
            along = source.angle - region.angle if mirror > 0 else source.angle + region.angle - np.pi
            turns = [along, along + np.pi, np.pi]
        for turn in turns:
            pose = Pose(region.centre, source.centre, scale=(even * mirror, even), turn=float(turn))
            tried.append((overlap(region, source, pose, shape), pose))
    return max(tried, key=lambda entry: entry[0])


def _in_place(region: Region, source: Region, shape: tuple[int, ...]) -> float:
    """Intersection over union with one of the original, as both lie."""
    both = int((region.mask & source.whole((shape[0], shape[1]))[region.bounds.slices()]).sum())
    return both / (region.area + source.area - both)


def _members(
    seed: tuple[Region, int], pose: Pose, before: list[Region], after: list[Region], at: np.ndarray
) -> list[tuple[Region, int]]:
    """The regions that come along with one, itself first, each with the number of that of the original that it was."""
    shape = (at.shape[0], at.shape[1])
    whole = Bounds(0, 0, shape[1], shape[0])
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    ends = np.rint(pose.flow(whole) + np.dstack([x, y]).astype(np.float32)).astype(np.intp)
    inside = ((ends >= 0) & (ends < (shape[1], shape[0]))).all(axis=2)
    ends = ends.clip(0, (shape[1] - 1, shape[0] - 1))
    laid = np.where(inside, at[ends[..., 1], ends[..., 0]], -1)
    times = abs(pose.scale[0] * pose.scale[1])

    def comes_along(region: Region, number: int) -> bool:
        if number < 0 or before[number].framed or before[number].label != region.label:
            return False
        box = region.bounds.slices()
        # Cells on a border are of either side: small regions are hardly more than border.
        lies = cv2.dilate((laid[box] == number).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        agrees = lies[region.mask].mean()
        stays = _in_place(region, before[number], shape)
        area = before[number].area / (region.area * times)
        most = np.inf if region.framed else SAME_AREA
        return bool(agrees >= AGREES and agrees > stays + GAIN and 1 / SAME_AREA < area < most)

    candidates = [
        (r, n)
        for r in after
        if r is not seed[0] and comes_along(r, n := most_frequent(laid[r.bounds.slices()][r.mask])[0])
    ]
    members = [seed]
    mask = seed[0].whole(shape)
    grown = True
    while grown:
        near = cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
        grown = False
        for one, number in list(candidates):
            if (near[one.bounds.slices()] & one.mask).any():
                candidates.remove((one, number))
                members.append((one, number))
                mask[one.bounds.slices()] |= one.mask
                grown = True
    return members


def _joined(found: Sequence[Region], shape: tuple[int, int]) -> list[Region]:
    """Regions that touch each other as one each: a car that goes is body and windows."""
    mask = np.zeros(shape, np.uint8)
    for region in found:
        mask[region.bounds.slices()] |= region.mask.view(np.uint8)
    _, marks = cv2.connectedComponents(cv2.dilate(mask, np.ones((3, 3), np.uint8)), connectivity=8)
    groups: dict[int, list[Region]] = {}
    for region in found:
        at = int(marks[region.bounds.slices()][region.mask][0])
        groups.setdefault(at, []).append(region)
    return [_union(group, shape, max(group, key=lambda r: r.area).label) for group in groups.values()]


def _union(parts: Sequence[Region], shape: tuple[int, int], label: int) -> Region:
    """Several regions as one, without the specks and slits that are in nobody's region."""
    mask = np.zeros(shape, bool)
    for part in parts:
        mask[part.bounds.slices()] |= part.mask
    closed = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    bounds = Bounds.of_mask(closed)
    y, x = np.nonzero(closed)
    inner = closed[bounds.slices()] > 0
    framed = bounds.x == 0 or bounds.y == 0 or bounds.right == mask.shape[1] or bounds.bottom == mask.shape[0]
    return Region(label, bounds, inner, framed, int(inner.sum()), (float(x.mean()), float(y.mean())))
