"""The result while it is put together: pixels, where each came from, and what is still to be filled."""

from __future__ import annotations

from enum import IntEnum

import cv2
import numpy as np

from underdrawing.draft.components import Pose
from underdrawing.draft.flow_ops import blur, places, resize, resize_flow
from underdrawing.draft.membrane_blend import lead_over
from underdrawing.draft.rigid_regions import Carried, drawn_out, enlargement
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.primitive import Primitive

RING = 0.16  # of an object's size: so far its surroundings come along
SOFT = 1.0  # pixels of an object's soft border
STRETCHED = 3.0  # times: an area that became so much larger has lost its texture
DRAWN = 2.0  # times: what became so much longer is streaks, whatever became of its area
PRESSED = 12.0  # times: one that became smaller is still seen as what it was, such as teeth in a mouth that closes
FINE = 1.3  # times: smaller areas are read at several points a pixel
POINTS = 3  # so many each way
BEYOND = 1.0  # pixels outside of the picture from which on there is nothing to copy


class Origin(IntEnum):
    """Which way a pixel came."""

    UNCHANGED = 0
    REGISTERED = 1
    OBJECT = 2
    FILLED = 3


class Canvas:
    """Layers on each other.

    Attributes:
        made: (H, W, 3) float32 in [0, 1].
        came: (H, W, 2) float32, x and y in the picture where every pixel came from.
        origin: (H, W) uint8, an `Origin` for every pixel.
        grown: (H, W) float32, how many times larger the layer made its surroundings, below 1 smaller.
        drawn: (H, W) float32, how many times longer in the direction in which that is most.
    """

    def __init__(self, picture: np.ndarray, original: Primitive, edited: Primitive, flow: np.ndarray) -> None:
        """Begin with the picture after a flow on any grid; where the flow is nought the pixels stay as they are."""
        self.picture = picture
        self.size = (picture.shape[0], picture.shape[1])
        both = original.segments is not None and edited.segments is not None
        self.before, self.after = (original.segments, edited.segments) if both else (None, None)
        self.here = places(self.size)
        whole = resize_flow(flow, self.size)
        self.came = self.here + whole
        moved = np.asarray(whole.any(axis=2))
        self.grown, self.drawn = _growth(flow, self.size)
        self.made = picture.copy()
        if moved.any():
            # Cubic interpolation at nought is not exactly the pixel itself.
            box = Bounds.of_mask(moved).slices()
            self.made[box] = np.where(moved[box][..., None], self._take(self.came[box]), picture[box])
            self._read_finely(moved & (self.grown < 1 / FINE))
        self.origin = np.where(moved, np.uint8(Origin.REGISTERED), np.uint8(Origin.UNCHANGED))

    def _take(self, at: np.ndarray) -> np.ndarray:
        taken = cv2.remap(self.picture, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(taken, 0, 1))

    def _read_finely(self, where: np.ndarray) -> None:
        """Read pixels anew that stand for more than one of the picture's: else what is fine there breaks to pieces."""
        if not where.any():
            return
        box = Bounds.of_mask(where).expand(1, self.size[::-1]).slices()
        self.made[box][where[box]] = self._take_finely(self.came[box])[where[box]]

    def _take_finely(self, at: np.ndarray) -> np.ndarray:
        height, width = at.shape[:2]
        return resize(self._take(resize(at, (height * POINTS, width * POINTS))), (height, width))

    def agrees(self, at: np.ndarray | None = None, box: tuple[slice, slice] = (slice(None), slice(None))) -> np.ndarray:
        """(H, W) bool: pixels whose source has the class that is wanted. Without classes all do.

        Args:
            at: (h, w, 2) other sources than those of the canvas.
            box: the part of the canvas that is asked about.
        """
        at = self.came[box] if at is None else at
        if self.before is None or self.after is None:
            return np.ones(at.shape[:2], bool)
        found = cv2.remap(self.before, at[..., 0], at[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found == self.after[box])

    def clear(self) -> np.ndarray:
        """(H, W) bool: pixels that agree, away from borders of classes, where colours are mixed."""
        good = self.agrees()
        if self.after is not None:
            kernel = np.ones((3, 3), np.uint8)
            good &= cv2.dilate(self.after, kernel) == cv2.erode(self.after, kernel)
        return _sure(good)

    def add_part(self, share: np.ndarray, flow: np.ndarray, known: np.ndarray) -> None:
        """Lay another flow's pixels on the canvas.

        Args:
            share: (h, w) float32 in [0, 1], how much they count, on any grid.
            flow: (k, l, 2) float32, on any grid.
            known: (k, l) bool, cells of the flow's grid where it says anything.
        """
        share = resize(share, self.size)
        mask = share > 0.02
        if not mask.any():
            return
        box = Bounds.of_mask(mask).expand(4, self.size[::-1]).slices()
        weight = known.astype(np.float32)
        whole = resize_flow(flow * weight[..., None], self.size)[box]
        whole /= np.maximum(resize(weight, self.size)[box], 1e-3)[..., None]
        at = self.here[box] + whole
        layer = self._take(at)
        share, mask = share[box], mask[box]
        valid = _sure(self.agrees(at, box)) & self.clear()[box]
        layer = lead_over(layer, self.made[box], mask, valid, None if self.after is None else self.after[box])
        self.made[box] += share[..., None] * (layer - self.made[box])
        taken = share > 0.5
        self.origin[box][taken] = Origin.OBJECT
        self.came[box][taken] = at[taken]
        grown, drawn = _growth(flow, self.size)
        self.grown[box][taken], self.drawn[box][taken] = grown[box][taken], drawn[box][taken]

    def add_object(self, one: Carried, grid: tuple[int, int], bare: np.ndarray) -> None:
        """Draw an object with as much of its surroundings as belongs there too.

        Args:
            one: on a grid of (height, width) cells.
            bare: (H, W) bool, pixels that show what is not there any more: nothing may mix with these.
        """
        if self.after is None:
            return
        height, width = self.size
        ratio = (width / grid[1], height / grid[0])
        size = one.region.size * float(np.sqrt(ratio[0] * ratio[1]))
        ring = max(2.0, RING * size)
        cells = one.region.bounds.expand(2 + round(ring / min(ratio)), (grid[1], grid[0]))
        box = _pixels(cells, ratio, (width, height)).slices()
        small = cv2.dilate(one.region.whole(grid).view(np.uint8), np.ones((3, 3), np.uint8))
        near = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)[box] > 0
        wanted = self.after[box]
        at = self.here[box] + full_pose(one.pose, ratio).flow(_pixels(cells, ratio, (width, height)))
        # What the picture's border cut off cannot be lent.
        inside = ((at > -0.5) & (at < (width - 0.5, height - 0.5))).all(axis=2)
        core = near & np.isin(wanted, one.labels or one.region.label) & inside
        if not core.any():
            return
        away = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        agrees = self.agrees(at, box)
        near_by = np.where(agrees & inside, np.clip((ring - away) / ring, 0, 1), 0).astype(np.float32)
        soft = np.asarray(cv2.GaussianBlur(near_by * near_by * (3 - 2 * near_by), (0, 0), SOFT))
        alpha = np.maximum(soft, core.astype(np.float32))
        alpha = np.where(bare[box], np.rint(alpha), alpha)
        smaller = abs(one.pose.scale[0] * one.pose.scale[1]) > FINE
        layer = self._take_finely(at) if smaller else self._take(at)
        # The ground that comes along was lit otherwise; the object itself stays as it is.
        valid = _sure(agrees) & self.clear()[box] & ~bare[box]
        led = lead_over(layer, self.made[box], alpha > 0, valid, wanted)
        layer = np.where(core[..., None], layer, led)
        self.made[box] += alpha[..., None] * (layer - self.made[box])
        touched, taken = alpha > 0, alpha > 0.5
        self.origin[box][touched] = np.maximum(self.origin[box][touched], Origin.REGISTERED)
        self.origin[box][taken] = Origin.OBJECT
        self.came[box][taken] = at[taken]
        self.grown[box][taken] = self.drawn[box][taken] = 1

    def hole(self) -> np.ndarray:
        """(H, W) bool: pixels that came from the wrong class, from outside, or stretched beyond recognition."""
        height, width = self.size
        wrong = (~self.agrees()).astype(np.float32)
        hole = np.asarray(blur(wrong, 1.0) > 0.5 if wrong.any() else wrong > 0)
        hole |= ((self.came < -BEYOND) | (self.came > (width - 1 + BEYOND, height - 1 + BEYOND))).any(axis=2)
        hole |= (self.grown > STRETCHED) | (self.drawn > DRAWN) | (self.grown < 1 / PRESSED)
        return np.asarray(hole & (self.origin != Origin.UNCHANGED))


