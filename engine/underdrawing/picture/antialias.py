"""Drawn maps as drawing programs leave them: flat colours, mixtures along borders, the noise of lossy files.

The arithmetic behind `palette`: which colours are real ones, and what a mixed pixel is a mixture of.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

UNKNOWN = 255
FEW = 32  # different colours of a map that may have been drawn without any smoothing
HEART = 32  # pixels in the heart of an area that make its colour a real one, even between two others
STRIP = 256  # rows
STEPS = np.linspace(0.1, 0.9, 9, dtype=np.float32)


@dataclass(frozen=True)
class Noise:
    """How exact the colours of a map are: distances in RGB of 0 to 255."""

    same: float  # pixels this near to a colour have this colour
    merge: float  # flat colours this near to each other are one
    mixed: float  # pixels this near to the line between two colours are mixtures of these
    fewest: int  # pixels that a stroke in another colour needs to be more than noise
    shift: float  # flat colours this near to a class are that class, saved by another program


CLEAN = Noise(same=6.0, merge=5.0, mixed=28.0, fewest=12, shift=12.0)
LOSSY = Noise(same=18.0, merge=26.0, mixed=90.0, fewest=40, shift=32.0)


def noise_of(rgb: np.ndarray) -> Noise:
    """Lossless maps have few neighbours that differ by a little; the noise of JPEG and WebP has many."""
    rgb = rgb[:: 1 + rgb.size // 3_000_000]
    step = np.abs(rgb[:, 1:].astype(np.int16) - rgb[:, :-1]) if rgb.shape[1] > 1 else np.zeros((1, 1, 3), np.int16)
    largest = step.max(axis=2)
    near = int(np.count_nonzero(largest <= 12))
    little = int(np.count_nonzero((largest > 0) & (largest <= 12)))
    return LOSSY if little > 0.05 * max(near, 1) else CLEAN


def codes(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 as (H, W) int32: red, green, blue in one number."""
    result = rgb[..., 0].astype(np.int32)
    for channel in (1, 2):
        result <<= 8
        result |= rgb[..., channel]
    return result


def uncode(values: np.ndarray) -> np.ndarray:
    """The way back: (..., 3) uint8."""
    return np.stack([values >> 16, values >> 8 & 255, values & 255], -1).astype(np.uint8)


