"""The renderer's queue: applying goes first, one task at a time, a crash is tried once more, an idle renderer ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.daemon.child_process import CRASHED, ONE_THREAD, Child, ChildTask, End, Inbox
from underdrawing.daemon.clients import Ask
from underdrawing.store.blob_store import Spool

log = logging.getLogger("underdrawing.rendering")

MOST_WAITING = 64  # of all clients together
MOST_OF_ONE = 16  # of one client
PATIENT = 5.0  # seconds after which what waits is not overtaken any more
FIRST = ("apply", "status")
ATTEMPTS = 2


@dataclass
class Work:
    """A task that waits or runs, for whom, and the pictures that must not go away meanwhile."""

    task: ChildTask
    ask: Ask
    pins: tuple[str, ...]
    since: float


class Rendering:
    """One renderer process, and what waits for it.

    Args:
        module: what the process runs.
        make_way: called with True before a task begins and with False when nothing is left to do.
    """

    def __init__(
        self, module: str, inbox: Inbox, run: Path, spool: Spool, idle: float, make_way: Callable[[bool], None]
    ) -> None:
        self.module, self.inbox, self.run, self.spool, self.idle = module, inbox, run, spool, idle
        self._make_way = make_way
        self.child: Child | None = None
        self.waiting: list[Work] = []
        self.current: Work | None = None

    def submit(self, task: ChildTask, ask: Ask, pins: tuple[str, ...] = ()) -> None:
        """Queue a task.

        Raises:
            EngineError: too many wait already.
        """
        mine = sum(work.ask.client == ask.client for work in self.waiting)
        if len(self.waiting) >= MOST_WAITING or mine >= MOST_OF_ONE:
            text = f"{len(self.waiting)} requests wait already."
            raise EngineError("queue_full", text, "Wait a moment and try again.")
        work = Work(task, ask, pins, time.monotonic())
        self.spool.pin(*pins)
        self.waiting.append(work)
        ask.on_abandon = lambda: self.drop(work)
        self.feed()

    def drop(self, work: Work) -> None:
        """Nobody wants this any more: out of the queue, or cancelled where it runs."""
        if work in self.waiting:
            self.waiting.remove(work)
            self.spool.unpin(*work.pins)
        elif work is self.current and self.child is not None:
            self.child.control(work.task.number, "cancel")

    def feed(self) -> None:
        """Give the next waiting task to the renderer."""
        if self.current is not None:
            return
        if not self.waiting:
            self._make_way(False)
            return
        work = self._next()
        self.waiting.remove(work)
        try:
            child = self.warm()
        except EngineError as error:
            self._ended(work, work.task.on_end)(None, error)  # which goes on with the next one
            return
        self._make_way(True)
        self.current = work
        end = work.task.on_end
        task = ChildTask(work.task.number, work.task.name, work.task.args, work.task.on_event, self._ended(work, end))
        task.attempts = work.task.attempts
        child.give(task)
        work.task.attempts = task.attempts

    def _next(self) -> Work:
        """The oldest of those that go first, unless others have waited for long."""
        oldest = self.waiting[0]
        if time.monotonic() - oldest.since > PATIENT:
            return oldest
        return next((work for work in self.waiting if work.task.name in FIRST), oldest)

    def _ended(self, work: Work, end: End) -> End:
        def ended(result: dict[str, Any] | None, error: EngineError | None) -> None:
            self.current = None
            if error is CRASHED and work.task.attempts < ATTEMPTS and work.ask.open:
                log.info("the renderer ended unexpectedly; %s is tried once more", work.task.name)
                self.waiting.insert(0, work)
            elif self._makes_room(work, error):
                log.info("the disk was full; %s is tried once more", work.task.name)
                self.waiting.insert(0, work)
            else:
                self.spool.unpin(*work.pins)
                try:
                    end(result, error)
                except EngineError as fault:
                    work.ask.fail(fault)
                except (KeyError, TypeError, ValueError):
                    log.exception("the renderer's answer cannot be used")
                    work.ask.fail(EngineError("internal", "The renderer's answer cannot be used.", "See the log."))
            self.feed()

        return ended

    def _makes_room(self, work: Work, error: EngineError | None) -> bool:
        """Whether a task failed for want of room on the disk, and pictures that nobody uses have made some."""
        if error is None or error.code != "disk_full" or work.task.attempts >= ATTEMPTS or not work.ask.open:
            return False
        return self.spool.give_way(self.spool.limit) > 0

    def warm(self) -> Child:
        """The process; started before the first task, as loading its libraries takes a second or two."""
        if self.child is None or not self.child.alive:
            record = self.run / "child-renderer.json"
            self.child = Child(self.module, "renderer", self.inbox, record, ONE_THREAD)
        return self.child

    def end(self) -> int:
        """End an unused renderer; returns the bytes that were freed."""
        if self.child is None or self.current is not None:
            return 0
        freed = self.child.memory()
        self.child.kill()
        self.child = None
        return freed

    def tick(self, now: float, most: int) -> None:
        """What depends on time."""
        if self.child is None:
            return
        self.child.tick(now, most)
        if self.current is None and now - self.child.idle_since > self.idle:
            log.info("the renderer was idle for %d s and ends", self.idle)
            self.end()

    def describe(self) -> dict[str, Any] | None:
        """For `status`."""
        if self.child is None or not self.child.alive:
            return None
        left = None if self.current else max(0.0, self.idle - (time.monotonic() - self.child.idle_since))
        return {
            "pid": self.child.process.pid,
            "memory": self.child.memory(),
            "busy": self.current.task.name if self.current else "",
            "ends_in": None if left is None else round(left),
        }

    def close(self) -> None:
        """End the renderer whatever it does."""
        for work in self.waiting:
            work.ask.fail(
                EngineError("engine_ends", "The engine is shutting down.", "Try again; a new engine will start.")
            )
        self.waiting = []
        if self.child is not None:
            self.child.kill()
