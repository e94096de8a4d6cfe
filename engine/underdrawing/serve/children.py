"""Worker and renderer as the daemon sees them: started, fed, heard, suspended, killed. Standard library and psutil."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil

from underdrawing.link.messages import EngineError

log = logging.getLogger("underdrawing.children")

OBEY = 0.7  # seconds that a child has to obey a cancel before it is killed
CRASHED = EngineError(
    "crashed",
    "The process that did this ended unexpectedly; often the machine's memory ran out.",
    "Close other programs or choose a smaller region; the log has more: underdrawing engine logs",
)


@dataclass
class Task:
    """Something that a child was asked to do.

    Attributes:
        on_event: called with every event line.
        on_end: called once with the result, or with an error.
    """

    number: int
    name: str
    args: dict[str, Any]
    on_event: Callable[[dict[str, Any]], None]
    on_end: Callable[[dict[str, Any] | None, EngineError | None], None]
    kill_at: float | None = None
    began: float = field(default_factory=time.monotonic)


class Child:
    """One child process. All methods are for the daemon's thread; its readers only fill `inbox` and call `wake`."""

    def __init__(
        self,
        module: str,
        name: str,
        inbox: queue.SimpleQueue[tuple[Child, dict[str, Any] | None]],
        wake: Callable[[], None],
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name, self.inbox, self.wake = name, inbox, wake
        self.tasks: dict[int, Task] = {}
        self.suspended = False
        self.idle_since = time.monotonic()
        options: dict[str, Any] = {"creationflags": 0x08000000} if sys.platform == "win32" else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1"},
            **options,
        )
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._log, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - as it was opened
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    self.inbox.put((self, message))
                    self.wake()
        self.process.wait()
        self.inbox.put((self, None))
        self.wake()

    def _log(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - as it was opened
        for line in self.process.stderr:
            log.info("%s: %s", self.name, line.decode("utf-8", "replace").rstrip())

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None  # noqa: S101 - as it was opened
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write((json.dumps(message) + "\n").encode())
            self.process.stdin.flush()

    def give(self, task: Task) -> None:
        """Hand a task over."""
        self.tasks[task.number] = task
        self._write({"id": task.number, "task": task.name, "args": task.args})

    def control(self, number: int, what: str) -> None:
        """Ask a running task to pause or cancel; one that does not obey a cancel in time is killed."""
        self.resume()
        self._write({"id": number, "control": what})
        if what == "cancel" and number in self.tasks:
            self.tasks[number].kill_at = time.monotonic() + OBEY

    def heard(self, message: dict[str, Any] | None) -> None:
        """Act on a line that arrived; None means that the process ended."""
        if message is None:
            for task in list(self.tasks.values()):
                self.tasks.pop(task.number)
                cancelled = EngineError("cancelled", "Cancelled.")
                task.on_end(None, cancelled if task.kill_at is not None else CRASHED)
            return
        task = self.tasks.get(message.get("id", -1))  # type: ignore[assignment]
        if task is None:
            return
        if "event" in message:
            task.on_event({k: v for k, v in message.items() if k != "id"})
            return
        self.tasks.pop(task.number)
        self.idle_since = time.monotonic()
        if message.get("ok"):
            task.on_end(message.get("result") or {}, None)
        else:
            task.on_end(None, EngineError.from_dict(message.get("error")))

    def tick(self, now: float) -> None:
        """Kill what was told to end and did not."""
        if any(task.kill_at is not None and now >= task.kill_at for task in self.tasks.values()):
            log.info("%s did not obey in time and is killed", self.name)
            self.kill()

    def suspend(self) -> None:
        """Stop using processors (training makes way for an apply)."""
        if not self.suspended and self.alive:
            with contextlib.suppress(psutil.Error):
                psutil.Process(self.process.pid).suspend()
                self.suspended = True

    def resume(self) -> None:
        """Go on after `suspend`."""
        if self.suspended:
            self.suspended = False
            with contextlib.suppress(psutil.Error):
                psutil.Process(self.process.pid).resume()

    def memory(self) -> int:
        """Resident bytes."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self.process.pid).memory_info().rss)
        return 0

    def kill(self) -> None:
        """End at once, with everything that it started."""
        with contextlib.suppress(psutil.Error):
            for descendant in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    descendant.kill()
        with contextlib.suppress(OSError):
            self.process.kill()
