"""From a picture and its primitive to training data: the region, the size trained on, the tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, white_of
from underdrawing.picture.primitive import Primitive
from underdrawing.store.manifest import PlaneKind
from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Method, Recipe, TrainingError

# Below this many pixels there is nothing to train on.
LEAST_PIXELS = 64


@dataclass(frozen=True)
class Prepared:
    """What a training starts from.

    Attributes:
        data: tensors.
        picture: the region trained on, as the user has it.
        primitive: its primitive, at the same size; None where the method follows none and none was given.
        white: the value of float pictures that is taken as 1.
        notes: sentences for the user about what was reduced.
    """

    data: TrainingData
    picture: Picture
    primitive: Primitive | None
    white: float
    notes: tuple[str, ...]


def small_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Width and height of what is trained on, for a region of this size."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def prepare(
    picture: Picture,
    primitive: Primitive | None,
    region: tuple[int, int, int, int] | None,
    method: Method,
    recipe: Recipe,
    device: Device,
    features: Mapping[str, str],
) -> Prepared:
    """Training data of one picture.

    Args:
        picture: the whole picture.
        primitive: of the whole picture, or of the region alone; None: there is none.
        region: x, y, width, height of what is trained on; None: everything.
        method, recipe, device: they say how large a picture can be trained on.
        features: paths of pretrained weights by name.

    Raises:
        TrainingError: sizes that do not fit, a region outside the picture, a picture too small to train on.
    """
    width, height = picture.size
    whole = Bounds(0, 0, width, height)
    bounds = whole if region is None else whole.intersect(Bounds(*region))
    if bounds.width * bounds.height < LEAST_PIXELS:
        raise TrainingError(
            "too_small",
            f"There are only {bounds.width} x {bounds.height} pixels to train on.",
            "Choose a larger picture or region; 64 x 64 is a sensible minimum.",
        )
    if primitive is not None and primitive.size == picture.size:
        primitive = primitive.crop(bounds)
    elif primitive is not None and primitive.size != (bounds.width, bounds.height):
        raise TrainingError(
            "wrong_size",
            f"The primitive is {primitive.size[0]} x {primitive.size[1]}, the picture {width} x {height} pixels.",
            "Make the primitive from this picture, or scale it to the same size.",
        )
    picture = picture.crop(bounds)
    white = white_of(picture)
    limit = method.pixels(recipe, device, (bounds.width, bounds.height))
    scale = min(1.0, math.sqrt(limit / (bounds.width * bounds.height))) if limit else 1.0
    rgb = picture.to_float(white)
    small_primitive, notes = primitive, []
    if scale < 1:
        size = small_size(bounds.width, bounds.height, scale)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        small_primitive = None if primitive is None else primitive.resized(size)
        note = f"The model is trained at {size[0]} x {size[1]} pixels ({scale:.0%}); its finer detail "
        if primitive is None:  # nothing is edited then, and a region would be reduced as well
            note += "comes from the picture itself."
        else:
            note += "is brought back from the picture itself when an edit is applied."
            note += " Choose a region to train at full size."
        notes.append(note)
    planes, palette = _planes(small_primitive)
    pair = make_pair(np.nan_to_num(rgb), planes, palette, method.stride(recipe))
    area = (bounds.x, bounds.y, bounds.width, bounds.height)
    return Prepared(TrainingData((pair,), scale, area, features), picture, primitive, white, tuple(notes))


def _planes(primitive: Primitive | None) -> tuple[dict[str, tuple[PlaneKind, np.ndarray]], np.ndarray | None]:
    """The planes that there are, by name, and the palette's colours."""
    planes: dict[str, tuple[PlaneKind, np.ndarray]] = {}
    if primitive is None:
        return planes, None
    if primitive.segments is not None:
        planes["segments"] = (PlaneKind.CLASSES, primitive.segments)
    if primitive.edges is not None:
        planes["edges"] = (PlaneKind.LINES, primitive.edges)
    if primitive.paint is not None:
        planes["paint"] = (PlaneKind.COLOUR, primitive.paint)
    return planes, None if primitive.palette is None else primitive.palette.colours
