"""Animate Underdrawing: the layers of a group are frames; what the model makes of each is a frame of a new group."""

from __future__ import annotations

from typing import Any

from . import apply, layers, pixels, record
from .client.frames import Frame
from .client.messages import EngineError
from .dialogs import fill_in
from .gi import Gimp
from .notices import say
from .plugin import Call
from .record import Record
from .service import Service, connected
from .transform_bridge import Bridge
from .transform_dialog import followed

SELECT = "Select the group whose layers are the frames, the lowest being the first."


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-animate`: group, count, notes."""
    known = record.need(call.image, call.drawables)
    group = frames_group(call.drawables)
    values = call.values
    if call.interactive:
        values = fill_in(call, "Animate Underdrawing", "_Animate")
    known = followed(call)
    with connected("Animating the underdrawing") as service:
        made, notes = animate(service, call.image, known, group, values["frames"], values["plane"], values["seed"])
    if call.interactive:
        say(notes)
    return made, len(made.get_children()), "\n".join(notes)


def frames_group(drawables: list[Any]) -> Gimp.Layer:
    """The selected group.

    Raises:
        EngineError: no group is selected, or an empty one.
    """
    groups = [item for item in drawables if isinstance(item, Gimp.Layer) and item.is_group()]
    if len(groups) != 1:
        raise EngineError("bad_request", "No group of frames is selected.", SELECT)
    if not groups[0].get_children():
        raise EngineError("bad_request", "The group “%s” is empty." % groups[0].get_name(), SELECT)
    return groups[0]


def animate(
    service: Service, image: Gimp.Image, known: Record, group: Gimp.Layer, frames: str, plane: str, seed: int
) -> tuple[Gimp.Layer, list[str]]:
    """Make a frame of each layer; all of them come in one undo step, when the last is ready.

    Args:
        frames: "underdrawings" or "photographs".
        plane: of underdrawings that are a single layer, which plane they are.

    Raises:
        EngineError: a frame cannot be made; nothing is put into the picture then.
    """
    at, notes = record.place(image, known), []
    bridge = Bridge.of(service, known)
    made: list[Gimp.Layer] = []
    shots = list(reversed(group.get_children()))
    for number, shot in enumerate(shots):
        Gimp.progress_set_text("Frame %d of %d" % (number + 1, len(shots)))
        Gimp.progress_update(number / len(shots))
        if frames == "photographs":
            drawn = _seen(service, known, bridge.photograph(_shot(shot, at)))
        else:
            drawn = bridge.planes(_drawn(shot, plane, at))
        try:
            reply = service.apply(known.model, drawn, whole=True, seed=seed)
        except EngineError as error:
            text = "Frame %d (“%s”): %s" % (number + 1, shot.get_name(), error.message)
            raise EngineError(error.code, text, apply.explained(error).hint) from None
        result = bridge.result(apply.result_of(reply, service.result))
        notes += [note for note in (*result.unseen, *result.notes) if note not in notes]
        layer = layers.layer_for(image, "Frame %d" % (number + 1), result.picture)
        layer.set_offsets(at.x + result.at.x, at.y + result.at.y)
        made.append(layer)
    fresh = Gimp.GroupLayer.new(image, "Animation")
    with layers.one_step(image):
        image.insert_layer(fresh, group.get_parent(), image.get_item_position(group))
        for layer in made:
            image.insert_layer(layer, fresh, 0)
    return fresh, notes[:8]


def _shot(shot: Gimp.Layer, at: pixels.Rect) -> Frame:
    """A photograph as it lies over the underdrawing, 8 bits."""
    _, x, y = shot.get_offsets()
    return pixels.read_plane(shot, at.moved(-x, -y))


def _drawn(shot: Gimp.Layer, plane: str, at: pixels.Rect) -> dict[str, Frame]:
    """The planes of one frame: the layer itself, or those of a group, distinguished by their names."""
    if not shot.is_group():
        return {plane: _shot(shot, at)}
    drawn: dict[str, Frame] = {}
    for layer in shot.get_children():
        for kind in record.KINDS:
            if layer.get_name().lower().startswith(kind[:5]):
                drawn.setdefault(kind, _shot(layer, at))
    if not drawn:
        text = "The group “%s” has no layer whose name begins with Segments, Edges or Paint." % shot.get_name()
        raise EngineError("plane_missing", text, "Name its layers so, or use single layers as frames.")
    return drawn


def _seen(service: Service, known: Record, picture: Frame) -> dict[str, Frame]:
    """The underdrawing of a photograph, as the model knows underdrawings."""
    planes = service.model(known.model)["planes"]
    if "segments" in planes:
        reply = service.layout(known.model, picture)
    else:
        reply = service.make_primitive(picture, planes[0])
    return {entry["name"]: service.result(reply, entry["hash"]) for entry in reply.body["planes"]}
