"""An engine that does not answer: found by its lock, ended by its process id, with everything that it started.

The lock of a home (run/engine.lock) is held by its engine as long as that lives, whatever else of the folder is lost or
damaged. Beside it, run/engine.pid says which process it is.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, List, Optional

from . import endpoint
from .messages import EngineError

LOCK, PID = "engine.lock", "engine.pid"
PATIENCE = 2.0  # seconds that an engine which is told to end may take to put everything in order
KILLED = 2.0  # seconds after which a killed process is gone


def holds(folder: Path) -> bool:
    """Whether a process holds the lock of this home."""
    try:
        with open(str(folder / "run" / LOCK), "a+b") as handle:
            return not endpoint.try_lock(handle)
    except OSError:
        return False


def holder(folder: Path) -> Optional[int]:
    """The process that holds the lock; None where none does, or where it cannot be told."""
    if not holds(folder):
        return None
    found = _from_lock_table(folder) or _number(folder / "run" / PID)
    return found if found is not None and _is_engine(found) else None


def note_pid(folder: Path) -> None:
    """Say which process holds the lock: called by who took it."""
    endpoint.write_private(folder / "run" / PID, "%d\n" % os.getpid())


def is_stopped(process: int) -> bool:
    """Whether a process was halted (SIGSTOP) and cannot answer; False where that cannot be told."""
    try:
        return Path("/proc/%d/stat" % process).read_text(errors="replace").rsplit(")", 1)[1].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


def end(folder: Path, patience: float = PATIENCE) -> bool:
    """End the engine of this home and its children, whatever state they are in; False where none runs.

    It is asked by a signal first; a training then leaves a checkpoint. Who does not end within `patience` seconds is
    killed. A training that is killed goes on from its last checkpoint, with the next engine.

    Raises:
        EngineError: it runs, but its process is not known or belongs to another user.
    """
    process = holder(folder)
    if process is None:
        if holds(folder):
            raise EngineError(
                "engine_silent",
                "An engine holds %s, but its process is unknown." % (folder / "run" / LOCK),
                "End the process whose command line says underdrawing.daemon, or restart the machine.",
            )
        return False
    below = _children(folder, process)
    _signal(process, signal.SIGTERM)
    if not is_stopped(process):
        _wait(lambda: not holds(folder), patience)
    kill = getattr(signal, "SIGKILL", signal.SIGTERM)
    for one in [process, *below]:
        if one == process or _is_engine(one):
            _signal(one, kill)
    if not _wait(lambda: not holds(folder), KILLED):
        raise EngineError("engine_silent", "The engine (process %d) cannot be ended." % process, "Restart the machine.")
    for name in ("engine.json", PID):
        try:
            (folder / "run" / name).unlink()
        except OSError:
            pass
    return True


def _wait(done: Any, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        text = "The engine (process %d) belongs to another user." % process
        raise EngineError("engine_silent", text, "End it as that user, or as an administrator.") from None
    except OSError:  # Windows: it is gone already
        pass


def _number(path: Path) -> Optional[int]:
    try:
        value = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return value if value > 1 else None


def _from_lock_table(folder: Path) -> Optional[int]:
    """Linux: the process that the system itself says holds the lock."""
    try:
        place = (folder / "run" / LOCK).stat()
        rows = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    wanted = "%02x:%02x:%d" % (os.major(place.st_dev), os.minor(place.st_dev), place.st_ino)
    for row in rows:
        parts = row.split()
        if len(parts) > 5 and parts[1] == "FLOCK" and parts[5] == wanted and parts[4].isdigit() and int(parts[4]) > 1:
            return int(parts[4])
    return None


def _is_engine(process: int) -> bool:
    """Whether a process is one of ours; where the system does not say, what the lock says counts."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        return b"underdrawing" in Path("/proc/%d/cmdline" % process).read_bytes()
    except OSError:
        return False


def _children(folder: Path, process: int) -> List[int]:
    """Processes that the engine started: as the system knows them, or as it wrote them down."""
    found = set()
    for record in (folder / "run").glob("child-*.json"):
        try:
            found.add(int(json.loads(record.read_text(encoding="utf-8"))["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            pass
    below = {process}
    while True:
        more = {child for child, parent in parents.items() if parent in below} - below
        if not more:
            return sorted((found | below) - {process})
        below |= more
