"""The draft of a picture: what its own pixels can say about an edited underdrawing, without any training."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from underdrawing.draft.features import Channels, channels
from underdrawing.draft.grids import blur, resize, resize_flow, sample
from underdrawing.draft.objects import Objects, find_objects, without
from underdrawing.draft.parts import find_parts
from underdrawing.draft.place import place
from underdrawing.draft.registration import Grids, Level, descend, register
from underdrawing.picture.primitive import Primitive

BETTER = 0.12  # mismatch by which a looked-up part must beat the registration


class Origin(IntEnum):
    """Which way a pixel came."""

    UNCHANGED = 0
    REGISTERED = 1
    OBJECT = 2
    FILLED = 3


@dataclass(frozen=True, eq=False)
class Draft:
    """A draft.

    Attributes:
        picture: (H, W, 3) float32 in [0, 1].
        origin: (H, W) uint8, an `Origin` for every pixel.
        confidence: (H, W) float32 in [0, 1].
    """

    picture: np.ndarray
    origin: np.ndarray
    confidence: np.ndarray


def draft(picture: np.ndarray, original: Primitive, edited: Primitive, robust: bool = True, parts: bool = True, objects: bool = True) -> Draft:
    size = (picture.shape[0], picture.shape[1])
    grids = Grids.of(size)
    maps = channels(original, edited, grids.fine)
    flow, levels = register(maps, grids, robust)
    found = Objects((), ())
    if objects and original.segments is not None and edited.segments is not None:
        before, after = _labels(original.segments, grids.fine), _labels(edited.segments, grids.fine)
        found = find_objects(before, after, resize_flow(flow, grids.fine))
        if found:
            left, gone = without(before, [*found.removed])
            still, new = without(after, [c.region for c in found.carried])
            maps2 = maps.with_labels(left, gone, original=True).with_labels(still, new, original=False)
            flow, levels = register(maps2, grids, robust)
    made = np.clip(sample(picture, resize_flow(flow, size), cv2.INTER_CUBIC), 0, 1)
    origin = np.full(size, Origin.REGISTERED, np.uint8)
    if parts:
        share, other = _parts(picture, maps, levels, flow, grids, found)
        if share is not None:
            share = resize(share, size)[..., None]
            two = np.clip(sample(picture, cv2.resize(other, size[::-1], interpolation=cv2.INTER_NEAREST)*np.float32(size[1]/other.shape[1]), cv2.INTER_CUBIC), 0, 1)
            made = made + (two - made) * share
            origin[share[..., 0] > 0.5] = Origin.OBJECT
    for one in found.carried:
        place(made, origin, picture, original.segments, edited.segments, one, grids.fine)
    return Draft(made, origin, np.ones(size, np.float32))


def _labels(segments: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(segments, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))


def _parts(picture, maps: Channels, levels: tuple[Level, Level], flow, grids: Grids, found: Objects):
    middle = maps.resized(grids.middle)
    settled = np.zeros(grids.fine, np.uint8)
    for one in found.carried:
        settled[one.region.bounds.slices()] |= one.region.mask
    settled_m = resize(cv2.dilate(settled, np.ones((5, 5), np.uint8)).astype(np.float32), grids.middle) > 0.3
    found_parts = find_parts(middle, flow, resize(picture, grids.middle), settled_m)
    if not found_parts:
        return None, flow
    other = flow.copy()
    for part in found_parts:
        other[part.mask] = part.flow[part.mask]
    other = descend(levels, other, (8, 0), stiffness=1.2, relative=True, scales_=(1, 2))
    one = blur(maps.mismatch(sample(maps.original, resize_flow(flow, grids.fine))), 1.25)
    up = cv2.resize(other, grids.fine[::-1], interpolation=cv2.INTER_NEAREST) * np.float32(grids.fine[1] / grids.middle[1])
    two = blur(maps.mismatch(sample(maps.original, up)), 1.25)
    share = 1 / (1 + np.exp(-np.clip((one - two - BETTER) * 30, -30, 30)))
    return share.astype(np.float32), up
