"""Learning a picture: begun, followed, paused, cancelled, and found again when the document is opened later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import read_layers
from .client.messages import EngineError, new_id
from .client.pixel_hash import pixel_hash_steps
from .document_model import Workspace
from .i18n import duration, tr
from .make_primitive import frame_image
from .record import Colour, ModelNote
from .service import FOREVER
from .tasks import Steps
from .ui_state import Job, LearnOptions

FOLLOW, SAMPLE = "follow", "sample"


def learn(ws: Workspace, options: LearnOptions) -> Steps:
    """Send picture and underdrawing to the engine, and begin."""
    picture = yield from read_layers.picture(ws)
    planes = yield from read_layers.planes(ws)
    ws.doing_now(tr("Sending the picture…"))
    body: dict[str, Any] = {
        "picture": {"hash": picture.hash},
        "planes": read_layers.references(planes),
        "as_made": (yield from pixel_hash_steps(picture)),  # what was painted since is an edit, and not the truth
        "name": "".join(c for c in ws.name if c.isprintable())[:100] or tr("picture"),
        "key": new_id(),
        **options.body(),
    }
    if ws.record.palette:
        body["palette"] = [colour.as_dict() for colour in ws.record.palette]
    reply = yield ws.service.ask("train", body, [picture, *planes.values()], 300.0)
    ws.learn_again, ws.meanwhile, ws.usable, ws.sample = False, False, -1, None
    ws.job = Job(str(reply.body["job"]), str(reply.body["model"]), str(reply.body["name"]))
    ws.keep(job=ws.job.id, picture_hash=picture.hash)
    ws.beside(follow(ws, ws.job.id), FOLLOW)


def follow(ws: Workspace, job: str) -> Steps:
    """Follow a training to its end (or pause), whoever began it."""

    def hear(event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "state":
            ws.job = Job.of(event)
            if event.get("sample"):
                _show_sample(ws, str(event["sample"]))
        elif kind == "progress" and ws.job is not None:
            ws.job = replace(
                ws.job,
                phase=str(event.get("phase", "")),
                fraction=float(event.get("fraction") or 0.0),
                left=event.get("left"),
                rate=event.get("rate"),
                device=str(event.get("device") or ""),
            )
        elif kind == "sample":
            _show_sample(ws, str(event.get("hash")))
        elif kind == "usable":
            # Live sees that this number is another one, and asks again.
            ws.usable = int(event.get("iteration") or 0)
        elif kind == "note" and ws.job is not None:
            ws.job = replace(ws.job, notes=(*ws.job.notes, str(event.get("text", ""))))
        ws.touch()

    reply = yield ws.service.ask("watch", {"job": job}, (), FOREVER, hear)
    ended = Job.of(reply.body)
    ws.job = ended
    if ended.state != "paused":
        ws.meanwhile, ws.usable = False, -1
    if ended.state == "done":
        yield from take(ws, ended.model)
        seconds = float((reply.body.get("figures") or {}).get("seconds") or 0.0)
        told = tr("Learnt in %s. Paint on the underdrawing, and press Apply.") % duration(seconds)
        if ws.record.models and ws.record.models[-1].method == "draft":
            told = tr("The draft is ready. Paint on the underdrawing, and press Apply.")
        ws.tell(" ".join((told, *ended.notes)))
    elif ended.state == "failed":
        error = ended.error or EngineError("failed", tr("Learning failed."))
        _forget(ws, ended)
        ws.tell((error.message + " " + error.hint).strip(), True, ended.notes)
    elif ended.state == "cancelled":
        _forget(ws, ended)
        ws.tell(tr("Learning was cancelled."))
    ws.touch()


def _forget(ws: Workspace, job: Job) -> None:
    """Nothing became of a training: neither it nor what could be used of it is there any more."""
    ws.record = ws.record.without_model(job.model)
    ws.meanwhile, ws.usable = False, -1
    ws.keep(job="")


def meanwhile(ws: Workspace) -> Steps:
    """Paint with what is still being learnt; what it makes gets better by itself."""
    job = ws.job
    if job is None or not job.early:
        text = tr("What is being learnt cannot be used yet.")
        raise EngineError("still_learning", text, tr("Wait for it; or cancel it, and start at once with a draft."))
    yield from take(ws, job.model, job.id)
    ws.meanwhile = True
    ws.tell(tr("Paint meanwhile. Results improve as training continues."))


def take(ws: Workspace, model: str, job: str = "") -> Steps:
    """Use a model for this document from now on: its palette is what areas are painted in.

    Args:
        job: the training that goes on, where the model is still being learnt.
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
        reply = yield ws.service.ask(verb, {"job": job.id}, (), 60.0)
        ws.job = None
        _forget(ws, job)
        ws.tell(tr("Learning was cancelled."))
        return
    if verb == "resume":
        reply = yield ws.service.ask(verb, {"job": job.id}, (), 60.0)
        ws.job = Job.of(reply.body)
        ws.beside(follow(ws, job.id), FOLLOW)
    else:
        # Whoever follows the job hears how it goes on, maybe sooner than this answer comes.
        ws.job = replace(job, stopping=verb)
        ws.touch()
        yield ws.service.ask(verb, {"job": job.id}, (), 60.0)
    ws.touch()


def find_again(ws: Workspace) -> Steps:
    """What became of the training and the models that the document remembers, while Krita was closed."""
    reply = yield ws.service.ask("jobs", {}, (), 60.0)
    mine: dict[str, Any] | None = next((j for j in reply.body["jobs"] if j.get("job") == ws.record.job), None)
    models = yield ws.service.ask("models.list", {}, (), 60.0)
    there = {str(model["id"]) for model in models.body["models"]}
    if mine is not None and Job.of(mine).alive:
        there.add(str(mine["model"]))  # what of it can be used already
    gone = [model for model in ws.record.models if model.id not in there]
    if mine is not None:
        ws.job = Job.of(mine)
        if ws.job.alive:
            if mine.get("sample"):
                _show_sample(ws, str(mine["sample"]))
            if ws.job.state != "paused":
                ws.beside(follow(ws, ws.job.id), FOLLOW)
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
        ws.tell(tr("The engine does not have the model “%s” any more. Learn the picture again.") % names, True)
    ws.touch()
