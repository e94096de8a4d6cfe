"""The draft of a picture: what its own pixels can say about an edited underdrawing, without any training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.draft.canvas import Canvas, Origin
from underdrawing.draft.components import NOBODY
from underdrawing.draft.confidence import confidence
from underdrawing.draft.flow_ops import blur, places, resize, resize_flow, sample, sampled
from underdrawing.draft.line_rigidity import straightened
from underdrawing.draft.matching_channels import Channels, channels, reduce
from underdrawing.draft.membrane_blend import even_out, lead_over
from underdrawing.draft.patch_lookup import Part, find_parts
from underdrawing.draft.patchmatch import Sides, fill_ground, guides
from underdrawing.draft.registration import Grids, Level, descend, register
from underdrawing.draft.rigid_groups import find_figures, find_things
from underdrawing.draft.rigid_regions import Objects, find_objects, follow, footprint, without
from underdrawing.picture.geometry import Bounds, scaled
from underdrawing.picture.mask import difference
from underdrawing.picture.primitive import Primitive

BETTER = 0.12  # mismatch by which a looked-up part must beat the registration
STILL = (0.1, 0.3)  # cells of the middle grid: shorter ways, far from any change, are none
NEAR = 2.5  # cells: so near to a change every way counts
REACH = (0.15, 0.3)  # of the longer side: farther from any change nothing moves
SHARP = 512  # cells of the longer side on which things are compared that nothing else moves with
LENDING = 0.25  # of the longer side: so far from a hole it is filled from
PLENTY = 4  # pixels of a class there for each that is wanted, or the whole picture is looked at
FELT = 0.06  # of the longer side: so far a class guides what is filled
MOST_GUIDES = 12  # channels that guide the fill

Filler = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (H, W, 3) float32 and an (H, W) bool hole -> (H, W, 3)


@dataclass(frozen=True, eq=False)
class Draft:
    """A draft.

    Attributes:
        picture: (H, W, 3) float32 in [0, 1].
        origin: (H, W) uint8, an `Origin` for every pixel.
        confidence: (H, W) float32 in [0, 1]: 1 where a pixel is the picture's own in its place, 0 where nothing in
            the picture says what belongs there.
        came: (H, W, 2) float32, x and y in the picture where every pixel was carried from; of filled ones, where they
            would have come from.
    """

    picture: np.ndarray
    origin: np.ndarray
    confidence: np.ndarray
    came: np.ndarray


def draft(
    picture: np.ndarray, original: Primitive, edited: Primitive, seed: int = 0, filler: Filler | None = None
) -> Draft:
    """Carry a picture's pixels to where an edited primitive wants them.

    Registered as a whole first; objects that are new, moved or gone are found and taken out of that; what remains
    unexplained is looked up piece by piece, and what has come from nowhere good is filled with patches of its class.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        original: its primitive, with segments or edges.
        edited: the same planes as they are wanted; a class that the original lacks is in nobody's way.
        seed: chooses where the search for patches begins, and so among fills that are about as good.
        filler: fills uncovered ground in place of patches.
    """
    size = (picture.shape[0], picture.shape[1])
    changed = difference(original, edited)
    if not changed.any():
        return Draft(picture.copy(), np.zeros(size, np.uint8), np.ones(size, np.float32), places(size))
    grids = Grids.of(size)
    maps = channels(original, edited, grids.fine)
    plan = _plan_of_things(picture, original, edited, changed, grids)
    if plan is None:
        plan = _plan(picture, original, edited, changed, grids, maps)
    grid = (plan.taken_away.shape[0], plan.taken_away.shape[1])
    uncovered = follow(plan.taken_away, resize_flow(plan.flow, grid))
    canvas = Canvas(picture, original, edited, plan.flow)
    if plan.levels is not None:
        uncovered |= _look_up(canvas, plan, plan.levels, maps, grids, uncovered)
    bare = _large(uncovered, size)
    for one in plan.found.carried:
        canvas.add_object(one, grid, bare)
    fits = _fill(canvas, maps, uncovered, plan.taken_away, seed, filler)
    sure = confidence(canvas, maps, fits, original, edited)
    return Draft(np.clip(canvas.made, 0, 1), canvas.origin, sure, canvas.came)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What moves how, before any pixel is laid down.

    Attributes:
        flow: (h, w, 2) on the middle grid.
        found: what is carried whole or removed, on the grid of `taken_away`.
        taken_away: (h, w) bool, footprints of what was removed.
        levels: what registration compared; None where nothing had to be registered.
    """

    flow: np.ndarray
    found: Objects
    taken_away: np.ndarray
    levels: tuple[Level, Level] | None


