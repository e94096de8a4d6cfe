"""Worker and renderer as the daemon sees them: started, fed, heard, suspended, killed. Standard library and psutil."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from underdrawing.client.messages import EngineError
from underdrawing.store.worker_pipe import PARENT

log = logging.getLogger("underdrawing.children")

OBEY = 0.7  # seconds that a child has to obey a cancel before it is killed
# Threads that spin while they wait made training seven times slower beside one other busy program, and the program too.
POLITE = {"OMP_WAIT_POLICY": "PASSIVE", "TORCH_CPP_LOG_LEVEL": "ERROR"}
# NumPy's threads always spin, and a draft's products are small: one thread takes half the work, and thrice less time
# where something else wants the processor. Torch may compute with the same library, so the worker keeps its threads.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
LONGEST_LINE = 16 << 20  # bytes; more from a child is a fault
CRASHED = EngineError(
    "crashed",
    "The process that did this ended unexpectedly; often the machine's memory ran out.",
    "Close other programs or choose a smaller region; the log has more: underdrawing engine logs",
)
CANCELLED = EngineError("cancelled", "Cancelled.")

End = Callable[[dict[str, Any] | None, EngineError | None], None]


class Inbox:
    """What other threads want done in the daemon's thread. `socket` becomes readable when there is something."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.socket, self._waker = socket.socketpair()
        self.socket.setblocking(False)
        self._waker.setblocking(False)

    def put(self, action: Callable[[], None]) -> None:
        """From any thread."""
        self._queue.put(action)
        with contextlib.suppress(OSError):  # full: it is awake already; closed: nobody listens any more
            self._waker.send(b"!")

    def run(self) -> None:
        """In the daemon's thread: do all of it. A fault in one action does not reach the others."""
        with contextlib.suppress(OSError):
            while self.socket.recv(4096):
                pass
        while not self._queue.empty():
            try:
                self._queue.get()()
            except Exception:
                log.exception("something failed inside")

    def close(self) -> None:
        """Hear nothing any more."""
        self.socket.close()
        self._waker.close()


@dataclass
class ChildTask:
    """Something that a child is asked to do.

    Attributes:
        on_event: called with every event line.
        on_end: called once with the result, or with an error.
        kill_at: when the child is killed for not obeying a cancel.
    """

    number: int
    name: str
    args: dict[str, Any]
    on_event: Callable[[dict[str, Any]], None]
    on_end: End
    kill_at: float | None = None
    attempts: int = 0
    began: float = field(default_factory=time.monotonic)


