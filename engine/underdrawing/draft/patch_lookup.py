"""Parts that registration cannot explain are looked up as a whole in the original: one shift and size for each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.draft.flow_ops import blur, continued, places, resize, sample
from underdrawing.draft.matching_channels import Channels

UNEXPLAINED = 0.3  # blurred mismatch of a part
LEAST = 14  # cells of the middle grid
MOST = 10  # parts
MARGIN = 3  # cells around a part whose colours should agree with what lies there
VANISHED = 0.15  # of a class's area: one of which less is left closes, as a mouth does
MOSTLY = 0.35  # of what is wrong about a part: remains of such a class, over which what is beside it closes by itself
PURE = 0.7  # share of one class in a part that may be ground
SURROUNDED = 0.4  # share of that class around it
LARGE = 0.02  # of the grid: a larger part of one class is filled, whatever lies around it
WHOLLY = 0.8  # share of that class in its cells
SIZES = (1.0, 0.8, 1.25)
COLOUR = 0.5  # weight of the colours around
ALIKE = 0.5  # weight of what the classes in the part look like around it: skin beside skin, not the shadow of a brow
NEAR = (4.0, 12.0, 40.0)  # cells in which that is looked for
DISTANCE = 0.02  # for a shift of the picture's side
RESIZED = 0.01


@dataclass(frozen=True, eq=False)
class Part:
    """Cells of the middle grid and where they come from.

    Attributes:
        mask: (h, w) bool.
        flow: (h, w, 2) float32 of all cells; it counts in the mask. None: uncovered ground, which nothing in one
            piece can stand for.
    """

    mask: np.ndarray
    flow: np.ndarray | None


def find_parts(maps: Channels, flow: np.ndarray, picture: np.ndarray, settled: np.ndarray) -> list[Part]:
    """Parts of the middle grid whose classes the flow does not bring, and where such a thing is in the original.

    Args:
        maps: both primitives on the middle grid.
        flow: (h, w, 2) in its cells.
        picture: (h, w, 3) float32 in [0, 1], the picture on the grid.
        settled: (h, w) bool, cells that objects have taken already.
    """
    count = maps.classes
    if not count:
        return []
    height, width = flow.shape[:2]
    carried = sample(maps.original, flow)
    wrong = np.where(settled, 0, maps.mismatch(carried))
    left = wrong * carried[..., :count][..., _vanished(maps)].sum(2)
    marked = (blur(wrong.astype(np.float32), 1.0) > UNEXPLAINED).view(np.uint8)
    if not marked.any():
        return []
    ring_allowed = cv2.erode(1 - marked, np.ones((3, 3), np.uint8))
    here = sample(picture, flow)
    usual = _usual(here, maps.edited[..., :count], ring_allowed)
    weight = np.minimum(np.sqrt(np.sqrt(maps.weights[:count])), 3.0)
    known = np.ascontiguousarray(maps.original[..., :count])
    wanted = maps.edited[..., :count]
    wide = cv2.dilate(marked, np.ones((3, 3), np.uint8))
    total, marks, stats, _ = cv2.connectedComponentsWithStats(wide, connectivity=8)
    order = sorted((k for k in range(1, total) if stats[k, 4] >= LEAST), key=lambda k: (-stats[k, 4], k))[:MOST]
    found = []
    for k in order:
        x, y, w, h = (int(v) for v in stats[k, :4])
        x0, y0, x1, y1 = max(0, x - MARGIN), max(0, y - MARGIN), min(width, x + w + MARGIN), min(height, y + h + MARGIN)
        whole = cv2.dilate((marks == k).view(np.uint8), np.ones((3, 3), np.uint8))
        if _is_ground(wanted, whole) or _is_large(wanted, (marks == k) & (marked > 0)):
            found.append(Part(whole > 0, None))
            continue
        if left[whole > 0].sum() > MOSTLY * wrong[whole > 0].sum():
            continue
        mask = whole[y0:y1, x0:x1].astype(np.float32)
        around = (cv2.dilate(whole, np.ones((7, 7), np.uint8)) * ring_allowed)[y0:y1, x0:x1].astype(np.float32)
        best: tuple[float, float, int, int] | None = None
        for size in SIZES:
            shape = (max(1, round((y1 - y0) / size)), max(1, round((x1 - x0) / size)))
            if shape[0] > height or shape[1] > width:
                continue
            cost = _distance(known, resize(wanted[y0:y1, x0:x1], shape), resize(mask, shape), weight)
            seen, ring = resize(here[y0:y1, x0:x1], shape), resize(around, shape)
            cost = cost + COLOUR * 4 * _distance(picture, seen, ring, np.ones(3, np.float32))
            look = resize(usual[y0:y1, x0:x1], shape)
            cost = cost + ALIKE * 4 * _distance(picture, look, resize(mask, shape), np.ones(3, np.float32))
            at_y, at_x = np.mgrid[0 : cost.shape[0], 0 : cost.shape[1]]
            cost = cost + DISTANCE * np.hypot((at_x - x0) / width, (at_y - y0) / height) + RESIZED * (size != 1.0)
            row, column = np.unravel_index(int(cost.argmin()), cost.shape)
            if best is None or cost[row, column] < best[0]:
                best = float(cost[row, column]), size, int(column), int(row)
        if best is None:
            continue
        _, size, sx, sy = best
        here_at = places((height, width))
        ends = (here_at - (x0, y0) + 0.5) / size - 0.5 + (sx, sy)
        found.append(Part(cv2.dilate(whole, np.ones((5, 5), np.uint8)) > 0, (ends - here_at).astype(np.float32)))
    return found


def _vanished(maps: Channels) -> np.ndarray:
    """(K,) bool: classes that are all but gone from the edited primitive."""
    before, after = (plane[..., : maps.classes].sum((0, 1)) for plane in (maps.original, maps.edited))
    return np.asarray(after < VANISHED * before)


def _usual(colours: np.ndarray, wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w, 3): what each cell's classes look like near by, where that is known."""
    total = np.zeros(colours.shape, np.float32)
    for label in range(wanted.shape[2]):
        share = wanted[..., label]
        seen = np.where(share > PURE, share, 0) * known
        total += share[..., None] * (continued(colours, seen, NEAR) if seen.any() else colours)
    return total


