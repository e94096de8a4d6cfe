"""Things of the picture: picked, lifted onto layers of their own, removed; and how Apply speaks of them.

A lifted thing is a paint layer that Krita's own tools move, transform, copy or delete. Apply reads it where it is then.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from . import layers, read_layers
from .client.frames import Frame
from .client.messages import EngineError
from .client.requests import LiftRequest, PickRequest
from .colour_space import Space
from .document_model import Workspace
from .make_primitive import LABEL
from .packing import pack, unpack
from .qt import QtCore
from .record import NOW, Lifted
from .service import frames_of
from .tasks import Steps
from .tiles import bands, read, write

NOTE = "underdrawing/thing/%d"
HALF, SELECTED = bytes(range(128)), re.compile(b"[\x80-\xff]+")
BANDS, MOST_BOXES = 100, 300  # of an outline
MOVE_TOOL = "KritaTransform/KisToolMove"
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Picked:
    """What was pointed at.

    Attributes:
        masks: of the things that may be meant, the smallest first; grey, of the picture's size.
        chosen: which of them is selected.
    """

    masks: tuple[Frame, ...]
    chosen: int
    inside: Points = ()
    outside: Points = ()


def pick(ws: Workspace, inside: Points, outside: Points = (), rough: Frame | None = None) -> Steps:
    """Select the thing at these points, or under a rough selection."""
    picture = yield from read_layers.picture(ws)
    shown = {"hash": picture.hash}
    points = [list(point) for point in inside], [list(point) for point in outside]
    request = PickRequest(shown, *points, None if rough is None else {"hash": rough.hash})
    frames = [picture] if rough is None else [picture, rough]
    reply = yield ws.service.ask(request.verb, request.to_body(), frames, 120.0)
    found = reply.body["candidates"]
    order = sorted(range(len(found)), key=lambda number: float(found[number]["share"]))
    masks = frames_of(reply, [str(found[number]["mask"]) for number in order])
    yield from _choose(ws, Picked(tuple(masks), order.index(0), inside, outside))
    share = "%.1f %% of the picture is selected." % (100 * float(found[0]["share"]))
    ws.tell(" ".join((share, *(str(note) for note in reply.body.get("notes") or ()))))


def step(ws: Workspace, by: int) -> Steps:
    """Select the next bigger or smaller thing."""
    selected, picked = _selected(ws), ws.picked
    if picked is None or bytes(picked.masks[picked.chosen].data) != bytes(selected.data):
        yield from pick(ws, (), (), selected)  # another tool selected this
        picked = ws.picked
    if picked is None or not 0 <= picked.chosen + by < len(picked.masks):
        ws.tell("There is nothing bigger here." if by > 0 else "There is nothing smaller here.")
        return
    yield from _choose(ws, replace(picked, chosen=picked.chosen + by))


def _choose(ws: Workspace, picked: Picked) -> Steps:
    ws.picked = picked
    yield from select(ws, picked.masks[picked.chosen])
    ws.touch()


def select(ws: Workspace, mask: Frame) -> Steps:
    """Make a mask of the picture's size Krita's selection."""
    import krita

    selection, pixels = krita.Selection(), memoryview(mask.data).cast("B")
    # The outline that is seen comes from `select` alone: with pixels only, nothing would seem to be selected.
    for x, y, wide, tall in _outline(mask):
        selection.select(x, y, wide, tall, 255)
        yield None
    for first, rows in bands(mask.width, mask.height):
        piece = bytes(pixels[first * mask.stride : (first + rows) * mask.stride])
        selection.setPixelData(QtCore.QByteArray(piece), 0, first, mask.width, rows)
        yield None
    ws.document.setSelection(selection)


def _outline(mask: Frame) -> list[tuple[int, int, int, int]]:
    """About what is selected, in a few rectangles: x, y, width and height."""
    data, stride = bytes(mask.data), mask.stride
    first, last = (len(data) - len(data.lstrip(HALF))) // stride, (len(data.rstrip(HALF)) - 1) // stride
    tall = max(1, (last - first) // BANDS)
    found = []
    for y in range(first, last + 1, tall):
        middle = min(y + tall // 2, last) * stride
        for run in SELECTED.finditer(data, middle, middle + mask.width):
            # One row more: outlines that only touch would both stay.
            found.append((run.start() - middle, y, run.end() - run.start(), min(tall + 1, mask.height - y)))
    return sorted(found, key=lambda box: box[2])[-MOST_BOXES:]  # of leaves and hair not each one: that takes its time


def _selected(ws: Workspace) -> Frame:
    """The selection.

    Raises:
        EngineError: "no_selection".
    """
    mask = read_layers.selection(ws)
    if mask is None:
        text = "Nothing is selected."
        raise EngineError("no_selection", text, "Pick a thing, or select it with any of Krita's selection tools.")
    return mask


def lift(ws: Workspace) -> Steps:
    """Put the selected thing onto a layer of its own, ready to be moved."""
    mask = _selected(ws)
    picture = yield from read_layers.picture(ws)
    space = Space.of(ws.need_picture()).converted
    request = LiftRequest({"hash": picture.hash}, {"hash": mask.hash}, space.order)
    reply = yield ws.service.ask(request.verb, request.to_body(), [picture, mask], 120.0)
    thing, was = frames_of(reply, [str(reply.body["layer"]), str(reply.body["mask"])])
    number = yield from _keep_mask(ws, was)
    ws.document.setSelection(None)  # Krita's tools would move a part of the layer only
    ws.picked = None
    group = ws.newest(ws.record.things)
    with layers.Maker(ws.krita, ws.document, space, nested=group is None) as maker:
        node = added = maker.layer("Thing %d" % number)
        parent, above = group, None if group is None else (group.childNodes() or [None])[-1]
        if group is None:
            added, parent = maker.layer("Things", "grouplayer"), ws.document.rootNode()
            added.addChildNode(node, None)
            above = (parent.childNodes() or [None])[-1]
        node.setColorLabel(LABEL)
        yield from layers.put_in(ws.document, added, parent, above)
    yield from write(node, thing, int(reply.body["x"]), int(reply.body["y"]))
    things = ws.record.things if group is not None else (layers.identity(added), *ws.record.things)
    ws.keep(lifted=(*ws.record.lifted, Lifted(number, layers.identity(node))), things=things)
    yield None  # a step of its own: Krita composes the whole picture
    ws.document.refreshProjection()
    ws.look()
    ws.document.setActiveNode(node)
    ws.no_redo = _redo(ws)
    move = ws.krita.action(MOVE_TOOL)
    if move is not None:
        move.trigger()
    ws.tell("“%s” is a layer now. Move, transform, copy or delete it, then press Apply." % node.name())


def remove(ws: Workspace) -> Steps:
    """Note that the selected thing is to be gone; Apply does it."""
    mask = _selected(ws)
    number = yield from _keep_mask(ws, mask)
    ws.document.setSelection(None)  # it would limit what Apply changes
    ws.picked = None
    ws.keep(lifted=(*ws.record.lifted, Lifted(number)))


def take_back(ws: Workspace, number: int, layer: str) -> Steps:
    """Let a thing be as it was in the picture: its layer goes, its removal is void. Apply does the rest.

    Args:
        number: of the mask of where it was; 0 for a layer that was put beside the lifted ones.
        layer: the id of its layer, or "".
    """
    ws.keep(lifted=tuple(_taken_back(one) if one.mask == number else one for one in ws.record.lifted))
    node, group = ws.layers.get(layer), ws.newest(ws.record.things)
    if node is not None:
        alone = group is not None and [layers.identity(child) for child in group.childNodes()] == [layer]
        yield from layers.idle(ws.document)
        (group if alone else node).remove()
        ws.look()


def _taken_back(one: Lifted) -> Lifted:
    # As after an undone lift: where its layer comes back, by undo, the thing is lifted again.
    return replace(one, state="undone") if one.layer else replace(one, back=NOW)


def withdraw(ws: Workspace) -> None:
    """What was to be removed and was not stays; what was to be taken back and was not remains removed."""
    kept = (replace(one, back="") if one.back == NOW else one for one in ws.record.lifted)
    ws.keep(lifted=tuple(one for one in kept if one.layer or one.result))


def drop_undone(ws: Workspace) -> None:
    """Forget what was undone: a new result is about to come, after which it cannot be done again."""
    kept = (one if _is_back(ws, one) else replace(one, back="") for one in ws.record.lifted)
    ws.record = replace(ws.record, lifted=tuple(o for o in kept if o.layer or o.back or _removed(ws, o)))


def applied(ws: Workspace, result: str) -> None:
    """In this result, and in later ones, what was to be removed is gone, and what was to be taken back is there."""
    kept = (one if one.layer or one.result else replace(one, result=result) for one in ws.record.lifted)
    ws.keep(lifted=tuple(replace(one, back=result) if one.back == NOW else one for one in kept))


def follow(ws: Workspace) -> None:
    """Note which lifted layers were deleted by the person, and which are gone because lifting was undone."""
    text = _redo(ws)
    undone = text != ws.no_redo if ws.no_redo else len(text.split()) > 1
    states = tuple(
        one
        if not one.layer or bool(one.state) != (one.layer in ws.layers)
        else replace(one, state="" if one.state else "undone" if undone else "removed")
        for one in ws.record.lifted
    )
    if states != ws.record.lifted:
        ws.keep(lifted=states)


def _redo(ws: Workspace) -> str:
    """The text of Krita's redo, which names what can be done again."""
    action = ws.krita.action("edit_redo")
    return "" if action is None else str(action.text())


