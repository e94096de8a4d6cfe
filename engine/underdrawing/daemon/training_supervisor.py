"""Training jobs in worker processes: started, heard, paused, cancelled, taken up again after a crash, published."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.daemon.child_process import CRASHED, Child, ChildTask, End, Inbox
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.job_queue import ENDED, Job, Jobs, State
from underdrawing.store.manifest import ManifestError
from underdrawing.store.model_library import Library

log = logging.getLogger("underdrawing.training")

PAUSE = 120.0  # seconds that a worker has for its checkpoint (2.3 GB for the biggest models) before it is killed
PARK = 15.0  # seconds for the same when the engine ends
CRASHES = 3  # times that a worker may end unexpectedly without having come further in between
MOST_NOTES = 20
DRAFT_IDLE = 300.0  # seconds that a worker waits for the next draft: loading torch takes longer than a draft

MakeTask = Callable[[str, dict[str, Any], Callable[[dict[str, Any]], None], End], ChildTask]
OVER = (*ENDED, State.PAUSED)


class Lane(StrEnum):
    """What never waits for the other: one worker each."""

    DRAFT = "draft"  # over within seconds, and somebody is waiting to paint
    TRAIN = "train"

    @classmethod
    def of(cls, job: Job) -> Lane:
        return cls.DRAFT if job.args.get("method") == "draft" else cls.TRAIN


class Supervisor:
    """The workers that run, one a lane, and everybody who watches jobs.

    Args:
        module: what the process runs.
        make_task: numbers a task and adds the folders to its arguments.
        chores: for what takes long and must not hold the daemon up.
    """

    def __init__(
        self,
        module: str,
        jobs: Jobs,
        library: Library,
        inbox: Inbox,
        run: Path,
        make_task: MakeTask,
        chores: ThreadPoolExecutor,
    ) -> None:
        self.module, self.jobs, self.library, self.inbox, self.run = module, jobs, library, inbox, run
        self._make_task, self._chores = make_task, chores
        self.workers: dict[Lane, Child] = {}
        self.publishing = 0
        self.watchers: dict[str, list[Ask]] = {}
        self._making_way = False
        self.parking = False
        self.on_done: Callable[[Job], None] = lambda job: None

    # --- the workers

    @property
    def worker(self) -> Child | None:
        """That of a training, else that of a draft that is being made."""
        return self.workers.get(Lane.TRAIN) or (self.workers[Lane.DRAFT] if self._drafting else None)

    @property
    def _drafting(self) -> bool:
        return Lane.DRAFT in self.workers and bool(self.workers[Lane.DRAFT].tasks)

    def warm(self) -> None:
        """An underdrawing was made: a draft is likely to be wanted soon."""
        if Lane.DRAFT not in self.workers and not self.parking:
            with contextlib.suppress(EngineError):
                self.workers[Lane.DRAFT] = self._child(Lane.DRAFT)

    def _child(self, lane: Lane) -> Child:
        return Child(self.module, f"{lane} worker", self.inbox, self.run / f"child-{lane}.json")

    def tick(self, now: float, most: int) -> None:
        """Everything that depends on time; starts the next job of a lane when it has no worker."""
        self._yield()
        for lane in Lane:
            worker = self.workers.get(lane)
            if worker is not None:
                worker.tick(now, most)
                idle = lane is Lane.DRAFT and worker.alive and not worker.tasks
                if idle and now - worker.idle_since > DRAFT_IDLE:
                    worker.kill()
                elif not idle and (worker.alive or worker.tasks):
                    continue
                if not idle:
                    del self.workers[lane]
            job = next((job for job in self.jobs.waiting() if Lane.of(job) is lane), None)
            if job is not None and not self.parking:
                self._start(job, lane)

    def _yield(self) -> None:
        """Let a training in the background wait for a person's own, or for the power cable."""
        waited_for = any(Lane.of(job) is Lane.TRAIN and not job.background for job in self.jobs.waiting())
        for job in self.jobs.running():
            if job.background and not job.wish and (waited_for or self.jobs.held):
                self._wish(job, "pause", PAUSE)
                job.wish = "yield"

    def _start(self, job: Job, lane: Lane) -> None:
        folder = self.library.staging(job.model)
        args = {**job.args, "job": job.id, "model": job.model, "name": job.name, "folder": str(folder)}
        try:
            worker = self.workers.get(lane) or self._child(lane)
        except EngineError as error:
            self._over(job, State.FAILED, error)
            return
        job.state, job.error, job.wish = State.RUNNING, None, ""
        log.info("job %s begins", job.id)
        self.workers[lane] = worker
        worker.give(self._make_task("train", args, lambda e: self.heard(job, e), lambda r, e: self.ended(job, r, e)))
        self.make_way(self._making_way)
        self.tell(job)

    def make_way(self, wanted: bool) -> None:
        """Trainings stand still while the renderer works or a draft is made, unless they have a GPU for themselves."""
        self._making_way = wanted
        worker = self.workers.get(Lane.TRAIN)
        if worker is None:
            return
        job = next((job for job in self.jobs.running() if Lane.of(job) is Lane.TRAIN), None)
        device = str(job.progress.get("device", "CPU")) if job is not None else "CPU"
        wishing = any(task.kill_at is not None for task in worker.tasks.values())
        if (wanted or self._drafting) and device.startswith("CPU") and not wishing:
            worker.suspend()
        else:
            worker.resume()

    def heard(self, job: Job, event: dict[str, Any]) -> None:
        """An event of a training: remembered for later watchers, passed on to present ones."""
        kind = event.get("event")
        if kind == "progress":
            job.progress = {k: v for k, v in event.items() if k != "event"}
        elif kind == "note":
            job.notes = [*job.notes, str(event.get("text"))][-MOST_NOTES:]
        elif kind == "sample":
            job.sample = str(event.get("hash"))
        for ask in self.watchers.get(job.id, []):
            ask.event(event)

    def ended(self, job: Job, result: dict[str, Any] | None, error: EngineError | None) -> None:
        """A worker ended its job, one way or another."""
        lane = Lane.of(job)
        if lane is Lane.TRAIN and lane in self.workers:
            self.workers[lane].kill()  # gives its memory back
        self.make_way(self._making_way)
        if result is not None:
            job.figures = dict(result.get("figures") or {})
        if job.wish == "cancel" or (
            error is not None and error.code == "cancelled" and job.wish not in ("pause", "yield")
        ):
            self._over(job, State.CANCELLED)
        elif result is not None and result.get("state") == "done":
            self._publish(job)
        elif job.wish in ("pause", "yield"):
            self._over(job, State.QUEUED if self.parking or job.wish == "yield" else State.PAUSED)
        elif result is not None and result.get("state") == "unused":
            self._over(job, State.CANCELLED)
        elif error is CRASHED:
            self._crashed(job)
        elif result is not None:
            self._over(job, State.FAILED, EngineError("internal", "The training ended without a result.", ""))
        else:
            self._over(job, State.FAILED, error)

    def _crashed(self, job: Job) -> None:
        """Go on from the last checkpoint, unless it crashes again and again at the same place."""
        iteration = job.progress.get("iteration")
        come = iteration if isinstance(iteration, int) else 0
        job.crashes = 1 if come > job.crashed_at else job.crashes + 1
        job.crashed_at = max(come, job.crashed_at)
        if job.crashes >= CRASHES:
            self._over(job, State.FAILED, CRASHED)
            return
        text = "The train worker ended unexpectedly; training resumes from the last checkpoint."
        self.heard(job, {"event": "note", "text": text})
        self._over(job, State.QUEUED)

    def _publish(self, job: Job) -> None:
        """Into the library: in another thread, as every file's hash is compared."""
        self.publishing += 1

        def work() -> None:
            error: EngineError | None = None
            try:
                self.library.publish(job.model)
            except (ManifestError, OSError) as fault:
                error = EngineError("not_published", f"The model could not be stored: {fault}", "Resume the job.")
            self.inbox.put(lambda: published(error))

        def published(error: EngineError | None) -> None:
            self.publishing -= 1
            self._over(job, State.DONE if error is None else State.FAILED, error)
            if error is None:
                self.on_done(job)

        self._chores.submit(work)

    def _over(self, job: Job, state: State, error: EngineError | None = None) -> None:
        job.state = state
        job.error = error.as_dict() if state is State.FAILED and error is not None else None
        if state is State.CANCELLED:
            self.library.discard(job.model)
        elif state is not State.DONE:
            self.jobs.store(job)
        log.info("job %s: %s%s", job.id, state, f" ({error.code})" if error is not None else "")
        self.tell(job)

    # --- wishes

    def pause(self, job: Job) -> None:
        """Stop a job with a checkpoint.

        Raises:
            EngineError: it is over.
        """
        if job.state is State.QUEUED:
            self._over(job, State.PAUSED)
        elif job.state is State.RUNNING:
            self._wish(job, "pause", PAUSE)
        elif job.state is not State.PAUSED:
            raise EngineError("job_ended", f"The job is over already ({job.state}).")

    def resume(self, job: Job) -> None:
        """Go on with a paused or failed job, from its checkpoint.

        Raises:
            EngineError: it is over.
        """
        if job.state in (State.DONE, State.CANCELLED):
            raise EngineError("job_ended", f"The job is over already ({job.state}).", "Begin a new one.")
        if job.state in (State.PAUSED, State.FAILED):
            job.crashes = 0
            self._over(job, State.QUEUED)

    def cancel(self, job: Job) -> None:
        """Stop a job and forget what it did.

        Raises:
            EngineError: the model is finished.
        """
        worker = self.workers.get(Lane.of(job))
        if job.state is State.RUNNING and worker is not None and worker.tasks:
            self._wish(job, "cancel")
        elif job.state in (State.QUEUED, State.PAUSED, State.FAILED):
            self._over(job, State.CANCELLED)
        elif job.state is not State.CANCELLED:
            hint = "Delete the model: underdrawing models delete"
            raise EngineError("job_ended", "The training has already finished.", hint)

    def _wish(self, job: Job, what: str, patience: float | None = None) -> None:
        if job.wish == "cancel":
            return
        job.wish = what
        if (worker := self.workers.get(Lane.of(job))) is not None:
            for number in list(worker.tasks):
                if patience is None:
                    worker.control(number, what)
                else:
                    worker.control(number, what, patience)

    # --- those who watch

    def watch(self, job: Job, ask: Ask) -> None:
        """Send a job's events from now on; the answer comes when it is over or paused."""
        ask.event({"event": "state", **job.public()})
        if job.state in OVER:
            ask.reply(job.public())
            return
        watchers = self.watchers.setdefault(job.id, [])
        watchers.append(ask)
        ask.on_abandon = lambda: watchers.remove(ask)

    def tell(self, job: Job) -> None:
        """Tell those who watch; the watch is over when the job is."""
        over = job.state in OVER
        for ask in list(self.watchers.get(job.id, [])):
            ask.event({"event": "state", **job.public()})
            if over:
                ask.reply(job.public())
        if over:
            self.watchers.pop(job.id, None)

    def client_gone(self, client: bytes) -> None:
        """Jobs that should not outlive their client end."""
        for job in list(self.jobs.jobs.values()):
            if client in job.owners and not job.keep and job.state not in OVER:
                job.owners.discard(client)
                if not job.owners:
                    log.info("job %s ends with its client", job.id)
                    with contextlib.suppress(EngineError):  # it is finished, and on its way into the library
                        self.cancel(job)

    # --- the end

    @property
    def busy(self) -> bool:
        """Whether anything runs, waits, or is watched."""
        return bool(self.jobs.running() or self.jobs.waiting() or self.publishing or any(self.watchers.values()))

    def park(self) -> None:
        """The engine ends: trainings under way write their checkpoints and continue with the next engine."""
        self.parking = True
        for job in self.jobs.running():
            self._wish(job, "pause", PARK)

    @property
    def parked(self) -> bool:
        """Whether nothing runs any more."""
        return self.publishing == 0 and not any(worker.tasks for worker in self.workers.values())

    def close(self) -> None:
        """End the workers whatever they do; their jobs stay queued on the disk."""
        deadline = time.monotonic() + 2.0
        for worker in self.workers.values():
            worker.kill()
        while any(worker.alive for worker in self.workers.values()) and time.monotonic() < deadline:
            time.sleep(0.01)
