"""Finding the engine, or starting it: in small steps of which none waits, so that a host's window stays alive."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Optional

from . import endpoint, engine_lock
from .endpoint import Connection
from .messages import ERROR, REPLY, EngineError, decode, request
from .transport import Transport, open_transport

GREET = 8.0  # seconds that an engine has to answer the first message
PAUSE = 0.03  # seconds between looks
HUNG = 15.0  # seconds without any answer after which an engine is replaced
STOPPED = 6.0  # the same for one that the system says was halted
HIDDEN = 10.0  # seconds in which an engine that lives, or starts, writes its connection file
KNOCK = 1.0  # seconds for the plain connection that tells whether anybody listens


class Finder:
    """One search for the engine.

    Args:
        folder: the engine's home.
        start: start an engine where there is none.
        timeout: seconds after which the search is given up.
        bridge: True and False choose the way; None takes ZeroMQ where it can be loaded.
    """

    def __init__(self, folder: Path, start: bool, timeout: float, bridge: Optional[bool] = None) -> None:
        # An engine on another machine is started there, by hand.
        self.remote = endpoint.remote(folder)
        self.folder, self.start, self.bridge = folder, start and self.remote is None, bridge
        self.end = time.monotonic() + timeout
        self.connection: Optional[Connection] = None
        self._timeout = timeout
        self._lock: Any = None
        self._process: "Optional[subprocess.Popen[bytes]]" = None
        self._greeting: Optional[Transport] = None
        self._greeted = ""
        self._greet_end = self._next_look = self._next_start = 0.0
        self._patience = GREET
        self._wrong: Optional[Connection] = None  # where somebody listens who is not our engine
        self._refusal: Optional[EngineError] = None
        self._asked = 0.0  # when an engine was first greeted without an answer, and which one
        self._asked_whom: Optional[Connection] = None
        self._held_since = 0.0  # since when an engine holds the lock that tells nobody where it is
        self.note = ""  # what a person should know about how the engine was found

    def step(self) -> Optional[Transport]:
        """Go on a little; the way to an engine that has answered, or None as long as there is none.

        Raises:
            EngineError: there is none and none is to be started, it cannot be started, it is of another version, or
                the time is over. The search is over then.
        """
        try:
            found = self._step()
        except BaseException:
            self.close()
            raise
        if found is not None:
            self._greeting = None
            self.close()
        return found

    def close(self) -> None:
        """Give the search up."""
        if self._greeting is not None:
            self._greeting.close()
            self._greeting = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _step(self) -> Optional[Transport]:
        now = time.monotonic()
        if self._greeting is not None:
            return self._listen(now)
        if now >= self.end:
            text = "No engine could be reached within %d seconds." % self._timeout
            raise self._refusal or EngineError("not_startable", text, "Run: underdrawing doctor")
        if now < self._next_look:
            return None
        self._next_look = now + PAUSE
        endpoint.check_home(self.folder)
        connection = self.remote or Connection.read(self.folder)
        # Whether anybody listens elsewhere is not asked first: that may take a second, and a greeting takes none.
        there = self.remote is not None or (connection is not None and _somebody_listens(connection))
        if connection is not None and connection != self._wrong and there:
            self._greet(connection, now)
        elif self.remote is None and not there and self._hides(now):
            return None
        elif not self.start:
            raise self._absent()
        else:
            self._begin()
        return None

    def _hides(self, now: float) -> bool:
        """Whether an engine runs that tells nobody where it is. One that lives does so again in a moment.

        One that does not is replaced, where an engine is wanted.

        Raises:
            EngineError: none is to be started, and it stays hidden.
        """
        starting = self._process is not None and self._process.poll() is None
        if starting or not engine_lock.holds(self.folder):
            self._held_since = 0.0
            return False
        self._held_since = self._held_since or now
        process = engine_lock.holder(self.folder)
        if now - self._held_since < HIDDEN and not (process is not None and engine_lock.is_stopped(process)):
            return True
        self._held_since = 0.0
        if not self.start:
            text = "The engine runs, but does not say where it can be reached."
            raise EngineError("engine_silent", text, "Restart it: underdrawing engine stop")
        self._replace("The engine could not be reached and was started afresh; trainings go on from their checkpoints.")
        return False

    def _hangs(self, now: float) -> bool:
        """Whether the engine that was greeted holds this home, and has not answered for so long that it never will."""
        if self.connection is None or engine_lock.holder(self.folder) != self.connection.pid:
            return False
        return now - self._asked >= (STOPPED if engine_lock.is_stopped(self.connection.pid) else HUNG)

    def _replace(self, note: str) -> None:
        """End an engine that cannot be used, in its place a new one is started."""
        engine_lock.end(self.folder, 0.0)
        self.note, self._asked, self._wrong, self._process, self._refusal = note, 0.0, None, None, None

    def _greet(self, connection: Connection, now: float) -> None:
        """Say hello; only who answers is our engine."""
        endpoint.check_protocol(connection)
        try:
            transport = open_transport(self.folder, connection, self.bridge)
        except EngineError as error:
            if error.code not in ("no_key", "key_exposed") or not self.start:
                raise
            self._refusal = error
            self._begin()
            return
        hello = request("hello", {})
        transport.send(hello.encode())
        self._greeting, self._greeted, self.connection = transport, hello.id, connection
        if self._asked == 0.0 or self._asked_whom != connection:
            self._asked, self._asked_whom = now, connection
        self._greet_end = min(self.end, now + self._patience)

    def _listen(self, now: float) -> Optional[Transport]:
        transport = self._greeting
        assert transport is not None  # noqa: S101 - as this is only called when it is there
        parts = transport.receive(0)
        if parts is not None:
            message = decode(parts)
            if message.id == self._greeted and message.kind == REPLY:
                return transport
            if message.kind == ERROR:
                raise EngineError.from_dict(message.body)
        if not transport.lost and now < self._greet_end:
            return None
        # Nobody of ours: a file left over whose port another program has, an engine that just ends, or one that hangs.
        if transport.refused:
            hint = "Restart it: underdrawing engine stop"
            if self.remote is not None:
                hint = "Let it in there: underdrawing engine allow KEY, which underdrawing engine key show tells here."
            self._refusal = EngineError("refused", "The engine does not accept this user's key.", hint)
        elif not transport.lost:
            self._refusal = EngineError(
                "engine_silent", "The engine does not answer.", "Restart it: underdrawing engine stop"
            )
        transport.close()
        self._greeting, self._wrong = None, self.connection
        if not self.start:
            raise self._refusal or self._absent()
        if self._hangs(now):
            self._replace("The engine did not answer and was started afresh; trainings go on from their checkpoints.")
        self._begin()
        return None

    def _absent(self) -> EngineError:
        if self.remote is None:
            return EngineError("not_running", "The engine is not running.", "Start it with: underdrawing engine start")
        return EngineError(
            "not_running",
            "The engine on %s does not answer." % self.remote.host,
            "Start it there (underdrawing engine run --listen …), or use one here: underdrawing engine disconnect",
        )

    def _begin(self) -> None:
        """Start an engine, unless one runs or somebody else is starting one."""
        if self._process is not None:
            code = self._process.poll()
            if code:
                raise EngineError(
                    "not_startable",
                    "The engine ended while it started (exit code %d)%s" % (code, _why(self.folder)),
                    "See %s, or run: underdrawing doctor" % (self.folder / "logs" / "start.log"),
                )
            # Code 0: another engine was there already and needs a moment, or has just ended.
            if code is None or time.monotonic() < self._next_start:
                return
            if self._wrong is not None:
                # It did not answer in time, and still is this folder's engine: a busy one, which is asked again.
                self._wrong, self._process, self._patience = None, None, 2 * self._patience
                return
        if self._lock is None:
            endpoint.make_home(self.folder)
            lock = open(str(self.folder / "run" / "start.lock"), "a+b")
            if not endpoint.try_lock(lock):
                lock.close()
                return
            self._lock = lock
            connection = Connection.read(self.folder)
            if connection is not None and connection != self._wrong and _somebody_listens(connection):
                return  # whoever held the lock has started one: the next step greets it
        self._process = endpoint.start_engine(self.folder)
        self._next_start = time.monotonic() + 0.5


def _somebody_listens(connection: Connection) -> bool:
    """Whether anything takes connections there. Process ids say nothing from within a sandbox; this does."""
    try:
        socket.create_connection((connection.host, connection.port), KNOCK).close()
        return True
    except (OSError, ValueError):
        return False


def _why(folder: Path) -> str:
    """The last thing that an engine said which could not start."""
    try:
        lines = (folder / "logs" / "start.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return ": " + lines[-1][:300] if lines else "."
    except OSError:
        return "."
