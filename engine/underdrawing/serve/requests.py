"""What the engine answers to each verb. See docs/protocol.md; every verb is one method here."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from underdrawing import __version__
from underdrawing.link import messages
from underdrawing.link.messages import CHUNK, PROTOCOL, EngineError, Message, need
from underdrawing.link.pixels import check_header
from underdrawing.serve import modelfile
from underdrawing.serve.jobs import ENDED, Job, State
from underdrawing.serve.library import checked_name, new_identity
from underdrawing.serve.spool import checked_hash

if TYPE_CHECKING:
    from underdrawing.serve.daemon import Daemon

KINDS = ("edges", "segments", "super", "paint")
PLANES = ("segments", "edges", "paint")
INLINE = 8 << 20  # bytes of result pictures that go along with a reply
LEAST_ROOM = 256 << 20  # bytes that must be free before a training begins


class Ask:
    """One request of one client, and the ways to answer it."""

    def __init__(self, daemon: Daemon, client: bytes, message: Message) -> None:
        self.daemon, self.client, self.message = daemon, client, message
        self.body, self.open = message.body, True
        self.on_abandon: Callable[[], None] = lambda: None

    def reply(self, body: dict[str, Any], keys: tuple[str, ...] = ()) -> None:
        """The answer; pictures in the spool go along where they are small."""
        if not self.open:
            return
        self.open = False
        headers, parts = [], []
        spool = self.daemon.spool
        blobs = [(spool.header(k), spool.open(k)) for k in keys]
        if sum(len(data) for _, data in blobs) <= INLINE:
            headers, parts = [h for h, _ in blobs], [d for _, d in blobs]
        self.daemon.send(self.client, messages.reply(self.message.id, body, headers, parts))

    def fail(self, error: EngineError) -> None:
        """The answer when it went wrong."""
        if self.open:
            self.open = False
            self.daemon.send(self.client, messages.failure(self.message.id, error))

    def event(self, body: dict[str, Any]) -> None:
        """Something on the way."""
        if self.open:
            self.daemon.send(self.client, messages.event(self.message.id, body))


class Verbs:
    """The verbs. Methods are named as the verbs are, with `_` for `.`."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def find(self, verb: str) -> Callable[[Ask], None]:
        """The method that answers a verb.

        Raises:
            EngineError: there is none.
        """
        name = verb.replace(".", "_")
        if name.startswith("_") or name == "find" or not name.isidentifier() or not callable(getattr(self, name, None)):
            raise EngineError("unknown_verb", f"The engine does not know {verb[:40]!r}.", "Update the engine.")
        method: Callable[[Ask], None] = getattr(self, name)
        return method

    # --- about the engine

    def hello(self, ask: Ask) -> None:
        """Who this is."""
        ask.reply({"engine": "underdrawing", "version": __version__, "protocol": PROTOCOL, "pid": os.getpid()})

    def ping(self, ask: Ask) -> None:
        """Only that the client is there: no answer is owed."""
        ask.open = False

    def status(self, ask: Ask) -> None:
        """Processes, memory, disk, jobs, loaded models."""
        daemon = self.daemon
        body: dict[str, Any] = {
            "version": __version__,
            "pid": os.getpid(),
            "home": str(daemon.home),
            "memory": int(psutil.Process().memory_info().rss),
            "uptime": round(time.monotonic() - daemon.began, 1),
            "free": shutil.disk_usage(daemon.home).free,
            "models": len(daemon.library.all()),
            "jobs": [job.public() for job in daemon.jobs.jobs.values() if job.state not in ENDED],
            "waiting": len(daemon.waiting),
            "worker": None if daemon.worker is None else {"memory": daemon.worker.memory()},
            "renderer": None,
        }

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            body["renderer"] = found if error is None else {"error": error.as_dict()}
            ask.reply(body)

        if ask.body.get("probe") or (daemon.renderer is not None and not daemon.renderer.tasks):
            daemon.render("status", {"probe": bool(ask.body.get("probe"))}, ask, answer)
        else:
            ask.reply(body)

    def methods(self, ask: Ask) -> None:
        """Methods, recipes, devices: asked of a worker once, as only it knows torch."""
        self.daemon.describe(lambda found, error: ask.fail(error) if error else ask.reply(found or {}))

    def unload(self, ask: Ask) -> None:
        """Free the memory of loaded models, by ending the renderer."""
        freed = self.daemon.end_renderer()
        ask.reply({"freed": freed})

    def shutdown(self, ask: Ask) -> None:
        """End the engine."""
        ask.reply({})
        self.daemon.stopping = True

    def abandon(self, ask: Ask) -> None:
        """A client gives one of its requests up; no answer is owed."""
        ask.open = False
        self.daemon.abandon(ask.client, str(ask.body.get("request")))

    # --- pictures

    def have(self, ask: Ask) -> None:
        """Which of these pictures are missing."""
        hashes = [checked_hash(h) for h in need(ask.body, "hashes", list)[:256]]
        ask.reply({"missing": [h for h in hashes if not self.daemon.spool.has(h)]})

    def put(self, ask: Ask) -> None:
        """A part of a picture or file."""
        header, offset = need(ask.body, "header", dict), need(ask.body, "offset", int)
        if len(ask.message.parts) != 1:
            raise EngineError("bad_request", "A part of a picture must come as one binary frame.")
        spool = self.daemon.spool
        key = checked_hash(header.get("hash"))
        if spool.has(key):
            ask.reply({"complete": True})
            return
        if offset == 0:
            spool.begin(header)
        ask.reply({"complete": spool.add(header, offset, ask.message.parts[0]) is not None})

    def get(self, ask: Ask) -> None:
        """A part of a picture or file."""
        key, offset = checked_hash(ask.body.get("hash")), need(ask.body, "offset", int)
        length = min(need(ask.body, "length", int), CHUNK)
        data = self.daemon.spool.open(key)
        if not 0 <= offset < len(data) or length <= 0:
            raise EngineError("bad_request", "That part of the picture does not exist.")
        header = self.daemon.spool.header(key)
        ask.open = False
        part = data[offset : offset + length]
        body = {"size": len(data), "header": header}
        self.daemon.send(ask.client, messages.reply(ask.message.id, body, (), [part]))

    # --- the renderer's work

    def primitive(self, ask: Ask) -> None:
        """Make a primitive."""
        kind = need(ask.body, "kind", str)
        if kind not in KINDS:
            raise EngineError("bad_request", f"There is no kind of primitive {kind!r}.", f"Choose {', '.join(KINDS)}.")
        args = {
            "kind": kind,
            "options": need(ask.body, "options", dict, {}),
            "picture": self._reference(ask, "picture"),
        }
        self.daemon.render("primitive", args, ask, self._with_planes(ask))

    def region(self, ask: Ask) -> None:
        """Move, scale, mirror, copy or remove a region."""
        args = {**ask.body, "planes": self._planes(ask), "region": self._region(ask)}
        self.daemon.render("region", args, ask, self._with_planes(ask))

    def layout(self, ask: Ask) -> None:
        """Segment another picture in a model's palette."""
        model = self.daemon.library.find(need(ask.body, "model", str))
        args = {"model_folder": str(self.daemon.library.folder(model.id)), "picture": self._reference(ask, "picture")}
        self.daemon.render("layout", args, ask, self._with_planes(ask))

    def apply(self, ask: Ask) -> None:
        """Apply a model."""
        model = self.daemon.library.find(need(ask.body, "model", str))
        args = {**ask.body, "planes": self._planes(ask), "model_folder": str(self.daemon.library.folder(model.id))}
        for name in ("picture", "mask"):
            args[name] = self._reference(ask, name) if ask.body.get(name) else None

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            if error is not None or found is None:
                ask.fail(error or messages.EngineError("internal", "The renderer gave no answer."))
            else:
                ask.reply({**found, "model": model.id}, (found["picture"], found["mask"]))

        self.daemon.render("apply", args, ask, answer)

    def _with_planes(self, ask: Ask) -> Callable[[dict[str, Any] | None, EngineError | None], None]:
        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            if error is not None or found is None:
                ask.fail(error or EngineError("internal", "The renderer gave no answer."))
                return
            keys = [plane["hash"] for plane in found["planes"]] + ([found["mask"]] if found.get("mask") else [])
            ask.reply(found, tuple(keys))

        return answer

    def _reference(self, ask: Ask, name: str) -> dict[str, Any]:
        """A reference to a picture, whose parts must all be there."""
        return self._checked_reference(need(ask.body, name, dict))

    def _checked_reference(self, reference: Any) -> dict[str, Any]:
        if not isinstance(reference, dict):
            raise EngineError("bad_request", "A reference to a picture is not an object.")
        patches = reference.get("patches", [])
        if not isinstance(patches, list) or not all(isinstance(p, dict) for p in patches) or len(patches) > 256:
            raise EngineError("bad_request", "The changed regions of a picture are not a list of objects.")
        wanted = [reference["base"]] if "base" in reference else [reference.get("hash")]
        for patch in patches:
            wanted.append(patch.get("hash"))
            need(patch, "x", int), need(patch, "y", int)
        for key in wanted:
            check_header(self.daemon.spool.header(checked_hash(key)))
        return reference

    def _planes(self, ask: Ask) -> dict[str, Any]:
        planes = need(ask.body, "planes", dict)
        if not planes or len(planes) > len(PLANES):
            raise EngineError("plane_missing", "The underdrawing has no plane.", "Send segments, edges or paint.")
        return {str(name): self._checked_reference(reference) for name, reference in planes.items()}

    def _region(self, ask: Ask) -> dict[str, Any]:
        region = need(ask.body, "region", dict)
        if "mask" in region:
            return {"mask": self._checked_reference(region["mask"])}
        point = region.get("point")
        if isinstance(point, list) and len(point) == 2 and all(isinstance(v, int) for v in point):
            return {"point": point}
        if isinstance(region.get("class"), str):
            return {"class": region["class"]}
        raise EngineError("bad_request", "The region is no mask, no point and no class.")

    # --- training

    def train(self, ask: Ask) -> None:
        """Queue a training."""
        daemon, body = self.daemon, ask.body
        picture, planes = self._reference(ask, "picture"), self._planes(ask)
        room = shutil.disk_usage(daemon.home).free
        if room < LEAST_ROOM:
            text = f"Only {room >> 20} MiB are free on the disk that holds the engine's folder."
            raise EngineError("disk_full", text, f"Learning needs {LEAST_ROOM >> 20} MiB. Make room there.")
        args = {
            k: body.get(k) for k in ("method", "recipe", "iterations", "budget", "seed", "palette", "device", "threads")
        }
        args |= {"picture": picture, "planes": planes, "options": need(body, "options", dict, {})}
        args["region"] = self._area(body.get("region"))
        for key in ("iterations", "budget"):
            value = args[key]
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9
            ):
                raise EngineError("bad_request", f"{key} must be a number above 0.")
        identity = new_identity()
        name = checked_name(body.get("name") or f"picture {identity[:4]}")
        staging = daemon.library.staging(identity)
        staging.mkdir(parents=True)
        try:
            for reference in (picture, *planes.values()):
                keys = [reference["base"]] if "base" in reference else [reference["hash"]]
                for key in keys + [p["hash"] for p in reference.get("patches", [])]:
                    daemon.spool.link(key, staging / "inputs")
            keep = body.get("on_disconnect", "continue") != "cancel"
            job = Job(uuid.uuid4().hex[:8], identity, name, args, ask.client, keep)
            daemon.jobs.add(job)
        except (EngineError, OSError):
            daemon.library.discard(identity)
            raise
        ask.reply({"job": job.id, "model": identity, "name": name})
        daemon.changed(job)

    @staticmethod
    def _area(region: Any) -> list[int] | None:
        if region is None:
            return None
        whole = isinstance(region, list) and len(region) == 4 and all(type(v) is int for v in region)
        if not whole or region[2] <= 0 or region[3] <= 0:
            raise EngineError("bad_request", "The region must be x, y, width and height in whole pixels.")
        return list(region)

    def jobs(self, ask: Ask) -> None:
        """All jobs."""
        ask.reply({"jobs": [job.public() for job in self.daemon.jobs.jobs.values()]})

    def watch(self, ask: Ask) -> None:
        """Follow a job: its events, and at its end the answer."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        if not job.owner:
            job.owner = ask.client
        ask.event({"event": "state", **job.public()})
        if job.state in (*ENDED, State.PAUSED):
            ask.reply(job.public())
            return
        watchers = self.daemon.watchers.setdefault(job.id, [])
        watchers.append(ask)
        ask.on_abandon = lambda: watchers.remove(ask)

    def pause(self, ask: Ask) -> None:
        """Checkpoint and stop."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        self.daemon.pause(job)
        ask.reply(job.public())

    def resume(self, ask: Ask) -> None:
        """Go on."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        self.daemon.resume(job)
        ask.reply(job.public())

    def cancel(self, ask: Ask) -> None:
        """Stop and forget."""
        job = self.daemon.jobs.find(ask.body.get("job"))
        self.daemon.cancel(job)
        ask.reply(job.public())

    # --- the library

    def models_list(self, ask: Ask) -> None:
        """All models."""
        library = self.daemon.library
        ask.reply({"models": [library.summary(m) for m in library.all()]})

    def models_show(self, ask: Ask) -> None:
        """One model."""
        library = self.daemon.library
        ask.reply(library.details(library.find(need(ask.body, "model", str))))

    def models_rename(self, ask: Ask) -> None:
        """Another name."""
        library = self.daemon.library
        ask.reply(library.summary(library.rename(library.find(need(ask.body, "model", str)), ask.body.get("name", ""))))

    def models_delete(self, ask: Ask) -> None:
        """Delete for good."""
        manifest = self.daemon.library.find(need(ask.body, "model", str))
        self.daemon.library.delete(manifest)
        ask.reply({"id": manifest.id, "name": manifest.name})

    def models_export(self, ask: Ask) -> None:
        """Pack a model into a file, which the client then gets in parts."""
        daemon = self.daemon
        manifest = daemon.library.find(need(ask.body, "model", str))
        with self._file("export") as path:
            size = modelfile.write(daemon.library.folder(manifest.id), manifest, path)
            key = daemon.spool.adopt(path)
        ask.reply({"hash": key, "size": size, "name": manifest.name, "note": modelfile.WORD})

    def models_import(self, ask: Ask) -> None:
        """Unpack a file that was put before, have its graphs looked into, and publish it."""
        daemon, identity = self.daemon, new_identity()
        key = checked_hash(ask.body.get("hash"))
        daemon.spool.header(key)
        manifest = modelfile.read(daemon.spool.path(key), daemon.library.staging(identity), identity)

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            if error is not None:
                daemon.library.discard(identity)
                ask.fail(error)
                return
            published = daemon.library.publish(identity)
            ask.reply(daemon.library.summary(published))

        try:
            checked_name(manifest.name)
        except EngineError:
            manifest = replace(manifest, name=f"model {identity[:4]}")
        daemon.render("check_model", {"model_folder": str(daemon.library.staging(identity))}, ask, answer)

    @contextlib.contextmanager
    def _file(self, name: str) -> Iterator[Path]:
        path: Path = self.daemon.spool.folder / f"{name}-{uuid.uuid4().hex}.tmp"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
