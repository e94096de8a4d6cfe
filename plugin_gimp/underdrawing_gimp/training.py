"""Train on This Picture: begins a training, finds one again, follows it. The engine trains, not this process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import make_primitive, original_planes, pixels, record
from .client.engine import references
from .client.frames import Frame
from .client.job_status import UNDER_WAY, JobStatus
from .client.labels import model_name
from .client.messages import EngineError, new_id
from .client.requests import TrainRequest
from .gi import Gimp
from .record import Record
from .service import Service

DRAFT = "draft"  # the method that needs no training


@dataclass(frozen=True)
class TrainingOptions:
    """How to train a model of a picture.

    Attributes:
        method: its name; "" for the engine's own choice.
        recipe: of the method; "" for its default.
        budget: seconds; 0 for the recipe's own.
        device: "auto", "cpu" or "cuda".
        name: of the model; "" for the picture's.
    """

    method: str = ""
    recipe: str = ""
    budget: float = 0.0
    device: str = "auto"
    name: str = ""


@dataclass(frozen=True)
class Material:
    """What a model is trained on, read from GIMP at one moment: the picture, and its underdrawing as it was made.

    Attributes:
        known: the record, with the region as it is now and the hash of its pixels.
    """

    known: Record
    picture: Frame
    planes: dict[str, Frame]


def material(image: Gimp.Image, known: Record) -> Material:
    """Read what a model is to be trained on.

    Raises:
        EngineError: layers are missing, or do not fit.
    """
    known = record.as_now(image, known)
    source = record.source(image, known)
    planes = original_planes.as_made(image, known, make_primitive.drawn_planes(image, known))
    known = replace(known, picture=pixels.pixel_hash(source, known.region))
    return Material(known, pixels.read(source, known.region), planes)


def request(image: Gimp.Image, options: TrainingOptions, given: Material, taken: Iterable[str]) -> TrainRequest:
    """The request `train`.

    Args:
        taken: names of other models.
    """
    return TrainRequest(
        {"hash": given.picture.hash},
        references(given.planes),
        given.known.palette or None,
        name=free_name(model_name(options.name or record.title(image)), taken),
        method=options.method or None,
        recipe=options.recipe or None,
        budget=options.budget or None,
        device=options.device,
        key=new_id(),
    )


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, or the name with the first number that makes it unlike all others."""
    others, number, found = set(taken), 1, name
    while found in others:
        number += 1
        found = "%s %d" % (name[:110], number)
    return found


def begin(service: Service, image: Gimp.Image, known: Record, options: TrainingOptions) -> Record:
    """Begin to train; the picture remembers the model immediately: its record, with model and job.

    Raises:
        EngineError: why it cannot begin.
    """
    given = material(image, known)
    models = service.models()
    meanwhile = ""
    if options.method != DRAFT:
        meanwhile = stopgap(given, models)
        if not meanwhile and can_draft(given):
            begun = _begin(service, image, given, draft_options(image), models)
            meanwhile = str(begun["model"])
    return remember(image, given, _begin(service, image, given, options, models), meanwhile)


def _begin(
    service: Service, image: Gimp.Image, given: Material, options: TrainingOptions, models: list[dict[str, Any]]
) -> dict[str, Any]:
    wanted = request(image, options, given, [model["name"] for model in models])
    return service.ask(wanted, [given.picture, *given.planes.values()]).body


def stopgap(given: Material, models: list[dict[str, Any]]) -> str:
    """A model of the same picture and underdrawing that can be used while another one is being trained, or ""."""
    there = {model["id"] for model in models}
    known = given.known
    return next((one for one in (known.model, known.draft) if one in there and known.way is None), "")


def can_draft(given: Material) -> bool:
    """Whether there is a method without training for these planes."""
    return bool({"segments", "edges"} & given.planes.keys())


def draft_options(image: Gimp.Image) -> TrainingOptions:
    """How a draft is made."""
    return TrainingOptions(method=DRAFT, name=model_name(record.title(image), DRAFT))


def remember(image: Gimp.Image, given: Material, begun: dict[str, Any], meanwhile: str = "") -> Record:
    """Keep with the picture which model is trained, what on, and which one serves until then."""
    fresh = replace(given.known.trained(str(begun["model"]), str(begun["job"])), draft=meanwhile)
    record.write(image, fresh, undoable=False)
    original_planes.keep(image, fresh.id, given.planes, undoable=False)
    return fresh


def draft(service: Service, image: Gimp.Image, known: Record) -> Record:
    """Make a model that needs no training; the picture remembers it: the record.

    Raises:
        EngineError: it cannot be made, and why.
    """
    given = material(image, known)
    if not can_draft(given):
        text = "Flat paint needs a trained model."
        raise EngineError("unknown_model", text, "Choose Filters > Underdrawing > Train on This Picture.")
    fresh = remember(image, given, _begin(service, image, given, draft_options(image), service.models()))
    follow(service, fresh.job).finished_model()
    return fresh


def finish(service: Service, model: str) -> None:
    """Wait for a model whose training is not over yet; does nothing for others.

    Raises:
        EngineError: it failed, and why.
    """
    for job in service.jobs():
        if job["model"] == model and job["state"] in UNDER_WAY:
            follow(service, str(job["job"])).check()


def job_of(service: Service, known: Record) -> JobStatus | None:
    """The training of the record's model, where it is not over yet."""
    jobs = [JobStatus.of(job) for job in service.jobs() if known.job == job["job"]] if known.job else []
    return next((job for job in jobs if job.under_way), None)


def models_of(
    layer: Gimp.Layer, area: pixels.Rect, models: list[dict[str, Any]], colour: bool = False
) -> list[dict[str, Any]]:
    """Models that were trained on these very pixels, the newest first; drafts do not count.

    Args:
        colour: the pixels as they will be when the picture has become one in RGB.
    """
    size = (area.width, area.height)
    fitting = [m for m in models if m["planes"] and m["method"] != DRAFT and (m["width"], m["height"]) == size]
    if not fitting:
        return []
    now = pixels.pixel_hash(layer, area, colour)
    return [model for model in reversed(fitting) if model["picture_hash"] == now]


def follow(service: Service, job: str) -> JobStatus:
    """Wait until a training is over or paused: how it ended. GIMP's progress bar shows how far it is."""
    status = JobStatus(job, "")

    def on_event(event: dict[str, Any]) -> None:
        nonlocal status
        status = status.after(event)
        Gimp.progress_update(status.fraction)
        Gimp.progress_set_text(status.text)

    return JobStatus.of(service.watch(job, on_event))
