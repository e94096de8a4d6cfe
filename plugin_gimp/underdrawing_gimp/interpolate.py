"""Between Two Pictures: what a folder's model makes of the way from this picture to another one."""

from __future__ import annotations

from enum import Enum
from typing import Any

from . import flatten_view, generate_tasks, layers, meta_models, other_picture, record, single_image
from .client.engine import given
from .client.frames import Frame
from .client.messages import EngineError
from .client.requests import BetweenRequest
from .flatten_view import View
from .gi import Gimp
from .notices import say
from .pixels import Rect
from .plugin import Call
from .service import connected


class Form(Enum):
    """What is made of the way."""

    LAYER = "layer"  # one place, as a layer
    LAYERS = "layers"  # the whole way, as layers
    CLIP = "clip"  # the whole way, as the frames of a new picture


USUAL = {Form.LAYER: 1, Form.LAYERS: 7, Form.CLIP: 24}  # pictures, where nothing is said


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-between`: group, picture, count, model, notes."""
    view = flatten_view.whole(call.image)
    values, other, path = call.values, call.values["other"], call.values["file"]
    if call.interactive:
        from .interpolate_dialog import chosen  # where there is a screen

        values, other, path = chosen(call, view)
    form = Form(values["as"])
    places = on_the_way(form, values["at"] / 100, values["count"])
    with other_picture.opened(other, path) as opened:
        like = None if view.frame.order.startswith("L") else call.image.get_layers()[0]
        target = other_picture.fitted(opened, Rect(0, 0, view.frame.width, view.frame.height), like)
    with connected("Making what lies between") as service:
        model = meta_models.maker_of(service, str(values["model"] or ""))
        pictures, sent = given(picture=view.frame, other=target)
        wanted = BetweenRequest(model, at=places, **pictures, **options(values))
        reply = single_image.made(service, wanted, sent)
        frames = [service.result(reply, key) for key in reply.body["pictures"]]
    named = list(zip([percent(place) for place in places], frames))
    group, picture = None, None
    if not call.image.is_valid():
        raise EngineError("wrong_size", "The picture was closed meanwhile.", "Open it, and choose the same again.")
    if form is Form.CLIP:
        picture = generate_tasks.new_clip(call.image, frames, reply.body.get("rate"))
        generate_tasks.show(call, picture)
    elif form is Form.LAYERS:
        group = generate_tasks.put_variations(call.image, view, named, "Between")
    else:
        group = put_one(call.image, view, "Between, %s" % named[0][0], frames[0])
    notes = [str(note) for note in reply.body["notes"]]
    if call.interactive:
        say(notes)
    return group, picture, len(frames), model, "\n".join(notes)


def on_the_way(form: Form, at: float, count: int) -> list[float]:
    """The places that are made, 0 for this picture, 1 for the other.

    Args:
        at: the one place of `Form.LAYER`.
        count: how many of the others, both ends included; 0 for the usual number.

    Raises:
        EngineError: a way of one picture.
    """
    if form is Form.LAYER:
        return [at]
    wanted = count or USUAL[form]
    if wanted < 2:
        raise EngineError("bad_request", "A way has two ends: one picture is too few.", "Give 2 or more, or one place.")
    return [number / (wanted - 1) for number in range(wanted)]


def options(values: dict[str, Any]) -> dict[str, Any]:
    """What the engine's `between` is given beside the pictures, the model and the places."""
    return {
        "scales": values["scales"],
        "freedom": values["freedom"] / 100,
        "seed": values["seed"],
        "network_picture": values["network_picture"],
    }


def percent(place: float) -> str:
    """A place on the way as a person reads it."""
    return "%d %%" % round(100 * place)


def put_one(image: Gimp.Image, view: View, name: str, frame: Frame) -> Gimp.Layer:
    """Put one picture above all layers. One undo step."""
    made = layers.layer_for(image, name, frame)
    record.mark(made, flatten_view.RESULT, flatten_view.FREE)
    made.set_offsets(view.at.x, view.at.y)
    selected = image.get_selected_layers()
    with layers.one_step(image):
        image.insert_layer(made, None, 0)
        if selected:
            image.set_selected_layers(selected)
    return made
