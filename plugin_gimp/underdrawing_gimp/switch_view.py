"""Switch View: between the underdrawing, to paint on, and the result, to look at."""

from __future__ import annotations

from typing import Any

from . import layers, lifted_layers, record
from .plugin import Call


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-switch`: whether the underdrawing is visible now. One undo step."""
    known = record.need(call.image, call.drawables)
    planes = list(record.planes(call.image, known).values())
    lifted = lifted_layers.layers_of(call.image, record.layer_of(call.image, known))
    hidden = layers.painted_on(call.image, known)
    seen = bool(hidden) and all(layer.get_visible() for layer in hidden)
    with layers.one_step(call.image):
        if seen:
            for layer in hidden:
                layer.set_visible(False)
            call.image.set_selected_layers([layers.top(call.image, known)])
        else:
            for layer in (*planes, *lifted):
                layers.reveal(layer)
            call.image.set_selected_layers([*planes, *lifted][:1])
    return (not seen,)
