"""Training jobs and their queue: what waits, what runs, what is left when the engine is killed."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from underdrawing.client.ensure_model import composite_key
from underdrawing.client.messages import EngineError
from underdrawing.store.model_library import Library, write_text

MOST_WAITING = 16
KEPT = 64  # ended jobs that are still listed


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (State.DONE, State.FAILED, State.CANCELLED)


@dataclass
class Job:
    """One training.

    Attributes:
        id: of the job; the model gets `model`.
        args: what the worker is given, without folders.
        key: of the request that began it: the same request sent twice begins one job.
        owners: the clients that asked (none after a restart).
        keep: goes on when they are gone.
        progress: the last progress event.
        wish: "pause", "cancel", or "yield" (pause, and go on later) when the worker was asked to.
        crashes: how often the worker ended unexpectedly since it last came further; `crashed_at`: where.
    """

    id: str
    model: str
    name: str
    args: dict[str, Any]
    key: str = ""
    owners: set[bytes] = field(default_factory=set)
    keep: bool = True
    state: State = State.QUEUED
    progress: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sample: str = ""
    error: dict[str, str] | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    wish: str = ""
    crashes: int = 0
    crashed_at: int = -1

    def same(self, args: dict[str, Any]) -> bool:
        """Whether this job trains the very same thing."""
        return json.dumps(self.args, sort_keys=True) == json.dumps(args, sort_keys=True)

    def public(self) -> dict[str, Any]:
        """What clients see."""
        return {
            "job": self.id,
            "model": self.model,
            "name": self.name,
            "method": self.args.get("method"),
            "recipe": self.args.get("recipe"),
            "picture": (self.args.get("picture") or {}).get("hash"),
            "base": self.args.get("base"),
            "composite": composite_key(self.args["composite"], self.args["mask"])
            if self.args.get("composite")
            else None,
            "state": str(self.state),
            "stopping": self.wish.replace("yield", "pause") if self.state is State.RUNNING else "",
            "background": self.background,
            "progress": self.progress,
            "notes": self.notes,
            "sample": self.sample,
            "error": self.error,
            "figures": self.figures,
            "created": self.created,
        }

    def stored(self) -> str:
        """What is written beside the checkpoint, so that a killed engine knows what it was doing."""
        state = State.QUEUED if self.state is State.RUNNING else self.state
        kept: dict[str, Any] = {"id": self.id, "model": self.model, "name": self.name, "args": self.args}
        kept |= {"key": self.key, "keep": self.keep}
        return json.dumps(
            {**kept, "state": str(state), "error": self.error, "created": self.created}, ensure_ascii=False
        )

    @property
    def background(self) -> bool:
        """Whether it was begun by the engine itself, after a draft."""
        return bool(self.args.get("draft"))

    @classmethod
    def restored(cls, raw: dict[str, Any]) -> Job:
        """The reverse of `stored`; raises KeyError, TypeError or ValueError where it is damaged."""
        job = cls(str(raw["id"]), str(raw["model"]), str(raw["name"]), dict(raw["args"]), str(raw["key"]))
        job.keep = bool(raw["keep"])
        job.state, job.error, job.created = State(raw["state"]), raw.get("error"), float(raw["created"])
        return job


class Jobs:
    """All jobs the daemon knows, oldest first."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.jobs: dict[str, Job] = {}
        self.held = False  # whether trainings in the background wait, as on battery

    def add(self, job: Job) -> None:
        """Queue a job.

        Raises:
            EngineError: too many wait already.
        """
        if sum(j.state is State.QUEUED for j in self.jobs.values()) >= MOST_WAITING:
            text = f"{MOST_WAITING} trainings are already waiting."
            raise EngineError("queue_full", text, "Wait until some are done, or cancel some: underdrawing jobs")
        self.jobs[job.id] = job
        self.store(job)
        ended = [j for j in self.jobs.values() if j.state in ENDED]
        for old in ended[: max(0, len(ended) - KEPT)]:
            del self.jobs[old.id]

    def like(self, key: str, args: dict[str, Any]) -> Job | None:
        """The job that this request began before, or one under way that trains the very same thing."""
        for job in self.jobs.values():
            if (key and job.key == key) or (job.state not in ENDED and job.same(args)):
                return job
        return None

    def store(self, job: Job) -> None:
        """Write what must survive a kill."""
        folder = self.library.staging(job.model)
        if folder.is_dir():
            write_text(folder / "job.json", job.stored())

    def find(self, wanted: object) -> Job:
        """A job by its id, its model's id, or its name (the newest of that name).

        Raises:
            EngineError: there is none.
        """
        fitting = [j for j in self.jobs.values() if wanted in (j.id, j.model, j.name)]
        if not fitting:
            raise EngineError("unknown_job", f"There is no job {wanted!r}.", "List them with: underdrawing jobs")
        return fitting[-1]

    def waiting(self) -> list[Job]:
        """The jobs that should run, in their order; a person's own come before those in the background."""
        found = [j for j in self.jobs.values() if j.state is State.QUEUED and not (j.background and self.held)]
        return sorted(found, key=lambda j: j.background)

    def running(self) -> list[Job]:
        """The jobs that run."""
        return [j for j in self.jobs.values() if j.state is State.RUNNING]

    def restore(self) -> list[str]:
        """Take up what a former engine left: finished models are published, interrupted trainings queued again.

        Returns:
            sentences for the log.
        """
        told = []
        for identity, raw in self.library.staged():
            folder = self.library.staging(identity)
            if (folder / "manifest.json").is_file():
                try:
                    self.library.publish(identity)
                    told.append(f"model {identity} was finished and is published")
                    continue
                except (ValueError, OSError):
                    (folder / "manifest.json").unlink(missing_ok=True)
            try:
                if raw is None or raw.get("model") != identity:
                    raise ValueError
                job = Job.restored(raw)
            except (KeyError, TypeError, ValueError, OverflowError):
                self.library.discard(identity)
                told.append(f"the leftover training {identity} cannot be read and is removed")
                continue
            if job.state in (State.CANCELLED, State.DONE):
                self.library.discard(identity)
                continue
            self.jobs[job.id] = job
            told.append(f"training {identity} is resumed as {job.state}")
        self.jobs = dict(sorted(self.jobs.items(), key=lambda item: item[1].created))
        return told