def exact_classes(rgb: np.ndarray, table: np.ndarray, noise: Noise) -> np.ndarray:
    """(H, W) uint8: the class whose colour a pixel has within the noise, or UNKNOWN."""
    lookup = np.full(1 << 24, UNKNOWN, np.uint8)
    cube = lookup.reshape(256, 256, 256)
    radius = int(noise.same)
    for index, colour in enumerate(table.astype(int)):
        low, high = np.maximum(colour - radius, 0), np.minimum(colour + radius, 255) + 1
        axes = [np.arange(low[c], high[c]) - colour[c] for c in range(3)]
        distance = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2
        part = cube[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
        own = distance <= noise.same**2
        clash = own & (part != UNKNOWN)
        if clash.any():  # two colours are nearer to each other than the noise: the nearer one wins
            points = np.argwhere(clash) + low
            rival = table[part[clash]].astype(int)
            own[clash] = distance[clash] < ((points - rival) ** 2).sum(1)
        part[own] = index
    found = np.empty(rgb.shape[:2], np.uint8)
    for row in range(0, len(rgb), STRIP):  # the codes of a large map would take four times its memory
        found[row : row + STRIP] = lookup[codes(rgb[row : row + STRIP])]
    return found


def flat_mask(rgb: np.ndarray, tolerance: int) -> np.ndarray:
    """(H, W) bool: pixels whose 3x3 surroundings differ by no more than `tolerance` in any channel."""
    kernel = np.ones((3, 3), np.uint8)
    spread = cv2.subtract(cv2.dilate(rgb, kernel), cv2.erode(rgb, kernel))
    if tolerance == 0:  # the sum of the channels is quicker than their maximum, and 0 in the same places
        return np.asarray(cv2.transform(spread, np.ones((1, 3), np.float32)) == 0)
    return np.asarray(spread.max(2) <= tolerance)


def block_mask(labels: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels that lie in a 2x2 block of equal values."""
    result = np.zeros(labels.shape, bool)
    if min(labels.shape) < 2:
        return result
    right = labels[:, 1:] == labels[:, :-1]
    block = right[1:] & right[:-1] & (labels[1:, :-1] == labels[:-1, :-1])
    for rows in (slice(0, -1), slice(1, None)):
        for columns in (slice(0, -1), slice(1, None)):
            result[rows, columns] |= block
    return result


def merged(values: np.ndarray, counts: np.ndarray, near: float, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Greedy clusters, most frequent colour first: (C, 3) int and the pixels of each."""
    order = np.argsort(-counts, kind="stable")[:50_000]  # a photograph has millions
    values, counts = values[order].astype(np.int32), counts[order].astype(np.int64)
    chosen: list[np.ndarray] = []
    pixels: list[int] = []
    left = np.ones(len(values), bool)
    for index in range(len(values)):
        if len(chosen) == most:
            break
        if left[index]:
            close = left & (((values - values[index]) ** 2).sum(1) <= near**2)
            chosen.append(values[index])
            pixels.append(int(counts[close].sum()))
            left &= ~close
    return np.array(chosen, np.int32).reshape(-1, 3), np.array(pixels, np.int64)


def histogram(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different codes and how often each occurs; quick for large flat maps, where sorting would not be."""
    if code.size < 200_000:
        return np.unique(code, return_counts=True)
    counts = np.bincount(code, minlength=1 << 24)
    values = np.flatnonzero(counts)
    return values, counts[values]


def areas_of(code: np.ndarray, flat: np.ndarray, noise: Noise, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours (C, 3) int of flat pixels, how many there are of each, and how many lie in the heart of an area."""
    values, counts = histogram(code[flat])
    if noise is LOSSY:
        values, counts = values[counts >= 2], counts[counts >= 2]
    table, pixels = merged(uncode(values), counts, noise.merge, most)
    heart = cv2.erode(flat.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    values, counts = histogram(code[heart])
    inner, points = counts.astype(np.int64), uncode(values).astype(np.int32)
    near = [inner[((points - colour) ** 2).sum(1) <= noise.merge**2].sum() for colour in table]
    return table, pixels, np.array(near, np.int64)


def flat_colours(rgb: np.ndarray, noise: Noise, most: int) -> np.ndarray:
    """(C, 3) uint8 colours of areas, largest first; never empty."""
    code = codes(rgb)
    flat = flat_mask(rgb, 0 if noise is CLEAN else 10)
    values, counts = histogram(code.ravel())
    if noise is CLEAN and len(values) <= min(most, FEW):
        return _of_few(code, values, counts)
    table, pixels, heart = areas_of(code, flat, noise, most)
    if noise is CLEAN:
        table, pixels = _with_thin(code, table, pixels, heart, most)
    if not len(table):
        table, pixels = merged(uncode(values), counts, noise.merge, most)
    if noise is LOSSY:  # ringing makes small flat spots of its own
        keep = pixels >= min(max(noise.fewest, pixels.max() // 2000), pixels.max())
        table, pixels = table[keep], pixels[keep]
    return table[np.argsort(-pixels, kind="stable")].astype(np.uint8)


def _of_few(code: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(C, 3) uint8: the colours of a map that has few, without those that occur along borders only."""
    thick_values, thick_counts = histogram(code[block_mask(code)])
    thick = np.zeros(len(values), np.int64)
    thick[np.searchsorted(values, thick_values)] = thick_counts
    order = np.lexsort((-counts, 2 * thick < counts))
    found: list[np.ndarray] = []
    sizes = []
    for index in order:
        colour = uncode(values[index : index + 1])[0].astype(np.int32)
        if 2 * thick[index] >= counts[index] or not between_any(colour, np.array(found).reshape(-1, 3), CLEAN.mixed):
            found.append(colour)
            sizes.append(int(counts[index]))
    return np.array(found, np.uint8)[np.argsort(-np.array(sizes), kind="stable")]


def _with_thin(
    code: np.ndarray, table: np.ndarray, pixels: np.ndarray, heart: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Leave out mixtures of two others that have no heart; add colours of strokes too thin for a flat 3x3 area."""
    order = np.lexsort((-pixels, heart < HEART))
    found: list[np.ndarray] = []
    sizes: list[int] = []
    for index in order:
        if heart[index] >= HEART or not between_any(table[index], np.array(found).reshape(-1, 3), CLEAN.mixed):
            found.append(table[index])
            sizes.append(int(pixels[index]))
    values, counts = histogram(code[block_mask(code)])
    enough = np.flatnonzero(counts >= 4)
    for index in enough[np.argsort(-counts[enough], kind="stable")][:500]:
        colour = uncode(values[index : index + 1])[0].astype(np.int32)
        if len(found) == most:
            break
        if not between_any(colour, np.array(found).reshape(-1, 3), CLEAN.mixed):
            found.append(colour)
            sizes.append(int(counts[index]))
    return np.array(found, np.int32).reshape(-1, 3), np.array(sizes, np.int64)


def between_any(colour: np.ndarray, table: np.ndarray, near: float, last: int = 0) -> bool:
    """Whether a colour is a mixture of any two of the table (one of them of the `last` ones), or as good as one."""
    if not len(table):
        return False
    if ((table.astype(np.int32) - colour) ** 2).sum(1).min() <= CLEAN.shift**2:
        return True
    if len(table) < 2:
        return False
    first, second = np.triu_indices(len(table), 1)
    if last:
        first, second = first[second >= len(table) - last], second[second >= len(table) - last]
    points = np.repeat(colour[None].astype(np.float32), len(first), 0)
    return bool((mixture_distance(points, table[first], table[second]) <= near).any())


def mixture_distance(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How far colours are from the mixtures of two others, all (N, 3) in 0 to 255.

    Mixtures of sRGB values lie on a straight line, mixtures in linear light on a curve; programs make both.
    """
    points, first, second = (np.asarray(a, np.float32) for a in (points, first, second))
    way = second - first
    part = np.clip(((points - first) * way).sum(1) / np.maximum((way * way).sum(1), 1e-6), 0, 1)
    best = np.linalg.norm(points - first - part[:, None] * way, axis=1)
    far = np.flatnonzero(best > CLEAN.mixed / 2)
    if far.size:
        low, high = first[far] ** 2.2, second[far] ** 2.2
        for step in STEPS:
            curve = (low + step * (high - low)) ** (1 / 2.2)
            best[far] = np.minimum(best[far], np.linalg.norm(points[far] - curve, axis=1))
    return best