def _plan_of_things(
    picture: np.ndarray, original: Primitive, edited: Primitive, changed: np.ndarray, grids: Grids
) -> _Plan | None:
    """The least change: things are carried whole or removed, everything else stays. None where that is not all."""
    if original.segments is None or edited.segments is None:
        return None
    height, width = changed.shape
    share = min(1.0, SHARP / max(height, width))
    grid = max(1, round(height * share)), max(1, round(width * share))
    left, still = _labels(original.segments, grid), _labels(edited.segments, grid)
    found = find_things(left, still, resize(changed.astype(np.float32), grid) > 0)
    if found is None:
        return None
    for one in found.carried:
        # What was laid over the old place is not the ground of it.
        still[one.region.bounds.slices()][one.region.mask] = NOBODY
    taken_away, small = np.zeros(grid, bool), resize(picture, grid)
    for region in found.removed:
        taken_away |= footprint(region, left, still, small)
    return _Plan(np.zeros((*grids.middle, 2), np.float32), found, taken_away, None)


def _plan(
    picture: np.ndarray, original: Primitive, edited: Primitive, changed: np.ndarray, grids: Grids, maps: Channels
) -> _Plan:
    """Registered as a whole; things that are new, moved or gone are taken out of that."""
    size = (picture.shape[0], picture.shape[1])
    middle = maps.resized(grids.middle)
    flow, levels = register(maps, grids)
    found, taken_away = Objects((), ()), np.zeros(grids.fine, bool)
    if original.segments is not None and edited.segments is not None:
        left, still = _labels(original.segments, grids.fine), _labels(edited.segments, grids.fine)
        # Cells of what is carried whole or goes, where it was and where it is.
        told, apart = maps, np.zeros(grids.fine, bool)
        for find in (find_figures, find_objects):
            more = find(left, still, resize_flow(flow, grids.fine))
            found = Objects(found.carried + more.carried, found.removed + more.removed)
            if more.strange or more.removed:
                # What comes from elsewhere, or goes, must not bend what stays: registered again without it.
                left, gone = without(left, list(more.removed))
                still, new = without(still, more.strange)
                told = told.with_labels(left, gone, original=True).with_labels(still, new, original=False)
                apart |= gone | new
                flow, levels = register(told, grids)
        flow = straightened(flow, picture, original.segments, middle)
        if original.edges is None and original.paint is None:
            # What is carried as a whole, or goes, moves nothing else.
            changed = changed & ~_large(cv2.dilate(apart.view(np.uint8), np.ones((3, 3), np.uint8)) > 0, size)
        small = resize(picture, grids.fine) if found.removed else picture
        for region in found.removed:
            taken_away |= footprint(region, left, still, small)
    return _Plan(_calm(flow, changed), found, taken_away, levels)


def _look_up(
    canvas: Canvas, plan: _Plan, levels: tuple[Level, Level], maps: Channels, grids: Grids, uncovered: np.ndarray
) -> np.ndarray:
    """Lay down what is looked up part by part.

    Returns:
        (h, w) bool on the fine grid, parts that are uncovered ground.
    """
    settled = uncovered.copy()
    for one in plan.found.carried:
        settled[one.region.bounds.slices()] |= one.region.mask
    middle, small = maps.resized(grids.middle), resize(canvas.picture, grids.middle)
    parts = find_parts(middle, plan.flow, small, _any(settled, grids.middle))
    ground = _grounds(parts, maps)
    _add_parts(canvas, parts, maps, levels, plan.flow, uncovered | ground)
    return ground


