"""Areas of an underdrawing merged or split by hand: they become other areas, and nothing in the picture moves."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.picture.area_hierarchy import AreaHierarchy
from underdrawing.picture.image import PictureError
from underdrawing.picture.label_maps import enlarge
from underdrawing.picture.mask import dilate
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.regions import RegionEdit
from underdrawing.picture.thing_area import with_area

FINEST = 96  # areas of the picture at most, while one is looked for in which the area falls apart
LEAST = 0.03  # of the area: a smaller part is a detail of it
LINE = 3  # pixels: so near to a common border a line belongs to it


def merge(primitive: Primitive, region: np.ndarray, into: np.ndarray) -> RegionEdit:
    """An area becomes part of another; the line between them goes.

    Args:
        primitive: with segments.
        region: (H, W) bool, the area.
        into: (H, W) bool, the area that it becomes part of.

    Raises:
        PictureError: there are no areas, a region is empty, or both are one area already.
    """
    segments, index = _class_of(primitive, into)
    if (segments[region] == index).all():
        raise PictureError("Both are one area already, or the area is empty.")
    made = {"segments": np.where(region, np.uint8(index), segments)}
    changed = region & (segments != index)
    if primitive.edges is not None:
        seam = dilate(region, LINE) & dilate(into & ~region, LINE)
        changed |= seam
        made["edges"] = np.where(seam, np.uint8(255), primitive.edges)
    return RegionEdit(primitive.with_planes(**made), changed)


def split(primitive: Primitive, region: np.ndarray, tree: AreaHierarchy) -> RegionEdit:
    """An area falls apart where the picture's area tree parts it first; the smaller part becomes an area of its own.

    Args:
        primitive: with segments.
        region: (H, W) bool, the area.
        tree: of the picture.

    Raises:
        PictureError: there are no areas, the region is empty, or nothing in the picture parts it.
    """
    _, index = _class_of(primitive, region)
    palette, size = primitive.palette, (region.shape[1], region.shape[0])
    height, width = tree.order.shape
    small = cv2.resize(region.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT) > 0
    for count in range(2, FINEST + 1):
        labels = tree.cut(count)
        shares = np.bincount(labels[small], minlength=count) / max(1, small.sum())
        second = int(np.argsort(shares)[-2])
        if shares[second] < LEAST:
            continue
        part = region & (enlarge((labels == second).astype(np.uint8), size) > 0)
        made = with_area(primitive, part, palette.names[index] if palette is not None else "area")
        changed = part
        if made.edges is not None:
            border = region & ~part & (cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
            changed = part | border
            made = made.with_planes(edges=np.where(border, np.uint8(0), made.edges))
        return RegionEdit(made, changed)
    raise PictureError("Nothing in the picture parts this area. Paint a part of it in another colour instead.")


def _class_of(primitive: Primitive, region: np.ndarray) -> tuple[np.ndarray, int]:
    """The segments, and the class of most of a region."""
    if primitive.segments is None:
        raise PictureError("The underdrawing has no areas.")
    if region.shape != primitive.segments.shape or not region.any():
        raise PictureError("The area is empty, or not of the underdrawing's size.")
    return primitive.segments, int(np.bincount(primitive.segments[region]).argmax())
