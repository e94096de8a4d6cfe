"""Models of a picture that need no underdrawing: what is wished, which one serves, what the picture's file knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from . import record
from .client.call import Reply
from .client.ensure_model import Follow, ModelWish, Ready, ensure_model
from .client.frames import Frame
from .client.labels import RECIPES
from .client.request_fields import Request
from .client.requests import BetweenRequest, GenerateRequest
from .client.service_requests import JobsRequest, ModelsRequest, ShowModelRequest
from .gi import Gimp
from .service import Service

NOTE = "single-picture"  # on the image: which models were trained on it
MOST = 32  # of them that are remembered, the newest
LARGE = "-large"  # behind a recipe's name: the same at more pixels
LONGEST = 1800.0  # seconds for what is made: clips of large pictures take minutes without a graphics card


def remembered(image: Gimp.Image, size: tuple[int, int]) -> tuple[str, ...]:
    """Ids of models that the picture's file knows and that were trained at this width and height, the oldest first."""
    return tuple(model for model, *shape in _noted(image) if tuple(shape) == size)


def remember(image: Gimp.Image, model: str, size: tuple[int, int]) -> None:
    """Keep a model with the picture; the undo history does not know of it."""
    kept = [entry for entry in _noted(image) if entry[0] != model]
    text = json.dumps([*kept, [model, *size]][-MOST:])
    image.attach_parasite(Gimp.Parasite.new(NOTE, record.KEPT, text.encode("utf-8")))


def _noted(image: Gimp.Image) -> list[list[Any]]:
    note = image.get_parasite(NOTE)
    found = json.loads(bytes(note.get_data()).decode("utf-8")) if note is not None else []
    return [entry for entry in found if isinstance(entry, list)]


def wish_of(image: Gimp.Image, task: str, values: dict[str, Any], frame: Frame, exact: bool = False) -> ModelWish:
    """What model a procedure's arguments ask for.

    Args:
        task: one of the engine's.
        frame: the picture, or what became of it.
        exact: a model of the picture as it was before will not do.
    """
    exact = exact or bool(values.get("fine_tune"))
    return ModelWish(
        task,
        record.title(image),
        recipe=RECIPES[task] + LARGE if values.get("large") else "",
        maker=str(values.get("maker") or "").strip(),
        budget=None if values["time"] == "auto" else float(values["time"]),
        iterations=values["iterations"] or None,
        device=values["device"],
        anew=values["again"],
        known=() if exact else remembered(image, (frame.width, frame.height)),
    )


def outlook(
    wish: ModelWish, picture: Frame, models: Sequence[dict[str, Any]], jobs: Sequence[dict[str, Any]]
) -> Ready | Follow | Request:
    """What a wish leads to first: a model that is there, a training under way, or the request that makes a model.

    Args:
        models, jobs: what the engine says, the oldest first.

    Raises:
        EngineError: no model can be made.
    """
    steps, reply = ensure_model(wish, picture), None
    try:
        asked = next(steps)
        while True:
            if isinstance(asked, Follow):
                return asked
            if isinstance(asked.request, ModelsRequest):
                reply = Reply({"models": list(models)})
            elif isinstance(asked.request, JobsRequest):
                reply = Reply({"jobs": list(jobs)})
            elif isinstance(asked.request, ShowModelRequest):
                reply = Reply(next((one for one in models if asked.request.model in (one["id"], one["name"])), {}))
            elif asked.request is not None:
                return asked.request
            asked = steps.send(reply)
    except StopIteration as end:
        ready: Ready = end.value
        return ready


def made(service: Service, wanted: GenerateRequest | BetweenRequest, frames: Sequence[Frame | None]) -> Reply:
    """Ask for pictures, which may take long; GIMP's progress bar shows how far it is.

    Args:
        frames: those that the request names.

    Raises:
        EngineError: what the engine says.
    """

    def on_event(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event.get("of"):
            Gimp.progress_set_text("%d of %d" % (event["done"], event["of"]))
            Gimp.progress_update(float(event.get("fraction") or 0))

    return service.ask(wanted, [frame for frame in frames if frame is not None], LONGEST, on_event)