def _removed(ws: Workspace, one: Lifted) -> bool:
    """Whether a thing is to be filled in and laid down nowhere."""
    if one.layer:
        return one.state == "removed"
    return not _is_back(ws, one) and (not one.result or _shown(ws, one.result))  # else its removal was undone


def _is_back(ws: Workspace, one: Lifted) -> bool:
    return one.back == NOW or _shown(ws, one.back)


def _shown(ws: Workspace, result: str) -> bool:
    """Whether the newest result that is in the document is this one, or came after it."""
    results = ws.record.results
    shown = next((number for number, key in enumerate(results) if key in ws.layers), len(results))
    return result in results and shown <= results.index(result)


def listed(ws: Workspace) -> list[tuple[str, int, str]]:
    """What was done to things: a title, and what `take_back` needs to know."""
    known = {one.layer: one.mask for one in ws.record.lifted if one.layer}
    removed = [("Thing %d removed" % one.mask, one.mask, one.layer) for one in ws.record.lifted if _removed(ws, one)]
    there = [
        ("%s %s" % (node.name(), "lifted" if key in known else "added"), known.get(key, 0), key)
        for key, node in _layers(ws).items()
    ]
    return removed + there


def present(ws: Workspace) -> bool:
    """Whether Apply has things to put back or to remove."""
    return any(_removed(ws, one) for one in ws.record.lifted) or bool(_layers(ws))