def _growth(flow: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """How much larger and longer a flow on any grid makes things, for every pixel."""
    # Logarithms are averaged: a cell that is folded must not outdo all around it.
    return tuple(np.exp(resize(np.log(times), size)) for times in (enlargement(flow), drawn_out(flow)))


def _sure(agrees: np.ndarray) -> np.ndarray:
    """Without the borders of classes, whose colours are mixed."""
    return np.asarray(cv2.erode(agrees.view(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def full_pose(pose: Pose, ratio: tuple[float, float]) -> Pose:
    """The same pose in pixels, `ratio` pixels a cell (x, y)."""
    rx, ry = ratio

    def centre(at: tuple[float, float]) -> tuple[float, float]:
        return (at[0] + 0.5) * rx - 0.5, (at[1] + 0.5) * ry - 0.5

    shift = (pose.shift[0] * rx, pose.shift[1] * ry)
    return Pose(centre(pose.centre), centre(pose.origin), shift, pose.scale, pose.turn)


def _pixels(cells: Bounds, ratio: tuple[float, float], size: tuple[int, int]) -> Bounds:
    x0, y0 = int(cells.x * ratio[0]), int(cells.y * ratio[1])
    x1 = int(np.ceil((cells.x + cells.width) * ratio[0]))
    y1 = int(np.ceil((cells.y + cells.height) * ratio[1]))
    return Bounds(x0, y0, x1 - x0, y1 - y0).intersect(Bounds(0, 0, *size))
