"""Pick and Lift: a thing of the picture that is pointed at becomes a layer of its own, the selection, or is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from . import apply_dialog, layers, lifted_layers, pixels, record, transform
from .apply import Options
from .client.call import Reply
from .client.frames import Frame
from .client.messages import EngineError, new_id
from .client.requests import PickRequest
from .gi import Gegl, Gimp
from .picture_view import Point
from .pixels import Rect
from .plugin import Call
from .record import Record
from .service import connected

SIDE = 1024  # pixels of the longer side that is looked at for what is pointed at
NAME = "Lifted thing"


class Action(Enum):
    """What becomes of the thing."""

    LIFT = "lift"
    SELECT = "select"
    REMOVE = "remove"


@dataclass(frozen=True)
class Thing:
    """A thing, cut out of its layer's pixels.

    Attributes:
        picture: its pixels with a soft alpha, and their place in the layer.
        mask: the same alpha, of the layer's size.
    """

    picture: Frame
    at: Rect
    mask: Frame


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-pick`: layer, notes."""
    source = layers.chosen_layer(call.image, call.drawables)
    values = call.values
    if call.interactive:
        from .pick_window import Window  # where there is a screen

        action, mask = Window(call.image, source).run()
    else:
        _, x, y = source.get_offsets()
        spot = (values["x"] + 0.5 - x) / source.get_width(), (values["y"] + 0.5 - y) / source.get_height()
        action, small = Action(values["action"]), small_picture(source)
        with connected("Looking for the thing") as service:
            reply = service.ask(pick_request(small, [spot], []), [small])
            masks, first = candidates(reply, service.result)
        mask = masks[min(max(first + values["size"], 0), len(masks) - 1)]
    return act(call, source, action, mask)


def run_selection(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-lift-selection`: layer, notes."""
    source = layers.chosen_layer(call.image, call.drawables)
    _, x, y = source.get_offsets()
    mask = pixels.selection_frame(call.image, Rect(x, y, source.get_width(), source.get_height()))
    if mask is None:
        text = "Nothing of the picture is selected."
        raise EngineError("bad_request", text, "Select the thing, roughly or exactly, or choose Pick and Lift.")
    return act(call, source, Action.LIFT, mask)


def small_picture(source: Gimp.Layer) -> Frame:
    """The picture at the size at which it is pointed at."""
    return pixels.small_frame(source, Rect(0, 0, source.get_width(), source.get_height()), SIDE)


def pick_request(small: Frame, inside: Sequence[Point], outside: Sequence[Point]) -> PickRequest:
    """What is pointed at, as the engine is asked."""
    points = [[[x * small.width, y * small.height] for x, y in spots] for spots in (inside, outside)]
    return PickRequest({"hash": small.hash}, inside=points[0], outside=points[1])


def candidates(reply: Reply, fetch: Any) -> tuple[list[Frame], int]:
    """Masks of what may be meant, the smallest first, and the place of the most likely one.

    Args:
        fetch: a function (reply, hash) that gives a picture.
    """
    found = reply.body["candidates"]
    order = sorted(range(len(found)), key=lambda number: float(found[number]["share"]))
    return [fetch(reply, found[number]["mask"]) for number in order], order.index(0)


def act(call: Call, source: Gimp.Layer, action: Action, mask: Frame) -> tuple[Any, ...]:
    """Lift the thing under a mask off its layer, select it, or remove it: the new layer, and notes.

    Args:
        mask: `L`, of the layer's size or smaller.
    """
    size = (source.get_width(), source.get_height())
    picture = pixels.read(source, Rect(0, 0, *size))
    rough = transform.scaled(mask, size, transform.SOFT)
    with connected("Lifting") as service:
        reply = service.lift(picture, rough)
        cut = service.result(reply, reply.body["layer"])
        at = Rect(int(reply.body["x"]), int(reply.body["y"]), cut.width, cut.height)
        thing = Thing(cut, at, service.result(reply, reply.body["mask"]))
    record.need_open(call.image)
    if action is Action.SELECT:
        select(call.image, source, thing.mask)
        return None, ""
    known, layer = take(call.image, source, thing, action is Action.LIFT)
    if action is Action.LIFT:
        return layer, ""
    layer, _, _, notes = apply_dialog.apply_edit(call, known, [], Options())
    return layer, notes


def select(image: Gimp.Image, source: Gimp.Layer, mask: Frame) -> None:
    """Make a mask of the layer's size the selection. One undo step."""
    _, x, y = source.get_offsets()
    with layers.one_step(image):
        black = Gegl.Color.new("black")
        channel = Gimp.Channel.new(image, NAME, image.get_width(), image.get_height(), 100.0, black)
        channel.fill(Gimp.FillType.TRANSPARENT)
        image.insert_channel(channel, None, 0)
        pixels.write_mask(channel, mask, x, y)
        image.select_item(Gimp.ChannelOps.REPLACE, channel)
        image.remove_channel(channel)


def take(image: Gimp.Image, source: Gimp.Layer, thing: Thing, kept: bool) -> tuple[Record, Gimp.Layer | None]:
    """Take a thing off a layer, which stays as it is: its place is remembered, and filled when the edit is applied.

    One undo step.

    Args:
        kept: as a layer of its own above; else it is removed.
    """
    _, x, y = source.get_offsets()
    identity = new_id()[:12]
    layer = None
    if kept:
        layer = layers.layer_for(image, NAME, thing.picture)
        layer.set_offsets(x + thing.at.x, y + thing.at.y)
        record.mark(layer, record.LIFTED, identity)
    whole = Rect(0, 0, source.get_width(), source.get_height())
    with layers.one_step(image):
        known = record.read(image, [source])
        if known is None or known.region != whole:  # an underdrawing of a part does not reach as far
            known = replace(Record.fresh(source, whole, [], pixels.pixel_hash(source, whole)), drawn=False)
            record.mark_source(source, known)
        record.write(image, known, undoable=True)
        lifted_layers.remember(source, identity, thing.mask)
        Gimp.Selection.none(image)  # it would limit what is done to the layer
        if layer is not None:
            image.insert_layer(layer, source.get_parent(), layers.topmost_place(image, source))
            image.set_selected_layers([layer])
    return known, layer
