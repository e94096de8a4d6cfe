"""A training for what needs no underdrawing: begun, and followed to its end."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from .client.frames import Frame
from .client.messages import EngineError, new_id
from .document_model import Workspace
from .generate_tasks import Going
from .i18n import tr
from .service import FOREVER
from .tasks import Pause
from .ui_state import Job


def going(ws: Workspace, text: str, fraction: float = 0.0) -> None:
    """What goes on at this moment."""
    ws.going = Going(text, fraction)
    ws.touch()


def learnt(ws: Workspace, body: dict[str, Any], frames: list[Frame]) -> Generator[Any, Any, str]:
    """The model of a training, when it is done.

    Raises:
        EngineError: it failed, or was cancelled.
    """
    going(ws, tr("Sending the picture…"))
    reply = yield ws.service.ask("train", {"planes": {}, "key": new_id(), **body}, frames, 300.0)
    job = Job(str(reply.body["job"]), str(reply.body["model"]), str(reply.body["name"]))
    ws.going = Going(job=job)
    ws.keep(alone_job=job.id)
    return (yield from followed(ws, job))


def followed(ws: Workspace, job: Job) -> Generator[Any, Any, str]:
    """Follow the training in `ws.going` to its end; it may be paused meanwhile, and go on."""

    def hear(event: dict[str, Any]) -> None:
        now = ws.going.job if ws.going is not None else None
        if event.get("event") == "state":
            ws.going = Going(job=Job.of(event))
        elif event.get("event") == "progress" and now is not None:
            known: dict[str, Any] = {key: event.get(key) for key in ("left", "rate")}
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