def _is_ground(wanted: np.ndarray, part: np.ndarray) -> bool:
    """Whether a part shall show one class only, and the same as most of its surroundings."""
    inside = part > 0
    share = wanted[inside].mean(0)
    label = int(share.argmax())
    around = (cv2.dilate(part, np.ones((5, 5), np.uint8)) > 0) & ~inside
    return bool(share[label] > PURE and around.any() and wanted[around, label].mean() > SURROUNDED)


def _is_large(wanted: np.ndarray, part: np.ndarray) -> bool:
    """Whether a part is so large and so much of one class that nothing about it tells where such a thing might be."""
    return bool(part.sum() > LARGE * part.size and wanted[part].mean(0).max() > WHOLLY)


def _distance(known: np.ndarray, wanted: np.ndarray, mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(H - h + 1, W - w + 1): mean weighted squared difference in the mask, for every place of the template."""
    shape = (known.shape[0] - mask.shape[0] + 1, known.shape[1] - mask.shape[1] + 1)
    total = np.zeros(shape, np.float32)
    amount = float(mask.sum())
    if amount <= 0:
        return total
    for channel in range(len(weight)):
        plane, template = known[..., channel], mask * wanted[..., channel]
        square = float((template * wanted[..., channel]).sum())
        if not plane.any():
            total += weight[channel] * square
            continue
        total += weight[channel] * (
            cv2.matchTemplate(plane * plane, mask, cv2.TM_CCORR)
            - 2 * cv2.matchTemplate(plane, np.ascontiguousarray(template), cv2.TM_CCORR)
            + square
        )
    return total / amount
