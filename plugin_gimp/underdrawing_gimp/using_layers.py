"""Use These Layers as Underdrawing: the procedure and its dialog."""

from __future__ import annotations

from typing import Any

from . import make_primitive, record, widgets
from .client.messages import EngineError
from .gi import Gimp, gtk
from .plugin import Call, CancelledError

GUESSES = {"segments": ("segment", "area", "flat"), "edges": ("edge", "line", "ink"), "paint": ("paint", "colour")}


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-use-layers`: notes."""
    if call.interactive:
        source, given = _choose(call.image, call.drawables)
    else:
        selected = [layer for layer in call.drawables if isinstance(layer, Gimp.Layer)]
        if len(selected) != 1:
            text = "The layer that holds the picture is not given."
            raise EngineError("bad_request", text, "Give it as the only one of the drawables.")
        source = selected[0]
        given = {kind: call.values[kind] for kind in record.KINDS if call.values[kind] is not None}
    make_primitive.use_layers(call.image, given, source)
    return ("",)


def _choose(image: Gimp.Image, drawables: list[Any]) -> tuple[Gimp.Layer, Any]:
    """Which layer is what. Names are a first guess.

    Raises:
        CancelledError: the dialog was closed.
    """
    Gtk, _, _, GimpUi = gtk()
    found = [layer for layer in record.all_layers(image.get_layers()) if not layer.is_group()]
    if len(found) < 2:
        text = "An underdrawing needs a layer of its own above the picture's."
        raise EngineError("bad_request", text, "Draw one, or choose Filters > Underdrawing > Make Underdrawing.")
    entries = [(str(layer.get_id()), layer.get_name()) for layer in found]
    by_id = dict(zip((identity for identity, _ in entries), found))
    source = widgets.choice(entries, entries[-1][0])
    rows, boxes = [("_Picture", source)], {}
    for kind in record.KINDS:
        guess = [identity for identity, name in entries if any(word in name.lower() for word in GUESSES[kind])]
        boxes[kind] = widgets.choice([("", "None"), *entries], guess[0] if guess else "")
        rows.append(({"segments": "_Segments", "edges": "_Edges", "paint": "P_aint"}[kind], boxes[kind]))
    dialog = Gtk.Dialog(title="Use These Layers as Underdrawing")
    dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    dialog.add_button("_Use", Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    text = "Segments are flat areas of colour, edges dark lines on white, paint is free. The layers stay as they are."
    content = widgets.column(widgets.label(text), widgets.form(rows), spacing=widgets.GAP)
    content.set_border_width(widgets.GAP)
    dialog.get_content_area().add(content)
    GimpUi.window_set_transient(dialog)
    dialog.show_all()
    answer = dialog.run()
    chosen = {kind: by_id[box.get_active_id()] for kind, box in boxes.items() if box.get_active_id()}
    picture = by_id[source.get_active_id()]
    dialog.destroy()
    if answer != Gtk.ResponseType.OK:
        raise CancelledError
    return picture, chosen
