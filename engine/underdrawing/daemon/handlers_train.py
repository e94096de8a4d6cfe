"""Trainings: begin, follow, pause, resume, cancel."""

from __future__ import annotations

import shutil
import uuid
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.client.request_fields import Request, hashes
from underdrawing.client.requests import TrainRequest
from underdrawing.client.service_requests import JobRequest
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext, Handler
from underdrawing.daemon.job_queue import Job, State
from underdrawing.daemon.validation import check_present
from underdrawing.store.made_underdrawings import of_picture
from underdrawing.store.manifest import CHECKPOINT_FILE
from underdrawing.store.model_library import checked_name, new_identity

LEAST_ROOM = 256 << 20  # bytes that must be free before a training begins
PICTURES = ("picture", "planes", "edited", "composite", "mask", "pictures")
NOT_FOR_THE_WORKER = ("name", "key", "on_disconnect")
ONLY_WITH_A_BASE = ("base", "composite", "mask")


def train(context: EngineContext, ask: Ask, wanted: TrainRequest) -> None:
    """Queue a training."""
    check_present(context.spool, *(getattr(wanted, name) for name in PICTURES))
    if wanted.as_made and not wanted.planes and not of_picture(context.home, wanted.as_made, wanted.edited):
        text = "No underdrawing was made of this picture yet."
        raise EngineError("unknown_underdrawing", text, "Make one first, or send its planes.")
    args = _args(context, wanted)
    keep, key = wanted.on_disconnect != "cancel", wanted.key[:64]
    job = context.jobs.like(key, args)
    existing = job is not None
    if job is None:
        job = new_job(context, wanted.name, args, key, keep)
    elif job.state is State.PAUSED:
        context.supervisor.resume(job)
    job.keep = job.keep or keep
    job.owners.add(ask.client)
    ask.reply({"job": job.id, "model": job.model, "name": job.name, "existing": existing})


def _args(context: EngineContext, wanted: TrainRequest) -> dict[str, Any]:
    """What the worker is given, and what makes two trainings the same.

    Raises:
        EngineError: the model to continue from doesn't support further training.
    """
    args = {name: value for name, value in wanted.to_args().items() if name not in NOT_FOR_THE_WORKER}
    if not wanted.base:
        return {name: value for name, value in args.items() if name not in ONLY_WITH_A_BASE}
    base = context.library.find(wanted.base)
    if CHECKPOINT_FILE not in base.files or not base.plan.tasks:
        text = f"The model {base.name!r} doesn't support further training."
        raise EngineError("wrong_task", text, "Train a model of the picture first, then continue from that.")
    return {**args, "base": base.id}


def new_job(context: EngineContext, name: str | None, args: dict[str, Any], key: str, keep: bool) -> Job:
    """A queued job whose pictures are kept for it.

    Raises:
        EngineError: the queue or the disk is full, or a picture is not there any more.
    """
    room = shutil.disk_usage(context.home).free
    if room < LEAST_ROOM:
        room += context.spool.give_way(LEAST_ROOM - room)
    if room < LEAST_ROOM:
        text = f"Only {room >> 20} MiB are free on the disk that holds the engine's folder."
        raise EngineError("disk_full", text, f"Training needs {LEAST_ROOM >> 20} MiB. Make room there.")
    identity = new_identity()
    name = checked_name(name or f"picture {identity[:4]}")
    staging = context.library.staging(identity)
    staging.mkdir(parents=True)
    try:
        for blob in hashes(*(args.get(field) for field in PICTURES)):
            context.spool.link(blob, staging / "inputs")
        if args.get("base"):
            context.library.keep_base(args["base"], staging / "base")
        job = Job(uuid.uuid4().hex[:8], identity, name, args, key, keep=keep)
        context.jobs.add(job)
    except (EngineError, OSError):
        context.library.discard(identity)
        raise
    return job


def jobs(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """All jobs."""
    ask.reply({"jobs": [job.public() for job in context.jobs.jobs.values()]})


def watch(context: EngineContext, ask: Ask, wanted: JobRequest) -> None:
    """Follow a job: its events, and at its end the answer."""
    job = context.jobs.find(wanted.job)
    job.owners.add(ask.client)
    context.supervisor.watch(job, ask)


def pause(context: EngineContext, ask: Ask, wanted: JobRequest) -> None:
    """Checkpoint and stop."""
    job = context.jobs.find(wanted.job)
    context.supervisor.pause(job)
    ask.reply(job.public())


def resume(context: EngineContext, ask: Ask, wanted: JobRequest) -> None:
    """Continue."""
    job = context.jobs.find(wanted.job)
    context.supervisor.resume(job)
    ask.reply(job.public())


def cancel(context: EngineContext, ask: Ask, wanted: JobRequest) -> None:
    """Stop and forget."""
    job = context.jobs.find(wanted.job)
    context.supervisor.cancel(job)
    ask.reply(job.public())


HANDLERS: dict[str, Handler] = {
    "train": train,
    "jobs": jobs,
    "watch": watch,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
}
