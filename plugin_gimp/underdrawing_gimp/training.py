"""Learn This Picture: begins a training, finds one again, follows it. Trainings live in the engine, not in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from . import make_primitive, pixels, record
from .client.frames import Frame
from .client.messages import EngineError, new_id
from .gi import Gimp
from .record import Record
from .service import Service

OVER = ("done", "failed", "cancelled")
FOREVER = 1e9


@dataclass(frozen=True)
class Lesson:
    """How a picture is to be learnt.

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
    """What is learnt: the picture's pixels and its underdrawing, read from GIMP at one moment."""

    picture: Frame
    planes: dict[str, Frame]
    palette: list[dict[str, Any]]


def material(image: Gimp.Image, known: Record) -> Material:
    """Read what is to be learnt.

    Raises:
        EngineError: layers are missing, or do not fit.
    """
    known = record.as_now(image, known)
    picture = pixels.read(record.source(image, known), known.region)
    return Material(picture, make_primitive.drawn_planes(image, known), known.palette)


def request(image: Gimp.Image, lesson: Lesson, learnt: Material) -> dict[str, Any]:
    """The request `train`."""
    body: dict[str, Any] = {
        "picture": {"hash": learnt.picture.hash},
        "planes": make_primitive.references(learnt.planes),
        "name": model_name(image, lesson.name),
        "device": lesson.device,
        "key": new_id(),
    }
    if learnt.palette:
        body["palette"] = learnt.palette
    for key in ("method", "recipe"):
        if getattr(lesson, key):
            body[key] = getattr(lesson, key)
    if lesson.budget > 0:
        body["budget"] = lesson.budget
    return body


def model_name(image: Gimp.Image, wanted: str) -> str:
    """What a model of this picture is called: printable, at most 120 characters."""
    name = wanted or record.title(image)
    printable = "".join(letter if letter.isprintable() else " " for letter in name).strip()
    return printable[:120] or "Picture"


def begin(service: Service, image: Gimp.Image, known: Record, lesson: Lesson) -> dict[str, Any]:
    """Begin to learn; the picture remembers the model at once: {job, model, name, existing}.

    Raises:
        EngineError: why it cannot begin.
    """
    learnt = material(image, known)
    body = service.ask("train", request(image, lesson, learnt), [learnt.picture, *learnt.planes.values()]).body
    fresh = record.as_now(image, known).learnt(str(body["model"]), str(body["job"]))
    record.write(image, fresh, undoable=False)
    return body


def models_of(
    layer: Gimp.Layer, area: pixels.Rect, models: list[dict[str, Any]], colour: bool = False
) -> list[dict[str, Any]]:
    """Models of underdrawings that saw these very pixels, the newest first, whatever the picture remembers.

    Args:
        colour: the pixels as they will be when the picture has become one in RGB.
    """
    fitting = [m for m in models if m["planes"] and (m["width"], m["height"]) == (area.width, area.height)]
    if not fitting:
        return []
    now = pixels.pixel_hash(layer, area, colour)
    return [model for model in reversed(fitting) if model["picture_hash"] == now]


def follow(service: Service, job: str, on_event: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Wait until a training is over or paused: its last state.

    Raises:
        EngineError: it failed, and why.
    """
    last = service.ask("watch", {"job": job}, (), FOREVER, on_event).body
    if last["state"] == "failed":
        raise EngineError.from_dict(last.get("error"))
    return last


def progress_text(event: dict[str, Any]) -> str:
    """A progress event as a person reads it."""
    phase = event.get("phase")
    if phase == "preparing":
        return "Preparing"
    if phase == "exporting":
        return "Finishing: the model is written and checked"
    parts = ["Learning: %d %%" % round(100 * float(event.get("fraction") or 0))]
    left = event.get("left")
    if isinstance(left, (int, float)):
        parts.append("%s left" % duration(left))
    if event.get("device"):
        parts.append("on %s" % event["device"])
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    whole = max(0, round(seconds))
    if whole < 90:
        return "%d s" % whole
    if whole < 5400:
        return "%d min" % round(whole / 60)
    return "%.1f h" % (whole / 3600)
