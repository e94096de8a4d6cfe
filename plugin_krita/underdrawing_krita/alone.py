"""Without an underdrawing: the picture is learnt once, then harmonized, blended, varied, resized, animated.

All of a use is one row of steps beside the work in hand, so that Krita and the docker stay usable while it learns.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from . import alone_results
from .applying import eight_bits
from .link.messages import EngineError, new_id
from .link.pixels import Frame
from .material import Material, material
from .recognition import pixel_hash
from .service import FOREVER, frames_of
from .state import Job
from .tasks import Pause, Steps
from .texts import tr
from .uses import Going, Use, Wish
from .workspace import Workspace

NAME = "alone"
LONGEST = 3600.0  # seconds that making pictures may take


def use(ws: Workspace, wish: Wish) -> Steps:
    """Do what is wished, learning the picture first where that has not been done."""
    ws.wished = wish.use
    try:
        wish.body(ws.size)  # too large a size is told now, and not after the learning
        going(ws, tr("Reading the picture…"))
        found = yield from ws.in_turn(material(ws, wish), tr("Reading the picture…"))
        model, learnt_now = yield from _model(ws, wish, found)
        if learnt_now and found.given is not None:
            # What was changed while it was learnt counts.
            found = replace(
                (yield from ws.in_turn(material(ws, wish), tr("Reading the picture…"))), learnt=found.learnt
            )
        if wish.fine_tune and found.given is not None:
            model = yield from _fine_tuned(ws, wish, found, model)
        reply = yield from _generated(ws, wish, found, model)
        ws.going = None
        told = yield from ws.in_turn(alone_results.place(ws, wish, found, reply), tr("Putting it into the document…"))
        ws.tell(" ".join((told, *(str(note) for note in reply.body.get("notes") or ()))))
    finally:
        ws.going = None
        ws.touch()


def going(ws: Workspace, text: str, fraction: float = 0.0) -> None:
    """What goes on at this moment."""
    ws.going = Going(text, fraction)
    ws.touch()


# --- what is learnt


def _model(ws: Workspace, wish: Wish, found: Material) -> Generator[Any, Any, tuple[str, bool]]:
    """A model of the picture that can do this, and whether it was learnt just now."""
    reply = yield ws.service.ask("models.list", {}, (), 60.0)
    able = [m for m in reply.body["models"] if wish.use.value in (m.get("tasks") or ()) and not m.get("base")]
    if found.learnt is None:
        known = next((str(m["id"]) for m in able if m["id"] == ws.record.alone), "")
        if not known:
            text = tr("It is not known what the picture was before it was edited.")
            raise EngineError("no_original", text, tr("Choose the layer that is the original."))
        return known, False
    size = (found.learnt.width, found.learnt.height)
    fitting = [m for m in able if (m["width"], m["height"]) == size and list(m["region"]) == [0, 0, *size]]
    if fitting:
        mine = yield from pixel_hash(found.learnt)
        fitting = [m for m in fitting if m["picture_hash"] == mine]
        exact = [m for m in fitting if m["recipe"] == wish.use.recipe]
        for model in reversed(exact or fitting):
            ws.keep(alone=str(model["id"]))
            return str(model["id"]), False
    name = "".join(c for c in ws.name if c.isprintable())[:90] or tr("picture")
    body = {"picture": {"hash": found.learnt.hash}, "name": "%s, %s" % (name, wish.use.recipe), **wish.training()}
    model = yield from _learnt(ws, body, [found.learnt])
    ws.keep(alone=model)
    return model, True


def _fine_tuned(ws: Workspace, wish: Wish, found: Material, model: str) -> Generator[Any, Any, str]:
    """A model that went on learning for this picture alone."""
    if found.given is None or found.learnt is None:
        text = tr("Fine-tuning needs the picture as it was learnt.")
        raise EngineError("no_original", text, tr("Choose the original's layer, or do without fine-tuning."))
    mask = found.mask
    if mask is None:
        reply = yield from _generated(ws, wish, found, model)
        mask = alone_results.on_canvas(eight_bits(frames_of(reply, [str(reply.body["mask"])])[0]), reply, ws.size)
    body: dict[str, Any] = {"picture": {"hash": found.learnt.hash}, "base": model, "on_disconnect": "continue"}
    body.update(composite={"hash": found.given.hash}, mask={"hash": mask.hash})
    body["name"] = "%s, fine-tuned" % (ws.name[:90] or tr("picture"))
    body.update((key, value) for key, value in wish.learn if key in ("iterations", "budget"))
    return (yield from _learnt(ws, body, [found.learnt, found.given, mask]))


def _learnt(ws: Workspace, body: dict[str, Any], frames: list[Frame]) -> Generator[Any, Any, str]:
    """The model of a training, when it is done.

    Raises:
        EngineError: it failed, or was cancelled.
    """
    going(ws, tr("Sending the picture…"))
    reply = yield ws.service.ask("train", {"planes": {}, "key": new_id(), **body}, frames, 300.0)
    job = Job(str(reply.body["job"]), str(reply.body["model"]), str(reply.body["name"]))
    ws.going = Going(job=job)
    ws.keep(alone_job=job.id)
    return (yield from _followed(ws, job))


def _followed(ws: Workspace, job: Job) -> Generator[Any, Any, str]:
    """Follow the training in `ws.going` to its end; it may be paused meanwhile, and go on."""

    def hear(event: dict[str, Any]) -> None:
        now = ws.going.job if ws.going is not None else None
        if event.get("event") == "state":
            ws.going = Going(job=Job.of(event))
        elif event.get("event") == "progress" and now is not None:
            known = {key: event.get(key) for key in ("left", "rate")}
            fraction, device = float(event.get("fraction") or 0.0), str(event.get("device") or "")
            phase = str(event.get("phase", ""))
            ws.going = Going(job=replace(now, phase=phase, fraction=fraction, device=device, **known))
        ws.touch()

    while True:
        reply = yield ws.service.ask("watch", {"job": job.id}, (), FOREVER, hear)
        job = Job.of(reply.body)
        ws.going = Going(job=job)
        ws.touch()
        if job.state != "paused":
            break
        while ws.going is not None and ws.going.job is not None and ws.going.job.state == "paused":
            yield Pause(0.1)
        if ws.going is None or ws.going.job is None or ws.going.job.state == "cancelled":
            job = replace(job, state="cancelled")
            break
    ws.keep(alone_job="")
    if job.state == "failed":
        raise job.error or EngineError("failed", tr("Learning failed."))
    if job.state != "done":
        ws.tell(tr("Learning was cancelled."))
        raise EngineError("cancelled", tr("Learning was cancelled."))
    return job.model


def control(ws: Workspace, verb: str) -> Steps:
    """Pause, resume or cancel the training; or give up what is made."""
    if ws.going is None:
        return  # it is being put into the document, and done in a moment
    job = ws.going.job
    if job is None or not job.alive:
        if verb == "cancel":
            ws.stop(NAME)
            ws.tell(tr("It was cancelled. Nothing was changed."))
        return
    if verb == "pause" and job.state == "paused":
        verb = "resume"
    paused = job.state == "paused"
    if not paused:
        ws.going = Going(job=replace(job, stopping=verb))
        ws.touch()
    reply = yield ws.service.ask(verb, {"job": job.id}, (), 60.0)
    if paused:
        # Nobody watches a paused job: what becomes of it is in the answer.
        state = Job.of(reply.body)
        ws.going = Going(job=replace(state, state="cancelled") if verb == "cancel" else state)
        ws.touch()


def find_again(ws: Workspace) -> Steps:
    """What became of a training that went on while Krita was closed."""
    reply = yield ws.service.ask("jobs", {}, (), 60.0)
    mine = next((Job.of(j) for j in reply.body["jobs"] if j.get("job") == ws.record.alone_job), None)
    if mine is None or (not mine.alive and mine.state != "done"):
        ws.keep(alone_job="")
        return
    ws.going, ws.wished = Going(job=mine), None
    ws.touch()
    try:
        model = yield from _followed(ws, mine)
        ws.keep(alone=model)
        ws.tell(tr("The picture was learnt meanwhile. Press the button again: nothing has to be learnt any more."))
    finally:
        ws.going = None
        ws.touch()


# --- what is made


def _generated(ws: Workspace, wish: Wish, found: Material, model: str) -> Generator[Any, Any, Any]:
    text = tr("Making the frames…") if wish.use is Use.ANIMATE else tr("Making the picture…")
    going(ws, text)

    def hear(event: dict[str, Any]) -> None:
        if event.get("event") == "progress":
            going(ws, text, float(event.get("fraction") or 0.0))

    size = ws.size if found.learnt is None else (found.learnt.width, found.learnt.height)
    body = {"model": model, **wish.body(size), "order": found.space.order, "baked": not alone_results.masked()}
    frames = []
    for name, frame in (("picture", found.given), ("mask", found.mask)):
        if frame is not None:
            body[name] = {"hash": frame.hash}
            frames.append(frame)
    return (yield ws.service.ask("generate", body, frames, LONGEST, hear))