def _labels(segments: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(segments, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))


def _any(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask on a grid of (height, width) cells: where a good part of a cell is masked, and the cells beside."""
    return np.asarray(resize(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32), size) > 0.3)


def _large(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(mask.view(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)) > 0


def _calm(flow: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """The flow without the drift that comes from nowhere: still where nothing changed near by, and far from all.

    Args:
        flow: (h, w, 2) on the middle grid.
        changed: (H, W) bool.
    """
    size = (flow.shape[0], flow.shape[1])
    share = resize(changed.astype(np.float32), size)
    away = cv2.distanceTransform((share <= 0).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    moves = _rise(np.linalg.norm(flow, axis=2), *STILL)
    moves = np.maximum(moves, 1 - _rise(away, NEAR, 2 * NEAR))
    side = max(size)
    moves *= 1 - _rise(away, REACH[0] * side, REACH[1] * side)
    return np.asarray(flow * moves[..., None], np.float32)


def _rise(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """From 0 at `low` to 1 at `high`, smoothly."""
    way = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(way * way * (3 - 2 * way), np.float32)


def _grounds(parts: list[Part], maps: Channels) -> np.ndarray:
    """(h, w) bool on the fine grid: parts that are uncovered ground, with a margin of the same class."""
    size = maps.edited.shape[:2]
    result = np.zeros(size, bool)
    for part in parts:
        if part.flow is None:
            grown = _large(cv2.dilate(part.mask.view(np.uint8), np.ones((3, 3), np.uint8)) > 0, size)
            wanted = maps.edited[..., : maps.classes]
            result |= grown & (wanted[..., int(wanted[grown].sum(0).argmax())] > 0.5)
    return result


def _add_parts(
    canvas: Canvas, parts: list[Part], maps: Channels, levels: tuple[Level, Level], flow: np.ndarray, left: np.ndarray
) -> None:
    """Lay the looked-up parts on the canvas where they explain the edited primitive much better than the flow."""
    other, mask = flow.copy(), np.zeros(flow.shape[:2], bool)
    for part in parts:
        if part.flow is not None:
            other[part.mask] = part.flow[part.mask]
            mask |= part.mask
    if not mask.any():
        return
    other = descend(levels, other, (8, 0), stiffness=1.2, relative=True, scales_=(1, 2))
    fine = maps.edited.shape[:2]
    weight = resize(mask.astype(np.float32), fine)
    far = resize_flow(other * mask[..., None], fine) / np.maximum(weight, 1e-3)[..., None]
    one = blur(maps.mismatch(sample(maps.original, resize_flow(flow, fine))), 1.25)
    two = blur(maps.mismatch(sample(maps.original, far)), 1.25)
    share = 1 / (1 + np.exp(-np.clip((one - two - BETTER) * 30, -30, 30)))
    share = np.where((weight > 0.02) & ~left, share, 0).astype(np.float32)
    canvas.add_part(share, other, mask)


def _lending(canvas: Canvas, hole: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of the picture that ground may be filled from: those that stay, or, of a class that is wanted
    and has none of these, what is taken away.
    """
    if canvas.before is None or canvas.after is None:
        return stays
    wanted = np.bincount(canvas.after[hole], minlength=256) > 0
    lent = np.bincount(canvas.before[stays], minlength=256) > 0
    return np.asarray(stays | (wanted & ~lent)[canvas.before])


def _around(hole: np.ndarray, labels: np.ndarray, given: np.ndarray, valid: np.ndarray) -> Bounds:
    """The part of the picture that a hole is filled from: near by, where enough of all of its classes is; else all.

    Args:
        hole: (H, W) bool.
        labels: (H, W) uint8, what is wanted.
        given: (H, W) uint8, what the picture has.
        valid: (H, W) bool, pixels that may be used.
    """
    height, width = hole.shape
    near = Bounds.of_mask(hole).expand(round(LENDING * max(hole.shape)), (width, height))
    part = near.slices()
    wanted = np.bincount(labels[part][hole[part]], minlength=256)
    lent = np.bincount(given[part][valid[part]], minlength=256)
    enough = (lent >= PLENTY * wanted)[wanted > 0].all()
    return near if enough else Bounds.of_size((width, height))


def _guides_of(maps: Channels, near: Bounds, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, G) float32 each, guidance of the picture and of the result in a part of the picture of this size."""
    count = maps.classes or maps.weights.size
    fine = maps.edited.shape[:2]
    cells = Bounds.of_size((fine[1], fine[0]))
    # Farther away nothing is felt in there.
    part = scaled(near, (fine[1] / size[1], fine[0] / size[0]), cells).expand(round(FELT * max(fine)), cells.size)
    both = [side[part.slices()][..., :count] for side in (maps.original, maps.edited)]
    here = np.flatnonzero(both[0].any((0, 1)) | both[1].any((0, 1)))
    known, wanted = guides(both[0][..., here], both[1][..., here], max(fine))
    known, wanted = reduce(known, wanted, MOST_GUIDES)
    y, x = np.mgrid[near.y : near.bottom, near.x : near.right].astype(np.float32)
    x, y = (x + 0.5) * (fine[1] / size[1]) - 0.5 - part.x, (y + 0.5) * (fine[0] / size[0]) - 0.5 - part.y
    return sampled(known, x, y), sampled(wanted, x, y)


def _fill(
    canvas: Canvas, maps: Channels, uncovered: np.ndarray, taken_away: np.ndarray, seed: int, filler: Filler | None
) -> np.ndarray:
    """Fill what has come from nowhere good.

    Returns:
        (H, W) float32 in [0, 1], how well the patches fit; 1 where nothing was filled.
    """
    size = canvas.size
    hole = canvas.hole() | (_large(uncovered, size) & (canvas.origin != Origin.OBJECT))
    if not hole.any():
        return np.ones(size, np.float32)
    if filler is not None:
        canvas.made[hole] = filler(canvas.made, hole)[hole]
        canvas.origin[hole] = Origin.FILLED
        return np.ones(size, np.float32)
    clear = canvas.clear() & ~hole
    none = np.zeros(size, np.uint8)
    labels = none if canvas.after is None else canvas.after
    given = none if canvas.before is None else canvas.before
    valid = _lending(canvas, hole, ~_large(taken_away, size))
    near = _around(hole, labels, given, valid)
    part = near.slices()
    known, wanted = _guides_of(maps, near, size)
    sides = Sides(
        target=canvas.made[part],
        hole=hole[part],
        source=canvas.picture[part],
        valid=valid[part],
        wanted=wanted,
        known=known,
        came=canvas.came[part] - np.array((near.x, near.y), np.float32),
        labels=labels[part],
        given=given[part],
        clear=clear[part],
        side=max(size),
    )
    filled, fits = canvas.made.copy(), np.ones(size, np.float32)
    filled[part], fits[part] = fill_ground(sides, seed)
    filled = lead_over(filled, canvas.made, hole, clear, canvas.after)
    if canvas.after is not None:
        filled = even_out(filled, hole, clear, canvas.after)
    soft = blur(cv2.dilate(hole.view(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32), 0.7)
    canvas.made += soft[..., None] * (filled - canvas.made)
    canvas.origin[soft > 0] = np.maximum(canvas.origin[soft > 0], Origin.REGISTERED)
    canvas.origin[hole] = Origin.FILLED
    return fits