class Child:
    """One child process. All methods are for the daemon's thread.

    Args:
        module: what it runs.
        name: in the log.
        inbox: where its lines come in.
        record: a file that says which process this is, so that the next engine finds it when this one is killed.
        variables: of its environment, beside those that all have.
    """

    def __init__(
        self, module: str, name: str, inbox: Inbox, record: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.inbox, self.record = name, inbox, record
        self.tasks: dict[int, ChildTask] = {}
        self.suspended = False
        self.why: EngineError | None = None
        self.idle_since = time.monotonic()
        options: dict[str, Any] = {"creationflags": 0x08000000} if sys.platform == "win32" else {}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={
                    **os.environ,
                    **POLITE,
                    **(variables or {}),
                    "PYTHONUNBUFFERED": "1",
                    PARENT: str(os.getpid()),
                },
                **options,
            )
        except OSError as error:
            text = f"A process could not be started: {error.strerror or error}."
            raise EngineError("not_startable", text, "Close other programs and try again.") from None
        with contextlib.suppress(OSError, psutil.Error):
            began = psutil.Process(self.process.pid).create_time()
            record.write_text(json.dumps({"pid": self.process.pid, "began": began}), encoding="utf-8")
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        for work in (self._read, self._log, self._feed):
            threading.Thread(target=work, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def _read(self) -> None:
        output = self.process.stdout
        assert output is not None  # noqa: S101 - as it was opened
        while line := output.readline(LONGEST_LINE):
            try:
                # NaN and infinities are no JSON: one kept with a job would spoil every answer that speaks of it.
                message = json.loads(line, parse_constant=lambda _: None)
            except (ValueError, RecursionError):
                continue
            if isinstance(message, dict):
                self.inbox.put(lambda message=message: self.heard(message))  # type: ignore[misc]
        self.process.wait()
        output.close()
        self.inbox.put(self.ended)

    def _log(self) -> None:
        errors = self.process.stderr
        assert errors is not None  # noqa: S101 - as it was opened
        while line := errors.readline(4096):
            log.info("%s: %s", self.name, line.decode("utf-8", "replace").rstrip())
        errors.close()

    def _feed(self) -> None:
        # In a thread: a child that does not read yet (loading torch takes seconds), or no more, must hold nobody up.
        outgoing = self.process.stdin
        assert outgoing is not None  # noqa: S101 - as it was opened
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):
                outgoing.write(line)
                outgoing.flush()
        with contextlib.suppress(OSError):
            outgoing.close()

    def _write(self, message: dict[str, Any]) -> None:
        self._lines.put((json.dumps(message) + "\n").encode())

    def give(self, task: ChildTask) -> None:
        """Hand a task over."""
        task.began, task.attempts = time.monotonic(), task.attempts + 1
        self.tasks[task.number] = task
        self._write({"id": task.number, "task": task.name, "args": task.args})

    def control(self, number: int, what: str, patience: float = OBEY) -> None:
        """Ask a running task to pause or cancel; a child that has not obeyed after `patience` seconds is killed."""
        self.resume()
        self._write({"id": number, "control": what})
        if number in self.tasks:
            self.tasks[number].kill_at = time.monotonic() + patience

    def heard(self, message: dict[str, Any]) -> None:
        """Act on a line that arrived."""
        number = message.get("id")
        task = self.tasks.get(number) if isinstance(number, int) else None
        if task is None:
            return
        if "event" in message:
            task.on_event({k: v for k, v in message.items() if k != "id"})
            return
        del self.tasks[task.number]
        self.idle_since = time.monotonic()
        result = message.get("result")
        if message.get("ok") is True and isinstance(result, dict):
            task.on_end(result, None)
        else:
            task.on_end(None, EngineError.from_dict(message.get("error")))

    def ended(self) -> None:
        """The process is gone; what it was doing is over."""
        # The next child of this kind may have written its own record already.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if json.loads(self.record.read_text(encoding="utf-8"))["pid"] == self.process.pid:
                self.record.unlink()
        self._lines.put(None)
        while self.tasks:
            _, task = self.tasks.popitem()
            error = self.why or (CANCELLED if task.kill_at is not None else CRASHED)
            log.info("%s ended with code %s while it did %s", self.name, self.process.returncode, task.name)
            try:
                task.on_end(None, error)
            except Exception:
                log.exception("something failed inside")

    def tick(self, now: float, most: int) -> None:
        """Kill what was told to end and did not, and what takes more than `most` bytes of memory."""
        if any(task.kill_at is not None and now >= task.kill_at for task in self.tasks.values()):
            log.info("%s did not obey in time and is killed", self.name)
            self.kill()
        elif self.tasks and self.memory() > most:
            text = f"This needs more memory than the engine may use ({most >> 20} MiB)."
            self.why = EngineError("out_of_memory", text, "Choose a smaller region or a smaller recipe.")
            log.warning("%s takes too much memory and is killed", self.name)
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


def end_leftovers(folder: Path) -> None:
    """End children of an engine that was killed, where the system did not end them with it."""
    for record in folder.glob("child-*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, psutil.Error):
            known = json.loads(record.read_text(encoding="utf-8"))
            process = psutil.Process(int(known["pid"]))
            # Process ids are used again: only the same id begun at the same moment is ours.
            if abs(process.create_time() - float(known["began"])) < 0.05:
                process.kill()
                process.wait(5)
        with contextlib.suppress(OSError):
            record.unlink()
