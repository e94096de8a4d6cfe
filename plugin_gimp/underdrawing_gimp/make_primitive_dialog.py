"""Make Underdrawing: the procedure, and its dialog with a preview of exactly what is made."""

from __future__ import annotations

from typing import Any

from . import layers, make_primitive, pixels, recognition, training, widgets
from .client.call import Call as Request
from .client.call import Reply
from .client.frames import Frame
from .client.messages import EngineError
from .dialogs import fill_in
from .gi import Gimp, GLib
from .make_primitive import Drawn, Made, Wish
from .notices import say
from .picture_view import PictureView
from .plugin import Call, CancelledError
from .service import Background, Service, connected

SIDE = 380, 280  # pixels of a preview on the screen, at least
SHOWN = 1400  # pixels of the longer side that are kept for the screen
CALM = 300  # milliseconds without a change before the preview is made anew


def wish_of(values: dict[str, Any]) -> Wish:
    """The dialog's or the script's arguments."""
    names = ("kind", "regions", "detail", "colours", "soft", "convert")
    return Wish(**{name: values[name] for name in names})


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-make`: group, palette, model, notes."""
    layer = layers.chosen_layer(call.image, call.drawables)
    values, drawn = call.values, None
    area = make_primitive.region_of(call.image, layer)
    if call.interactive:
        shown = [argument.name for argument in call.entry.arguments if argument.name != "convert"]
        previews: list[Preview] = []

        def prepare(dialog: Any) -> Any:
            previews.append(Preview(call, dialog, layer, area))
            return previews[0].close

        values = fill_in(call, "Make Underdrawing", "_Make", shown, prepare)
        drawn = previews[0].drawn
        values["convert"] = _may_convert(call.image, values["kind"])
    with connected("Making the underdrawing") as service:
        made = _make(service, call.image, layer, values, drawn)
    name = made.palette.get_name() if made.palette is not None else ""
    notes = list(made.notes)
    if made.record.model:
        notes.insert(0, "A trained model knows this underdrawing.")
    if call.interactive and notes:
        say(notes)
    return made.group, name, made.record.model, "\n".join(notes)


def _make(service: Service, image: Gimp.Image, layer: Gimp.Layer, values: dict[str, Any], drawn: Drawn | None) -> Made:
    wish = wish_of(values)
    colour = make_primitive.may_convert(image, wish)
    if values["known"]:
        found = recognition.underdrawing(service, image, layer, colour)
        if found is not None:
            return found
    return make_primitive.make(service, image, layer, wish, drawn)


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
    """Pictures in the dialog: the picture, and its underdrawing. Newest wins; an answer may be late.

    Attributes:
        drawn: the underdrawing that is shown, for the arguments as they are; None while it is being made.
    """

    def __init__(self, call: Call, dialog: Any, layer: Gimp.Layer, area: pixels.Rect) -> None:
        self.config, self.call = call.config, call
        self.background = Background()
        self.request: Request | None = None
        self.drawn: Drawn | None = None
        self.timer = 0
        self.layer, self.area = layer, area
        original, self.view = PictureView("Picture", *SIDE), PictureView("Underdrawing", *SIDE)
        self.state, self.note = widgets.label("", wrap=90), widgets.label("", wrap=90)
        views = widgets.row(spacing=widgets.GAP)
        for view in (original, self.view):
            views.pack_start(view.box, True, True, 0)
        area_box = dialog.get_content_area()
        for place, widget in enumerate((views, self.state, self.note)):
            widget.show_all()
            area_box.pack_start(widget, place == 0, True, widgets.GAP // 2)
            area_box.reorder_child(widget, place)
        original.set_from_pixbuf(widgets.pixbuf(pixels.small_frame(layer, area, 1024)))
        self.handler = self.config.connect("notify", lambda *_: self._later())
        self.known = ""
        self.background.ask("models.list", {}, lambda reply, _: self._models(reply))
        self._ask()

    def _models(self, reply: Reply | None) -> None:
        if not self.call.image.is_valid():
            return
        colour = bool(make_primitive.why_rgb(self.call.image, self.call.current()["kind"]))
        models = list(reply.body["models"]) if reply is not None else []
        found = training.models_of(self.layer, self.area, models, colour)
        self.known = str(found[0]["name"]) if found else ""
        self._say()

    def _say(self, notes: str = "") -> None:
        if self.known and self.call.current()["known"]:
            notes += " The model “%s” knows this picture: its underdrawing is used." % self.known
        self.note.set_text(notes.strip())

    def _later(self) -> None:
        self.drawn = None
        if self.timer:
            GLib.source_remove(self.timer)
        self.timer = GLib.timeout_add(CALM, self._ask)

    def _ask(self) -> bool:
        self.timer = 0
        if self.request is not None:
            self.background.give_up(self.request)
        if not self.call.image.is_valid():
            self.state.set_text("The picture was closed.")
            return False
        wish = wish_of(self.call.current())
        colour = bool(make_primitive.why_rgb(self.call.image, wish.kind))
        picture = pixels.read(self.layer, self.area, colour=colour)  # all of it: a smaller one has other areas
        self.state.set_text("Drawing the underdrawing…")

        def done(reply: Reply | None, error: EngineError | None) -> None:
            self._show(wish, picture, reply, error)

        self.request = self.background.begin(wish.request(picture), done, [picture])
        return False

    def _show(self, wish: Wish, picture: Frame, reply: Reply | None, error: EngineError | None) -> None:
        self.request = None
        self.state.set_text(error.message + " " + error.hint if error is not None else "")
        if reply is None:
            return
        planes = {plane["name"]: self.background.picture(reply, plane["hash"]) for plane in reply.body["planes"]}
        self.drawn = Drawn(wish, picture.hash, planes, reply.body["palette"], list(reply.body["notes"]))
        self.view.set_from_pixbuf(widgets.together([widgets.pixbuf(frame, SHOWN) for frame in planes.values()]))
        self._say(" ".join(self.drawn.notes))

    def close(self) -> None:
        """End it with the dialog."""
        if self.timer:
            GLib.source_remove(self.timer)
        self.config.disconnect(self.handler)
        self.background.close()
