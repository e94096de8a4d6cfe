"""Harmonize, Blend, Repaint: what a layer does to the picture below it becomes natural, on a new layer above it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from . import apply, flatten_view, layers, pixels, record, single_image, single_image_training
from .apply import Result
from .client.engine import given
from .client.ensure_model import Ready
from .client.frames import Frame
from .client.messages import EngineError
from .client.requests import GenerateRequest
from .flatten_view import Changed, View
from .gi import Gimp
from .plugin import Call
from .service import connected

AT_ONCE_ALONE = (
    "A model that a folder's model made at once cannot be fine-tuned on a composite, nor be trained at 700 pixels.",
    "Leave that out, or train on this picture.",
)
BEFORE = "before"  # in place of a layer: the picture that the model was trained on


@dataclass(frozen=True)
class Words:
    """How one of them speaks.

    Attributes:
        task: of the engine.
        title, yes: of the dialog.
        caption: of its second picture.
        result: name of the new layer.
        busy: in the progress bar.
        nothing: what is wrong where there is nothing below the layer, and what to do.
    """

    task: str
    title: str
    yes: str
    caption: str
    result: str
    busy: str
    nothing: tuple[str, str]


HARMONIZE = Words(
    "harmonize",
    "Harmonize Pasted Layer",
    "Har_monize",
    "With what was pasted",
    "Harmonized",
    "Harmonizing",
    (
        "No picture is visible below the layer “%s”.",
        "Put what was pasted on a layer of its own above the picture, and select that layer.",
    ),
)
BLEND = Words(
    "blend",
    "Blend Rough Edit",
    "_Blend",
    "As it was edited",
    "Blended",
    "Blending the edit",
    (
        "The original picture is not known: nothing is visible below the layer “%s”, and no model was trained on it.",
        "Edit a copy of the layer (Layer > Duplicate Layer), or give the layer with the original.",
    ),
)
REPAINT = Words(
    "repaint",
    "Repaint Rough Painting",
    "Re_paint",
    "With the painting",
    "Repainted",
    "Repainting",
    (
        "No picture is visible below the layer “%s”: there is no world that the painting could become a part of.",
        "Paint on a layer above a picture, and select that layer.",
    ),
)


def harmonize(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-harmonize`: layer, model, notes."""
    return _run(call, HARMONIZE)


