"""The engine's program: its arguments, its lock, its log, its memory, its signals."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import getpass
import logging
import os
import re
import signal
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from underdrawing.client import endpoint, engine_lock
from underdrawing.client.messages import EngineError
from underdrawing.daemon.server import Daemon, Settings

TRIES = 3.0  # seconds that a former engine, told to end, may take to let the lock go
LOG_BYTES, LOGS = 1 << 20, 3
NOBODY = ("root", "user", "admin")


class Discreet(logging.Formatter):
    """Lines that can be shown to others: no name of the user, neither by itself nor in paths."""

    def __init__(self, home: Path) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self.places = {str(home): "HOME", str(Path.home()): "~"}
        try:
            name = getpass.getuser()
        except (OSError, KeyError, ImportError):  # a user without an entry anywhere
            name = ""
        # Short names and those that everybody has would only garble the lines.
        self.user = re.compile(rf"\b{re.escape(name)}\b") if len(name) > 2 and name not in NOBODY else None

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines of a traceback."""
        text = super().format(record)
        for place, shown in self.places.items():
            if len(place) > 1:
                text = text.replace(place, shown)
        return self.user.sub("USER", text) if self.user else text


def set_up_log(home: Path) -> None:
    """Into logs/engine.log, four files of a megabyte at most. No keys, no pixels, no user names are ever logged."""
    handler = RotatingFileHandler(home / "logs" / "engine.log", maxBytes=LOG_BYTES, backupCount=LOGS, encoding="utf-8")
    handler.setFormatter(Discreet(home))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def save_memory() -> None:
    """glibc: give big blocks back to the system when they are free, and keep few arenas. Pictures pass through here."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(-3, 256 << 10)  # M_MMAP_THRESHOLD, which setting also keeps from growing
            libc.mallopt(-8, 2)  # M_ARENA_MAX


def main() -> int:
    """Run an engine; 0 also when there is one already, as that is what was wanted."""
    usual = Settings()
    options = argparse.ArgumentParser(description="The Underdrawing engine.")
    options.add_argument("--home", type=Path, default=None, help="its folder; as a rule the user's own is found")
    idle = os.environ.get("UNDERDRAWING_IDLE_EXIT") or usual.idle_exit
    options.add_argument("--idle-exit", type=float, default=idle, help="seconds without clients and jobs")
    options.add_argument("--renderer-idle", type=float, default=usual.renderer_idle, help="seconds without an apply")
    options.add_argument("--memory", type=int, default=0, help="MiB that worker and renderer may take each")
    options.add_argument("--spool", type=int, default=usual.spool >> 20, help="MiB of pictures that are kept")
    options.add_argument("--listen", default="", metavar="ADDRESS:PORT", help="for clients on other machines, too")
    options.add_argument("--worker", default=usual.worker, help="the module that trains")
    options.add_argument("--renderer", default=usual.renderer, help="the module that applies")
    given = options.parse_args()
    settings = Settings(
        idle_exit=given.idle_exit,
        renderer_idle=given.renderer_idle,
        memory=given.memory << 20,
        spool=given.spool << 20,
        listen=given.listen,
        worker=given.worker,
        renderer=given.renderer,
    )
    save_memory()
    try:
        return run((given.home or endpoint.home()).absolute(), settings)
    except EngineError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    except OSError as fault:
        print(f"The engine's folder cannot be used: {fault}", file=sys.stderr)
        return 1


def run(home: Path, settings: Settings) -> int:
    """One engine in this home, or none where another has the lock.

    Raises:
        EngineError, OSError: the folder cannot be used.
    """
    endpoint.make_home(home)
    with (home / "run" / "engine.lock").open("a+b") as lock:
        end = time.monotonic() + TRIES
        while not endpoint.try_lock(lock):
            if time.monotonic() > end or endpoint.Connection.read(home) is not None:
                return 0
            time.sleep(0.05)
        engine_lock.note_pid(home)
        set_up_log(home)
        daemon = Daemon(home, settings)

        def stop(*_: object) -> None:
            daemon.stopping = True

        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), stop)
        daemon.run()
    return 0
