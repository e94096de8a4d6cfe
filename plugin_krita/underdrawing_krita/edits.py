"""The list of edits: what was painted and what was done to things, each of which can be taken back by itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from . import apply, layers, read_layers, things
from .client.messages import EngineError
from .client.requests import EditsRequest
from .document_model import Workspace
from .make_primitive import lay, palette_of, planes_of
from .tasks import Steps
from .ui_state import ApplyOptions


@dataclass(frozen=True)
class ListedEdit:
    """One edit.

    Attributes:
        title: what was done, for a person; of a painted edit also whereabouts in the picture.
        place: its exact bounds, for a person; "" for things.
        mask: the hash of what a painted edit changed; "" for things.
        thing, layer: of a thing, see `things.take_back`.
    """

    title: str
    place: str = ""
    mask: str = ""
    thing: int = 0
    layer: str = ""


def look(ws: Workspace) -> Steps:
    """Make the list anew."""
    found: tuple[ListedEdit, ...] = ()
    try:
        found = yield from _listed(ws)
    finally:
        ws.edits = found  # also after an error: what cannot be listed is not asked for without end
        ws.touch()


def _listed(ws: Workspace) -> Generator[Any, Any, tuple[ListedEdit, ...]]:
    """Painted edits, the largest first, then things."""
    reply = yield from _ask(ws)
    painted = []
    for one in reply.body["edits"]:
        x, y, width, height = (int(one[key]) for key in ("x", "y", "width", "height"))
        title = "%s (%s)" % (one["title"], _whereabouts(ws.size, x + width / 2, y + height / 2))
        painted.append(ListedEdit(title, "%d × %d pixels at %d, %d" % (width, height, x, y), str(one["mask"])))
    return (*painted, *(ListedEdit(title, thing=number, layer=key) for title, number, key in things.listed(ws)))


def _whereabouts(size: tuple[int, int], x: float, y: float) -> str:
    """In which ninth of the picture a point lies."""
    across = ("left", "", "right")[min(2, int(3 * x / size[0]))]
    down = ("top", "", "bottom")[min(2, int(3 * y / size[1]))]
    return " ".join(part for part in (down, across) if part) or "middle"


def _ask(ws: Workspace, without: Sequence[int] = ()) -> Generator[Any, Any, Any]:
    planes = yield from read_layers.planes(ws)
    request = EditsRequest(ws.record.model, read_layers.references(planes), list(without), "BGRA")
    return (yield ws.service.ask(request.verb, request.to_body(), list(planes.values()), 120.0))


def take_back(ws: Workspace, edit: ListedEdit, options: ApplyOptions) -> Steps:
    """Take one edit back, and have the result follow. Without any edit left, the result goes."""
    if edit.mask:
        yield from _unpaint(ws, edit)
    else:
        yield from things.take_back(ws, edit.thing, edit.layer)
    try:
        yield from apply.apply(ws, options, False)
    except EngineError as error:
        # A selection can hide from Apply what is still edited.
        limited = read_layers.selection(ws) is not None and (yield from _listed(ws))
        if error.code != "nothing_edited" or limited:
            raise
        yield from _remove_result(ws)
    finally:
        things.withdraw(ws)


def _unpaint(ws: Workspace, edit: ListedEdit) -> Steps:
    """The underdrawing without a painted edit.

    Raises:
        EngineError: "changed" where it is not in the list any more.
    """
    now = [one.mask for one in (yield from _listed(ws))]  # what was painted since may have changed the order
    if edit.mask not in now:
        ws.edits = None
        raise EngineError("changed", "This edit has changed since it was listed.", "Choose it in the new list.")
    reply = yield from _ask(ws, [now.index(edit.mask)])
    yield from lay(ws, planes_of(reply), ws.record.palette or palette_of(reply))


def _remove_result(ws: Workspace) -> Steps:
    node = ws.newest(ws.record.results)
    if node is not None:
        yield from layers.idle(ws.document)
        node.remove()
    yield None  # a step of its own: Krita composes the whole picture
    ws.document.refreshProjection()
    ws.look()
    ws.tell("No edits are left, so the result layer was removed. Undo brings it back.")
