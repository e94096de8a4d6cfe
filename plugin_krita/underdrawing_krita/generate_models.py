"""Models of the picture for what needs no underdrawing, by the policy of all front ends."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from . import generate_results
from .apply import eight_bits
from .client.ensure_model import Exchange, Follow, ModelSteps, Ready, ensure_model
from .client.messages import EngineError
from .client.requests import InstantRequest, TrainRequest
from .document_model import Workspace
from .generate_request import generated
from .generate_tasks import Wish
from .generate_training import followed, going
from .service import frames_of
from .task_inputs import Material


def model_for(ws: Workspace, wish: Wish, found: Material) -> Generator[Any, Any, Ready]:
    """A model of the picture that can do this."""
    remembered = ws.record.at_once if wish.maker else ws.record.alone
    # Where the picture is there, a model of another layer must not serve in its place.
    known = (remembered,) if remembered and found.trained is None else ()
    ready = yield from _driven(ws, ensure_model(wish.model(ws.name, known=known), found.trained))
    if not wish.maker:
        ws.keep(alone=ready.model)
    elif wish.use.on_picture:
        ws.keep(at_once=ready.model)
    return ready


def fine_tuned(ws: Workspace, wish: Wish, found: Material, model: str) -> Generator[Any, Any, str]:
    """A model that was trained further for this picture alone."""
    mask = found.mask
    if mask is None:
        reply = yield from generated(ws, wish, found, model)
        mask = generate_results.on_canvas(eight_bits(frames_of(reply, [str(reply.body["mask"])])[0]), reply, ws.size)
    wanted = wish.model(ws.name, composite=found.given, mask=mask)
    return (yield from _driven(ws, ensure_model(wanted, found.trained))).model


def _driven(ws: Workspace, steps: ModelSteps) -> Generator[Any, Any, Ready]:
    """The policy's steps, taken between those of Krita's interface."""
    try:
        asked = next(steps)
        while True:
            try:
                answer = yield from _answered(ws, asked)
            except EngineError as error:
                asked = steps.throw(error)
            else:
                asked = steps.send(answer)
    except StopIteration as end:
        ready: Ready = end.value
        return ready


def _answered(ws: Workspace, asked: Exchange | Follow) -> Generator[Any, Any, Any]:
    if isinstance(asked, Follow):
        return (yield from followed(ws, asked.status))
    if asked.request is None:
        yield None
        return None
    if isinstance(asked.request, InstantRequest):
        going(ws, "Making a model of the picture…")
    elif isinstance(asked.request, TrainRequest):
        going(ws, "Sending the picture…")
    return (yield ws.service.ask(asked.request.verb, asked.request.to_body(), asked.frames, asked.deadline))
