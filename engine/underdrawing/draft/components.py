"""Connected regions of two primitives: which one became which, and how one lies on another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds

LEAST_CELLS = 10  # smaller regions are left to the registration
LARGEST = 0.6  # of the picture: larger regions are ground, not objects
LARGEST_FRAMED = 0.2  # the same of those that touch the picture's border
MOST = 40  # regions a class at most; classes of more pieces are a texture
TURNED = 1.6  # length to width from which on a region's direction can be told
SAME = 0.995  # overlap from which on a pose is not refined
NOBODY = 255  # no class, in no palette: cells that belong to no region
STEPS = (1.5, 0.5)  # cells: of the search for the best fit, from coarse to fine


@dataclass(frozen=True, eq=False)
class Region:
    """A connected region of one class on the grid.

    Attributes:
        label: its class.
        bounds: its box in cells.
        mask: (h, w) bool, of the box.
        framed: whether it touches the picture's border, so that part of it may be missing.
    """

    label: int
    bounds: Bounds
    mask: np.ndarray
    framed: bool
    area: int
    centre: tuple[float, float]  # x, y

    @cached_property
    def angle(self) -> float | None:
        """Of its longer axis, in radians; None where it has no direction."""
        return _angle(self.mask)

    @property
    def size(self) -> float:
        """The side of a square of its area, cells."""
        return float(np.sqrt(self.area))

    def whole(self, shape: tuple[int, int]) -> np.ndarray:
        """(h, w) bool of the whole grid."""
        result = np.zeros(shape, bool)
        result[self.bounds.slices()] = self.mask
        return result


def regions(labels: np.ndarray, framed: float = LARGEST_FRAMED) -> list[Region]:
    """The countable regions of a (h, w) uint8 grid of classes, in a fixed order.

    Args:
        framed: part of the grid that those at its border have at most.
    """
    found = []
    height, width = labels.shape
    for label in np.unique(labels[labels != NOBODY]):
        mask = (labels == label).view(np.uint8)
        count, marks, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
        order = [k for k in range(1, count) if LEAST_CELLS <= stats[k, cv2.CC_STAT_AREA] <= LARGEST * labels.size]
        if len(order) > MOST:
            continue
        for k in order:
            x, y, w, h, area = (int(v) for v in stats[k])
            mask = marks[y : y + h, x : x + w] == k
            at_border = x == 0 or y == 0 or x + w == width or y + h == height
            if at_border and area > framed * labels.size:
                continue
            centre = float(centres[k][0]), float(centres[k][1])
            found.append(Region(int(label), Bounds(x, y, w, h), mask, at_border, area, centre))
    return found


def numbered(found: Sequence[Region], shape: tuple[int, int]) -> np.ndarray:
    """(h, w) int32: which of the regions lies in each cell, -1 where none does."""
    at = np.full(shape, -1, np.int32)
    for number, region in enumerate(found):
        at[region.bounds.slices()][region.mask] = number
    return at


def most_frequent(numbers: np.ndarray) -> tuple[int, int]:
    """The most frequent number of at least 0, and how often it occurs; -1 where there is none."""
    numbers = numbers[numbers >= 0]
    if not numbers.size:
        return -1, 0
    counts = np.bincount(numbers)
    return int(counts.argmax()), int(counts.max())


def _angle(mask: np.ndarray) -> float | None:
    y, x = np.nonzero(mask)
    if len(x) < 12:
        return None
    values, axes = np.linalg.eigh(np.cov(np.stack([x, y]).astype(np.float64)))
    if values[1] < TURNED**2 * max(values[0], 1e-6):
        return None
    return float(np.arctan2(axes[1, 1], axes[0, 1]))


@dataclass(frozen=True)
class Pose:
    """How a region of the original lies on one of the edited primitive: result cell p comes from matrix @ (p, 1).

    Attributes:
        shift: of the centre, in cells.
        scale: x and y sizes, original by edited; a negative x mirrors.
        turn: in radians.
        centre: of the edited region.
        origin: of the original region.
    """

    centre: tuple[float, float]
    origin: tuple[float, float]
    shift: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    turn: float = 0.0

    @property
    def matrix(self) -> np.ndarray:
        """(2, 3) float64."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        (x, y), (sx, sy) = self.centre, self.scale
        a, b, c, d = cos * sx, -sin * sy, sin * sx, cos * sy
        left, top = self.origin[0] + self.shift[0] - a * x - b * y, self.origin[1] + self.shift[1] - c * x - d * y
        return np.array([[a, b, left], [c, d, top]])

    def flow(self, box: Bounds) -> np.ndarray:
        """(h, w, 2) float32 for the cells of a box."""
        y, x = np.mgrid[box.y : box.y + box.height, box.x : box.x + box.width].astype(np.float32)
        m = self.matrix
        return np.dstack([m[0, 0] * x + m[0, 1] * y + m[0, 2] - x, m[1, 0] * x + m[1, 1] * y + m[1, 2] - y]).astype(
            np.float32
        )


