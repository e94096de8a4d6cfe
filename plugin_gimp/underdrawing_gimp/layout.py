"""Layout of Another Picture: how a second picture is laid out becomes the underdrawing of this one."""

from __future__ import annotations

from typing import Any

from . import layers, matching_window, pixels, record, widgets
from .applying import LEARN
from .bridging import Bridge
from .following_window import followed
from .gi_modules import Gimp, Gio, GLib, gtk
from .link.client import PARTS
from .link.messages import EngineError
from .link.pixels import Frame
from .pixels import Rect
from .plugin import Call, CancelledError
from .service import Service, connected

BY_HAND = 1  # the answer of a dialog


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-layout`: notes."""
    known = record.need(call.image, call.drawables)
    if not known.model:
        raise EngineError("unknown_model", "This picture is not learnt yet.", LEARN)
    known = followed(call)
    other, path, by_hand = call.values["other"], call.values["file"], False
    if call.interactive:
        other, path, by_hand = _choose(call.image)
    learnt = Rect(0, 0, *known.way.learnt) if known.way is not None else known.region
    if path:
        opened = load(path)
        try:
            picture = fitted(opened, learnt)
        finally:
            opened.delete()
    elif other is not None:
        picture = fitted(other, learnt)
    else:
        raise EngineError("bad_request", "No other picture was given.", "Give an open picture, or a file.")
    with connected("Looking at the layout of the other picture") as service:
        wish = {"areas": int(call.values["areas"]) or None, "match": _match(call.values["match"] or "")}
        if wish["match"] and not wish["areas"]:
            wish["areas"] = PARTS
        if by_hand:
            wish = {"areas": PARTS, "match": {}}
            body, frame = _asked(service, known, picture, wish)
            wish["match"] = matching_window.choose(picture, frame["segments"], body["areas"], body["palette"])
        notes = lay_out(service, call.image, known, picture, **wish)
    if call.interactive and not by_hand:
        for note in notes:
            Gimp.message(note)
    return ("\n".join(notes),)


def lay_out(
    service: Service,
    image: Gimp.Image,
    known: record.Record,
    picture: Frame,
    areas: int | None = None,
    match: dict[str, str] | None = None,
) -> list[str]:
    """Put the layout of a picture (of the size that was learnt) into the layers of the underdrawing; one undo step.

    Args:
        areas, match: as of the engine's `layout`.

    Returns:
        What is to be told; where `areas` is given, a line for each part.
    """
    body, drawn = _asked(service, known, picture, {"areas": areas, "match": match or {}})
    layers.replace_planes(image, known, Bridge.of(service.engine, known).drawn(drawn))
    given = match or {}
    parts = [
        "%d  %.0f %%  %s: %s" % (number, 100 * part["share"], part["name"], given.get(str(number), part["class"]))
        for number, part in enumerate(body["areas"])
    ]
    return [*body["notes"], *parts]


def _asked(
    service: Service, known: record.Record, picture: Frame, wish: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Frame]]:
    """The engine's answer, and the planes that it made, by their names."""
    reply = service.ask("layout", {"model": known.model, "picture": {"hash": picture.hash}, **wish}, [picture])
    return reply.body, {plane["name"]: service.picture(reply, plane["hash"]) for plane in reply.body["planes"]}


def _match(text: str) -> dict[str, str]:
    """Classes by the numbers of parts, out of lines "number=class".

    Raises:
        EngineError: a line is something else.
    """
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        number, equals, name = line.partition("=")
        if not (equals and number.strip().isdecimal() and name.strip()):
            raise EngineError("bad_request", "“%s” matches nothing." % line, "Write lines such as 2=sky.")
        found[number.strip()] = name.strip()
    return found


def load(path: str) -> Gimp.Image:
    """Open a file without showing it.

    Raises:
        EngineError: GIMP cannot read it.
    """
    try:
        opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    except GLib.Error as error:
        raise EngineError("file", "The file %s cannot be read: %s" % (path, error.message), "Choose another.") from None
    if opened is None:
        raise EngineError("file", "The file %s cannot be read." % path, "Choose another.")
    return opened


def fitted(image: Gimp.Image, area: Rect) -> Frame:
    """A picture as it is seen, scaled to cover an area of this size, its middle cut out; 8 bits, sRGB."""
    copy = image.duplicate()
    try:
        if copy.get_base_type() != Gimp.ImageBaseType.RGB:
            copy.convert_rgb()
        scale = max(area.width / copy.get_width(), area.height / copy.get_height())
        width, height = (
            max(area.width, round(copy.get_width() * scale)),
            max(area.height, round(copy.get_height() * scale)),
        )
        flat = copy.flatten()
        if (width, height) != (copy.get_width(), copy.get_height()):
            copy.scale(width, height)
        flat = copy.get_layers()[0]
        middle = Rect((width - area.width) // 2, (height - area.height) // 2, area.width, area.height)
        # Another picture's own profile says nothing about this one's underdrawing: what counts is what is seen.
        data = flat.get_buffer().get(middle.gegl(), 1.0, "R'G'B' u8", pixels.Gegl.AbyssPolicy.CLAMP)
        return Frame(area.width, area.height, "RGB", "u8", data)
    finally:
        copy.delete()


def _choose(image: Gimp.Image) -> tuple[Gimp.Image | None, str | None, bool]:
    """Which picture: an open one, or a file; and whether its parts are to be matched by hand.

    Raises:
        CancelledError: the dialog was closed.
    """
    Gtk, _, _, GimpUi = gtk()
    others = {str(one.get_id()): one for one in Gimp.get_images() if one.get_id() != image.get_id()}
    entries = [(identity, record.title(one)) for identity, one in others.items()]
    entries.append(("", "A file"))
    opened = widgets.choice(entries, entries[0][0])
    chooser = Gtk.FileChooserButton(title="Choose the Other Picture", action=Gtk.FileChooserAction.OPEN)
    dialog = Gtk.Dialog(title="Layout of Another Picture")
    dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    by_hand = dialog.add_button("_Match Areas…", BY_HAND)
    by_hand.set_tooltip_text("Say yourself which part of the other picture becomes which area of this one.")
    yes = dialog.add_button("_Take Its Layout", Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    text = "The areas of the other picture, in this picture's palette, become the underdrawing. Then apply the edit."
    rows = widgets.form([("_Picture", opened), ("_File", chooser)])

    def changed(*_: Any) -> None:
        file = not opened.get_active_id()
        chooser.set_sensitive(file)
        for button in (yes, by_hand):
            button.set_sensitive(not file or bool(chooser.get_filename()))

    opened.connect("changed", changed)
    chooser.connect("file-set", changed)
    changed()
    content = widgets.column(widgets.label(text), rows, spacing=widgets.GAP)
    content.set_border_width(widgets.GAP)
    dialog.get_content_area().add(content)
    GimpUi.window_set_transient(dialog)
    dialog.show_all()
    answer = dialog.run()
    identity, path = opened.get_active_id(), chooser.get_filename()
    dialog.destroy()
    if answer not in (Gtk.ResponseType.OK, BY_HAND):
        raise CancelledError
    return (*((others[identity], None) if identity else (None, path)), answer == BY_HAND)
