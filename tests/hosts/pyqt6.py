"""A small environment with PyQt6, which Krita 6 has and no package of a Debian with Krita 5 brings: made once, kept.

python tests/hosts/pyqt6.py            make it, if it is not there yet
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.hosts.debian import HostsError, place

PACKAGES = ("PyQt6==6.11.0", "PyQt6-Qt6==6.11.2", "PyQt6-sip==13.13.0")
LONGEST = 600  # seconds; it takes a quarter of a minute with a near index


def folder() -> Path:
    """Where it is, beside the folder with GIMP and Krita, whether or not it is there yet."""
    return place().parent / f"pyqt6-{sysconfig.get_platform()}-{sys.version_info.major}.{sys.version_info.minor}"


def python(where: Path) -> Path:
    """Its Python."""
    return where / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def works(where: Path) -> bool:
    """Whether it is there, whole."""
    if not python(where).is_file():
        return False
    probe = [str(python(where)), "-c", "import PyQt6.QtWidgets"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def ensure() -> Path:
    """A Python that has PyQt6.

    Raises:
        HostsError: it cannot be made.
    """
    made = folder()
    if works(made):
        return python(made)
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", *PACKAGES]
    for command in ([sys.executable, "-m", "venv", str(made)], [str(python(made)), *pip]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HostsError(f"an environment with PyQt6 could not be made: {error}", cannot=False) from None
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
            raise HostsError(f"an environment with PyQt6 could not be made: {last[-1]}", cannot=False)
    if not works(made):
        raise HostsError(f"PyQt6 is in {made}, but cannot be loaded there", cannot=False)
    return python(made)


if __name__ == "__main__":
    try:
        print(ensure())
    except HostsError as error:
        sys.exit(str(error))
