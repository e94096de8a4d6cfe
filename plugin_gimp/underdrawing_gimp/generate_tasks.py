"""Variations, Any Size, Animate Picture, Enlarge: pictures out of a model, as layers or as a new picture."""

from __future__ import annotations

from typing import Any

from . import flatten_view, layers, record, single_image, single_image_training
from .client.call import Reply
from .client.ensure_model import Ready
from .client.frames import Frame
from .client.labels import FRAMES_A_SECOND
from .client.requests import GenerateRequest
from .flatten_view import View
from .gi import Gimp
from .plugin import Call
from .service import Service, connected

WIDER = 1.5  # what Any Size offers at first: another shape than the picture has


def vary(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-vary`: group, count, model, notes."""
    view = flatten_view.whole(call.image)
    values, ready = _prepared(call, "vary", "Variations", "_Make", view)
    asked = {"count": values["count"], "freedom": values["freedom"] / 100, **_shared(values)}
    with connected("Making variations") as service:
        reply = single_image.made(service, GenerateRequest(ready.model, "vary", **asked), ())
        frames = _frames(service, reply)
    named = [("Variation %d" % (number + 1), frame) for number, frame in enumerate(frames)]
    group = put_variations(call.image, view, named, "Variations")
    return group, len(frames), ready.model, single_image_training.notes_of(call, ready, reply.body["notes"])


def resize(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-resize`: picture, model, notes."""
    view = flatten_view.whole(call.image)
    if call.interactive:
        call.config.set_property("width", min(round(view.frame.width * WIDER), 16384))
        call.config.set_property("height", view.frame.height)
    values, ready = _prepared(call, "resize", "Any Size", "_Make", view)
    size = {"width": values["width"] or view.frame.width, "height": values["height"] or view.frame.height}
    return _one(call, "resize", {**size, **_shared(values)}, ready)


def enlarge(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-enlarge`: picture, model, notes."""
    view = flatten_view.whole(call.image)
    values, ready = _prepared(call, "enlarge", "Enlarge", "_Enlarge", view)
    size = {name: round(getattr(view.frame, name) * values["times"]) for name in ("width", "height")}
    return _one(call, "enlarge", {**size, "network_picture": values["network_picture"]}, ready)


def animate(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-animate-picture`: picture, count, model, notes."""
    view = flatten_view.whole(call.image)
    values, ready = _prepared(call, "animate", "Animate Picture", "_Animate", view)
    asked = {"frames": values["frames"], "freedom": values["freedom"] / 100, **_shared(values)}
    with connected("Making the clip") as service:
        reply = single_image.made(service, GenerateRequest(ready.model, "animate", **asked), ())
        frames = _frames(service, reply)
    picture = new_clip(call.image, frames, reply.body.get("rate"))
    show(call, picture)
    return picture, len(frames), ready.model, single_image_training.notes_of(call, ready, reply.body["notes"])


def _shared(values: dict[str, Any]) -> dict[str, Any]:
    """What all but Enlarge ask for."""
    return {"seed": values["seed"], "network_picture": values["network_picture"]}


def _prepared(call: Call, task: str, title: str, yes: str, view: View) -> tuple[dict[str, Any], Ready]:
    """The arguments as they are wanted, and a model for them."""
    values = call.values
    if call.interactive:
        from .single_image_dialog import chosen  # where there is a screen

        values = chosen(call, title, yes, task, view, [("The picture", view.small)])
    wish = single_image.wish_of(call.image, task, values, view.frame)
    return values, single_image_training.model_for(call, view, wish, view.small)


def _one(call: Call, task: str, asked: dict[str, Any], ready: Ready) -> tuple[Any, ...]:
    """A new picture of another size."""
    with connected("Making the picture") as service:
        reply = single_image.made(service, GenerateRequest(ready.model, task, **asked), ())
        frame = service.result(reply, reply.body["picture"])
    picture = new_picture(call.image, [("Picture", frame)])
    show(call, picture)
    return picture, ready.model, single_image_training.notes_of(call, ready, reply.body["notes"])


def _frames(service: Service, reply: Reply) -> list[Frame]:
    return [service.result(reply, key) for key in reply.body["pictures"]]


def put_variations(image: Gimp.Image, view: View, named: list[tuple[str, Frame]], name: str) -> Gimp.Layer:
    """Put pictures with their names into a new group above all layers, the first of them visible. One undo step."""
    made = [layers.layer_for(image, title, frame) for title, frame in named]
    group = Gimp.GroupLayer.new(image, name)
    for layer in (group, *made):
        record.mark(layer, flatten_view.RESULT, flatten_view.FREE)
    selected = image.get_selected_layers()
    with layers.one_step(image):
        image.insert_layer(group, None, 0)
        for position, layer in enumerate(made):
            layer.set_offsets(view.at.x, view.at.y)
            layer.set_visible(not position)
            image.insert_layer(layer, group, position)
        if selected:
            image.set_selected_layers(selected)
    return group


def new_clip(image: Gimp.Image, frames: list[Frame], rate: float | None) -> Gimp.Image:
    """A new picture whose layers are the frames of a clip, the first at the bottom.

    Args:
        rate: frames a second; None for the usual.
    """
    # GIMP's GIF export reads from the names how long a frame stays; GIF counts in hundredths of a second.
    pause = 10 * max(2, round(100 / float(rate or FRAMES_A_SECOND)))
    names = ["Frame %d (%dms) (replace)" % (number + 1, pause) for number in range(len(frames))]
    return new_picture(image, list(zip(names, frames)))


def new_picture(image: Gimp.Image, sheets: list[tuple[str, Frame]]) -> Gimp.Image:
    """A picture of the same kind, depth and profile as this one, with these layers, the first at the bottom."""
    width, height = sheets[0][1].width, sheets[0][1].height
    fresh = Gimp.Image.new_with_precision(width, height, image.get_base_type(), image.get_precision())
    fresh.undo_disable()
    profile = image.get_color_profile()
    if profile is not None:
        fresh.set_color_profile(profile)
    _, across, down = image.get_resolution()
    fresh.set_resolution(across, down)
    for name, frame in sheets:
        fresh.insert_layer(layers.layer_for(fresh, name, frame), None, 0)
    fresh.undo_enable()
    return fresh


def show(call: Call, picture: Gimp.Image) -> None:
    """Open a new picture on the screen, where there is a person."""
    if call.interactive:
        Gimp.Display.new(picture)
        Gimp.displays_flush()
