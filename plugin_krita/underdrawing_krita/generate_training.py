"""A training for what needs no underdrawing, followed to its end."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from .client.job_status import JobStatus
from .client.messages import EngineError
from .document_model import Workspace
from .generate_tasks import Going
from .service import FOREVER
from .tasks import Pause


def going(ws: Workspace, text: str, fraction: float = 0.0) -> None:
    """What goes on at this moment."""
    ws.going = Going(text, fraction)
    ws.touch()


def followed(ws: Workspace, status: JobStatus) -> Generator[Any, Any, JobStatus]:
    """Follow a training to its end; it may be paused meanwhile, and be continued.

    Raises:
        EngineError: it was cancelled.
    """
    ws.going = Going(job=status)
    ws.keep(alone_job=status.job)

    def hear(event: dict[str, Any]) -> None:
        if ws.going is not None and ws.going.job is not None:
            ws.going = Going(job=ws.going.job.after(event))
        ws.touch()

    while True:
        reply = yield ws.service.ask("watch", {"job": status.job}, (), FOREVER, hear)
        ended = JobStatus.of(reply.body)
        ws.going = Going(job=ended)
        ws.touch()
        if ended.state != "paused":
            break
        while ws.going is not None and ws.going.job is not None and ws.going.job.state == "paused":
            yield Pause(0.1)
        if ws.going is None or ws.going.job is None or ws.going.job.state == "cancelled":
            ended = replace(ended, state="cancelled")
            break
    ws.keep(alone_job="")
    if ended.state == "cancelled":
        ws.tell(ended.text)
        raise EngineError("cancelled", ended.text)
    return ended
