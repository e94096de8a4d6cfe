"""Where the trained region lies in what a client sent."""

from __future__ import annotations

from underdrawing.client.messages import EngineError
from underdrawing.picture.geometry import Bounds


def inside(size: tuple[int, int], area: Bounds, full: tuple[int, int], what: str) -> Bounds:
    """Where the trained region lies in something of this size: all of it, or the region's own place.

    Raises:
        EngineError: it is neither as large as the region nor as the whole picture.
    """
    if size == (area.width, area.height):
        return Bounds(0, 0, *size)
    if size == full:
        return area
    text = f"The {what} is {size[0]} x {size[1]} pixels; the model was trained on {full[0]} x {full[1]}"
    if (area.width, area.height) != full:
        text += f" (a region of {area.width} x {area.height})"
    raise EngineError("wrong_size", text + ".", "Use the picture that the model was trained on, or train on this one.")
