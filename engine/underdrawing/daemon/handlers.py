"""What the engine answers to each verb. See docs/protocol.md; every verb is one method here, `_` for `.`."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil

from underdrawing import __version__
from underdrawing.client.messages import CHUNK, MOST_HASHES, PROTOCOL, EngineError, need
from underdrawing.daemon.child_process import End
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext
from underdrawing.daemon.handlers_generate import GenerateVerbs
from underdrawing.daemon.handlers_meta import InstantVerbs
from underdrawing.daemon.handlers_models import ModelVerbs
from underdrawing.daemon.job_queue import ENDED, Job, State
from underdrawing.daemon.validation import (
    MOST_AREAS,
    MOST_SEED,
    apply_options,
    area,
    between,
    hashes,
    match_of,
    number,
    one_of,
    order,
    planes,
    planes_or_none,
    reference,
    region,
)
from underdrawing.store.blob_store import checked_hash
from underdrawing.store.manifest import CHECKPOINT_FILE, Manifest
from underdrawing.store.model_library import checked_name, new_identity

KINDS = ("edges", "segments", "super", "paint")
MOST_PICTURES = 2048  # of one training
LEAST_ROOM = 256 << 20  # bytes that must be free before a training begins


class Verbs(ModelVerbs, GenerateVerbs, InstantVerbs):
    """The verbs."""

    def __init__(self, daemon: EngineContext) -> None:
        self.daemon = daemon
        names = [name for name in dir(self) if not name.startswith("_") and name not in ("find", "daemon")]
        self._known: dict[str, Callable[[Ask], None]] = {
            name.replace("models_", "models."): getattr(self, name) for name in names
        }

    def find(self, verb: str) -> Callable[[Ask], None]:
        """The method that answers a verb.

        Raises:
            EngineError: there is none.
        """
        if verb not in self._known:
            raise EngineError("unknown_verb", f"The engine does not know {verb[:40]!r}.", "Update the engine.")
        return self._known[verb]

    # --- about the engine

    def hello(self, ask: Ask) -> None:
        """Who this is."""
        ask.reply({"engine": "underdrawing", "version": __version__, "protocol": PROTOCOL, "pid": os.getpid()})

    def ping(self, ask: Ask) -> None:
        """The client is there; it hears which of the answers it waits for it has missed."""
        ask.open = False
        waits_for = ask.body.get("open", [])
        if isinstance(waits_for, list):
            self.daemon.clients.answer_ping(ask.client, waits_for)

    def bye(self, ask: Ask) -> None:
        """The client goes; nobody has to wait for its silence."""
        ask.open = False
        self.daemon.clients.gone(ask.client)

    def abandon(self, ask: Ask) -> None:
        """A client gives one of its requests up."""
        ask.open = False
        self.daemon.clients.abandon(ask.client, str(ask.body.get("request")))

    def status(self, ask: Ask) -> None:
        """Processes, memory, disk, jobs, loaded models."""
        daemon = self.daemon
        worker, probe = daemon.supervisor.worker, bool(ask.body.get("probe"))
        renderer = daemon.rendering.describe()
        body: dict[str, Any] = {
            "version": __version__,
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "home": str(daemon.home),
            "memory": int(psutil.Process().memory_info().rss),
            "uptime": round(time.monotonic() - daemon.began, 1),
            "free": shutil.disk_usage(daemon.home).free,
            "models": len(daemon.library.all()),
            "jobs": [job.public() for job in daemon.jobs.jobs.values() if job.state not in ENDED],
            "clients": len(daemon.clients.seen),
            "waiting": len(daemon.rendering.waiting),
            "worker": None
            if worker is None
            else {"pid": worker.process.pid, "memory": worker.memory(), "suspended": worker.suspended},
            "renderer": renderer,
        }
        if not probe and (renderer is None or renderer["busy"]):
            ask.reply(body)
            return

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            told = {"error": error.as_dict()} if error is not None else found or {}
            ask.reply({**body, "renderer": {**(daemon.rendering.describe() or {}), **told}})

        daemon.rendering.submit(daemon.task("status", {"probe": probe}, ask.event, answer), ask)

    def methods(self, ask: Ask) -> None:
        """Methods, recipes, devices: asked of a worker once, as only it knows torch."""
        self.daemon.describe(lambda found, error: ask.fail(error) if error else ask.reply(found or {}))

    def warm(self, ask: Ask) -> None:
        """Start the renderer before it is needed."""
        self.daemon.rendering.warm()
        ask.reply({})

    def unload(self, ask: Ask) -> None:
        """Free the memory of loaded models, by ending the renderer."""
        ask.reply({"freed": self.daemon.rendering.end()})

    def shutdown(self, ask: Ask) -> None:
        """End the engine."""
        ask.reply({})
        self.daemon.stopping = True

    # --- pictures

    def have(self, ask: Ask) -> None:
        """Which of these pictures are missing."""
        asked = [checked_hash(key) for key in need(ask.body, "hashes", list)[:MOST_HASHES]]
        ask.reply({"missing": [key for key in asked if not self.daemon.spool.has(key)]})

    def put(self, ask: Ask) -> None:
        """A part of a picture or file."""
        clients, header = self.daemon.clients, need(ask.body, "header", dict)
        offset, name = need(ask.body, "offset", int), need(ask.body, "upload", str)[:64]
        if len(ask.message.parts) != 1:
            raise EngineError("bad_request", "A part of a picture must come as one binary part.")
        if self.daemon.spool.has(checked_hash(header.get("hash"))):
            clients.end_upload(ask.client, name)
            ask.reply({"complete": True})
            return
        if offset and (ask.client, name) not in clients.uploads:
            raise EngineError("bad_frame", "A part of a picture came before its beginning.", "Send it again.")
        try:
            complete = clients.upload(ask.client, name, header).add(offset, ask.message.parts[0])
        except EngineError:
            clients.end_upload(ask.client, name)
            raise
        if complete:
            clients.end_upload(ask.client, name)
        ask.reply({"complete": complete})

    def header(self, ask: Ask) -> None:
        """A picture's header; the picture too, where it is small."""
        key = checked_hash(ask.body.get("hash"))
        if self.daemon.spool.header(key).get("file"):
            raise EngineError("unknown_picture", "That is a file, not a picture.")
        ask.reply({}, (key,))

    def get(self, ask: Ask) -> None:
        """A part of a picture or file."""
        key, offset = checked_hash(ask.body.get("hash")), need(ask.body, "offset", int)
        length = min(need(ask.body, "length", int), CHUNK)
        if not 0 <= offset <= self.daemon.spool.limit or length <= 0:
            raise EngineError("bad_request", "That part of the picture does not exist.")
        part = self.daemon.spool.read(key, offset, length)
        if not part:
            raise EngineError("bad_request", "That part of the picture does not exist.")
        ask.reply_part({}, part)

    # --- the renderer's work

    def primitive(self, ask: Ask) -> None:
        """Make a primitive."""
        kind = need(ask.body, "kind", str)
        if kind not in KINDS:
            raise EngineError("bad_request", f"There is no kind of primitive {kind!r}.", f"Choose {', '.join(KINDS)}.")
        args = {
            "kind": kind,
            "order": order(ask.body),
            "options": need(ask.body, "options", dict, {}),
            "picture": reference(self.daemon.spool, need(ask.body, "picture", dict)),
        }
        self._render("primitive", args, ask, _with_planes(ask))

    def region(self, ask: Ask) -> None:
        """Move, scale, mirror, copy or remove a region."""
        spool = self.daemon.spool
        # What looks like a picture and is none of this verb's was not checked.
        plain = {k: v for k, v in ask.body.items() if k not in ("picture", "mask")}
        args = {**plain, "planes": planes(spool, ask.body), "region": region(spool, ask.body)}
        args |= {"operation": need(ask.body, "operation", str), "order": order(ask.body)}
        self._render("region", args, ask, _with_planes(ask))

    def layout(self, ask: Ask) -> None:
        """Segment another picture in a model's palette."""
        model = self.daemon.library.find(need(ask.body, "model", str))
        picture = reference(self.daemon.spool, need(ask.body, "picture", dict))
        args = {**self._folders(model), "picture": picture, "order": order(ask.body)}
        args |= {"areas": between(ask.body, "areas", 1, MOST_AREAS, whole=True), "match": match_of(ask.body)}
        self._render("layout", args, ask, _with_planes(ask))

    def apply(self, ask: Ask) -> None:
        """Apply a model."""
        daemon = self.daemon
        model = daemon.library.find(need(ask.body, "model", str))
        args = {**apply_options(ask.body), "planes": planes(daemon.spool, ask.body), "order": order(ask.body)}
        args |= self._folders(model)
        for name in ("picture", "mask"):
            args[name] = reference(daemon.spool, ask.body[name]) if ask.body.get(name) else None

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            if found is None:
                ask.fail(error or EngineError("internal", "The renderer gave no answer."))
            else:
                names = ("picture", "mask", "merged", "confidence")
                ask.reply({**found, "model": model.id}, tuple(found[n] for n in names if found.get(n)))

        self._render("apply", args, ask, answer)

    def _folders(self, model: Manifest) -> dict[str, Any]:
        """Where the renderer finds a model: one that is being learnt may be finished before its turn comes."""
        library = self.daemon.library
        folder, finished = library.folder(model.id), library.models / model.id
        return {"model_folder": str(folder)} | ({} if folder == finished else {"finished_folder": str(finished)})

    def _render(self, name: str, args: dict[str, Any], ask: Ask, answer: End) -> None:
        pins = hashes(args.get("planes"), args.get("picture"), args.get("mask"), args.get("region"))
        self.daemon.rendering.submit(self.daemon.task(name, args, ask.event, answer), ask, pins)

    # --- training

    def train(self, ask: Ask) -> None:
        """Queue a training."""
        daemon, body = self.daemon, ask.body
        picture, drawn = reference(daemon.spool, need(body, "picture", dict)), self._drawn(body)
        args = {k: body.get(k) for k in ("method", "recipe", "palette")}
        args |= {"device": one_of(body, "device", ("auto", "cpu", "cuda"))}
        args |= {"seed": between(body, "seed", 0, MOST_SEED, whole=True)}
        args |= {"threads": between(body, "threads", 1, 1024, whole=True)}
        args |= {"picture": picture, "planes": drawn, "options": need(body, "options", dict, {})}
        args |= {"region": area(body.get("region"))}
        args |= {"iterations": number(body, "iterations"), "budget": number(body, "budget")}
        further, many = self._further(body), self._many(body)
        args |= further | many
        keep, key = body.get("on_disconnect", "continue") != "cancel", str(body.get("key", ""))[:64]
        job = daemon.jobs.like(key, args)
        existing = job is not None
        if job is None:
            job = self._new_job(body, args, key, keep, (picture, drawn, *further.values(), *many.get("pictures", ())))
        elif job.state is State.PAUSED:
            daemon.supervisor.resume(job)
        job.keep = job.keep or keep
        job.owners.add(ask.client)
        ask.reply({"job": job.id, "model": job.model, "name": job.name, "existing": existing})

    def _drawn(self, body: dict[str, Any]) -> dict[str, Any]:
        """The planes; some methods need none, and then say so by their name or their recipe's."""
        named = any(body.get(key) for key in ("method", "recipe", "base"))
        return (planes_or_none if named else planes)(self.daemon.spool, body)

    def _many(self, body: dict[str, Any]) -> dict[str, Any]:
        """The pictures of a folder, where one is to be learnt.

        Raises:
            EngineError: there are too many, or one of them is not there.
        """
        given = need(body, "pictures", list, [])
        if len(given) > MOST_PICTURES:
            text = f"{len(given)} pictures are too many; {MOST_PICTURES} can be learnt together."
            raise EngineError("bad_request", text, "Leave some out, or train with torchrun (docs/meta.md).")
        return {"pictures": [reference(self.daemon.spool, one) for one in given]} if given else {}

    def _further(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a training of a model that exists needs: which one, and the picture that it shall know better.

        Raises:
            EngineError: that model cannot go on learning.
        """
        if not body.get("base"):
            return {}
        base = self.daemon.library.find(need(body, "base", str))
        if CHECKPOINT_FILE not in base.files or not base.plan.tasks:
            text = f"The model {base.name!r} cannot go on learning."
            raise EngineError("wrong_task", text, "Learn the picture anew, then go on from that model.")
        if body.get("composite") is None and body.get("mask") is None:
            return {"base": base.id}
        pictures = {name: reference(self.daemon.spool, need(body, name, dict)) for name in ("composite", "mask")}
        return {"base": base.id, **pictures}

    def _new_job(
        self, body: dict[str, Any], args: dict[str, Any], key: str, keep: bool, pictures: tuple[Any, ...]
    ) -> Job:
        daemon = self.daemon
        room = shutil.disk_usage(daemon.home).free
        if room < LEAST_ROOM:
            text = f"Only {room >> 20} MiB are free on the disk that holds the engine's folder."
            raise EngineError("disk_full", text, f"Learning needs {LEAST_ROOM >> 20} MiB. Make room there.")
        identity = new_identity()
        name = checked_name(body.get("name") or f"picture {identity[:4]}")
        staging = daemon.library.staging(identity)
        staging.mkdir(parents=True)
        try:
            for blob in hashes(*(p for p in pictures if isinstance(p, dict))):
                daemon.spool.link(blob, staging / "inputs")
            if "base" in args:
                daemon.library.keep_base(args["base"], staging / "base")
            job = Job(uuid.uuid4().hex[:8], identity, name, args, key, keep=keep)
            daemon.jobs.add(job)
        except (EngineError, OSError):
            daemon.library.discard(identity)
            raise
        return job

    def jobs(self, ask: Ask) -> None:
        """All jobs."""
        ask.reply({"jobs": [job.public() for job in self.daemon.jobs.jobs.values()]})

    def watch(self, ask: Ask) -> None:
        """Follow a job: its events, and at its end the answer."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        job.owners.add(ask.client)
        self.daemon.supervisor.watch(job, ask)

    def pause(self, ask: Ask) -> None:
        """Checkpoint and stop."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        self.daemon.supervisor.pause(job)
        ask.reply(job.public())

    def resume(self, ask: Ask) -> None:
        """Go on."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        self.daemon.supervisor.resume(job)
        ask.reply(job.public())

    def cancel(self, ask: Ask) -> None:
        """Stop and forget."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        self.daemon.supervisor.cancel(job)
        ask.reply(job.public())


def _with_planes(ask: Ask) -> End:
    """The answer to what makes a primitive."""

    def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
        if found is None:
            ask.fail(error or EngineError("internal", "The renderer gave no answer."))
            return
        keys = [plane["hash"] for plane in found["planes"]] + ([found["mask"]] if found.get("mask") else [])
        ask.reply(found, tuple(keys))

    return answer
