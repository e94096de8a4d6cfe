"""The engine as the plug-in sees it: one connection for all dockers, moved on by a timer, started when first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .client import endpoint
from .client.call import OnEvent
from .client.engine import Call, Engine
from .client.frames import Frame
from .client.messages import EngineError
from .qt import QtCore
from .tasks import Ended, Steps, Task, Tasks

BUSY, IDLE = 8, 120  # milliseconds between ticks
PATIENCE = 40.0  # seconds that finding or starting the engine may take
FOREVER = 1e9


class Service(QtCore.QObject):
    """Requests and tasks. Everything happens in Krita's interface thread, in steps of a few milliseconds."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.tasks = Tasks()
        self.engine: Engine | None = None
        self.closed = False
        self.before_steps: Callable[[], None] | None = None
        """Called before tasks are moved on, so that none touches a document that was closed a moment ago."""
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(IDLE)
        self._timer.timeout.connect(self.tick)
        self._timer.start()

    @property
    def folder(self) -> Path:
        """The engine's home."""
        return self.engine.session.folder if self.engine is not None else endpoint.home()

    @property
    def connected(self) -> bool:
        """Whether an engine has answered and is still there."""
        return self.engine is not None and self.engine.session.transport is not None

    def ask(
        self,
        verb: str,
        body: dict[str, Any] | None = None,
        frames: Sequence[Frame] = (),
        deadline: float = 120.0,
        on_event: OnEvent = None,
    ) -> Call:
        """Begin a request, for a task to `yield`. The engine is started where none runs."""
        self._wake()
        return self._connection().submit(verb, body, frames, deadline, on_event)

    def fetch(self, key: str, deadline: float = 120.0) -> Call:
        """Begin to fetch a picture by its hash; the reply's first frame is the picture."""
        self._wake()
        session = self._connection().session
        return session.run(lambda: session.fetch(key), True, deadline)

    def fetch_file(self, key: str, data: bytearray, deadline: float = 120.0) -> Call:
        """Begin to fetch a file by its hash into `data`, which is as long as it."""
        self._wake()
        session = self._connection().session

        def write(offset: int, chunk: Any) -> None:
            data[offset : offset + len(chunk)] = chunk

        return session.run(lambda: session.receive_blob(key, len(data), write), True, deadline)

    def give_up(self, call: Call | None) -> None:
        """Tell the engine that nobody waits for this any more."""
        if self.engine is not None and call is not None and not call.done:
            self.engine.give_up(call)

    def start(self, steps: Steps, name: str, on_end: Ended | None = None) -> Task:
        """Begin a task."""
        self._wake()
        return self.tasks.start(steps, name, on_end)

    def stop(self, task: Task | None) -> None:
        """End a task, and what it waits for."""
        if task is not None and not task.done:
            call = task.call
            task.stop()
            self.give_up(call)

    def tick(self) -> None:
        """Move everything on; returns within some milliseconds."""
        if self.closed:
            return
        engine = self.engine
        # Without anything to ask, a connection that is gone is not looked for: that would start an engine.
        if engine is not None and (engine.session.calls or engine.session.transport is not None):
            engine.process(0.0)
        if self.before_steps is not None and any(task.ready for task in self.tasks.tasks):
            self.before_steps()
        self.tasks.run()
        busy = bool(self.tasks.tasks) or (engine is not None and bool(engine.session.calls))
        wanted = BUSY if busy else IDLE
        if self._timer.interval() != wanted:
            self._timer.setInterval(wanted)

    def close(self) -> None:
        """Say goodbye; a training continues without Krita."""
        self.closed = True
        self._timer.stop()
        for task in list(self.tasks.tasks):
            task.stop()
        if self.engine is not None:
            self.engine.close()
            self.engine = None

    def _connection(self) -> Engine:
        if self.closed:
            raise EngineError("closed", "Krita is closing.")
        if self.engine is None:
            self.engine = Engine.connect(start=True, timeout=PATIENCE, wait=False)
        return self.engine

    def _wake(self) -> None:
        if self._timer.interval() != BUSY:
            self._timer.setInterval(BUSY)


def hint(error: EngineError) -> str:
    """An error as one paragraph for people: what is wrong, and what to do."""
    return (error.message + " " + error.hint).strip()


def frames_of(reply: Any, hashes: Sequence[str]) -> list[Frame]:
    """The pictures of a reply by their hashes, in this order.

    Raises:
        EngineError: the reply lacks one of them.
    """
    found = {frame.hash: frame for frame in reply.frames}
    missing = [key for key in hashes if key not in found]
    if missing:
        raise EngineError("bad_frame", "The engine's answer lacks a picture.", "Try again.")
    return [found[key] for key in hashes]
