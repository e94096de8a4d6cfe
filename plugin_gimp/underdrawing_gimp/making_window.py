"""Make Underdrawing: the procedure, and its dialog with a preview."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from . import layers, making
from .making import Wish
from .plugin import Call
from .service import connected


def wish_of(values: Dict[str, Any]) -> Wish:
    """The dialog's or the script's arguments."""
    return Wish(values["kind"], values["regions"], values["detail"], values["colours"], values["soft"])


def run(call: Call) -> Tuple[Any, ...]:
    """The procedure `underdrawing-make`: group, palette, model, notes."""
    layer = layers.chosen_layer(call.image, call.drawables)
    with connected("Making the underdrawing") as service:
        made = making.make(service, call.image, layer, wish_of(call.values))
    name = made.palette.get_name() if made.palette is not None else ""
    return made.group, name, made.record.model, "\n".join(made.notes)
