"""What the render worker does: underdrawings, applying models, generated pictures, models from folder models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.client.requests import (
    AgreementRequest,
    ApplyRequest,
    BetweenRequest,
    EditsRequest,
    GenerateRequest,
    InstantRequest,
    LayoutRequest,
    LiftRequest,
    PickRequest,
    PrimitiveRequest,
    RegionRequest,
)
from underdrawing.daemon.child_process import End
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext, Handler
from underdrawing.daemon.model_import import ModelImport
from underdrawing.daemon.validation import check_present
from underdrawing.store.manifest import Manifest, Procedure
from underdrawing.store.model_library import checked_name


def primitive(context: EngineContext, ask: Ask, wanted: PrimitiveRequest) -> None:
    """Make a primitive."""
    context.supervisor.warm()
    pins = check_present(context.spool, wanted.picture)
    _render(context, "primitive", wanted.to_args(), ask, _with_planes(ask), pins)


def region(context: EngineContext, ask: Ask, wanted: RegionRequest) -> None:
    """Move, scale, mirror, copy, remove, merge or split a region."""
    pins = check_present(context.spool, wanted.planes, wanted.region, wanted.into, wanted.picture)
    _render(context, "region", wanted.to_args(), ask, _with_planes(ask), pins)


def pick(context: EngineContext, ask: Ask, wanted: PickRequest) -> None:
    """Find the things that a person may mean."""
    pins = check_present(context.spool, wanted.picture, wanted.mask)
    answer = _with_frames(ask, lambda found: [one["mask"] for one in found["candidates"]])
    _render(context, "pick", wanted.to_args(), ask, answer, pins)


def lift(context: EngineContext, ask: Ask, wanted: LiftRequest) -> None:
    """A thing of a picture as a layer of its own."""
    pins = check_present(context.spool, wanted.picture, wanted.mask)
    _render(context, "lift", wanted.to_args(), ask, _with_pictures(ask, None, ("layer", "mask")), pins)


def layout(context: EngineContext, ask: Ask, wanted: LayoutRequest) -> None:
    """Segment another picture in a model's palette."""
    model = context.library.find(wanted.model)
    pins = check_present(context.spool, wanted.picture)
    _render(context, "layout", wanted.to_args() | _folders(context, model), ask, _with_planes(ask), pins)


def agreement(context: EngineContext, ask: Ask, wanted: AgreementRequest) -> None:
    """Compare planes with what models were trained on."""
    models = {name: context.library.find(name) for name in wanted.models}
    pins = check_present(context.spool, wanted.planes)
    args = wanted.to_args() | {"folders": {name: _folders(context, model) for name, model in models.items()}}
    _render(context, "agreement", args, ask, _with_pictures(ask, None, ()), pins)


def edits(context: EngineContext, ask: Ask, wanted: EditsRequest) -> None:
    """List what was painted on a model's underdrawing, and take some of it back."""
    model = context.library.find(wanted.model)
    pins = check_present(context.spool, wanted.planes)
    answer = _with_frames(
        ask, lambda found: [*(one["mask"] for one in found["edits"]), *(one["hash"] for one in found["planes"])]
    )
    _render(context, "edits", wanted.to_args() | _folders(context, model), ask, answer, pins)


def apply(context: EngineContext, ask: Ask, wanted: ApplyRequest) -> None:
    """Apply a model, and put back what was lifted."""
    model = None if wanted.model is None else context.library.find(wanted.model)
    pins = check_present(context.spool, wanted.planes, wanted.lifted, wanted.picture, wanted.mask)
    used = None if model is None else context.library.improved(model)
    measured = None if used is None else used.figures.get("measured")
    answer = _with_pictures(ask, model, ("picture", "mask", "merged", "confidence"), measured=measured)
    folders = {} if used is None else _folders(context, used)
    _render(context, "apply", wanted.to_args() | folders, ask, answer, pins)


