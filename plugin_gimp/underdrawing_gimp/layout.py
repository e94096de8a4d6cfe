"""Layout of Another Picture: how a second picture is laid out becomes the underdrawing of this one."""

from __future__ import annotations

from typing import Any

from . import layers, matching_window, other_picture, record, widgets
from .client.frames import Frame
from .client.labels import AREAS
from .client.messages import EngineError
from .client.requests import LayoutRequest
from .gi import Gimp, gtk
from .notices import say
from .pixels import Rect
from .plugin import Call, CancelledError
from .service import Service, connected
from .transform_bridge import Bridge
from .transform_dialog import followed

BY_HAND = 1  # the answer of a dialog


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-layout`: notes."""
    known = followed(call)
    other, path, by_hand = call.values["other"], call.values["file"], False
    if call.interactive:
        other, path, by_hand = _choose(call.image)
    trained = Rect(0, 0, *known.way.trained) if known.way is not None else known.region
    with other_picture.opened(other, path) as opened:
        picture = other_picture.fitted(opened, trained)
    with connected("Looking at the layout of the other picture") as service:
        wish: dict[str, Any] = {"areas": int(call.values["areas"]) or None, "match": _match(call.values["match"] or "")}
        if wish["match"] and not wish["areas"]:
            wish["areas"] = AREAS
        if by_hand:
            wish = {"areas": AREAS, "match": {}}
            body, frame = _asked(service, known, picture, wish)
            wish["match"] = matching_window.choose(picture, frame["segments"], body["areas"], body["palette"])
        notes = lay_out(service, call.image, known, picture, **wish)
    if call.interactive and not by_hand:
        say(notes)
    return ("\n".join(notes),)


def lay_out(
    service: Service,
    image: Gimp.Image,
    known: record.Record,
    picture: Frame,
    areas: int | None = None,
    match: dict[str, str] | None = None,
) -> list[str]:
    """Put the layout of a picture (of the size of the training) into the layers of the underdrawing; one undo step.

    Args:
        areas, match: as of the engine's `layout`.

    Returns:
        Sentences for the user; where `areas` is given, a line for each part.
    """
    body, drawn = _asked(service, known, picture, {"areas": areas, "match": match or {}})
    layers.replace_planes(image, known, Bridge.of(service, known).drawn(drawn))
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
    reply = service.ask(LayoutRequest(known.model, {"hash": picture.hash}, **wish), [picture])
    return reply.body, {plane["name"]: service.result(reply, plane["hash"]) for plane in reply.body["planes"]}


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


def _choose(image: Gimp.Image) -> tuple[Gimp.Image | None, str | None, bool]:
    """Which picture: an open one, or a file; and whether its parts are to be matched by hand.

    Raises:
        CancelledError: the dialog was closed.
    """
    Gtk, _, _, GimpUi = gtk()
    dialog = Gtk.Dialog(title="Layout of Another Picture")
    dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    by_hand = dialog.add_button("_Match Areas…", BY_HAND)
    by_hand.set_tooltip_text("Say yourself which part of the other picture becomes which area of this one.")
    yes = dialog.add_button("_Take Its Layout", Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    text = "The areas of the other picture, in this picture's palette, become the underdrawing. Then apply the edit."

    def changed() -> None:
        for button in (yes, by_hand):
            button.set_sensitive(chooser.complete)

    chooser = other_picture.Chooser(image, changed)
    rows = widgets.form([("_Picture", chooser.opened), ("_File", chooser.file)])
    changed()
    content = widgets.column(widgets.label(text), rows, spacing=widgets.GAP)
    content.set_border_width(widgets.GAP)
    dialog.get_content_area().add(content)
    GimpUi.window_set_transient(dialog)
    dialog.show_all()
    yes.grab_focus()  # Return takes the layout, and opens no list
    answer = dialog.run()
    other, path = chooser.chosen
    dialog.destroy()
    if answer not in (Gtk.ResponseType.OK, BY_HAND):
        raise CancelledError
    return other, path, answer == BY_HAND
