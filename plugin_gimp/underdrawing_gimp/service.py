"""The engine, as the plug-in talks to it: found or started, asked with a deadline, never in GIMP's way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Optional

from .client.call import Call, OnEvent, Reply
from .client.connection import Cancelled
from .client.engine import Engine
from .client.frames import Frame
from .client.messages import EngineError
from .client.request_fields import Request
from .gi import Gimp, GLib, breathe

STARTING = 60.0  # seconds for an engine to start on a machine that is busy
PULSE = 0.15  # seconds between signs of life in GIMP's progress bar
LOOK = 30  # milliseconds between looks at the engine while a window is open
LONG = 300.0  # seconds for an answer: pictures may be large


class Service(Engine):
    """The engine for as long as a procedure runs.

    GIMP stays usable while an answer is waited for, as this is a process of its own, and its progress bar shows life.
    """

    _pulsed = 0.0

    def request(
        self,
        verb: str,
        body: dict[str, Any] | None = None,
        frames: Sequence[Frame] = (),
        deadline: float = LONG,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
    ) -> Reply:
        """See `EngineConnection.request`."""
        return super().request(verb, body, frames, deadline, on_event, cancelled or self._breathe)

    def ask(
        self,
        wanted: Request,
        frames: Sequence[Frame] = (),
        deadline: float = LONG,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
    ) -> Reply:
        """See `EngineConnection.ask`."""
        return super().ask(wanted, frames, deadline, on_event, cancelled)

    def _breathe(self) -> bool:
        now = time.monotonic()
        if now - self._pulsed > PULSE:
            self._pulsed = now
            Gimp.progress_pulse()
            breathe()
        return False


@contextmanager
def connected(text: str, start: bool = True) -> Iterator[Service]:
    """The engine for one procedure, started where it does not run; `text` stands in GIMP's progress bar.

    Raises:
        EngineError: there is none and it cannot be started, and why.
    """
    Gimp.progress_init(text)
    service = Service.connect(start=start, timeout=STARTING, wait=False)
    try:
        yield service
    finally:
        service.close()
        Gimp.progress_end()


Done = Callable[[Optional[Reply], Optional[EngineError]], None]


class Background:
    """The engine for a window: requests return at once, and a function is called when the answer is there."""

    def __init__(self, start: bool = True) -> None:
        self.engine = Engine.connect(start=start, timeout=STARTING, wait=False)
        self._waiting: list[Any] = []
        self._timer = GLib.timeout_add(LOOK, self._look)

    def ask(
        self,
        verb: str,
        body: dict[str, Any] | None,
        done: Done,
        frames: Sequence[Frame] = (),
        deadline: float = LONG,
        on_event: Callable[[dict[str, Any]], None] | None = None,
    ) -> Call:
        """Begin a request; `done` gets the reply or the error, never both."""
        call = self.engine.submit(verb, body, frames, deadline, on_event)
        self._waiting.append((call, done))
        return call

    def begin(self, wanted: Request, done: Done, frames: Sequence[Frame] = (), deadline: float = LONG) -> Call:
        """The same with a typed request."""
        return self.ask(wanted.verb, wanted.to_body(), done, frames, deadline)

    def give_up(self, call: Call) -> None:
        """Drop a request without a word."""
        self._waiting = [pair for pair in self._waiting if pair[0] is not call]
        if not call.done:
            self.engine.give_up(call)

    def picture(self, reply: Reply, key: str) -> Frame:
        """A picture of a reply by its hash (fetched, where it did not come along)."""
        return self.engine.result(reply, key)

    def fetch(self, key: str, done: Done) -> None:
        """Get a picture by its hash, without waiting; it is the only frame of the reply."""
        session = self.engine.session
        self._waiting.append((session.run(lambda: session.fetch(key), True, 60.0), done))

    def close(self) -> None:
        """Let the engine go; training goes on."""
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer, self._waiting = 0, []
        self.engine.close()

    def _look(self) -> bool:
        self.engine.process(0.0)
        over = [pair for pair in self._waiting if pair[0].done]
        self._waiting = [pair for pair in self._waiting if not pair[0].done]
        for call, done in over:
            reply, error = None, None
            try:
                reply = call.result()
            except EngineError as fault:
                error = fault
            done(reply, error)
        return self._timer != 0


def sentence(error: EngineError) -> str:
    """An error as a person reads it: what is wrong, and what to do."""
    return error.message + ("\n\n" + error.hint if error.hint else "")
