"""Switch View: between the underdrawing, to paint on, and the result, to look at."""

from __future__ import annotations

from typing import Any

from . import layers, record
from .plugin import Call


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-switch`: whether the underdrawing is visible now. One undo step."""
    known = record.need(call.image, call.drawables)
    planes = list(record.planes(call.image, known).values())
    group = layers.underdrawing_group(call.image, known)
    seen = all(layer.get_visible() for layer in (planes if group is None else [group]))
    with layers.one_step(call.image):
        if seen:
            for layer in planes if group is None else [group]:
                layer.set_visible(False)
            call.image.set_selected_layers([layers.top(call.image, known)])
        else:
            for layer in planes:
                layers.reveal(layer)
            call.image.set_selected_layers(planes[:1])
    return (not seen,)
