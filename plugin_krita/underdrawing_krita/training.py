"""Training a picture: begun, followed, paused, cancelled, and found again when the document is opened later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import read_layers
from .client.job_status import JobStatus
from .client.labels import duration, model_name
from .client.messages import EngineError, new_id
from .client.pixel_hash import pixel_hash_steps
from .document_model import Workspace
from .make_primitive import frame_image, make
from .record import Colour, ModelNote
from .service import FOREVER
from .tasks import Pause, Steps
from .ui_state import MakeOptions, TrainOptions

FOLLOW, SAMPLE = "follow", "sample"


def train(ws: Workspace, options: TrainOptions) -> Steps:
    """Send picture and underdrawing to the engine, and begin."""
    picture = yield from read_layers.picture(ws)
    planes = yield from read_layers.planes(ws)
    ws.doing_now("Sending the picture…")
    body: dict[str, Any] = {
        "picture": {"hash": picture.hash},
        "planes": read_layers.references(planes),
        "as_made": (yield from pixel_hash_steps(picture)),  # what was painted since is an edit, and not the truth
        "name": model_name(ws.name),
        "key": new_id(),
        **options.body(),
    }
    if ws.record.palette:
        body["palette"] = [colour.as_dict() for colour in ws.record.palette]
    reply = yield ws.service.ask("train", body, [picture, *planes.values()], 300.0)
    ws.train_again, ws.meanwhile, ws.sample = False, False, None
    ws.job = JobStatus.of(reply.body)
    ws.keep(job=ws.job.job, picture_hash=picture.hash)
    ws.beside(follow(ws, ws.job.job), FOLLOW)


def draft(ws: Workspace) -> Steps:
    """Begin the draft."""
    return train(ws, TrainOptions("draft", "", 0.0))


def drafted(ws: Workspace) -> Steps:
    """Make the draft, and wait for it.

    Raises:
        EngineError: there is none; why has been shown.
    """
    yield from draft(ws)
    while ws.running(FOLLOW):
        yield Pause(0.05)
    if not ws.record.model:
        raise EngineError("cancelled", "There is no draft.")


def start(ws: Workspace, picture: str, options: MakeOptions) -> Steps:
    """From a picture to the page of editing: its underdrawing, and the draft."""
    yield from make(ws, picture, options)
    yield from draft(ws)


def follow(ws: Workspace, job: str) -> Steps:
    """Follow a training to its end (or pause), whoever began it."""

    def hear(event: dict[str, Any]) -> None:
        before = ws.job or JobStatus(job, "")
        ws.job = before.after(event)
        if ws.job.sample and ws.job.sample != before.sample:
            _show_sample(ws, ws.job.sample)
        ws.touch()  # Live asks again where another state can be used

    reply = yield ws.service.ask("watch", {"job": job}, (), FOREVER, hear)
    ended = JobStatus.of(reply.body)
    ws.job = ended
    if ended.state != "paused":
        ws.meanwhile = False
    if ended.state == "done":
        yield from take(ws, ended.model)
        told = "Trained in %s. Paint on the underdrawing, and press Apply." % duration(ended.seconds)
        if ws.record.models and ws.record.models[-1].method == "draft":
            told = "The draft is ready. Paint on the underdrawing, and press Apply."
        ws.tell(" ".join((told, *ended.notes)))
    elif ended.state == "failed":
        error = ended.error or EngineError("failed", "Training failed.")
        _forget(ws, ended)
        ws.tell((error.message + " " + error.hint).strip(), True, ended.notes)
    elif ended.state == "cancelled":
        _forget(ws, ended)
        ws.tell("Training was cancelled.")
    ws.touch()


def _forget(ws: Workspace, job: JobStatus) -> None:
    """Nothing became of a training: neither it nor what could be used of it is there any more."""
    ws.record = ws.record.without_model(job.model)
    ws.meanwhile = False
    ws.keep(job="")


def meanwhile(ws: Workspace) -> Steps:
    """Paint with a model that is still being trained; its results get better by themselves."""
    job = ws.job
    if job is None or not job.usable_early:
        text = "The model cannot be used yet."
        raise EngineError("still_training", text, "Wait for it; or cancel it, and press “Start editing”.")
    yield from take(ws, job.model, job.job)
    ws.meanwhile = True
    ws.tell("Paint meanwhile. Results improve as training continues.")


def take(ws: Workspace, model: str, job: str = "") -> Steps:
    """Use a model for this document from now on: its palette is what areas are painted in.

    Args:
        job: the training that goes on, where the model is still being trained.
    """
    reply = yield ws.service.ask("models.show", {"model": model}, (), 30.0)
    body = reply.body
    palette = tuple(Colour.from_dict(entry) for entry in body["manifest"].get("palette") or ())
    note = ModelNote(str(body["id"]), str(body["name"]), str(body.get("method", "")))
    ws.record = ws.record.with_model(note)
    ws.keep(job=job, palette=palette or ws.record.palette)
    yield ws.service.ask("warm", {}, (), 30.0)  # loaded by the time that the first edit is painted


def _show_sample(ws: Workspace, key: str) -> None:
    ws.beside(_sample(ws, key), SAMPLE)


def _sample(ws: Workspace, key: str) -> Steps:
    try:
        reply = yield ws.service.fetch(key)
    except EngineError as error:
        if error.code != "unknown_picture":  # a newer one has taken its place
            raise
        return
    ws.sample = frame_image(reply.frames[0]) if reply.frames[0].depth == "u8" else None
    ws.touch()


def control(ws: Workspace, verb: str) -> Steps:
    """Pause, resume or cancel the training."""
    job = ws.job
    if job is None:
        return
    if verb == "cancel" and job.state == "paused":
        # A paused job has no watcher any more: what becomes of it is in the answer.
        reply = yield ws.service.ask(verb, {"job": job.job}, (), 60.0)
        ws.job = None
        _forget(ws, job)
        ws.tell("Training was cancelled.")
        return
    if verb == "resume":
        reply = yield ws.service.ask(verb, {"job": job.job}, (), 60.0)
        ws.job = JobStatus.of(reply.body)
        ws.beside(follow(ws, job.job), FOLLOW)
    else:
        # Whoever follows the job hears how it goes on, maybe sooner than this answer comes.
        ws.job = replace(job, stopping=verb)
        ws.touch()
        yield ws.service.ask(verb, {"job": job.job}, (), 60.0)
    ws.touch()


def find_again(ws: Workspace) -> Steps:
    """What became of the training and the models that the document remembers, while Krita was closed."""
    reply = yield ws.service.ask("jobs", {}, (), 60.0)
    mine: dict[str, Any] | None = next((j for j in reply.body["jobs"] if j.get("job") == ws.record.job), None)
    models = yield ws.service.ask("models.list", {}, (), 60.0)
    there = {str(model["id"]) for model in models.body["models"]}
    if mine is not None and JobStatus.of(mine).under_way:
        there.add(str(mine["model"]))  # what of it can be used already
    gone = [model for model in ws.record.models if model.id not in there]
    if mine is not None:
        ws.job = JobStatus.of(mine)
        if ws.job.under_way:
            if mine.get("sample"):
                _show_sample(ws, str(mine["sample"]))
            if ws.job.state != "paused":
                ws.beside(follow(ws, ws.job.job), FOLLOW)
        elif ws.job.state == "done" and ws.job.model in there:
            yield from take(ws, ws.job.model)
        else:
            ws.keep(job="")
    elif ws.record.job:
        ws.keep(job="")
    for model in gone:
        ws.record = ws.record.without_model(model.id)
    if gone:
        ws.save()
        names = ", ".join(sorted({model.name for model in gone}))
        ws.tell("The engine does not have the model “%s” any more. Train again." % names, True)
    ws.touch()
