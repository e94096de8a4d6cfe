"""Where the engine's files are, and how to find, start and recognise a running engine."""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from .messages import PROTOCOL, EngineError

MOST_TOLD = 1 << 18  # bytes of start.log after which it begins anew
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
ENDPOINT = re.compile(r"tcp://([0-9a-zA-Z.\-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}\Z")
MOST_PORT = 65535
REMOTE = "remote.json"
FOLDERS = ("run", "keys", "models", "training", "underdrawings", "spool", "weights", "logs")


def home() -> Path:
    """The engine's folder: $UNDERDRAWING_HOME, or `underdrawing` in the user's data folder."""
    named = os.environ.get("UNDERDRAWING_HOME")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Underdrawing"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Underdrawing"
    # Flatpak and Snap give their programs data folders of their own; the engine's is the user's.
    data = os.environ.get("HOST_XDG_DATA_HOME") or os.environ.get("XDG_DATA_HOME")
    if not data or ".var/app" in data or os.environ.get("SNAP"):
        data = str(Path(os.environ.get("SNAP_REAL_HOME") or Path.home()) / ".local" / "share")
    return Path(data) / "underdrawing"


def make_home(folder: Path) -> Path:
    """The folder and its subfolders, for the user alone.

    Raises:
        EngineError: it cannot be written to, or is not the user's.
    """
    check_home(folder)
    try:
        for name in ("", *FOLDERS):
            place = folder / name
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.name == "posix" and place.stat().st_mode & 0o077 and name in ("", "run", "keys"):
                place.chmod(0o700)
    except OSError as error:
        raise EngineError(
            "home",
            "The folder %s cannot be used: %s." % (folder, error.strerror or error),
            "Check its rights, or name another with the variable UNDERDRAWING_HOME.",
        ) from None
    return folder


