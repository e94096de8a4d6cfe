"""Where things lie in pictures of several sizes: the learnt region in the whole picture, a part at the learnt scale."""

from __future__ import annotations

import numpy as np

from underdrawing.link.messages import EngineError
from underdrawing.picture.geometry import Bounds


def inside(size: tuple[int, int], area: Bounds, full: tuple[int, int], what: str) -> Bounds:
    """Where the learnt region lies in something of this size: all of it, or the region's own place.

    Raises:
        EngineError: it is neither as large as the region nor as the whole picture.
    """
    if size == (area.width, area.height):
        return Bounds(0, 0, *size)
    if size == full:
        return area
    text = f"The {what} is {size[0]} x {size[1]} pixels; the model was learnt on {full[0]} x {full[1]}"
    if (area.width, area.height) != full:
        text += f" (a region of {area.width} x {area.height})"
    raise EngineError("wrong_size", text + ".", "Use the picture that was learnt, or learn this one.")


def scaled(bounds: Bounds, ratio: tuple[float, float], limit: Bounds) -> Bounds:
    """Bounds in the smaller picture that cover these."""
    x0, y0 = int(bounds.x * ratio[0]), int(bounds.y * ratio[1])
    x1 = int(np.ceil((bounds.x + bounds.width) * ratio[0]))
    y1 = int(np.ceil((bounds.y + bounds.height) * ratio[1]))
    return Bounds(x0, y0, x1 - x0, y1 - y0).intersect(limit)


def unscaled(bounds: Bounds, ratio: tuple[float, float], size: tuple[int, int]) -> Bounds:
    """The pixels of the larger picture that these stand for."""
    x0, y0 = round(bounds.x / ratio[0]), round(bounds.y / ratio[1])
    x1, y1 = round((bounds.x + bounds.width) / ratio[0]), round((bounds.y + bounds.height) / ratio[1])
    return Bounds(x0, y0, x1 - x0, y1 - y0).intersect(Bounds(0, 0, *size))
