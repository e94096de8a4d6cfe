"""Make Underdrawing: the procedure, and its dialog with a preview."""

from __future__ import annotations

from typing import Any

from . import layers, make_primitive, pixels, recognition, training, widgets
from .client.engine import Call as Request
from .client.engine import Reply
from .client.messages import EngineError
from .dialogs import fill_in
from .gi import Gimp, GLib
from .make_primitive import Made, Wish
from .plugin import Call, CancelledError
from .service import Background, Service, connected

SIDE = 220  # pixels of a preview on the screen
SENT = 640  # pixels of what is sent for it: pictures of that size are previewed as they will be
CALM = 300  # milliseconds without a change before the preview is made anew


def wish_of(values: dict[str, Any]) -> Wish:
    """The dialog's or the script's arguments."""
    names = ("kind", "regions", "detail", "colours", "soft", "convert")
    return Wish(**{name: values[name] for name in names})


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-make`: group, palette, model, notes."""
    layer = layers.chosen_layer(call.image, call.drawables)
    values = call.values
    area = make_primitive.region_of(call.image, layer)
    if call.interactive:
        shown = [argument.name for argument in call.entry.arguments if argument.name != "convert"]
        values = fill_in(
            call, "Make Underdrawing", "_Make", shown, lambda dialog: Preview(call, dialog, layer, area).close
        )
        values["convert"] = _may_convert(call.image, values["kind"])
    with connected("Making the underdrawing") as service:
        made = _make(service, call.image, layer, values)
    name = made.palette.get_name() if made.palette is not None else ""
    notes = list(made.notes)
    if made.record.model:
        notes.insert(0, "This is the underdrawing that a model was learnt with: edits can be applied at once.")
    if call.interactive:
        for note in notes:
            Gimp.message(note)
    return made.group, name, made.record.model, "\n".join(notes)


def _make(service: Service, image: Gimp.Image, layer: Gimp.Layer, values: dict[str, Any]) -> Made:
    wish = wish_of(values)
    colour = make_primitive.may_convert(image, wish)
    if values["known"]:
        found = recognition.underdrawing(service, image, layer, colour)
        if found is not None:
            return found
    return make_primitive.make(service, image, layer, wish)


def _may_convert(image: Gimp.Image, kind: str) -> bool:
    """Whether the picture becomes one in RGB: only where it must, and the user says so.

    Raises:
        CancelledError: it must, and shall not.
    """
    why = make_primitive.why_rgb(image, kind)
    if not why:
        return False
    more = "Converted to RGB it looks the same. Undo takes that back together with the underdrawing."
    if image.get_base_type() == Gimp.ImageBaseType.GRAY:
        more += " An underdrawing of outlines alone needs no conversion."
    if not widgets.ask(None, why, more, "_Convert to RGB"):
        raise CancelledError
    return True


class Preview:
    """Small pictures in the dialog: the picture, and what would be drawn. Newest wins; an answer may be late."""

    def __init__(self, call: Call, dialog: Any, layer: Gimp.Layer, area: pixels.Rect) -> None:
        self.config, self.call = call.config, call
        self.background = Background()
        self.request: Request | None = None
        self.timer = 0
        self.small = pixels.small_frame(layer, area, SENT)
        original, image = widgets.picture_box("Picture", SIDE)
        image.set_from_pixbuf(widgets.pixbuf(self.small, SIDE))
        first, self.first = widgets.picture_box("Segments", SIDE)
        second, self.second = widgets.picture_box("Edges", SIDE)
        self.boxes = (first, second)
        self.note = widgets.label("", wrap=80)
        strip = widgets.column(widgets.row(original, first, second, spacing=widgets.GAP), self.note)
        strip.show_all()
        area_box = dialog.get_content_area()
        area_box.pack_start(strip, False, False, widgets.GAP)
        area_box.reorder_child(strip, 0)
        self.handler = self.config.connect("notify", lambda *_: self._later())
        self.known, self.notes = "", ""
        self.background.ask("models.list", {}, lambda reply, _: self._models(reply, layer, area))
        self._ask()

    def _models(self, reply: Reply | None, layer: Gimp.Layer, area: pixels.Rect) -> None:
        colour = bool(make_primitive.why_rgb(self.call.image, self.call.current()["kind"]))
        models = list(reply.body["models"]) if reply is not None else []
        found = training.models_of(layer, area, models, colour)
        self.known = str(found[0]["name"]) if found else ""
        self._tell()

    def _tell(self) -> None:
        told = [self.notes] if self.notes else []
        if self.known and self.call.current()["known"]:
            told.append("The model “%s” knows this picture: its underdrawing will be taken." % self.known)
        self.note.set_text(" ".join(told))

    def _later(self) -> None:
        if self.timer:
            GLib.source_remove(self.timer)
        self.timer = GLib.timeout_add(CALM, self._ask)

    def _ask(self) -> bool:
        self.timer = 0
        if self.request is not None:
            self.background.give_up(self.request)
        wish = wish_of(self.call.current())
        self.note.set_text("Drawing the preview…")
        self.request = self.background.ask("primitive", wish.body(self.small), self._show, [self.small])
        return False

    def _show(self, reply: Reply | None, error: EngineError | None) -> None:
        self.request = None
        if error is not None or reply is None:
            self.note.set_text(error.message + " " + error.hint if error else "")
            return
        names: list[str] = [plane["name"] for plane in reply.body["planes"]]
        for image, box, name in zip((self.first, self.second), self.boxes, [*names, ""]):
            box.set_visible(bool(name))
            if name:
                frame = self.background.picture(reply, reply.body["planes"][names.index(name)]["hash"])
                image.set_from_pixbuf(widgets.pixbuf(frame, SIDE))
                box.get_children()[0].set_text(layers.TITLES[name])
        self.notes = " ".join(reply.body["notes"])
        self._tell()

    def close(self) -> None:
        """End it with the dialog."""
        if self.timer:
            GLib.source_remove(self.timer)
        self.config.disconnect(self.handler)
        self.background.close()
