"""The table in which the parts of another picture are matched with the areas of this one by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import widgets
from .client.frames import Frame
from .gi import gtk
from .plugin import CancelledError

SWATCH = 18  # pixels
SIDE = 240  # pixels of the two pictures


def choose(
    other: Frame, found: Frame, parts: Sequence[dict[str, Any]], palette: Sequence[dict[str, Any]]
) -> dict[str, str]:
    """Which of this picture's areas each part is to be: names by the parts' numbers, without those left as found.

    Args:
        other: the other picture, and `found`, its layout as it was found, in 8 bits.
        parts: as the engine's answer to `layout` tells them.
        palette: the model's.

    Raises:
        CancelledError: the dialog was closed.
    """
    Gtk, _, _, GimpUi = gtk()
    colours = {str(entry["name"]): entry["colour"] for entry in palette}
    grid = Gtk.Grid(row_spacing=6, column_spacing=widgets.GAP)
    boxes = {}
    for row, part in enumerate(parts):
        name, share = str(part["name"]), float(part["share"])
        box = widgets.choice([("", "As found: %s" % part["class"]), *((own, own) for own in colours)])
        shown = Gtk.Image.new_from_pixbuf(_swatch(colours[str(part["class"])]))

        def changed(box: Any, shown: Any = shown, as_found: str = str(part["class"])) -> None:
            shown.set_from_pixbuf(_swatch(colours[box.get_active_id() or as_found]))

        box.connect("changed", changed)
        box.set_hexpand(True)
        caption = widgets.label("%s (%.0f %%)" % (name, 100 * share))
        caption.set_yalign(0.5)
        line = (Gtk.Image.new_from_pixbuf(_swatch(part["colour"])), caption, shown, box)
        for column, widget in enumerate(line):
            grid.attach(widget, column, row, 1, 1)
        boxes[str(row)] = box
    scroller = Gtk.ScrolledWindow()
    scroller.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
    scroller.set_propagate_natural_height(True)
    scroller.set_max_content_height(420)
    scroller.add(grid)
    pictures = []
    for caption, frame in (("The other picture", other), ("Its detected layout", found)):
        box, image = widgets.picture_box(caption, SIDE)
        image.set_from_pixbuf(widgets.pixbuf(frame, SIDE))
        pictures.append(box)
    dialog = Gtk.Dialog(title="Match Areas")
    dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    dialog.add_button("_Take This Layout", Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    text = "What each part of the other picture becomes in this one."
    content = widgets.column(
        widgets.row(*pictures, spacing=widgets.GAP), widgets.label(text), scroller, spacing=widgets.GAP
    )
    content.set_border_width(widgets.GAP)
    dialog.get_content_area().add(content)
    GimpUi.window_set_transient(dialog)
    dialog.show_all()
    answer = dialog.run()
    chosen = {number: box.get_active_id() for number, box in boxes.items() if box.get_active_id()}
    dialog.destroy()
    if answer != Gtk.ResponseType.OK:
        raise CancelledError
    return chosen


def _swatch(colour: Sequence[int]) -> Any:
    """A square of a colour."""
    GdkPixbuf = gtk()[2]
    made = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, SWATCH, SWATCH)
    red, green, blue = (int(value) for value in colour)
    made.fill(red << 24 | green << 16 | blue << 8 | 255)
    return made
