"""The child's side of the pipe to the daemon: JSON lines in, JSON lines out. See docs/protocol.md, "Processes"."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from underdrawing.client.messages import EngineError

PARENT = "UNDERDRAWING_PARENT"  # the daemon's process id
Handler = Callable[[Mapping[str, Any], "Context"], dict[str, Any]]


class Listener(Protocol):
    """To whom a task speaks: the daemon at the other end of a pipe, or a terminal."""

    def event(self, kind: str, **fields: Any) -> None:
        """Tell something on the way."""

    def wanted(self) -> str | None:
        """None, "pause" or "cancel"."""


class Context:
    """What a running task can say and ask."""

    def __init__(self, pipe: Pipe, task: int) -> None:
        self._pipe, self._task = pipe, task

    def event(self, kind: str, **fields: Any) -> None:
        """Tell the daemon something on the way."""
        self._pipe.write({"id": self._task, "event": kind, **fields})

    def wanted(self) -> str | None:
        """None, "pause" or "cancel"."""
        return self._pipe.controls.get(self._task)


class Pipe:
    """Standard input and output as lines of JSON; a thread reads, so that wishes arrive while a task runs."""

    def __init__(self) -> None:
        # Whatever prints must not break the protocol: standard output becomes standard error for everybody else.
        self._output = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self.tasks: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.controls: dict[int, str] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if "control" in message:
                    self.controls[int(message["id"])] = str(message["control"])
                else:
                    self.tasks.put(message)
        # The daemon is gone. Training goes on from its checkpoint when there is a daemon again.
        os._exit(0)

    def write(self, message: dict[str, Any]) -> None:
        """One line to the daemon."""
        with self._lock:
            self._output.write(json.dumps(message, ensure_ascii=False, default=str) + "\n")
            self._output.flush()


def die_with_parent() -> None:
    """Linux: the kernel ends this process when its parent ends, however that happens."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            # When memory runs out, this process goes before the user's own programs do.
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        if os.environ.get(PARENT) not in (None, str(os.getppid())):
            os._exit(0)  # it ended before it could be watched


def run(handler: Handler, message: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The answer line for a task, whatever happens in it."""
    try:
        result = handler(message.get("args") or {}, context)
    except EngineError as error:
        return {"ok": False, "error": error.as_dict()}
    except MemoryError:
        short = EngineError("out_of_memory", "There is not enough memory for this.", "Choose a smaller region.")
        return {"ok": False, "error": short.as_dict()}
    except OSError as fault:
        traceback.print_exc()
        text = f"A file could not be read or written: {fault.strerror or fault}."
        hint = "Make room on the disk, or check the rights of the engine's folder."
        return {"ok": False, "error": EngineError("disk", text, hint).as_dict()}
    except Exception as fault:  # noqa: BLE001 - the process boundary: everything becomes an answer
        traceback.print_exc()
        text = f"The engine failed inside: {type(fault).__name__}: {str(fault)[:300]}"
        return {
            "ok": False,
            "error": EngineError("internal", text, "The log has the details: underdrawing engine logs").as_dict(),
        }
    return {"ok": True, "result": result}


def serve(handlers: Mapping[str, Handler]) -> None:
    """Answer tasks one after the other until the daemon goes away."""
    die_with_parent()
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the daemon's business
    pipe = Pipe()
    while True:
        message = pipe.tasks.get()
        task = int(message["id"])
        handler = handlers.get(str(message.get("task")))
        if handler is None:
            error = EngineError("bad_request", f"There is no task {message.get('task')!r}.")
            answer: dict[str, Any] = {"ok": False, "error": error.as_dict()}
        else:
            answer = run(handler, message, Context(pipe, task))
        pipe.controls.pop(task, None)
        pipe.write({"id": task, **answer})
