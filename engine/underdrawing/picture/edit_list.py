"""What was painted on an underdrawing as a list of edits, each of which can be taken back by itself.

Nothing is recorded while a person paints: the list is read from the underdrawing as it was made and as it is now, so it
holds whatever came from a brush, a region tool or another program.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.mask import NOISE, difference, dilate, without_specks
from underdrawing.picture.primitive import Primitive

NEAR = 0.01  # of the shorter side: changes that are nearer to each other are one edit
ARRIVED = 0.6  # share of a place that must look as another one did: then what stood there was moved
GONE = 0.8  # share of a connected area that must have changed: then it was removed
ALSO = 0.3  # share of an edit: so much of the class that it takes away it also adds, where an area was reshaped
INK = 128  # below it a line is dark
OTHERS = "Other changes"


@dataclass(frozen=True, eq=False)
class PaintedEdit:
    """One edit.

    Attributes:
        title: what was done, for a person.
        mask: (H, W) bool, the pixels that it changed.
    """

    title: str
    mask: np.ndarray


def edits(before: Primitive, after: Primitive, most: int) -> list[PaintedEdit]:
    """What was painted, the largest edit first. What was moved is one edit: the place it left and the one it came to.

    Args:
        before: the underdrawing as it was made.
        after: as it is now, of the same size.
        most: edits; the smallest of more become one.

    Raises:
        PictureError: sizes differ, or no plane is in both.
    """
    changed = without_specks(difference(before, after), NOISE)
    reach = max(2, round(NEAR * min(before.size)))
    count, pieces = cv2.connectedComponents(dilate(changed, reach).view(np.uint8), connectivity=8)
    pieces[~changed] = 0
    order = np.argsort(-np.bincount(pieces.ravel(), minlength=count)[1:], kind="stable") + 1
    found = [pieces == number for number in order[: most - 1]]
    if len(order) >= most:
        found.append(np.isin(pieces, order[most - 1 :]))
    result: list[PaintedEdit] = []
    while found:
        mask = found.pop(0)
        pair = next((other for other in found if _moved(before, after, mask, other)), None)
        if pair is not None:
            found = [other for other in found if other is not pair]
            left = mask if _arrived(before, after, mask, pair) else pair
            result.append(PaintedEdit(f"{_name(before, left)} moved", mask | pair))
        else:
            result.append(PaintedEdit(OTHERS if len(result) == most - 1 else _title(before, after, mask), mask))
    return result


def without(before: Primitive, after: Primitive, taken_back: Collection[PaintedEdit]) -> Primitive:
    """The underdrawing as it is now, but as it was made where these edits lie."""
    mask = np.zeros((after.size[1], after.size[0]), bool)
    for edit in taken_back:
        mask |= edit.mask
    planes = {}
    for name in after.names:
        first, second = getattr(before, name), getattr(after, name)
        if first is not None:
            planes[name] = np.where(mask if second.ndim == 2 else mask[..., None], first, second)
    return after.with_planes(**planes)


def _moved(before: Primitive, after: Primitive, one: np.ndarray, other: np.ndarray) -> bool:
    return _arrived(before, after, one, other) or _arrived(before, after, other, one)


def _arrived(before: Primitive, after: Primitive, left: np.ndarray, now: np.ndarray) -> bool:
    """Whether one place shows what stood at another before."""
    if before.segments is None or after.segments is None:
        return False
    source, target = Bounds.of_mask(left), Bounds.of_mask(now)
    size = min(source.width, target.width), min(source.height, target.height)
    if size[0] < ARRIVED * max(source.width, target.width) or size[1] < ARRIVED * max(source.height, target.height):
        return False
    first, second = (Bounds(box.x, box.y, *size).slices() for box in (source, target))
    both = left[first] | now[second]
    if not both.any():
        return False
    same = left[first] & now[second] & (before.segments[first] == after.segments[second])
    return bool(same[both].mean() >= ARRIVED)


def _title(before: Primitive, after: Primitive, mask: np.ndarray) -> str:
    """What one edit did."""
    first, second = before.segments, after.segments
    if first is None or second is None or not (areas := mask & (first != second)).any():
        return _title_without_areas(before, after, mask)
    lost = int(np.bincount(first[areas]).argmax())
    if (second[areas] == lost).mean() >= ALSO:
        return f"{_name(before, areas)} reshaped"
    pieces = cv2.connectedComponents((first == lost).view(np.uint8), connectivity=8)[1]
    whole = np.isin(pieces, np.unique(pieces[areas & (first == lost)]))
    if areas[whole].mean() >= GONE:
        return f"{_name(before, areas)} removed"
    return f"{_name(after, areas)} painted"


def _title_without_areas(before: Primitive, after: Primitive, mask: np.ndarray) -> str:
    if before.edges is None or after.edges is None or not (before.edges[mask] != after.edges[mask]).any():
        return "Painted"
    ink = [int((plane[mask] < INK).sum()) for plane in (before.edges, after.edges)]
    return "Outlines drawn" if ink[1] >= ink[0] else "Outlines erased"


def _name(primitive: Primitive, mask: np.ndarray) -> str:
    """The most frequent area's name under a mask."""
    if primitive.segments is None or primitive.palette is None:
        return "Area"
    return f"“{primitive.palette.names[int(np.bincount(primitive.segments[mask]).argmax())]}”"
