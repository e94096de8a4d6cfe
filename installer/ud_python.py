"""Finding a Python that the environment can be made with, and getting Debian's venv package where it lacks one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ud_hardware import clean_environment, is_debian, is_root, sources
from ud_report import InstallError, Reporter

_ASK = """
import json, sys
try:
    import ensurepip, venv
    able = True
except ImportError:
    able = False
print(json.dumps([sys.executable, list(sys.version_info[:2]), able, sys.maxsize > 2**32]))
"""


@dataclass(frozen=True)
class Python:
    """An interpreter: its path, its version, and whether it can make an environment with pip."""

    path: str
    version: tuple[int, int]
    able: bool

    @property
    def label(self) -> str:
        return f"Python {self.version[0]}.{self.version[1]} ({self.path})"


def ask(path: str) -> Python | None:
    """What the interpreter at `path` is, or None when it does not run or is not a 64-bit CPython."""
    try:
        answer = subprocess.run(
            [path, "-I", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
        )
        where, version, able, wide = json.loads(answer.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return Python(where, (version[0], version[1]), able) if wide else None


def _candidates() -> Iterator[str]:
    # Started from inside an environment, its base is meant: the environment may be the one to be made anew.
    yield getattr(sys, "_base_executable", "") or sys.executable
    least, most = sources()["python"]["least"][1], sources()["python"]["most"][1]
    # The versions in the middle have wheels of everything for the longest time.
    minors = sorted(range(least, most + 1), key=lambda minor: (minor == most, minor))
    for minor in minors:
        yield shutil.which(f"python3.{minor}") or ""
    for name in ("python3", "python"):
        yield shutil.which(name) or ""
    for place in ("/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"):
        yield place if Path(place).exists() else ""
    versions = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    for folder in sorted(versions.glob("3.*"), reverse=True):
        yield str(folder / "bin" / "python3")
    if sys.platform == "win32" and shutil.which("py"):
        for minor in minors:
            where = subprocess.run(
                ["py", f"-3.{minor}", "-c", "import sys; print(sys.executable)"],
                capture_output=True,
                text=True,
                check=False,
            )
            yield where.stdout.strip()


def find_python(report: Reporter) -> Python:
    """A Python of a version we have wheels for that can make environments; this one, if it will do.

    On Debian, as root, a missing venv package is installed. Raises InstallError when there is none.
    """
    limits = sources()["python"]
    least, most = tuple(limits["least"]), tuple(limits["most"])
    seen = set()
    fitting = []
    others = []
    for path in _candidates():
        if not path or path in seen:
            continue
        seen.add(path)
        found = ask(path)
        if found is None:
            continue
        if least <= found.version <= most:
            if found.able:
                return found
            fitting.append(found)
        else:
            others.append(found)
    wanted = f"Python {least[0]}.{least[1]} to {most[0]}.{most[1]}"
    if not fitting:
        here = ", ".join(sorted({f"{p.version[0]}.{p.version[1]}" for p in others})) or "none"
        raise InstallError(
            f"Underdrawing needs {wanted} (64 bit); found here: {here}.",
            "Install one of them (Debian 12 and Ubuntu 24.04 have one: apt install python3 python3-venv; elsewhere "
            "python.org or your package manager) and run this again; it is found automatically.",
        )
    return _with_venv(fitting[0], report)


def _with_venv(python: Python, report: Reporter) -> Python:
    """Give a Python that lacks `venv` Debian's package of it."""
    package = f"python{python.version[0]}.{python.version[1]}-venv"
    if not is_debian() or not python.path.startswith("/usr/bin/"):
        raise InstallError(
            f"{python.label} lacks the modules venv and ensurepip.",
            "Install your system's package of them, or a complete Python from python.org, and run this again.",
        )
    if not is_root():
        raise InstallError(
            f"{python.label} lacks venv: Debian keeps it in a package of its own, {package}.",
            f"Run: sudo apt-get install {package}   and then this again.",
        )
    report.step(f"{python.label} lacks venv: installing Debian's package {package}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]
    for command in (install, ["apt-get", "update", "-q"], install):
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        report.log(done.stdout)
        if command is install and done.returncode == 0:
            break
    found = ask(python.path)
    if found is None or not found.able:
        raise InstallError(
            f"Debian's package {package} could not be installed.",
            f"Run: apt-get update && apt-get install {package}   to see why, and then this again.",
        )
    return found
