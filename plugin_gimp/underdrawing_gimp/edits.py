"""Edits: what was painted, lifted and removed as a list, each of which can be taken back by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from . import apply, layers, lifted_layers, make_primitive, pixels, record, widgets
from .apply import Options
from .client.frames import Frame
from .client.messages import EngineError
from .gi import Gimp, gtk
from .notices import say
from .pick_window import outlined
from .picture_view import PictureView
from .plugin import Call
from .record import Record
from .service import Service, connected
from .transform import HARD, scaled
from .transform_bridge import Bridge
from .transform_dialog import followed

MOST = 640  # pixels of the longer side of the picture that is shown
SIDE = 480, 320  # pixels of the picture on the screen, at least
TAKE_BACK = 1
ALL_BACK = "Every edit is taken back. The picture is as it was."


@dataclass(frozen=True)
class Entry:
    """One edit.

    Attributes:
        mask: where it is, `L`, of the size of what the underdrawing covers.
        thing: id of what was lifted or removed; "" for what was painted.
        number: of what was painted, in the engine's list.
    """

    title: str
    mask: Frame
    thing: str = ""
    number: int = -1


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-edits`: titles, layer, notes."""
    known = followed(call)
    number, notes, layer = int(call.values["take_back"]), list[str](), None
    while True:
        with connected("Looking at the edits") as service:
            found = entries(service, call.image, known)
        if call.interactive:
            number = _choose(call, known, found)
        if number:
            with connected("Taking an edit back") as service:
                layer, notes = take_back(service, call.image, known, found, number - 1)
            found = [entry for place, entry in enumerate(found) if place != number - 1]
        if not call.interactive or not number:
            return "\n".join(entry.title for entry in found), layer, "\n".join(notes)
        if notes:
            say(notes)


def entries(service: Service, image: Gimp.Image, known: Record) -> list[Entry]:
    """The edits of a picture: what was painted, the largest first, then things."""
    bridge = Bridge.of(service, known)
    planes = bridge.planes(make_primitive.drawn_planes(image, known))
    found = []
    if planes:
        reply = service.edits(known.model, planes)
        for number, one in enumerate(reply.body["edits"]):
            lying = bridge.drawn({"segments": service.result(reply, one["mask"])})  # like a plane of hard areas
            if "segments" in lying:
                found.append(Entry(str(one["title"]), lying["segments"], "", number))
    source = record.source(image, known)
    names = {record.marked(layer, record.LIFTED): layer.get_name() for layer in lifted_layers.layers_of(image, source)}
    for thing, mask in lifted_layers.taken(source).items():
        title = "“%s” lifted" % names[thing] if thing in names else "Thing removed"
        found.append(Entry(title, pixels.cropped(mask, known.region), thing))
    return found


def take_back(
    service: Service, image: Gimp.Image, known: Record, found: list[Entry], place: int
) -> tuple[Gimp.Layer | None, list[str]]:
    """Undo one edit of a list and let the picture follow: the new result, None where nothing is edited any more.

    One undo step.

    Raises:
        EngineError: the list has no such edit, or is an old one, or the picture cannot follow; nothing is changed then.
    """
    record.need_open(image)
    if not 0 <= place < len(found):
        raise EngineError("bad_request", "There is no edit %d: the list has %d." % (place + 1, len(found)), "")
    if [one.mask.hash for one in entries(service, image, known)] != [one.mask.hash for one in found]:
        raise EngineError("bad_request", "The picture was edited since the list was made.", "Look at the list again.")
    entry = found[place]
    bridge = Bridge.of(service, known)
    edit = replace(apply.gather(image, known, bridge, entry.thing), mask=None)  # whatever is selected
    if not entry.thing:
        reply = service.edits(known.model, edit.planes, [entry.number])
        edit = replace(edit, planes={one["name"]: service.result(reply, one["hash"]) for one in reply.body["planes"]})
    results = _results(service, edit, bridge) if len(found) > 1 else []
    record.need_open(image)
    with layers.one_step(image):
        if entry.thing:
            lifted_layers.forget(image, record.source(image, known), entry.thing)
        else:
            layers.replace_planes(image, known, bridge.drawn(edit.planes))
        if results:
            return apply.place(image, known, results, Options())[0], results[0].notes
        for layer in layers.earlier_results(image, known):
            image.remove_layer(layer)
    return None, [ALL_BACK]


def _results(service: Service, edit: apply.Edit, bridge: Bridge) -> list[apply.Result]:
    """What is made of the edits that are left; nothing where these are lifted layers that lie where they were."""
    try:
        return apply.results_of(service, edit, bridge, Options())
    except EngineError as error:
        if error.code != "nothing_edited":
            raise
        return []


def _choose(call: Call, known: Record, found: list[Entry]) -> int:
    """The number of an edit that a person wants to take back; 0 for none."""
    Gtk, _, _, GimpUi = gtk()
    view = PictureView("The chosen edit lies where the picture is bright.", *SIDE)
    small = pixels.small_frame(record.source(call.image, known), known.region, MOST)
    base, size = widgets.pixbuf(small), (small.width, small.height)
    listed = Gtk.ListBox()
    for entry in found:
        listed.add(widgets.label(entry.title))
    dialog = Gtk.Dialog(title="Edits of “%s”" % record.title(call.image))
    dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
    back = dialog.add_button("_Take Back", TAKE_BACK)

    def chosen(_: Any, row: Any) -> None:
        back.set_sensitive(row is not None)
        picture = base.copy()
        if row is not None:
            lit = widgets.pixbuf_of(outlined(scaled(found[row.get_index()].mask, size, HARD)), *size, 4)
            how = gtk()[2].InterpType.NEAREST
            lit.composite(picture, 0, 0, *size, 0, 0, 1, 1, how, 255)
        view.set_from_pixbuf(picture)

    listed.connect("row-selected", chosen)
    content = widgets.column(spacing=widgets.GAP)
    content.set_border_width(widgets.GAP)
    content.pack_start(view.box, True, True, 0)
    content.pack_start(listed if found else widgets.label("Nothing is edited."), False, False, 0)
    dialog.get_content_area().pack_start(content, True, True, 0)
    GimpUi.window_set_transient(dialog)
    dialog.show_all()
    listed.select_row(listed.get_row_at_index(0))  # GTK may have done so when it was shown
    chosen(listed, listed.get_selected_row())
    answer, row = dialog.run(), listed.get_selected_row()
    dialog.destroy()
    return row.get_index() + 1 if answer == TAKE_BACK and row is not None else 0
