"""Put a carried object into the picture, with as much of its surroundings as belongs there too."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.components import Pose
from underdrawing.draft.objects import Carried
from underdrawing.picture.geometry import Bounds

RING = 0.16  # of the object's size: so far its surroundings come along
SOFT = 1.0  # pixels of the border's softness at least


def full_pose(pose: Pose, ratio: tuple[float, float]) -> Pose:
    """The same pose in pixels, `ratio` pixels a cell (x, y)."""
    rx, ry = ratio

    def centre(at: tuple[float, float]) -> tuple[float, float]:
        return (at[0] + 0.5) * rx - 0.5, (at[1] + 0.5) * ry - 0.5

    return Pose(
        centre(pose.centre),
        centre(pose.origin),
        (pose.shift[0] * rx, pose.shift[1] * ry),
        pose.scale,
        pose.turn,
    )


def place(
    made: np.ndarray,
    origin: np.ndarray,
    picture: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    one: Carried,
    grid: tuple[int, int],
) -> None:
    """Draw an object into the result.

    Args:
        made: (H, W, 3) float32, changed in place.
        origin: (H, W) uint8, changed in place.
        picture: (H, W, 3) float32.
        before: (H, W) uint8 classes of the original.
        after: (H, W) uint8 classes of the edited primitive.
        one: on a grid of (height, width) cells.
    """
    height, width = after.shape
    ratio = (width / grid[1], height / grid[0])
    size = one.region.size * float(np.sqrt(ratio[0] * ratio[1]))
    ring = max(2.0, RING * size)
    cells = one.region.bounds.expand(2 + round(ring / min(ratio)), (grid[1], grid[0]))
    box = _pixels(cells, ratio, (width, height))
    small = one.region.whole(grid).view(np.uint8)
    near = cv2.resize(cv2.dilate(small, np.ones((3, 3), np.uint8)), (width, height), interpolation=cv2.INTER_NEAREST)
    core = (near[box.slices()] > 0) & (after[box.slices()] == one.region.label)
    if not core.any():
        return
    y, x = np.mgrid[box.y : box.y + box.height, box.x : box.x + box.width].astype(np.float32)
    flow = full_pose(one.pose, ratio).flow(box)
    at_x, at_y = x + flow[..., 0], y + flow[..., 1]
    labels = cv2.remap(before, at_x, at_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    inside = (at_x > -0.5) & (at_y > -0.5) & (at_x < width - 0.5) & (at_y < height - 0.5)
    core &= inside  # what the picture's border cut off cannot be lent
    if not core.any():
        return
    away = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    agrees = (labels == after[box.slices()]) & inside
    # Only what hangs together with the object: farther pieces of the same ground have nothing to do with it.
    alpha = np.where(agrees, np.clip((ring - away) / ring, 0, 1), 0).astype(np.float32)
    alpha = alpha * alpha * (3 - 2 * alpha)
    alpha = np.maximum(cv2.GaussianBlur(alpha, (0, 0), SOFT), core.astype(np.float32))
    pixels = cv2.remap(picture, at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    part = made[box.slices()]
    part += alpha[..., None] * (np.clip(pixels, 0, 1) - part)
    origin[box.slices()][alpha > 0.5] = 2


def _pixels(cells: Bounds, ratio: tuple[float, float], size: tuple[int, int]) -> Bounds:
    x0, y0 = int(cells.x * ratio[0]), int(cells.y * ratio[1])
    x1 = int(np.ceil((cells.x + cells.width) * ratio[0]))
    y1 = int(np.ceil((cells.y + cells.height) * ratio[1]))
    return Bounds(x0, y0, x1 - x0, y1 - y0).intersect(Bounds(0, 0, *size))