def blend(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-blend`: layer, model, notes."""
    return _run(call, BLEND)


def repaint(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-repaint`: layer, model, notes."""
    return _run(call, REPAINT)


def _run(call: Call, words: Words) -> tuple[Any, ...]:
    layer = flatten_view.chosen(call.image, call.drawables)
    changed = flatten_view.changed_by(call.image, layer)
    if words.task == "harmonize" and changed.below is not None and changed.everywhere:
        text = "The layer “%s” covers the whole picture." % layer.get_name()
        raise EngineError(
            "nothing_edited", text, "Select the layer with what was pasted, or select a part of this one."
        )
    values = call.values
    if call.interactive:
        call.config.set_property("original", None) if words is not HARMONIZE else None
        values = _asked(call, words, layer, changed)
    original = values.get("original")
    view = flatten_view.layer_alone(call.image, original) if original is not None else changed.below
    ready = _model(call, words, layer, changed, view, values)
    pictures, frames = given(picture=changed.given.frame, mask=_mask(words, changed))
    with connected(words.busy) as service:
        wanted = GenerateRequest(ready.model, words.task, **pictures, **_options(values))
        reply = single_image.made(service, wanted, frames)
        result = apply.result_of(reply, service.result)
    made = put(call.image, layer, words, changed, result)
    return made, ready.model, single_image_training.notes_of(call, ready, result.notes)


def _model(
    call: Call, words: Words, layer: Gimp.Layer, changed: Changed, view: View | None, values: dict[str, Any]
) -> Ready:
    """The model for it: of what is below the layer, or, where nothing is, of what the picture was before.

    Raises:
        EngineError: there is none, and none can be trained.
    """
    size = (changed.given.frame.width, changed.given.frame.height)
    if view is None and (words is HARMONIZE or not single_image.remembered(call.image, size)):
        raise _nothing(words, layer)
    exact = view is not None and _compares(words, changed)
    wish = single_image.wish_of(call.image, words.task, values, changed.given.frame, exact)
    if wish.maker and (values.get("fine_tune") or wish.recipe):
        raise EngineError("bad_request", AT_ONCE_ALONE[0], AT_ONCE_ALONE[1])
    if values.get("fine_tune"):
        wish = replace(wish, composite=changed.given.frame, mask=changed.mask)
    if view is None:
        wish = replace(wish, anew=False)
    try:
        return single_image_training.model_for(call, view, wish, (view or changed.given).small)
    except EngineError as error:
        if error.code != "no_original":
            raise
        raise _nothing(words, layer) from None


def _asked(call: Call, words: Words, layer: Gimp.Layer, changed: Changed) -> dict[str, Any]:
    """What a person chooses."""
    choices: list[tuple[str, str]] = []
    if words is not HARMONIZE:
        if changed.below is not None:
            choices.append(("below", "What is visible below the layer"))
        elif single_image.remembered(call.image, (changed.given.frame.width, changed.given.frame.height)):
            choices.append((BEFORE, "The picture as it was trained on"))
        for other in record.all_layers(call.image.get_layers()):
            if (
                other.get_id() != layer.get_id()
                and not other.is_group()
                and not record.marked(other, flatten_view.RESULT)
            ):
                choices.append((str(other.get_id()), "The layer “%s”" % other.get_name()))
        if not choices:
            raise _nothing(words, layer)
    elif changed.below is None:
        raise _nothing(words, layer)
    if choices and choices[0][0].isdigit():
        first = Gimp.Layer.get_by_id(int(choices[0][0]))
        call.config.set_property("original", first)
        view: View | None = flatten_view.layer_alone(call.image, first)
    else:
        view = changed.below

    def choose(identity: str) -> View | None:
        if not identity.isdigit():
            return changed.below
        return flatten_view.layer_alone(call.image, Gimp.Layer.get_by_id(int(identity)))

    from .single_image_dialog import chosen  # where there is a screen

    exact = _compares(words, changed)
    pictures = [("The picture", (view or changed.given).small), (words.caption, changed.given.small)]
    return chosen(call, words.title, words.yes, words.task, view, pictures, choices, choose, exact)


def _compares(words: Words, changed: Changed) -> bool:
    """Whether the engine looks for what differs from the picture of the training: that must be the very original."""
    return words is BLEND and changed.everywhere


def _nothing(words: Words, layer: Gimp.Layer) -> EngineError:
    return EngineError("nothing_pasted", words.nothing[0] % layer.get_name(), words.nothing[1])


def _mask(words: Words, changed: Changed) -> Frame | None:
    """Where the picture may change; None: everywhere for a painting, for an edit where it differs from the original."""
    return None if changed.everywhere and words is not HARMONIZE else changed.mask


def _options(values: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"seed": values["seed"], "network_picture": values["network_picture"]}
    options |= {name: values[name] for name in ("grow", "feather") if values[name] >= 0}
    options |= {name: values[name] / 100 for name in ("light", "freedom") if name in values}
    return options


def put(image: Gimp.Image, layer: Gimp.Layer, words: Words, changed: Changed, result: Result) -> Gimp.Layer:
    """Put a result above the layer it is for, in place of an earlier one. One undo step.

    What was pasted or painted is hidden where the result covers all of it: nothing of it shows at the soft border.

    Raises:
        EngineError: the picture or the layer is gone.
    """
    size = (changed.given.frame.width, changed.given.frame.height)
    record.need_open(image)
    there = any(one.get_id() == layer.get_id() for one in record.all_layers(image.get_layers()))
    if not there or (image.get_width(), image.get_height()) != size:
        text = "The picture was cropped or scaled meanwhile, or the layer removed."
        raise EngineError("wrong_size", text, "The model is kept: choose the same again.")
    frame = result.picture
    if changed.given.frame.order.endswith("A"):
        frame = pixels.with_alpha_of(frame, pixels.cropped(changed.given.frame, result.at))
    made = layers.masked_layer(image, words.result, frame, result.mask, result.at.x, result.at.y)
    tattoo = str(layer.get_tattoo())
    record.mark(made, flatten_view.RESULT, tattoo)
    with layers.one_step(image):
        for old in [
            one for one in record.all_layers(image.get_layers()) if record.marked(one, flatten_view.RESULT) == tattoo
        ]:
            image.remove_layer(old)
        layers.insert_beside(image, made, layer)
        if words is not BLEND and not changed.selected:
            layer.set_visible(False)
    return made
