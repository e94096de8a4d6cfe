"""Region tools on all planes of a primitive together: move, scale, mirror, copy and remove a part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.label_inpainting import LINE, fill
from underdrawing.picture.mask import dilate
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.region_cutout import Cutout

TOLERANCE = 8  # of 255: paint that differs less belongs to the area that was pointed at
ISLAND = 0.5  # of the area around it: what is enclosed and smaller goes along with it
LARGEST = 4.0  # times the picture's side: no region is made larger than that


class Operation(StrEnum):
    """What can be done with a region."""

    MOVE = "move"
    SCALE = "scale"
    MIRROR = "mirror"
    COPY = "copy"
    REMOVE = "remove"


class Axis(StrEnum):
    """What a mirrored region exchanges: left and right, or top and bottom."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


@dataclass(frozen=True, eq=False)
class RegionEdit:
    """An edited primitive.

    Attributes:
        primitive: all planes changed together.
        mask: (H, W) bool, where the region was and where it is now, with the reach of its outlines. Outside of it
            no plane differs from before.
    """

    primitive: Primitive
    mask: np.ndarray


def region_at(primitive: Primitive, x: int, y: int, islands: bool = True) -> np.ndarray:
    """The connected area at a pixel, (H, W) bool.

    In segments the pixels of one class, in paint those of nearly one colour, in edges what the lines enclose, lines
    included.

    Args:
        islands: what the area encloses and is smaller than half of it belongs to it (the windows of a car).

    Raises:
        PictureError: the pixel lies outside, or is a line where there are edges only.
    """
    width, height = primitive.size
    if not (0 <= x < width and 0 <= y < height):
        raise PictureError(f"The point {x}, {y} lies outside of the primitive of {width} by {height} pixels.")
    if primitive.segments is not None:
        area = _piece(primitive.segments == primitive.segments[y, x], x, y)
    elif primitive.paint is not None:
        near = np.abs(primitive.paint.astype(np.int16) - primitive.paint[y, x].astype(np.int16)).max(axis=2)
        area = _piece(near <= TOLERANCE, x, y)
    elif primitive.edges is not None and primitive.edges[y, x] >= LINE:
        inside = _piece(primitive.edges >= LINE, x, y)
        area = inside | (dilate(inside, 1) & (primitive.edges < LINE))
    else:
        raise PictureError(f"There is a line at {x}, {y}; point at the area that it encloses.")
    return _with_islands(area) if islands else area


def region_of_class(primitive: Primitive, name: str) -> np.ndarray:
    """All pixels of the class of this name, (H, W) bool.

    Raises:
        PictureError: there are no segments, no such class, or no pixel of it.
    """
    if primitive.segments is None or primitive.palette is None:
        raise PictureError("Regions have names in segments only; give a mask or a point for this primitive.")
    region = primitive.segments == primitive.palette.index_of(name)
    if not region.any():
        raise PictureError(f"The class {name!r} is in the palette but nowhere in the primitive.")
    return region


def move(primitive: Primitive, region: np.ndarray, dx: int, dy: int) -> RegionEdit:
    """Move a region to the right and down; the ground where it was is filled from around it.

    Raises:
        PictureError: an unusable region, or nothing of it would remain inside (use `remove`).
    """
    return _replaced(primitive, region, lambda part: part.translate(int(dx), int(dy)))


def copy(primitive: Primitive, region: np.ndarray, dx: int, dy: int) -> RegionEdit:
    """The region a second time, to the right and down of the first, which stays.

    Raises:
        PictureError: as for `move`.
    """
    part = Cutout.of(primitive, _checked(primitive, region)).translate(int(dx), int(dy))
    _must_be_seen(part, primitive)
    return RegionEdit(*part.put_on(primitive))


def scale(
    primitive: Primitive,
    region: np.ndarray,
    factor: float | tuple[float, float],
    centre: tuple[float, float] | None = None,
) -> RegionEdit:
    """Make a region larger or smaller.

    Args:
        factor: one for both sides, or (horizontal, vertical).
        centre: (x, y) in pixels, the point that stays where it is; None takes the middle of the region's bounds.

    Raises:
        PictureError: an unusable region, a factor that is not positive or makes it absurdly large,
            or nothing of it would remain inside.
    """
    fx, fy = factor if isinstance(factor, tuple) else (factor, factor)
    if not (math.isfinite(fx) and math.isfinite(fy) and fx > 0 and fy > 0):
        raise PictureError(f"A region cannot be scaled by {fx:g} and {fy:g}; the factors must be above 0.")
    bounds = Bounds.of_mask(_checked(primitive, region))
    if bounds.width * fx > LARGEST * primitive.size[0] or bounds.height * fy > LARGEST * primitive.size[1]:
        raise PictureError(f"Scaled by {fx:g} and {fy:g} the region would be far larger than the picture.")
    x, y = centre or (bounds.x + bounds.width / 2, bounds.y + bounds.height / 2)
    return _replaced(primitive, region, lambda part: part.scale(fx, fy, (x, y)))


