"""GIMP and Krita in sandboxes (Flatpak, Snap): which are here, what their Python is, and what they may not do.

A sandbox shows its program another system than the machine's. The plug-in in there can start neither engine nor bridge:
it needs an engine that runs already (`ud_service`), pyzmq for the sandbox's own Python, this machine's network, and a
sight of the data folder.
"""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ud_report import Reporter
from ud_wheel import ASK

FLATPAKS = {"gimp": "org.gimp.GIMP", "krita": "org.kde.krita"}
PATIENCE = 90  # seconds for a sandbox to start
_TELL = """
told = python()
try:
    import zmq
    told["zmq"] = zmq.__version__ if zmq.has("curve") else ""
except (ImportError, AttributeError):
    told["zmq"] = ""
import json
print(json.dumps(told))
"""


def sandboxed(host: str) -> str | None:
    """Flatpak's or Snap's name for a host that is installed in its way; None where it is not."""
    for base in (Path("/var/lib/flatpak/app"), Path.home() / ".local/share/flatpak/app"):
        if (base / FLATPAKS[host]).is_dir():
            return "Flatpak"
    return "Snap" if Path("/snap", host).is_dir() else None


def boxed(plugins: Path) -> str:
    """`Flatpak` or `Snap` where a folder of plug-ins belongs to one of these, else nothing."""
    return "Flatpak" if ".var" in plugins.parts else "Snap" if "snap" in plugins.parts else ""


def command(host: str, box: str, code: str) -> list[str]:
    """The command line that runs some Python in a host's sandbox."""
    if box == "Flatpak":
        return ["flatpak", "run", "--command=python3", FLATPAKS[host], "-c", code]
    return ["snap", "run", "--shell", host, "-c", f"exec python3 -c {shlex.quote(code)}"]


def ask(host: str, box: str, report: Reporter) -> dict[str, Any]:
    """What the Python in a host's sandbox says of itself (`ud_wheel.ASK`), and its `zmq`; empty without an answer."""
    words = command(host, box, ASK + _TELL)
    if shutil.which(words[0]) is None:
        return {}
    report.step(f"Asking the {box} what its Python is")
    said = _run(words, report)
    try:
        told = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return told if isinstance(told, dict) else {}


def lacks(host: str, box: str, engine_home: Path, report: Reporter) -> list[str]:
    """What a sandbox does not allow that the plug-in needs: sentences with the command that allows it.

    A Snap cannot be asked; what is known of it is said.
    """
    if box == "Snap":
        hidden = any(part.startswith(".") for part in engine_home.parts)
        return (
            [f"A Snap does not see hidden folders such as {engine_home}: see docs/installation.md."] if hidden else []
        )
    words = ["flatpak", "info", "--show-permissions", FLATPAKS[host]]
    return judge(_run(words, report), FLATPAKS[host], engine_home) if shutil.which("flatpak") else []


def judge(permissions: str, name: str, engine_home: Path) -> list[str]:
    """The same, from Flatpak's list of permissions (the format of its metadata files)."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(permissions)
    except configparser.Error:
        return []
    if not parser.has_section("Context"):
        return []
    shared = parser.get("Context", "shared", fallback="").split(";")
    places = [place.partition(":")[0] for place in parser.get("Context", "filesystems", fallback="").split(";")]
    found = []
    if "network" not in shared:
        found.append(
            f"It may not use the network of this machine. Allow it: flatpak override --user --share=network {name}"
        )
    roots = [Path.home() if place == "~" else Path(place.replace("~/", f"{Path.home()}/")) for place in places if place]
    # `host` leaves out some of the system's folders, never the user's own.
    sees = {"host", "home"} & set(places) and engine_home.is_relative_to(Path.home())
    if not sees and not any(root.is_absolute() and engine_home.is_relative_to(root) for root in roots):
        place = shlex.quote(str(engine_home))
        found.append(f"It does not see {engine_home}. Allow it: flatpak override --user --filesystem={place} {name}")
    return found


def _run(words: list[str], report: Reporter) -> str:
    """What a program says; nothing where it fails."""
    report.log("$ " + shlex.join(words[:5]) + " …")
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        report.log(str(error))
        return ""
    report.log(done.stdout + done.stderr)
    return done.stdout if done.returncode == 0 else ""
