"""The colour on Krita's brush."""

from __future__ import annotations

from .colour_space import DRAWN, Space
from .document_model import Workspace
from .record import Colour


def take_colour(ws: Workspace, colour: Colour) -> None:
    """Put an area's colour on the brush, in the colour space of the areas."""
    import krita

    areas = Space.of(ws.need_planes()["segments"])
    space = areas if areas.is_srgb else DRAWN
    made = krita.ManagedColor(space.model, space.depth, space.profile)
    red, green, blue = (value / 255 for value in colour.rgb)
    made.setComponents([blue, green, red, 1.0])  # in the order in which Krita keeps integers
    ws.krita.activeWindow().activeView().setForeGroundColor(made)
