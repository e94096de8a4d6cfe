"""Krita 5.1 as Debian 12 has it, on this machine, and Krita 5.2 in the folder with Debian 13, behind one face."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import debian, inside

PROGRAMS = ("krita", "xvfb-run", "openbox", "xdotool", "import")
INSTALL = (
    "apt-get install --no-install-recommends krita xvfb xauth xdotool openbox imagemagick "
    "python3-pyqt5 python3-pyqt5.sip python3-zmq libgl1-mesa-dri"
)
# A window manager, as dialogs and focus are wrong without one; Krita is what is waited for.
DESK = 'openbox >/dev/null 2>&1 & exec krita --nosplash "$@"'
# Only the system's own programs: Krita takes the Python that it finds first, and another one has no PyQt.
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"


def why_not() -> str | None:
    """Why Krita 5.1 cannot be tested on this machine; None where it can."""
    if sys.platform != "linux":
        return "Krita 5.1 is tested as Debian 12 has it"
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return f"Krita 5.1 is tested on Debian 12; missing here: {', '.join(missing)} ({INSTALL})"
    told = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "krita"], capture_output=True, text=True, check=False
    )
    version = told.stdout.split(":")[-1]
    return None if version.startswith("5.1.") else f"the Krita on this machine is {version or 'of no package'}, not 5.1"


class Here:
    """Programs on this machine itself."""

    name = "5.1"

    @staticmethod
    def start(environment: Mapping[str, str], words: Sequence[str], shared: Path, log: Path) -> subprocess.Popen[str]:
        """Start a program with only these variables, in a process group of its own; what it says goes to `log`."""
        variables = {"PATH": SYSTEM, "LANG": "C.UTF-8", **environment}
        with log.open("a", encoding="utf-8") as file:
            return subprocess.Popen(
                list(words),
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    @staticmethod
    def engine(python: Path, folder: Path, variables: Mapping[str, str]) -> Path:
        """A program in `folder` that runs this machine's `python` with these variables."""
        script = folder / "engine-python"
        lines = [f"export {name}='{value}'" for name, value in variables.items()]
        script.write_text("\n".join(["#!/bin/sh", *lines, f"exec '{python}' \"$@\"", ""]), encoding="utf-8")
        script.chmod(0o755)
        return script


class InFolder:
    """Programs in the folder with Debian 13."""

    name = "5.2"

    def __init__(self, root: Path) -> None:
        self.root = root

    def start(
        self, environment: Mapping[str, str], words: Sequence[str], shared: Path, log: Path
    ) -> subprocess.Popen[str]:
        """Start a program with only these variables, in a process group of its own; `shared` is seen in there."""
        with log.open("a", encoding="utf-8") as file:
            return inside.start(self.root, [shared], environment, words, stdout=file.fileno())

    @staticmethod
    def engine(python: Path, folder: Path, variables: Mapping[str, str]) -> Path:
        """A program in `folder` that runs this machine's `python` with these variables."""
        return inside.outside(python, folder, variables)


Place = Here | InFolder


def krita52() -> InFolder:
    """The folder with Krita 5.2, made where it is not there yet.

    Raises:
        HostsError: it cannot be made.
    """
    return InFolder(debian.ensure())


def desk(scale: int = 1) -> list[str]:
    """The command line of a Krita on a screen of its own that nobody sees.

    Args:
        scale: how many pixels of the screen there are to one of Qt's, in both directions.
    """
    screen = f"-screen 0 {1500 * scale}x{950 * scale}x24"
    # Two test runs at a time do not see each other's screens, and must not choose the same number.
    number = str(100 + os.getpid() % 800)
    return ["xvfb-run", "-a", "-n", number, "-s", screen, "sh", "-c", DESK, "krita"]


def end(process: subprocess.Popen[str]) -> None:
    """End a program and all that belongs to its group, the screen included."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
