"""Without an underdrawing: a model is trained once, then the picture is harmonized, blended, varied, resized, animated.

All of a use is one row of steps beside the work in hand, so that Krita and the docker stay usable during a training.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from . import generate_models, generate_results
from .client.job_status import JobStatus
from .document_model import Workspace
from .generate_request import generated, on_the_way
from .generate_tasks import Going, Use, Wish
from .generate_training import followed, going
from .task_inputs import Material, material
from .tasks import Steps

NAME = "alone"


def use(ws: Workspace, wish: Wish) -> Steps:
    """Do what is wished, after a training where none has been done."""
    ws.wished = wish.use
    try:
        wish.body(ws.size)  # too large a size is told now, and not after the training
        going(ws, "Reading the picture…")
        found = yield from ws.in_turn(material(ws, wish), "Reading the picture…")
        if wish.use.at_once and wish.maker != ws.record.maker:
            ws.keep(maker=wish.maker)
        if wish.use is Use.BETWEEN:
            reply = yield from on_the_way(ws, wish, found)
        else:
            found, reply = yield from _by_a_model(ws, wish, found)
        ws.going = None
        told = yield from ws.in_turn(generate_results.place(ws, wish, found, reply), "Putting it into the document…")
        ws.tell(" ".join((told, *(str(note) for note in reply.body.get("notes") or ()))))
    finally:
        ws.going = None
        ws.touch()


def _by_a_model(ws: Workspace, wish: Wish, found: Material) -> Generator[Any, Any, tuple[Material, Any]]:
    """What a model of the picture makes; and the material, which may have changed during the training."""
    ready = yield from generate_models.model_for(ws, wish, found)
    model = ready.model
    if ready.trained and found.given is not None:
        # What was changed during the training counts.
        found = replace((yield from ws.in_turn(material(ws, wish), "Reading the picture…")), trained=found.trained)
    if wish.fine_tune and found.given is not None:
        model = yield from generate_models.fine_tuned(ws, wish, found, model)
    return found, (yield from generated(ws, wish, found, model))


def control(ws: Workspace, verb: str) -> Steps:
    """Pause, resume or cancel the training; or give up what is made."""
    if ws.going is None:
        return  # it is being put into the document, and done in a moment
    job = ws.going.job
    if job is None or not job.under_way:
        if verb == "cancel":
            ws.stop(NAME)
            ws.tell("It was cancelled. Nothing was changed.")
        return
    if verb == "pause" and job.state == "paused":
        verb = "resume"
    paused = job.state == "paused"
    if not paused:
        ws.going = Going(job=replace(job, stopping=verb))
        ws.touch()
    reply = yield ws.service.ask(verb, {"job": job.job}, (), 60.0)
    if paused:
        # Nobody watches a paused job: what becomes of it is in the answer.
        state = JobStatus.of(reply.body)
        ws.going = Going(job=replace(state, state="cancelled") if verb == "cancel" else state)
        ws.touch()


def find_again(ws: Workspace) -> Steps:
    """What became of a training while Krita was closed."""
    reply = yield ws.service.ask("jobs", {}, (), 60.0)
    mine = next((JobStatus.of(j) for j in reply.body["jobs"] if j.get("job") == ws.record.alone_job), None)
    if mine is None or (not mine.under_way and mine.state != "done"):
        ws.keep(alone_job="")
        return
    ws.going, ws.wished = Going(job=mine), None
    ws.touch()
    try:
        model = (yield from followed(ws, mine)).finished_model()
        reply = yield ws.service.ask("models.show", {"model": model}, (), 30.0)
        told = "Training has finished. Press the button again to use the model."
        if not reply.body.get("base"):
            ws.keep(alone=model)
        elif ws.record.maker:
            ws.keep(at_once=model)
            told = "The model was refined meanwhile. Choose the same time again, and press the button."
        ws.tell(told)
    finally:
        ws.going = None
        ws.touch()