def overlap(edited: Region, original: Region, pose: Pose, shape: tuple[int, int]) -> float:
    """Intersection over union of the edited region and the original one laid on it, inside of the picture."""
    cut = edited.framed and not original.framed
    reach = max(shape) if cut else 2 + round(0.2 * max(edited.bounds.size))
    box = edited.bounds.expand(reach, (shape[1], shape[0]))
    matrix = pose.matrix.copy()
    # Both masks are boxes of their own: shift the coordinates.
    matrix[:, 2] += matrix[:, :2] @ (box.x, box.y) - (original.bounds.x, original.bounds.y)
    laid = cv2.warpAffine(
        original.mask.view(np.uint8) * np.uint8(255),
        matrix,
        (box.width, box.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    wanted = np.zeros((box.height, box.width), np.uint8)
    x, y = edited.bounds.x - box.x, edited.bounds.y - box.y
    wanted[y : y + edited.bounds.height, x : x + edited.bounds.width] = edited.mask.view(np.uint8) * np.uint8(255)
    both = float(cv2.min(laid, wanted).sum(dtype=np.int64))
    # What lies beyond the box is part of the union, too; what lies beyond the picture is not.
    scale = abs(pose.scale[0] * pose.scale[1])
    total = max(float(laid.sum(dtype=np.int64)), 0.0 if original.framed or cut else 255.0 * original.area / scale)
    return both / max(total + 255.0 * edited.area - both, 1.0)


def guess(edited: Region, original: Region, shape: tuple[int, int]) -> tuple[float, Pose]:
    """The best of a few plain poses (same size, same area, same box; mirrored; turned), and what it is worth."""
    width, height = edited.bounds.size
    even = original.size / edited.size
    sizes = [(even, even), (1.0, 1.0)]
    whole = not edited.framed and not original.framed
    if whole:
        sizes.append((original.bounds.width / width, original.bounds.height / height))
    turns = [0.0]
    if edited.angle is not None and original.angle is not None:
        turn = (original.angle - edited.angle + np.pi / 2) % np.pi - np.pi / 2
        if abs(turn) > 0.1:
            turns.append(float(turn))
    tried: list[tuple[float, int, Pose]] = []
    for sx, sy in sizes:
        for mirror in (1.0, -1.0) if whole else (1.0,):
            for turn in turns if mirror > 0 else [0.0]:
                pose = Pose(edited.centre, original.centre, scale=(sx * mirror, sy), turn=turn)
                # An equal fit goes to the plain one: nobody mirrors what need not be mirrored.
                cost = 0.08 * (mirror < 0) + 0.1 * abs(turn) + 0.02 * abs(np.log(sx / sy))
                tried.append((overlap(edited, original, pose, shape) - cost, -len(tried), pose))
    value, _, pose = max(tried, key=lambda entry: entry[:2])
    return value, pose


def cut_off(edited: Region, original: Region, shape: tuple[int, int]) -> tuple[float, Pose]:
    """The same for an edited region that the picture's border cuts a part off: the sides that are left lie together."""
    tried: list[tuple[float, int, Pose]] = []
    one, two = edited.bounds, original.bounds
    sides = ((one.x, one.right, two.x, two.right, shape[1]), (one.y, one.bottom, two.y, two.bottom, shape[0]))
    for mirror in (1.0, -1.0):
        shift = [0.0, 0.0]
        for axis, (start, end, first, last, length) in enumerate(sides):
            if (start > 0) != (end < length):
                sign = mirror if axis == 0 else 1.0
                here = start if start > 0 else end - 1
                there = first if (start > 0) == (sign > 0) else last - 1
                shift[axis] = there - original.centre[axis] - sign * (here - edited.centre[axis])
        pose = Pose(edited.centre, original.centre, (shift[0], shift[1]), (mirror, 1.0))
        tried.append((overlap(edited, original, pose, shape) - 0.08 * (mirror < 0), -len(tried), pose))
    value, _, pose = max(tried, key=lambda entry: entry[:2])
    return value, pose


def settle(
    pairs: Sequence[tuple[Region, Region]],
    pose: Pose,
    shape: tuple[int, int],
    steps: tuple[float, ...] = STEPS,
    rounds: int = 2,
) -> tuple[float, Pose]:
    """Small changes of a pose, as long as they help.

    Args:
        pairs: edited regions and those of the original that are to lie on them, all by the same pose.
        pose: the first.
        shape: of the grid.
        steps: of the search, cells of a region whose side is 16.
        rounds: how often a step is made at most.

    Returns:
        the mean overlap, weighted by area, and the pose.
    """
    size = max(float(np.sqrt(sum(edited.area for edited, _ in pairs))), 4.0)

    def worth(pose: Pose) -> float:
        return sum(edited.area * overlap(edited, original, pose, shape) for edited, original in pairs) / total

    total = sum(edited.area for edited, _ in pairs)
    best, value = pose, worth(pose)
    for step in steps if value < SAME else ():
        length = step * size / 16
        for _ in range(rounds):
            before = value
            for change in _changes(best, length, length / size):
                now = worth(change)
                if now > value + 1e-4:
                    best, value = change, now
            if value == before:
                break
    return value, best


def _changes(pose: Pose, step: float, ratio: float) -> list[Pose]:
    """Neighbours of a pose: a step to each side, a little larger or smaller each way, a little turned."""
    (dx, dy), (sx, sy) = pose.shift, pose.scale
    kept = {"centre": pose.centre, "origin": pose.origin}
    changes = [
        Pose(**kept, shift=(dx + ex * step, dy + ey * step), scale=pose.scale, turn=pose.turn)
        for ex, ey in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    for sign in (1 + ratio, 1 / (1 + ratio)):
        for across, down in ((sign, sign), (sign, 1.0), (1.0, sign)):
            changes.append(Pose(**kept, shift=pose.shift, scale=(sx * across, sy * down), turn=pose.turn))
    if pose.turn:
        changes += [Pose(**kept, shift=pose.shift, scale=pose.scale, turn=pose.turn + e * ratio) for e in (1, -1)]
    return changes
