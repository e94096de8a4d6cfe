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

from ud_hosts import HOSTS, Host, scratch

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


def version_of(path: str) -> str:
    """The version that a program prints; empty where it does not start."""
    # Some make their folders even to print their version: in one that goes away.
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        variables = {**scratch(Path(place)), "XDG_CONFIG_HOME": place, "QT_QPA_PLATFORM": "offscreen"}
        environment = {**os.environ, **variables}
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


def _candidates(host: Host) -> Iterator[str]:
    for name in host.consoles:
        yield shutil.which(name) or ""
    bases: list[Path] = []
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA") or "C:/")
        bases = [Path(os.environ.get("PROGRAMFILES") or "C:/Program Files"), local / "Programs"]
    elif sys.platform == "darwin":
        bases = [Path("/Applications"), Path.home() / "Applications"]
    for base in bases:
        pattern = host.windows if sys.platform == "win32" else host.mac
        yield from (str(place) for place in sorted(base.glob(pattern), reverse=True))


def programs(host: str, named: Path | None = None) -> list[Program]:
    """The programs of a host on this machine, of the versions that are supported.

    named: only this one, where it is not to be looked for.
    """
    spec = HOSTS[host]
    found: dict[str, Program] = {}
    for path in [str(named)] if named is not None else _candidates(spec):
        if not path:
            continue
        program = Program(path, version_of(path))
        if program.version and int(program.version.split(".")[0]) >= spec.least:
            found.setdefault(program.version, program)
    return list(found.values())


def running(host: str) -> list[int]:
    """The processes of a host that this user has open (all users' on Windows)."""
    return [number for number, name in _processes() if HOSTS[host].process.match(name)]


def _processes() -> Iterator[tuple[int, str]]:
    """Numbers and names of this user's processes."""
    if Path("/proc/self/comm").exists():  # Linux
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
