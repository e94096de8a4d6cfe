"""Finds the programs GIMP and Krita, their versions, and whether they run at the moment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What is asked: GIMP without windows, and Krita's own runner of scripts.
NAMES = {
    "gimp": ("gimp-console-3.2", "gimp-console-3.0", "gimp-console-3", "gimp-console"),
    "krita": ("kritarunner",),
}
# Names of the processes of a host that a person has open; 15 letters are all that Linux keeps.
PROCESSES = {
    "gimp": re.compile(r"(?:gimp|gimp-3(?:\.\d+)?)(?:\.exe|-bin)?\Z", re.IGNORECASE),
    "krita": re.compile(r"krita(?:\.exe|\.com|-bin)?\Z", re.IGNORECASE),
}
PATIENCE = 90  # seconds for a program to say its version: the first start on a cold disk is slow


@dataclass(frozen=True)
class Program:
    """A program of a host, and its version as `3.0.4`."""

    path: str
    version: str

    @property
    def series(self) -> str:
        """Major and minor version, as GIMP names its profiles: `3.0`."""
        return ".".join(self.version.split(".")[:2])


def version_of(path: str, variables: dict[str, str] | None = None) -> str:
    """The version that a program tells; empty where it does not start."""
    # Some make their folders even to say their version: in one that goes away.
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        own = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), place)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **own, **(variables or {})}
        try:
            done = subprocess.run(
                [path, "--version"],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
                env=environment,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
    found = re.search(r"\d+\.\d+(?:\.\d+)*", done.stdout)
    return found.group(0) if found and done.returncode == 0 else ""


def _candidates(host: str) -> Iterator[str]:
    for name in NAMES[host]:
        yield shutil.which(name) or ""
    places: list[Path] = []
    if sys.platform == "win32":
        for variable in ("ProgramFiles", "LOCALAPPDATA"):
            base = Path(os.environ.get(variable) or "C:/Program Files")
            base = base / "Programs" if variable == "LOCALAPPDATA" else base
            if host == "gimp":
                places += sorted(base.glob("GIMP 3*/bin/gimp-console*.exe"), reverse=True)
            else:
                places += base.glob("Krita*/bin/kritarunner.exe")
    elif sys.platform == "darwin":
        for base in (Path("/Applications"), Path.home() / "Applications"):
            if host == "gimp":
                places += sorted(base.glob("GIMP*.app/Contents/MacOS/gimp-console*"), reverse=True)
            else:
                places += base.glob("[Kk]rita*.app/Contents/MacOS/kritarunner")
    for place in places:
        yield str(place)


def programs(host: str, named: Path | None = None) -> list[Program]:
    """The programs of a host on this machine, of the versions that are served: GIMP 3, Krita 5 and newer.

    named: this one alone, where it is not to be looked for.
    """
    found: dict[str, Program] = {}
    least = 3 if host == "gimp" else 5
    for path in [str(named)] if named is not None else _candidates(host):
        if not path:
            continue
        program = Program(path, version_of(path))
        if program.version and int(program.version.split(".")[0]) >= least:
            found.setdefault(program.version, program)
    return list(found.values())


def appimages(host: str, home: Path) -> list[Path]:
    """A host as AppImages where people keep these. They use the same folders as a program of the system."""
    if sys.platform != "linux":
        return []
    places = [home / name for name in ("", "Applications", "Apps", "bin", ".local/bin", "Downloads", "Desktop")]
    found = [path for place in [*places, Path("/opt")] for path in place.glob("*.[Aa]pp[Ii]mage")]
    least = "[3-9]" if host == "gimp" else "[5-9]"
    return sorted(path for path in found if re.match(rf"{host}[-_ ]?{least}", path.name, re.IGNORECASE))


def running(host: str) -> list[int]:
    """The processes of a host that this user has open (all users' on Windows)."""
    return [number for number, name in _processes() if PROCESSES[host].match(name)]


def _processes() -> Iterator[tuple[int, str]]:
    """Numbers and names of this user's processes."""
    if sys.platform == "linux":
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and folder.stat().st_uid == os.getuid():
                    yield int(folder.name), (folder / "comm").read_text(errors="replace").strip()
            except OSError:  # it has just ended
                continue
        return
    windows = sys.platform == "win32"
    command = ["tasklist", "/FO", "CSV", "/NH"] if windows else ["ps", "-x", "-o", "pid=,comm="]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in done.stdout.splitlines():
        parts = line.strip().strip('"').split('","') if windows else line.split(None, 1)
        number, name = (parts[1], parts[0]) if windows and len(parts) > 1 else (parts[0] if parts else "", parts[-1:])
        if number.isdigit():
            yield int(number), Path(name if isinstance(name, str) else "".join(name)).name