def generate(context: EngineContext, ask: Ask, wanted: GenerateRequest) -> None:
    """Make pictures with a model of a picture.

    Raises:
        EngineError: the model was not trained for it.
    """
    model = context.library.find(wanted.model)
    known = [str(task) for task in model.plan.tasks]
    if wanted.task not in known:
        what = f"It can: {', '.join(known)}." if known else "It follows an underdrawing: use apply."
        if model.plan.procedure is Procedure.WRITE:
            what = "It makes models of pictures: use instant, then that model."
        raise EngineError("wrong_task", f"The model {model.name!r} was not trained to {wanted.task}.", what)
    pins = check_present(context.spool, wanted.picture, wanted.mask)
    answer = _with_pictures(ask, model, ("picture", "mask", "merged", "pictures"))
    _render(context, "generate", wanted.to_args() | _folders(context, model), ask, answer, pins)


def instant(context: EngineContext, ask: Ask, wanted: InstantRequest) -> None:
    """Make a model of a picture immediately, and take it into the library."""
    maker = _folder_model(context, wanted.model)
    pins = check_present(context.spool, wanted.picture)
    refused = EngineError("not_published", "The model could not be stored.", "Try again.")
    incoming = ModelImport(context, ask, "The model could not be made.", refused)
    name = checked_name(wanted.name or f"picture {incoming.identity[:4]}")
    args = wanted.to_args() | _folders(context, maker)
    args |= {"name": name, "identity": incoming.identity, "folder": str(incoming.folder)}
    _render(context, "instant", args, ask, incoming.ready, pins)
    incoming.discard_with_request()


def between(context: EngineContext, ask: Ask, wanted: BetweenRequest) -> None:
    """Pictures on the way from one picture to another."""
    model = _folder_model(context, wanted.model)
    pins = check_present(context.spool, wanted.picture, wanted.other)
    places = wanted.at or [number / (wanted.count - 1) for number in range(wanted.count)]
    args = wanted.to_args() | _folders(context, model) | {"at": [float(place) for place in places]}
    _render(context, "between", args, ask, _with_pictures(ask, model, ("pictures",)), pins)


HANDLERS: dict[str, Handler] = {
    "primitive": primitive,
    "region": region,
    "pick": pick,
    "lift": lift,
    "layout": layout,
    "agreement": agreement,
    "edits": edits,
    "apply": apply,
    "generate": generate,
    "instant": instant,
    "between": between,
}


def _folder_model(context: EngineContext, wanted: str) -> Manifest:
    """A model that makes models.

    Raises:
        EngineError: there is none, or it knows one picture only.
    """
    model = context.library.find(wanted)
    if model.plan.procedure is not Procedure.WRITE:
        text = f"The model {model.name!r} knows one picture, and makes no models of others."
        raise EngineError("wrong_task", text, "Train a folder model: underdrawing meta train FOLDER")
    return model


def _folders(context: EngineContext, model: Manifest) -> dict[str, Any]:
    """Where the renderer finds a model: one that is being trained may be finished before its turn comes."""
    library = context.library
    folder, finished = library.folder(model.id), library.models / model.id
    return {"model_folder": str(folder)} | ({} if folder == finished else {"finished_folder": str(finished)})


def _render(
    context: EngineContext, name: str, args: dict[str, Any], ask: Ask, answer: End, pins: tuple[str, ...]
) -> None:
    context.rendering.submit(context.task(name, args, ask.event, answer), ask, pins)


def _with_frames(ask: Ask, keys: Callable[[dict[str, Any]], Iterable[str]], **more: Any) -> End:
    """The answer with pictures.

    Args:
        keys: the pictures' hashes in an answer, in the order of its frames.
        more: further fields of the answer.
    """

    def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
        if found is None:
            ask.fail(error or EngineError("internal", "The renderer gave no answer."))
        else:
            ask.reply({**found, **more}, tuple(keys(found)))

    return answer


def _with_planes(ask: Ask) -> End:
    """The answer with the planes of a primitive, and the mask of what changed."""

    def keys(found: dict[str, Any]) -> list[str]:
        return [plane["hash"] for plane in found["planes"]] + ([found["mask"]] if found.get("mask") else [])

    return _with_frames(ask, keys)


def _with_pictures(ask: Ask, model: Manifest | None, names: tuple[str, ...], **more: Any) -> End:
    """The answer with the pictures that these fields name, in this order."""

    def keys(found: dict[str, Any]) -> list[str]:
        listed = (found.get(name) or [] for name in names)
        return [key for named in listed for key in (named if isinstance(named, list) else [named])]

    return _with_frames(ask, keys) if model is None else _with_frames(ask, keys, **more, model=model.id)
