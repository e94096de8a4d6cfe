"""Figures: what was moved, turned, mirrored or made larger as one piece, of whatever classes and however large it is.

A car is a body with windows and wheels. Registration pulls each cell to the nearest one that looks alike, and what is
mirrored or half as large does not arrive whole. A region whose shape is another one's exactly tells how all of it lies.
"""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.components import LARGEST, Pose, Region, cut_off, guess, overlap, regions, settle
from underdrawing.draft.objects import EVEN, Carried, Objects
from underdrawing.picture.geometry import Bounds

LEAST = 0.001  # of the picture: smaller regions tell nothing
FIGURES = 6  # regions that are asked at most, the largest first
LEFT = 0.3  # of a region that the picture's border cuts off, at least
LENDERS = 4  # regions each is compared with
IN_PLACE = 0.93  # overlap from which on a region is where it was
BETTER = 0.08  # by which another pose must explain it better
EXACT = 0.9  # overlap that a shape must reach to be the same
BLUNT = 1.3  # how much less suffices where a small one was made larger, divided by its size in cells
FEWEST = 40  # cells: smaller ones have no shape
APART = 0.1  # of a region's size: nearer to where registration brings it there is nothing to mend
LARGER = 5.0  # times: sizes differ by no more
UNEVEN = 2.0  # times: one side's change of size by the other's
AGREES = 0.85  # share of a region that comes along
GAIN = 0.05  # by which it must agree better so than in its old place
SAME_AREA = 1.5  # times
REMAINS = 0.5  # share of what lent its pixels that is still there: it was copied
PLAIN = 0.75  # overlap from which on no other turns are tried
LIKELY = 0.4  # overlap from which on a first guess is followed up
FINE_STEPS, ROUNDS = (1.5, 0.5, 0.15, 0.05, 0.02), 6


def find_figures(original: np.ndarray, edited: np.ndarray, flow: np.ndarray) -> Objects:
    """Figures of the edited primitive, each as one region with its pose, and what they leave behind.

    Args:
        original: (h, w) uint8.
        edited: (h, w) uint8.
        flow: (h, w, 2), what registration made of them; figures that it brings are left to it.
    """
    shape = (original.shape[0], original.shape[1])
    before, after = regions(original, LARGEST), regions(edited, LARGEST)
    at = np.full(shape, -1, np.int32)
    for number, region in enumerate(before):
        at[region.bounds.slices()][region.mask] = number
    taken = np.zeros(shape, bool)
    carried: list[Carried] = []
    lent: list[set[int]] = []
    least = max(FEWEST, LEAST * original.size)
    asked = [r for r in after if r.area >= least]
    for region in sorted(asked, key=lambda r: -r.area)[:FIGURES]:
        if taken[region.bounds.slices()][region.mask].mean() > 0.5:
            continue
        pose = _pose(region, before, original, flow)
        if pose is None:
            continue
        members, sources = _members(region, pose, before, after, at, original)
        mask = np.zeros(shape, bool)
        for member in members:
            mask[member.bounds.slices()] |= member.mask
        taken |= mask
        labels = tuple(sorted({member.label for member in members}))
        whole = _closed(mask, region.label)
        carried.append(Carried(whole, whole, pose, 1.0, True, labels))
        lent.append(sources)
    removed = []
    for sources in lent:
        mask, there = np.zeros(shape, bool), 0
        for number in sources:
            source = before[number]
            box = source.bounds.slices()
            mask[box] |= source.mask
            there += int((source.mask & (edited[box] == source.label) & ~taken[box]).sum())
        if there < REMAINS * mask.sum():
            removed.append(_closed(mask, before[min(sources)].label))
    return Objects(tuple(carried), tuple(removed))