def _layers(ws: Workspace) -> dict[str, Any]:
    """Layers of things, the lowest first: those that were lifted, and all that was put beside them."""
    known, group = {one.layer for one in ws.record.lifted}, ws.newest(ws.record.things)
    if group is not None:
        known.update(layers.identity(child) for child in group.childNodes())
    return {key: node for key, node in ws.layers.items() if key in known}


def sent(ws: Workspace) -> Generator[Any, Any, tuple[list[dict[str, Any]], list[Frame]]]:
    """The field `lifted` of the request `apply`, and its pictures."""
    named: list[dict[str, Any]] = []
    frames: list[Frame] = []

    def name(pixels: Frame | None, was: Frame | None, x: int = 0, y: int = 0) -> None:
        if pixels is not None or was is not None:
            hashes = [None if frame is None else {"hash": frame.hash} for frame in (pixels, was)]
            named.append({"pixels": hashes[0], "was": hashes[1], "x": x, "y": y})
            frames.extend(frame for frame in (pixels, was) if frame is not None)

    for one in ws.record.lifted:
        if _removed(ws, one):
            name(None, (yield from _mask(ws, one.mask)))
    masks = {one.layer: one.mask for one in ws.record.lifted}
    for key, node in _layers(ws).items():
        was = (yield from _mask(ws, masks[key])) if key in masks else None
        box = node.bounds().intersected(QtCore.QRect(0, 0, *ws.size))
        pixels = None if box.isEmpty() else (yield from _pixels(ws, key, node, box))
        name(pixels, was, box.x(), box.y())
    return named, frames


def _pixels(ws: Workspace, key: str, node: Any, box: Any) -> Generator[Any, Any, Frame]:
    """A part of a layer; where it is as it was when it was read last, the same frame."""
    source, x, y, width, height = layers.reader(node), box.x(), box.y(), box.width(), box.height()
    rows = []
    for top, count in bands(width, height):
        rows.append(source(x, y + top, width, count))
        yield None
    before = ws.thing_pixels.get(key)
    if before is None or before[0] != (width, height, rows):
        frame = yield from read(lambda _, top, w, h: source(x, y + top, w, h), Space.of(node), width, height)
        before = ws.thing_pixels[key] = (width, height, rows), frame
    return before[1]


def _keep_mask(ws: Workspace, mask: Frame) -> Generator[Any, Any, int]:
    """Keep a mask with the document; its number."""
    number = 1 + max((one.mask for one in ws.record.lifted), default=0)
    packed = yield from pack([mask])
    ws.document.setAnnotation(NOTE % number, "Where a thing was", QtCore.QByteArray(packed))
    ws.thing_masks[number] = mask
    return number


def _mask(ws: Workspace, number: int) -> Generator[Any, Any, Frame]:
    """Where a thing was.

    Raises:
        EngineError: the note is damaged, or the document's size is another one by now.
    """
    if number not in ws.thing_masks:
        data = yield from unpack(ws.document.annotation(NOTE % number))
        width, height = ws.size
        if len(data) != width * height:
            text = "The document was cropped or scaled since a thing was lifted."
            raise EngineError("wrong_size", text, "Undo that, or delete the group “Things”.")
        ws.thing_masks[number] = Frame(width, height, "L", "u8", bytes(data))
    return ws.thing_masks[number]
