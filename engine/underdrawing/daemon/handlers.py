"""Which function answers which request, and those about the engine itself and about pictures."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from underdrawing import __version__
from underdrawing.client import requests, service_requests
from underdrawing.client.messages import CHUNK, MOST_HASHES, PROTOCOL, UNANSWERED, EngineError
from underdrawing.client.request_fields import Request, checked_hash
from underdrawing.daemon import background, handlers_models, handlers_render, handlers_train
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext, Handler
from underdrawing.daemon.job_queue import ENDED


def find(verb: str) -> Callable[[EngineContext, Ask], None]:
    """What answers a verb.

    Raises:
        EngineError: there is no such verb.
    """
    if verb not in HANDLERS:
        raise EngineError("unknown_verb", f"The engine does not know {verb[:40]!r}.", "Update the engine.")
    kind = requests.REQUESTS[verb]

    def act(context: EngineContext, ask: Ask) -> None:
        if verb not in UNANSWERED:
            HANDLERS[verb](context, ask, kind.from_body(ask.body))
            return
        ask.open = False
        with contextlib.suppress(EngineError):  # nobody hears of a mistake in what is not answered
            HANDLERS[verb](context, ask, kind.from_body(ask.body))

    return act


# --- about the engine


def hello(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """Who this is."""
    ask.reply({"engine": "underdrawing", "version": __version__, "protocol": PROTOCOL, "pid": os.getpid()})


def ping(context: EngineContext, ask: Ask, wanted: service_requests.PingRequest) -> None:
    """The client is there; it hears which of the answers it waits for it has missed."""
    context.clients.answer_ping(ask.client, wanted.open)


def bye(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """The client goes; nobody has to wait for its silence."""
    context.clients.gone(ask.client)


def abandon(context: EngineContext, ask: Ask, wanted: service_requests.AbandonRequest) -> None:
    """A client gives one of its requests up."""
    context.clients.abandon(ask.client, wanted.request)


def status(context: EngineContext, ask: Ask, wanted: service_requests.StatusRequest) -> None:
    """Processes, memory, disk, jobs, loaded models."""
    worker, renderer = context.supervisor.worker, context.rendering.describe()
    body: dict[str, Any] = {
        "version": __version__,
        "protocol": PROTOCOL,
        "pid": os.getpid(),
        "home": str(context.home),
        "memory": int(psutil.Process().memory_info().rss),
        "uptime": round(time.monotonic() - context.began, 1),
        "free": shutil.disk_usage(context.home).free,
        "models": len(context.library.all()),
        "jobs": [job.public() for job in context.jobs.jobs.values() if job.state not in ENDED],
        "clients": len(context.clients.seen),
        "waiting": len(context.rendering.waiting),
        "worker": None
        if worker is None
        else {"pid": worker.process.pid, "memory": worker.memory(), "suspended": worker.suspended},
        "renderer": renderer,
    }
    if not wanted.probe and (renderer is None or renderer["busy"]):
        ask.reply(body)
        return

    def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
        more = {"error": error.as_dict()} if error is not None else found or {}
        ask.reply({**body, "renderer": {**(context.rendering.describe() or {}), **more}})

    context.rendering.submit(context.task("status", wanted.to_args(), ask.event, answer), ask)


def methods(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """Methods, recipes, devices: asked of a worker once, as only it knows torch."""
    context.describe(lambda found, error: ask.fail(error) if error else ask.reply(found or {}))


def warm(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """Start the renderer before it is needed."""
    context.rendering.warm()
    ask.reply({})


def unload(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """Free the memory of loaded models, by ending the renderer."""
    ask.reply({"freed": context.rendering.end()})


def clear(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """Free the disk of pictures that no request is using."""
    ask.reply({"freed": context.spool.give_way(sys.maxsize)})


def shutdown(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """End the engine."""
    ask.reply({})
    context.stopping = True


# --- pictures


def have(context: EngineContext, ask: Ask, wanted: service_requests.HaveRequest) -> None:
    """Which of these pictures are missing."""
    asked = [checked_hash(key) for key in wanted.hashes[:MOST_HASHES]]
    ask.reply({"missing": [key for key in asked if not context.spool.has(key)]})


def put(context: EngineContext, ask: Ask, wanted: service_requests.PutRequest) -> None:
    """A part of a picture or file."""
    clients, header, name = context.clients, wanted.header, wanted.upload[:64]
    if len(ask.message.parts) != 1:
        raise EngineError("bad_request", "A part of a picture must come as one binary part.")
    if context.spool.has(checked_hash(header.get("hash"))):
        clients.end_upload(ask.client, name)
        ask.reply({"complete": True})
        return
    if wanted.offset and (ask.client, name) not in clients.uploads:
        raise EngineError("bad_frame", "A part of a picture came before its beginning.", "Send it again.")
    try:
        complete = clients.upload(ask.client, name, header).add(wanted.offset, ask.message.parts[0])
    except EngineError:
        clients.end_upload(ask.client, name)
        raise
    if complete:
        clients.end_upload(ask.client, name)
    ask.reply({"complete": complete})


def header(context: EngineContext, ask: Ask, wanted: service_requests.HeaderRequest) -> None:
    """A picture's header; the picture too, where it is small."""
    if context.spool.header(wanted.hash).get("file"):
        raise EngineError("unknown_picture", "That is a file, not a picture.")
    ask.reply({}, (wanted.hash,))


def get(context: EngineContext, ask: Ask, wanted: service_requests.GetRequest) -> None:
    """A part of a picture or file."""
    offset, length = wanted.offset, min(wanted.length, CHUNK)
    if not 0 <= offset <= context.spool.limit or length <= 0:
        raise EngineError("bad_request", "That part of the picture does not exist.")
    part = context.spool.read(wanted.hash, offset, length)
    if not part:
        raise EngineError("bad_request", "That part of the picture does not exist.")
    ask.reply_part({}, part)


HANDLERS: dict[str, Handler] = {
    "hello": hello,
    "ping": ping,
    "bye": bye,
    "abandon": abandon,
    "status": status,
    "methods": methods,
    "warm": warm,
    "unload": unload,
    "clear": clear,
    "shutdown": shutdown,
    "have": have,
    "put": put,
    "header": header,
    "get": get,
    **handlers_render.HANDLERS,
    **handlers_train.HANDLERS,
    **background.HANDLERS,
    **handlers_models.HANDLERS,
}