def check_home(folder: Path) -> None:
    """Nothing in a home is believed that another user could have put there: it says which program is started.

    Raises:
        EngineError: something that decides belongs to another user, or can be changed by others.
    """
    if os.name != "posix":
        return
    for name in ("", *FOLDERS, "install.json", REMOTE, "run/engine.json"):
        place = folder / name
        try:
            found = place.stat()
        except OSError:
            continue
        if found.st_uid != os.geteuid():
            text = "%s belongs to the user %s, so it is not used." % (place, _user(found.st_uid))
            mend = "Give it back: sudo chown -R %s '%s'" % (_user(os.geteuid()), folder)
        elif place.suffix == ".json" and found.st_mode & 0o022:
            text = "%s can be changed by other users, so it is not used." % place
            mend = "Look at what it says, then run: chmod go-w '%s'" % place
        else:
            continue
        raise EngineError("home", text, "%s — or name another folder with UNDERDRAWING_HOME." % mend)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def write_private(path: Path, text: str) -> None:
    """A file that only the user can read (0600), complete or not there at all."""
    partial = path.with_name("%s.%d.partial" % (path.name, os.getpid()))
    partial.unlink(missing_ok=True)
    descriptor = os.open(str(partial), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(str(partial), str(path))


def is_key(text: str) -> bool:
    """Whether a text is a CURVE key in Z85; ZeroMQ throws at others."""
    if len(text) != 40 or not set(text) <= set(Z85):
        return False
    numbers = [[Z85.index(letter) for letter in text[start : start + 5]] for start in range(0, 40, 5)]
    return all(((((a * 85) + b) * 85 + c) * 85 + d) * 85 + e < 1 << 32 for a, b, c, d, e in numbers)


@dataclass(frozen=True)
class Connection:
    """What run/engine.json says about the running engine. It holds no secret."""

    endpoint: str
    public_key: str
    pid: int
    protocol: int
    version: str

    @classmethod
    def read(cls, folder: Path) -> Optional[Connection]:
        """The connection file; None where there is none or it is damaged."""
        try:
            raw = json.loads((folder / "run" / "engine.json").read_text(encoding="utf-8"))
            found = cls(
                str(raw["endpoint"]), str(raw["public_key"]), int(raw["pid"]), int(raw["protocol"]), str(raw["version"])
            )
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        fits = ENDPOINT.match(found.endpoint) and found.port <= MOST_PORT and is_key(found.public_key)
        return found if fits else None

    @property
    def host(self) -> str:
        """The endpoint's name or address."""
        return self.endpoint[len("tcp://") :].rsplit(":", 1)[0].strip("[]")

    @property
    def port(self) -> int:
        """The endpoint's port."""
        return int(self.endpoint.rsplit(":", 1)[1])

    def write(self, folder: Path) -> None:
        """Tell clients where the engine is."""
        write_private(folder / "run" / "engine.json", json.dumps(self.__dict__, indent=2) + "\n")


def remote(folder: Path) -> Optional[Connection]:
    """The engine on another machine that the user chose instead of one here; None where none was chosen."""
    try:
        raw = json.loads((folder / REMOTE).read_text(encoding="utf-8"))
        found = Connection(str(raw["endpoint"]), str(raw["public_key"]), 0, PROTOCOL, "")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if ENDPOINT.match(found.endpoint) and found.port <= MOST_PORT and is_key(found.public_key) else None


def known(folder: Path) -> Optional[Connection]:
    """Where an engine should be: the one that the user chose elsewhere, or the one that runs here."""
    return remote(folder) or Connection.read(folder)


def sandbox() -> str:
    """`Flatpak` or `Snap` where this program runs in one of them, else nothing."""
    if os.environ.get("FLATPAK_ID") or os.path.exists("/.flatpak-info"):
        return "Flatpak"
    # A terminal that came as a Snap hands SNAP on to whatever is started in it; the name is then the terminal's.
    return "Snap" if os.environ.get("SNAP_NAME") in ("gimp", "krita") else ""


def engine_command(folder: Path, boxed: str = "The engine does not run, and a %s cannot start it.") -> List[str]:
    """The program that starts an engine: as the installer recorded it, or this Python where it has the engine.

    Args:
        folder: the engine's home.
        boxed: what is said in a sandbox, with a place for its kind.

    Raises:
        EngineError: there is none, this program must not start any, or the home is not this user's.
    """
    box = sandbox()
    if box:
        # The engine's Python would meet the sandbox's system there in place of its own.
        raise EngineError(
            "not_startable",
            boxed % box,
            "Outside of it, once, let the engine run as a service: python3 installer gimp --service (or krita)",
        )
    check_home(folder)
    try:
        recorded = json.loads((folder / "install.json").read_text(encoding="utf-8"))["python"]
        # Krita runs its Python in the locale C, whatever the user's is: a name with other letters than ASCII has to be
        # turned into what this Python calls the file.
        python = os.fsdecode(recorded.encode("utf-8")) if isinstance(recorded, str) else ""
        if python and Path(python).is_file():
            return [python, "-P", "-m", "underdrawing.daemon"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    import importlib.util

    try:
        if importlib.util.find_spec("underdrawing.daemon") is not None:
            return [sys.executable, "-P", "-m", "underdrawing.daemon"]
    except (ImportError, ValueError):
        pass
    raise EngineError(
        "not_installed",
        "The Underdrawing engine is not installed for this user.",
        "Install it with: python3 installer engine",
    )


def engine_python(folder: Path) -> str:
    """The Python that runs the engine, for the bridge."""
    return engine_command(folder, "Without pyzmq the engine is reached over a program that a %s cannot start.")[0]


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[bool]:
    """Hold a lock file; yields False when somebody else holds it for longer than `timeout` seconds."""
    handle = open(str(path), "a+b")
    got = False
    try:
        end = time.monotonic() + timeout
        while True:
            got = try_lock(handle)
            if got or time.monotonic() >= end:
                break
            time.sleep(0.05)
        yield got
    finally:
        handle.close()


def try_lock(handle: Any) -> bool:
    """Lock an open file for this process, without waiting; it is released when the file is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def clean_environment(python: str) -> Dict[str, str]:
    """The environment for a program of the engine: without what a host (an AppImage, say) set for its own Python."""
    own = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "GI_TYPELIB_PATH")
    environment = {k: v for k, v in os.environ.items() if k not in own}
    if "PYTHONPATH" in os.environ and python == sys.executable:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return environment


# Engines that this process started. Kept, as a process object that is thrown away warns that its process still runs.
_started: "List[subprocess.Popen[bytes]]" = []


@atexit.register
def _let_go() -> None:
    """Engines outlive this process on purpose; nothing needs to warn of it."""
    for process in _started:
        process.returncode = 0


def start_engine(folder: Path) -> "subprocess.Popen[bytes]":
    """Start an engine of its own, which outlives this process."""
    command = [*engine_command(folder), "--home", str(folder)]
    make_home(folder)
    told = folder / "logs" / "start.log"  # only what goes wrong before the engine has its own log
    output = open(str(told), "wb" if told.exists() and told.stat().st_size > MOST_TOLD else "ab")
    options: Dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = 0x00000008 | 0x08000000  # DETACHED_PROCESS, CREATE_NO_WINDOW
    else:
        options["start_new_session"] = True
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment(command[0]),
            cwd=str(folder),
            **options,
        )
        _started[:] = [p for p in _started if p.poll() is None] + [process]
        return process
    except OSError as error:
        raise EngineError(
            "not_startable",
            "The engine could not be started: %s." % (error.strerror or error),
            "Repair the installation with: python3 installer engine",
        ) from None
    finally:
        output.close()


def check_protocol(connection: Connection) -> None:
    """Refuse an engine of another protocol with a sentence that says which side is older."""
    if connection.protocol != PROTOCOL:
        older = "engine" if connection.protocol < PROTOCOL else "plug-in"
        raise EngineError(
            "protocol",
            "The engine speaks protocol %d, this program %d." % (connection.protocol, PROTOCOL),
            "Update the %s: python3 installer update" % older,
        )
