"""Move, scale, mirror, copy and remove a region: segments, edges and paint together, chosen by the selection."""

from __future__ import annotations

from typing import Any

from . import layers, make_primitive, pixels, record
from .client.messages import EngineError
from .dialogs import fill_in
from .gi import Gimp
from .notices import say
from .plugin import Call
from .service import Service, connected

TITLES = {
    "move": "Move Region",
    "scale": "Scale Region",
    "mirror": "Mirror Region",
    "copy": "Copy Region",
    "remove": "Remove Region",
}

# Their keys are none of those that every dialog of GIMP has: Cancel, Help, Load, Reset, Save.
BUTTONS = {"move": "_Move", "scale": "Sc_ale", "mirror": "_Mirror", "copy": "Co_py"}


def run(call: Call) -> tuple[Any, ...]:
    """The procedures `underdrawing-move`, `-scale`, `-mirror`, `-copy` and `-remove`: notes."""
    operation = call.entry.name.rpartition("-")[2]
    known = record.as_now(call.image, record.need(call.image, call.drawables))
    need_selection(call.image)
    values = call.values
    if call.interactive and call.entry.arguments:
        values = fill_in(call, TITLES[operation], BUTTONS[operation])
    with connected(TITLES[operation]) as service:
        notes = change(service, call.image, known, operation, request_of(operation, values))
    if call.interactive:
        say(notes)
    return ("\n".join(notes),)


def need_selection(image: Gimp.Image) -> None:
    """Without a selection there is no region.

    Raises:
        EngineError: nothing is selected.
    """
    if Gimp.Selection.is_empty(image):
        raise EngineError(
            "bad_request",
            "No region is selected.",
            "Select it on the underdrawing, with the fuzzy selection tool on the layer “Segments” for example.",
        )


def request_of(operation: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values of an operation as the protocol has them."""
    if operation in ("move", "copy"):
        return {"dx": values["dx"], "dy": values["dy"]}
    if operation == "scale":
        return {"factor": [values["width"] / 100.0, values["height"] / 100.0]}
    if operation == "mirror":
        return {"axis": values["axis"]}
    return {}


def change(
    service: Service, image: Gimp.Image, known: record.Record, operation: str, values: dict[str, Any]
) -> list[str]:
    """Change the selected region on all planes of the underdrawing; one undo step. Sentences for the user.

    The selection is dropped: left where the region was, it would limit the edit to that place.

    Raises:
        EngineError: why it cannot be done; the picture is as it was.
    """
    drawn = make_primitive.drawn_planes(image, known)
    mask = pixels.selection_frame(image, record.place(image, known))
    if mask is None:
        need_selection(image)
        raise AssertionError  # an empty selection was refused just now
    reply = service.region(drawn, known.palette or None, operation, {"mask": mask}, **values)
    changed = {plane["name"]: service.result(reply, plane["hash"]) for plane in reply.body["planes"]}
    layers.replace_planes(image, known, changed, deselect=True)
    return list(reply.body["notes"])