def mirror(primitive: Primitive, region: np.ndarray, axis: Axis | str = Axis.HORIZONTAL) -> RegionEdit:
    """Mirror a region in its own bounds: "horizontal" exchanges left and right, "vertical" top and bottom."""
    try:
        axis = Axis(axis)
    except ValueError:
        raise PictureError(f"There is no axis {axis!r}; take horizontal or vertical.") from None
    return _replaced(primitive, region, lambda part: part.mirror(axis is Axis.VERTICAL))


def remove(primitive: Primitive, region: np.ndarray) -> RegionEdit:
    """Take a region away; its ground is filled from around it.

    Raises:
        PictureError: an unusable region, or one that leaves nothing to fill from.
    """
    ground = fill(primitive, _checked(primitive, region))
    return RegionEdit(ground.primitive, ground.halo)


def change(
    primitive: Primitive, operation: Operation | str, region: np.ndarray, values: Mapping[str, Any]
) -> RegionEdit:
    """An operation by name, as commands and messages give it.

    Args:
        operation: see `Operation`.
        region: (H, W) mask.
        values: "dx" and "dy" for move and copy (0 where missing); "factor", a number or two, and perhaps "centre" for
            scale; "axis" for mirror.

    Raises:
        PictureError: an unknown operation, a missing or unusable value, or what the operation itself refuses.
    """
    try:
        operation = Operation(operation)
    except ValueError:
        raise PictureError(f"{operation!r} is no region tool; there are {', '.join(Operation)}.") from None
    if operation in (Operation.MOVE, Operation.COPY):
        dx, dy = _numbers("shift", [values.get("dx") or 0, values.get("dy") or 0])
        return (move if operation is Operation.MOVE else copy)(primitive, region, round(dx), round(dy))
    if operation is Operation.SCALE:
        factor, centre = values.get("factor"), values.get("centre")
        if factor is None:
            raise PictureError("Scaling needs a factor: one number, or two (horizontal and vertical).")
        both = _numbers("factor", factor if isinstance(factor, (list, tuple)) else [factor, factor])
        return scale(primitive, region, both, None if centre is None else _numbers("centre", centre))
    if operation is Operation.MIRROR:
        return mirror(primitive, region, str(values.get("axis") or Axis.HORIZONTAL))
    return remove(primitive, region)


def _numbers(name: str, values: Any) -> tuple[float, float]:
    try:
        first, second = (float(value) for value in values)
    except (TypeError, ValueError):
        first = second = math.nan
    if not (math.isfinite(first) and math.isfinite(second)):
        raise PictureError(f"The {name} {values!r} is not a pair of numbers.")
    return first, second


def _replaced(primitive: Primitive, region: np.ndarray, place: Callable[[Cutout], Cutout]) -> RegionEdit:
    """Take the region away, fill its ground, and put it down again where `place` says."""
    region = _checked(primitive, region)
    part = place(Cutout.of(primitive, region))
    _must_be_seen(part, primitive)
    ground = fill(primitive, region)
    edited, halo = part.put_on(ground.primitive)
    return RegionEdit(edited, ground.halo | halo)


def _checked(primitive: Primitive, region: np.ndarray) -> np.ndarray:
    if region.shape != primitive.size[::-1]:
        text = f"The region's mask has shape {region.shape}, the primitive {primitive.size[::-1]}"
        raise PictureError(f"{text} (rows, columns); they must be the same.")
    region = region.astype(bool)
    if not region.any():
        raise PictureError("The region is empty; nothing is selected.")
    return region


def _must_be_seen(part: Cutout, primitive: Primitive) -> None:
    inside = part.bounds.intersect(primitive.bounds)
    if inside.is_empty or not part.mask[inside.translate(-part.x, -part.y).slices()].any():
        raise PictureError("Nothing of the region would remain inside the picture; to take it away, remove it.")


def _piece(mask: np.ndarray, x: int, y: int) -> np.ndarray:
    """The pixels of a mask that are connected (4 neighbours) with this one."""
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    return np.asarray(labels == labels[y, x])


def _with_islands(area: np.ndarray) -> np.ndarray:
    outside = np.pad(~area, 1, constant_values=True)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside.view(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < ISLAND * np.count_nonzero(area)
    small[labels[0, 0]] = False
    return area | small[labels[1:-1, 1:-1]] & ~area