def _pose(region: Region, before: list[Region], original: np.ndarray, flow: np.ndarray) -> Pose | None:
    """How a region of the original lies where this one is, if its shape is the same and registration missed it."""
    shape = (original.shape[0], original.shape[1])
    most = region.area / LEFT if region.framed else np.inf
    alike = [
        (abs(np.log(r.area / region.area)), n)
        for n, r in enumerate(before)
        if r.label == region.label and not r.framed and FEWEST <= r.area <= most
    ]
    guessed: list[tuple[float, int, Pose]] = []
    for _, number in sorted(alike)[:LENDERS]:
        source = before[number]
        if _in_place(region, source, original) > IN_PLACE:
            return None
        value, pose = cut_off(region, source, shape) if region.framed else guess(region, source, shape)
        if value < PLAIN and not region.framed:
            value, pose = max((value, pose), _turned(region, source, shape), key=lambda entry: entry[0])
        if value > LIKELY:
            guessed.append((value, -number, pose))
    if not guessed:
        return None
    _, negative, pose = max(guessed, key=lambda entry: entry[:2])
    source = before[-negative]
    value, pose = settle(region, source, pose, shape, FINE_STEPS, ROUNDS)
    sx, sy = np.abs(pose.scale)
    if max(sx, sy, 1 / sx, 1 / sy) > LARGER or max(sx / sy, sy / sx) > UNEVEN:
        return None
    exact = min(EXACT, 1 - BLUNT / source.size) if sx * sy < 1 / EVEN else EXACT
    if value < max(exact, _in_place(region, source, original) + BETTER):
        return None
    away = np.linalg.norm(pose.flow(region.bounds) - flow[region.bounds.slices()], axis=2)[region.mask]
    # What registration enlarges so far is filled with patches, and what it makes so small pulls the ground along.
    return pose if abs(np.log(sx * sy)) > np.log(EVEN) or away.mean() > APART * region.size else None


def _turned(region: Region, source: Region, shape: tuple[int, int]) -> tuple[float, Pose]:
    """The best of the poses that lie upside down, or on which both longer axes lie on each other, and its overlap."""
    even = source.size / region.size
    tried = []
    for mirror in (1.0, -1.0):
        turns = [np.pi]
        if region.angle is not None and source.angle is not None:
            along = source.angle - region.angle if mirror > 0 else source.angle + region.angle - np.pi
            turns += [along, along + np.pi]
        for turn in turns:
            pose = Pose(region.centre, source.centre, scale=(even * mirror, even), turn=float(turn))
            tried.append((overlap(region, source, pose, shape), pose))
    return max(tried, key=lambda entry: entry[0])


def _in_place(region: Region, source: Region, original: np.ndarray) -> float:
    """Intersection over union with one of the original, as both lie."""
    both = int((region.mask & (original[region.bounds.slices()] == region.label)).sum())
    return both / (region.area + source.area - both)


def _members(
    seed: Region, pose: Pose, before: list[Region], after: list[Region], at: np.ndarray, original: np.ndarray
) -> tuple[list[Region], set[int]]:
    """The regions that come along with one, and the numbers of those of the original that they come from."""
    shape = (at.shape[0], at.shape[1])
    whole = Bounds(0, 0, shape[1], shape[0])
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    ends = np.rint(pose.flow(whole) + np.dstack([x, y]).astype(np.float32)).astype(np.intp)
    inside = ((ends >= 0) & (ends < (shape[1], shape[0]))).all(axis=2)
    ends = ends.clip(0, (shape[1] - 1, shape[0] - 1))
    laid = np.where(inside, at[ends[..., 1], ends[..., 0]], -1)
    times = abs(pose.scale[0] * pose.scale[1])

    def source_of(region: Region) -> int:
        found = laid[region.bounds.slices()][region.mask]
        found = found[found >= 0]
        return int(np.bincount(found).argmax()) if found.size else -1

    def comes_along(region: Region, number: int) -> bool:
        if number < 0 or before[number].framed or before[number].label != region.label:
            return False
        box = region.bounds.slices()
        # Cells on a border are of either side: small regions are hardly more than border.
        lies = cv2.dilate((laid[box] == number).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        agrees = lies[region.mask].mean()
        stays = _in_place(region, before[number], original)
        area = before[number].area / (region.area * times)
        most = np.inf if region.framed else SAME_AREA
        return bool(agrees >= AGREES and agrees > stays + GAIN and 1 / SAME_AREA < area < most)

    candidates = [(r, n) for r in after if r is not seed and comes_along(r, n := source_of(r))]
    members, sources = [seed], {source_of(seed)}
    mask = seed.whole(shape)
    grown = True
    while grown:
        near = cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
        grown = False
        for one, number in list(candidates):
            if (near[one.bounds.slices()] & one.mask).any():
                candidates.remove((one, number))
                members.append(one)
                sources.add(number)
                mask[one.bounds.slices()] |= one.mask
                grown = True
    return members, {n for n in sources if n >= 0}


def _closed(mask: np.ndarray, label: int) -> Region:
    """A mask as one region, without the specks and slits that are in nobody's region."""
    closed = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    bounds = Bounds.of_mask(closed)
    y, x = np.nonzero(closed)
    inner = closed[bounds.slices()] > 0
    return Region(label, bounds, inner, False, int(inner.sum()), (float(x.mean()), float(y.mean())))
