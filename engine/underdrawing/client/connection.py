"""A connection to the engine: found or started, asked with a deadline, and clear about what went wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Type, TypeVar

from . import endpoint
from .call import Call, OnEvent, Reply, Steps
from .endpoint import Connection
from .frames import Frame
from .messages import EngineError
from .request_fields import Request
from .session import Session

TICK = 0.05  # seconds between looks at `cancelled`

Cancelled = Optional[Callable[[], bool]]
Made = TypeVar("Made", bound="EngineConnection")


class EngineConnection:
    """A connection to the engine. Not for several threads at once; every thread has its own.

    Two ways to ask: `ask` (and the verbs of `Engine`) wait for the answer; `begin` returns at once, and the host calls
    `process()` from a timer, which never waits. Both take a typed request; `request` and `submit` take its verb and
    body. A connection that breaks is found again, with a new engine where
    `start` allows it, and what was asked is asked again.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def connect(
        cls: Type[Made],
        start: bool = True,
        timeout: float = 30.0,
        home: Optional[Path] = None,
        bridge: Optional[bool] = None,
        wait: bool = True,
    ) -> Made:
        """The user's engine; started where there is none and `start` is set.

        Args:
            timeout: seconds, also for every later reconnection.
            home: the engine's folder; None for the user's own.
            bridge: speak over pipes; None where this Python cannot load zmq.
            wait: False returns at once; calls go out when the engine is found, or fail with the reason.

        Raises:
            EngineError: there is none, it cannot be started, or it speaks another protocol.
        """
        engine = cls(Session(home or endpoint.home(), start, bridge, timeout))
        if wait:
            try:
                engine.request("hello", deadline=timeout + 5.0)
            except BaseException:
                engine.close()
                raise
        return engine

    @property
    def connection(self) -> Optional[Connection]:
        """What the connection file says."""
        return endpoint.known(self.session.folder)

    @property
    def bridged(self) -> bool:
        """Whether messages go over the bridge."""
        return hasattr(self.session.transport, "process")

    def close(self) -> None:
        """End the connection; jobs go on."""
        self.session.close()

    def __del__(self) -> None:
        # A host that forgets an engine must be able to end all the same.
        if hasattr(self, "session"):
            self.session.close()

    def __enter__(self: Made) -> Made:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # --- asking

    def submit(
        self,
        verb: str,
        body: Optional[Dict[str, Any]] = None,
        frames: Sequence[Frame] = (),
        deadline: float = 30.0,
        on_event: OnEvent = None,
    ) -> Call:
        """Begin a request and return at once; look at `call.done` after `process()`."""
        return self.session.submit(verb, body or {}, frames, deadline, on_event)

    def begin(
        self, wanted: Request, frames: Sequence[Frame] = (), deadline: float = 30.0, on_event: OnEvent = None
    ) -> Call:
        """Begin a typed request and return at once."""
        return self.submit(wanted.verb, wanted.to_body(), frames, deadline, on_event)

    def ask(
        self,
        wanted: Request,
        frames: Sequence[Frame] = (),
        deadline: float = 30.0,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
    ) -> Reply:
        """Send a typed request and wait for the answer; see `request`."""
        return self.request(wanted.verb, wanted.to_body(), frames, deadline, on_event, cancelled)

    def process(self, timeout: float = 0.0) -> None:
        """Move all requests on; waits at most `timeout` seconds."""
        self.session.process(timeout)

    def give_up(self, call: Call) -> None:
        """Cancel a request that was submitted."""
        self.session.give_up(call, EngineError("cancelled", "Cancelled."))

    def request(
        self,
        verb: str,
        body: Optional[Dict[str, Any]] = None,
        frames: Sequence[Frame] = (),
        deadline: float = 30.0,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
    ) -> Reply:
        """Ask and wait for the answer.

        Args:
            verb, body: see docs/protocol.md.
            frames: pictures that the body refers to by hash; only those are sent that the engine does not have.
            deadline: seconds after which it is given up; the engine is told.
            on_event: called with every event on the way.
            cancelled: asked at least every 100 ms; true gives the request up.

        Raises:
            EngineError: what the engine says, or "deadline", "cancelled", "engine_gone", "engine_silent", or why no
                engine could be found or started.
        """
        return self._wait(self.submit(verb, body, frames, deadline, on_event), cancelled)

    def _wait(self, call: Call, cancelled: Cancelled = None) -> Reply:
        try:
            while not call.done:
                if cancelled is not None and cancelled():
                    self.give_up(call)
                    break
                self.session.process(TICK)
        finally:
            if not call.done:  # Ctrl-C, or an error in the caller's own function
                self.give_up(call)
        return call.result()

    def _run(self, steps: Callable[[], Steps], deadline: float, cancelled: Cancelled = None) -> Reply:
        return self._wait(self.session.run(steps, True, deadline), cancelled)

    def ping(self) -> None:
        """Say that this client is still there, without waiting for an answer."""
        self.session.ping()

    # --- pictures and files

    def upload(self, *frames: Frame, deadline: float = 300.0, cancelled: Cancelled = None) -> List[str]:
        """Send what the engine does not have yet; the hashes of all."""
        return list(self._run(lambda: self.session.upload(frames), deadline, cancelled).body["hashes"])

    def fetch(self, key: str, deadline: float = 300.0) -> Frame:
        """A picture that the engine has, by its hash."""
        return self._run(lambda: self.session.fetch(key), deadline).frames[0]

    def result(self, reply: Reply, key: str) -> Frame:
        """A picture of a reply: the one that came along, or fetched."""
        for frame in reply.frames:
            if frame.hash == key:
                return frame
        return self.fetch(key)

    def _save(self, key: str, size: int, path: Path, deadline: float) -> None:
        """Fetch a file; it appears whole or not at all."""
        partial = path.with_name(path.name + ".partial")

        def steps() -> Steps:
            with open(str(partial), "wb") as file:

                def write(offset: int, chunk: Any) -> None:
                    file.write(chunk)

                reply = yield from self.session.receive_blob(key, size, write)
                file.flush()
                os.fsync(file.fileno())
            os.replace(str(partial), str(path))
            return reply

        try:
            self._run(steps, deadline)
        finally:
            if partial.exists():
                partial.unlink()
