"""Edit masks: where two primitives differ, how that goes together with a given mask, and how its border is softened."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from scipy import ndimage

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.primitive import Primitive

LINE_STEP = 48  # of 255: smaller changes of a soft outline are re-sampling, not drawing
PAINT_STEP = 16  # of 255, the same for freely painted colour
NOISE = 12  # pixels: connected differences that are smaller are the noise of a file
DIFFERENT = 10  # of 255: less, between two pictures, is what files and rounding make
FEW = 3  # so few specks alone are a deliberate edit of single pixels; more are the noise of a file


class Combine(StrEnum):
    """How a given mask and the difference of two primitives go together."""

    LIMIT = "limit"  # the difference, as far as it lies inside the given mask
    ONLY = "only"  # the given mask alone
    ADD = "add"  # both


def difference(before: Primitive, after: Primitive) -> np.ndarray:
    """(H, W) bool: pixels whose class, outline or colour differs. A plane that only one of the two has is ignored.

    Raises:
        PictureError: the two have different sizes, or no plane in common.
    """
    if before.size != after.size:
        raise PictureError(
            f"The primitives differ in size: {before.size[0]} by {before.size[1]} "
            f"and {after.size[0]} by {after.size[1]} pixels. Scale one to the other first."
        )
    changed: np.ndarray | None = None
    for name in ("segments", "edges", "paint"):
        first, second = getattr(before, name), getattr(after, name)
        if first is None or second is None:
            continue
        if name == "segments":
            own = _classes_differ(before, after)
        else:
            step = cv2.absdiff(first, second)
            own = step > LINE_STEP if step.ndim == 2 else step.max(axis=2) > PAINT_STEP
        changed = own if changed is None else changed | own
    if changed is None:
        raise PictureError(
            "The two primitives have no plane in common; draw on the kind that the model was trained on."
        )
    return changed


def _classes_differ(before: Primitive, after: Primitive) -> np.ndarray:
    if before.segments is None or after.segments is None or before.palette is None or after.palette is None:
        return np.zeros(before.size[::-1], bool)
    if np.array_equal(before.palette.colours, after.palette.colours):
        return before.segments != after.segments
    first, second = before.palette.render(before.segments), after.palette.render(after.segments)
    return (first != second).any(axis=2)


def edit_mask(before: Primitive, after: Primitive, *, grow: int | None = None, noise: int = NOISE) -> np.ndarray:
    """(H, W) bool: what an edit touches.

    Args:
        grow: pixels that the difference is grown by to all sides (a disk), so that the borders of what moved can
            settle; None takes 1.5 % of the shorter side, at least 3.
        noise: connected differences of fewer pixels are ignored, unless there is nothing else and they are
            no more than three: then somebody edited single pixels on purpose.
    """
    changed = difference(before, after)
    grow = max(3, round(0.015 * min(before.size))) if grow is None else grow
    return dilate(without_specks(changed, noise), grow)


def without_specks(mask: np.ndarray, noise: int) -> np.ndarray:
    """The same mask without connected pieces (8 neighbours) of fewer than `noise` pixels; see `edit_mask`."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= noise
    keep[0] = False
    if not keep.any() and count - 1 <= FEW:
        return mask
    return keep[labels]


def touching(mask: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(H, W) bool: the connected pieces (8 neighbours) of a mask that lie partly in another."""
    result = np.zeros(mask.shape, bool)
    if not (mask & where).any():
        return result
    box = Bounds.of_mask(mask).slices()
    count, pieces = cv2.connectedComponents(mask[box].view(np.uint8), connectivity=8)
    hit = np.zeros(count, bool)
    hit[np.unique(pieces[where[box]])] = True
    hit[0] = False
    result[box] = hit[pieces]
    return result


def differing(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(H, W) bool: where two pictures (H, W, 3) in [0, 1] differ, by more than files and rounding make."""
    return without_specks(np.abs(after - before).max(2) * 255 > DIFFERENT, NOISE)


def dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    """The mask grown by a disk of `radius` pixels."""
    if radius <= 0 or not mask.any():
        return mask.copy()
    inside = Bounds.of_mask(mask).expand(radius, (mask.shape[1], mask.shape[0]))
    part = mask[inside.slices()]
    away = cv2.distanceTransform((~part).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    result = np.zeros_like(mask)
    result[inside.slices()] = away <= radius + 0.25
    return result


def combine(diff: np.ndarray, given: np.ndarray | None, mode: Combine | str = Combine.LIMIT) -> np.ndarray:
    """The mask that counts, (H, W) bool, from the difference and a given mask; without a given one the difference.

    Raises:
        PictureError: the two have different sizes, or "only" is asked for and there is no mask.
    """
    mode = Combine(mode)
    if given is None:
        if mode is Combine.ONLY:
            raise PictureError("Only the given mask shall count, but there is none; give one, or take another mode.")
        return diff
    if given.shape != diff.shape:
        raise PictureError(f"The mask has shape {given.shape}, the primitive {diff.shape}; they must be the same.")
    given = given.astype(bool)
    if mode is Combine.ONLY:
        return given
    return diff & given if mode is Combine.LIMIT else diff | given


def feather(mask: np.ndarray, radius: float, bounds: Bounds | None = None) -> np.ndarray:
    """Soften a mask's border inwards.

    Args:
        mask: (H, W) bool, of the whole picture: what lies outside of the array counts as inside of the mask, so do not
            crop a mask to its own bounds before.
        radius: width of the soft border in pixels. In pieces too thin for it the border is narrower, so that
            their middle reaches 1.
        bounds: return this part only.

    Returns:
        float32 in [0, 1]; exactly 0 everywhere outside the mask, above 0 everywhere inside.
    """
    mask = mask.astype(bool)
    height, width = mask.shape
    bounds = Bounds.of_size((width, height)) if bounds is None else bounds
    part = mask[bounds.slices()]
    if radius <= 0 or not part.any() or mask.all():
        return part.astype(np.float32)
    around = Bounds.of_mask(mask).expand(1, (width, height))
    inner = mask[around.slices()]
    depth = cv2.distanceTransform(inner.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if inner.all():
        soft = np.ones(inner.shape, np.float32)
    else:
        count, labels = cv2.connectedComponents(inner.view(np.uint8), connectivity=8)
        deepest = np.asarray(ndimage.maximum(depth, labels, np.arange(count)), np.float32)
        wide = np.maximum(np.minimum(np.float32(radius), 0.6 * deepest), 1e-3)[labels]
        # Pixel centres lie half a pixel inside of the border.
        way = np.clip((depth - 0.5) / wide, 0, 1)
        soft = np.where(inner, np.maximum(way * way * (3 - 2 * way), np.float32(1 / 255)), np.float32(0))
    result = np.zeros(mask.shape, np.float32)
    result[around.slices()] = soft
    return result[bounds.slices()]
