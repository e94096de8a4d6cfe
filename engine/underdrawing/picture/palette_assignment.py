"""Snapping: which class every pixel of a drawn map has, and which colours in it are new.

Pixels between two classes get one of these two; spots that no mixture explains are in a colour of their own.
"""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.picture.antialias import (
    CLEAN,
    HEART,
    LOSSY,
    UNKNOWN,
    Noise,
    areas_of,
    between_any,
    block_mask,
    codes,
    exact_classes,
    flat_mask,
    merged,
    mixture_distance,
    uncode,
)

REACH = 2  # pixels to each side within which the classes of a border pixel are looked for
WIDE = 4  # the same for doubtful pixels: borders that were drawn softly or scaled


def _around(known: np.ndarray, where: np.ndarray, count: int, reach: int = REACH) -> np.ndarray:
    """(N, C) bool: which classes occur within reach of the N pixels at flat positions `where`."""
    width = known.shape[1] + 2 * reach
    padded = cv2.copyMakeBorder(known, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=UNKNOWN)
    start = (where // known.shape[1]) * width + where % known.shape[1]
    flat = padded.ravel()
    present = np.zeros((len(where), 256), bool)
    rows = np.arange(len(where)) * 256
    for dy in range(2 * reach + 1):
        for dx in range(2 * reach + 1):
            present.ravel()[rows + flat[start + dy * width + dx]] = True
    return present[:, :count]


def foreign_colours(rgb: np.ndarray, known: np.ndarray, table: np.ndarray, noise: Noise, room: int) -> np.ndarray:
    """(F, 3) uint8 colours of areas and strokes that are neither in the table nor mixtures along borders.

    Some may be as near to a class as `noise.shift`: the class itself, as another program saved it.
    """
    unknown = known == UNKNOWN
    flat = unknown & flat_mask(rgb, 0 if noise is CLEAN else 10)
    areas, pixels, heart = areas_of(codes(rgb), flat, noise, room)
    few, many = (1, HEART) if noise is CLEAN else (noise.fewest, 400)
    keep = [
        inner >= many or (size >= few and not between_any(colour, table, CLEAN.mixed))
        for colour, size, inner in zip(areas, pixels, heart, strict=True)
    ]
    areas = areas[np.array(keep, bool)]
    extended = np.concatenate([table, areas.astype(np.uint8)])
    known = exact_classes(rgb, extended, noise)
    if len(areas) < room:
        if 4 * np.count_nonzero(known == UNKNOWN) < known.size:
            more = _strokes(rgb, known, extended, noise)
        else:  # no drawn map but a photograph: say so by its commonest colours
            values, counts = np.unique(codes(rgb & 0xF0 | 8)[known == UNKNOWN], return_counts=True)
            more = _away(merged(uncode(values), counts, 64.0, 6)[0], extended, noise.shift)
        areas = np.concatenate([areas, more[: room - len(areas)]])
    return areas.astype(np.uint8)


def _away(found: np.ndarray, table: np.ndarray, far: float) -> np.ndarray:
    """Those of the colours found that are farther than this from every colour of the table."""
    offset = found[:, None].astype(np.float32) - table.astype(np.float32)
    return found[np.linalg.norm(offset, axis=2).min(1) > far]


def _strokes(rgb: np.ndarray, known: np.ndarray, table: np.ndarray, noise: Noise) -> np.ndarray:
    """(S, 3) colours of thin strokes: connected unknown pixels that no two classes nearby can be mixed to."""
    where = np.flatnonzero(known.ravel() == UNKNOWN)
    if not where.size:
        return np.zeros((0, 3), np.int32)
    points = rgb.reshape(-1, 3)[where].astype(np.float32)
    present = _around(known, where, len(table), WIDE)
    colours = table.astype(np.float32)
    nearest = np.full(len(where), -1)
    least = np.full(len(where), np.inf, np.float32)
    for index, colour in enumerate(colours):
        rows = np.flatnonzero(present[:, index])
        offset = points[rows] - colour
        own = np.sqrt(np.einsum("nc,nc->n", offset, offset))
        closer = own < least[rows]
        least[rows[closer]], nearest[rows[closer]] = own[closer], index
    strange = np.where(nearest < 0, 0.0, least)
    for index, colour in enumerate(colours):
        test = np.flatnonzero(present[:, index] & (strange > noise.mixed) & (nearest != index))
        if test.size:
            other = np.repeat(colour[None], test.size, 0)
            mixed = mixture_distance(points[test], colours[nearest[test]], other)
            strange[test] = np.minimum(strange[test], mixed)
    doubtful = strange > noise.mixed
    if doubtful.any():
        _, spots = cv2.connectedComponents((known == UNKNOWN).view(np.uint8), connectivity=8)
        touched = _touched(spots.ravel()[where], present)[doubtful]
        doubtful[doubtful] = ~_smeared(points[doubtful], touched, colours, noise.mixed)
    mask = np.zeros(known.shape, np.uint8)
    mask.ravel()[where[doubtful]] = 1
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= noise.fewest
    if noise is CLEAN:  # a dab of two by two equal pixels is meant, however small
        large[np.unique(labels[block_mask(codes(rgb)) & (labels > 0)])] = True
    large[0] = False
    member = large[labels.ravel()[where]]
    if not member.any():
        return np.zeros((0, 3), np.int32)
    # The purest pixels of a stroke are those farthest from its surroundings; they show the colour that was meant.
    keys = codes(rgb.reshape(-1, 1, 3)[where[member]]).ravel()
    shades, sizes = np.unique(keys, return_counts=True)
    purity = _average(strange[member], keys, shades)
    found, _ = merged(uncode(shades), sizes * 16 + purity, max(48.0, noise.merge), 16)
    found = found[np.argsort(-purity[np.searchsorted(shades, codes(found[None].astype(np.uint8))[0])], kind="stable")]
    kept = np.zeros((0, 3), np.int32)
    for colour in found:  # paler shades are the same stroke's own smooth borders
        ends = np.concatenate([table.astype(np.int32), kept])
        if not len(kept) or not between_any(colour, ends, noise.mixed, len(kept)):
            kept = np.concatenate([kept, colour[None]])
    found = kept
    found = _away(found, table, noise.shift)
    if noise is LOSSY:  # colour bleeds over whole blocks there, farther than classes are looked for
        found = found[[not between_any(colour, table, noise.mixed) for colour in found]]
    return found


def _touched(spots: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(N, C) bool: the classes near any pixel of the connected spot to which a pixel belongs."""
    touched = np.zeros((int(spots.max()) + 1, present.shape[1]), bool)
    for index in range(present.shape[1]):
        touched[spots[present[:, index]], index] = True
    return touched[spots]


def _smeared(points: np.ndarray, touched: np.ndarray, colours: np.ndarray, near: float) -> np.ndarray:
    """(N,) bool: mixtures of two classes that their spot touches anywhere, so a border that was drawn softly."""
    result = np.zeros(len(points), bool)
    for first, second in zip(*np.triu_indices(len(colours), 1), strict=True):
        test = np.flatnonzero(~result & touched[:, first] & touched[:, second])
        if test.size:
            ends = [np.repeat(colours[end][None], test.size, 0) for end in (first, second)]
            result[test] = mixture_distance(points[test], ends[0], ends[1]) <= near
    return result


def _average(values: np.ndarray, keys: np.ndarray, different: np.ndarray) -> np.ndarray:
    place = np.searchsorted(different, keys)
    return np.bincount(place, values, len(different)) / np.maximum(np.bincount(place, minlength=len(different)), 1)


def resolve(rgb: np.ndarray, known: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(H, W) uint8: classes for the unknown pixels too, each one of those that meet there.

    Exact colours that do not fill a 2x2 block are doubted first: where they are mixtures of two other classes that
    meet there, the likeness to a third class is rng.
    """
    labels = known.copy()
    _doubt(rgb, labels, table)
    if 4 * np.count_nonzero(labels == UNKNOWN) > labels.size:  # no drawn map but a photograph: no borders to look for
        steps = np.arange(4, 256, 8, dtype=np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
        cube = _nearest(grid, table.astype(np.float32), None).reshape(32, 32, 32)
        plain = cube[rgb[..., 0] >> 3, rgb[..., 1] >> 3, rgb[..., 2] >> 3]
        return np.where(labels == UNKNOWN, plain, labels)
    colours = table.astype(np.float32)
    flat = rgb.reshape(-1, 3)
    pending = np.flatnonzero(labels.ravel() == UNKNOWN)
    for _ in range(64):
        if not pending.size:
            return labels
        present = _around(labels, pending, len(table))
        ready = present.any(1)
        if not ready.any():
            break
        now, choices = pending[ready], present[ready]
        labels.ravel()[now] = _nearest(flat[now].astype(np.float32), colours, choices)
        pending = pending[~ready]
    if pending.size:  # wide soft areas, or nothing known at all: plainly the nearest colour
        labels.ravel()[pending] = _nearest(flat[pending].astype(np.float32), colours, None)
    return labels


def _nearest(points: np.ndarray, colours: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
    """(N,) uint8: the nearest of the colours, for each point among those that are allowed, (N, C) bool."""
    best = np.full(len(points), np.inf, np.float32)
    result = np.zeros(len(points), np.uint8)
    everywhere = np.arange(len(points))
    for index, colour in enumerate(colours):
        rows = everywhere if allowed is None else np.flatnonzero(allowed[:, index])
        offset = points[rows] - colour
        distance = np.einsum("nc,nc->n", offset, offset)
        closer = distance < best[rows]
        best[rows[closer]], result[rows[closer]] = distance[closer], index
    return result


def _doubt(rgb: np.ndarray, labels: np.ndarray, table: np.ndarray) -> None:
    """Set exact but isolated pixels to UNKNOWN where they are mixtures of two solid classes beside them."""
    solid = labels.copy()
    solid[~block_mask(labels)] = UNKNOWN
    where = np.flatnonzero((labels != UNKNOWN).ravel() & (solid == UNKNOWN).ravel())
    if not where.size:
        return
    own = labels.ravel()[where]
    present = _around(solid, where, len(table))
    present[np.arange(len(where)), own] = False
    rows = np.flatnonzero(present.sum(1) >= 2)
    if not rows.size:
        return
    colours = table.astype(np.float32)
    points = rgb.reshape(-1, 3)[where[rows]].astype(np.float32)
    first = _nearest(points, colours, present[rows])
    rest = present[rows].copy()
    rest[np.arange(len(rows)), first] = False
    least = np.full(len(rows), np.inf, np.float32)
    for index, colour in enumerate(colours):
        test = np.flatnonzero(rest[:, index])
        if test.size:
            other = np.repeat(colour[None], test.size, 0)
            least[test] = np.minimum(least[test], mixture_distance(points[test], colours[first[test]], other))
    labels.ravel()[where[rows[least <= CLEAN.mixed / 2]]] = UNKNOWN
