"""Apply Edit: the picture that follows from the painted underdrawing, as one new layer with a mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from . import bake, layers, lifted_layers, make_primitive, pixels, record, training
from .client.call import Reply
from .client.engine import LiftedThing, given, references
from .client.frames import Frame
from .client.messages import EngineError
from .client.requests import ApplyRequest
from .gi import Gimp
from .pixels import Rect
from .record import Record
from .service import Service
from .transform_bridge import Bridge

LIMITED = "The selection limits this edit. For all of it, choose Select > None and apply again."
DRAFTED = "This is an instant draft. Train on This Picture makes the result better."
STOPGAP = "Training is at %d %%: another model made this. Apply again later for a better result."


@dataclass(frozen=True)
class Options:
    """How an edit becomes a result.

    Attributes:
        mask: "edit": what was painted, within the selection if there is one; "selection": the selection alone;
            "both": what was painted and the selection.
        grow: pixels by which the edit is widened; -1 for the engine's own choice.
        feather: width of the soft border, pixels.
        poisson: blend gradients, so that the border takes the picture's colours.
        fill: "draft", or "lama" where its weights are installed: what fills uncovered ground.
        whole: the whole picture instead of the edit alone.
        results: how many, 1 to 8; more than one helps where the method takes noise.
        seed: of the first.
        keep: leave the layers of earlier results.
        hide: hide the underdrawing afterwards, so that the result is seen.
        baked: also make a copy of the picture's layer with the result in it.
    """

    mask: str = "edit"
    grow: int = -1
    feather: float = 3.0
    poisson: bool = False
    fill: str = "draft"
    whole: bool = False
    results: int = 1
    seed: int = 0
    keep: bool = False
    hide: bool = True
    baked: bool = False


@dataclass(frozen=True)
class Edit:
    """What is sent, read from GIMP at one moment; without `picture` the engine takes what the model was trained on.

    Things that were only lifted, with no planes, need no model.
    """

    model: str
    planes: dict[str, Frame]
    picture: Frame | None
    mask: Frame | None
    at: Rect
    lifted: list[LiftedThing]


@dataclass(frozen=True)
class Result:
    """What came back: pixels and mask, and where they belong within the underdrawing."""

    picture: Frame
    mask: Frame
    merged: Frame | None
    at: Rect
    unseen: list[str]
    notes: list[str]
    seconds: float
    device: str


def gather(image: Gimp.Image, known: Record, bridge: Bridge, without: str = "") -> Edit:
    """Read what the engine needs.

    Args:
        without: id of a lifted or removed thing that is left out.

    Raises:
        EngineError: layers are missing or do not fit.
    """
    source = record.source(image, known)
    at = record.place(image, known)
    mask = bridge.mask(pixels.selection_frame(image, at))
    picture = pixels.read(source, known.region) if bridge.way is None else None
    lifted = lifted_layers.gather(image, source, known.region, without)
    if lifted and bridge.way is not None:
        raise EngineError("bad_request", lifted_layers.CHANGED, lifted_layers.UNDO)
    planes = bridge.planes(make_primitive.drawn_planes(image, known))
    return Edit(known.model, planes, picture, mask, at, lifted)


def request(edit: Edit, options: Options, seed: int) -> tuple[ApplyRequest, list[Frame]]:
    """The request `apply` and its pictures.

    Raises:
        EngineError: the selection is wanted as the mask, and nothing is selected.
    """
    modes = {"edit": "limit", "selection": "only", "both": "add"}
    if options.mask == "selection" and edit.mask is None and not options.whole:
        raise EngineError(
            "bad_request", "Nothing is selected.", "Select what may change, or take the edit as the mask."
        )
    pictures, frames = given(picture=edit.picture, mask=edit.mask)
    frames += [frame for thing in edit.lifted for frame in (thing.pixels, thing.was) if frame is not None]
    wanted = ApplyRequest(
        edit.model if edit.planes else None,
        references(edit.planes),
        lifted=[thing.to_json() for thing in edit.lifted],
        **pictures,
        mask_mode=modes[options.mask],
        grow=options.grow if options.grow >= 0 else None,
        feather=options.feather,
        blend="poisson" if options.poisson else "none",
        fill=options.fill,
        whole=options.whole,
        seed=seed,
        merged=options.baked,
    )
    return wanted, [*edit.planes.values(), *frames]


def result_of(reply: Reply, fetch: Any) -> Result:
    """A reply's pixels, mask and place.

    Args:
        fetch: a function (reply, hash) that gives a picture.
    """
    body = reply.body
    at = Rect(int(body["x"]), int(body["y"]), int(body["width"]), int(body["height"]))
    return Result(
        fetch(reply, body["picture"]),
        fetch(reply, body["mask"]),
        fetch(reply, body["merged"]) if "merged" in body else None,
        at,
        list(body.get("unseen") or []),
        list(body.get("notes") or []),
        float(body.get("seconds") or 0.0),
        str(body.get("device") or ""),
    )


def ask(service: Service, image: Gimp.Image, known: Record, options: Options) -> list[Result]:
    """The results of an edit; nothing in the picture is changed yet. A draft serves while the model is being trained.

    Raises:
        EngineError: why there is none.
    """
    try:
        return _ask(service, image, known, options)
    except EngineError as error:
        job = training.job_of(service, known) if error.code in ("unknown_model", "still_learning") else None
        if job is None:
            raise explained(error) from None
    share = round(100 * job.fraction)
    try:
        training.finish(service, known.draft)
        found = _ask(service, image, replace(known, model=known.draft), options)
    except EngineError as error:
        if error.code != "unknown_model":
            raise explained(error) from None
        text = "Training is at %d %%. There is no model yet." % share
        raise EngineError("still_learning", text, "Apply again later.") from None
    return [replace(result, notes=[STOPGAP % share, *result.notes]) for result in found]


def _ask(service: Service, image: Gimp.Image, known: Record, options: Options) -> list[Result]:
    bridge = Bridge.of(service, known)
    edit = gather(image, known, bridge)
    limited = [LIMITED] if edit.mask is not None and options.mask == "edit" and not options.whole else []
    found = results_of(service, edit, bridge, options)
    return [replace(result, notes=[*limited, *result.notes]) for result in found]


def results_of(service: Service, edit: Edit, bridge: Bridge, options: Options) -> list[Result]:
    """What the engine makes of an edit, as it lies in the picture."""
    found = []
    for number in range(options.results):
        wanted, frames = request(edit, options, options.seed + number)
        found.append(bridge.result(result_of(service.ask(wanted, frames), service.result)))
    return found


def explained(error: EngineError) -> EngineError:
    """An error of `apply` with what to do about it in GIMP."""
    hints = {
        "unknown_model": "Choose Filters > Underdrawing > Train on This Picture.",
        "nothing_edited": "Paint on the group “Underdrawing”, or change a lifted layer, then apply again.",
        "plane_missing": "Make the underdrawing again, or use the layers that the model was trained on.",
        "wrong_size": "The model was trained on another part of the picture: train on this one.",
    }
    return EngineError(error.code, error.message, hints.get(error.code, error.hint))


def place(image: Gimp.Image, known: Record, found: list[Result], options: Options) -> list[Gimp.Layer]:
    """Put results into the picture: new layers above the source, the first of them visible. One undo step."""
    record.need_open(image)
    origin = record.place(image, known)
    names = ["Result" if len(found) == 1 else "Result %d" % (number + 1) for number in range(len(found))]
    made = [
        layers.result_layer(image, known, name, result.picture, result.mask, origin, result.at)
        for name, result in zip(names, found)
    ]
    baked = bake.baked_copy(image, known, found[0]) if found[0].merged is not None else None
    with layers.one_step(image):
        layers.put_results(image, known, [*made, *([baked] if baked is not None else [])], options.keep)
        for layer in made[1:]:
            layer.set_visible(False)
        if options.hide:
            for shown in layers.painted_on(image, known):
                shown.set_visible(False)
            image.set_selected_layers([made[0]])  # what is pasted must not land in a hidden group
    return made
