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

    REGISTERED = 1
    OBJECT = 2


@dataclass(frozen=True, eq=False)
class Draft:
    """A draft.

    Attributes:
        picture: (H, W, 3) float32 in [0, 1].
        origin: (H, W) uint8, an `Origin` for every pixel.
    """

    picture: np.ndarray
    origin: np.ndarray


def draft(picture: np.ndarray, original: Primitive, edited: Primitive) -> Draft:
    """Carry a picture's pixels to where an edited primitive wants them.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        original: its primitive, with segments or edges.
        edited: the same planes as they are wanted; a class that the original lacks is in nobody's way.
    """
    size = (picture.shape[0], picture.shape[1])
    grids = Grids.of(size)
    maps = channels(original, edited, grids.fine)
    flow, levels = register(maps, grids, True)
    found = Objects((), ())
    if original.segments is not None and edited.segments is not None:
        before, after = _labels(original.segments, grids.fine), _labels(edited.segments, grids.fine)
        found = find_objects(before, after, resize_flow(flow, grids.fine))
        if found:
            # What is carried in one piece must not bend what stays: registered again without it.
            left, gone = without(before, list(found.removed))
            still, new = without(after, [c.region for c in found.carried])
            calm = maps.with_labels(left, gone, original=True).with_labels(still, new, original=False)
            flow, levels = register(calm, grids, True)
    made = np.clip(sample(picture, resize_flow(flow, size), cv2.INTER_CUBIC), 0, 1)
    origin = np.full(size, Origin.REGISTERED, np.uint8)
    parts = _parts(picture, maps, levels, flow, grids, found)
    if parts is not None:
        share, other = resize(parts[0], size)[..., None], _nearest(parts[1], size)
        made = made + (np.clip(sample(picture, other, cv2.INTER_CUBIC), 0, 1) - made) * share
        origin[share[..., 0] > 0.5] = Origin.OBJECT
    if original.segments is not None and edited.segments is not None:
        for one in found.carried:
            place(made, origin, picture, original.segments, edited.segments, one, grids.fine)
    return Draft(made, origin)


def _labels(segments: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(segments, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))


def _nearest(flow: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A flow on another grid without mixing neighbours: parts come from quite different places."""
    ratio = np.array([size[1] / flow.shape[1], size[0] / flow.shape[0]], np.float32)
    return np.asarray(cv2.resize(flow, size[::-1], interpolation=cv2.INTER_NEAREST)) * ratio


def _parts(
    picture: np.ndarray,
    maps: Channels,
    levels: tuple[Level, Level],
    flow: np.ndarray,
    grids: Grids,
    found: Objects,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Pieces that registration cannot explain, from where they fit: how much they count (h, w), and their flow."""
    settled = np.zeros(grids.fine, np.uint8)
    for one in found.carried:
        settled[one.region.bounds.slices()] |= one.region.mask
    settled = cv2.dilate(settled, np.ones((5, 5), np.uint8)).astype(np.uint8)
    taken = resize(settled.astype(np.float32), grids.middle) > 0.3
    parts = find_parts(maps.resized(grids.middle), flow, resize(picture, grids.middle), taken)
    if not parts:
        return None
    other = flow.copy()
    for part in parts:
        other[part.mask] = part.flow[part.mask]
    other = _nearest(descend(levels, other, (8, 0), stiffness=1.2, relative=True, scales_=(1, 2)), grids.fine)
    first = blur(maps.mismatch(sample(maps.original, resize_flow(flow, grids.fine))), 1.25)
    second = blur(maps.mismatch(sample(maps.original, other)), 1.25)
    share = 1 / (1 + np.exp(-np.clip((first - second - BETTER) * 30, -30, 30)))
    return share.astype(np.float32), other
