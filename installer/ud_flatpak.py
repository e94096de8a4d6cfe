"""GIMP and Krita as Flatpaks: which are here, which pyzmq fits their Python, and what they are not allowed.

A sandbox shows its program another system than the machine's. From in there neither the engine nor the bridge can be
started. The plug-in needs an engine that runs already (`ud_service`), pyzmq for the sandbox's own Python, this
machine's network, and a view of the data folder.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ud_env import LOCKS
from ud_hosts import HOSTS
from ud_pip import Pip, reason
from ud_plugins import OWN_ZMQ
from ud_report import InstallError, Reporter

PATIENCE = 90  # seconds for a sandbox to start
# What the wheels of pyzmq for Linux are built for (PEP 600), best first; Flatpak's own C library is newer than all.
PLATFORMS = ("manylinux_2_28", "manylinux_2_26", "manylinux_2_17", "manylinux2014")
_ASK = """
import json, platform, sys
try:
    import zmq
    own = bool(zmq.has("curve"))
except (ImportError, AttributeError):
    own = False
print(json.dumps({"version": list(sys.version_info[:2]), "machine": platform.machine(), "zmq": own}))
"""


def is_installed(host: str) -> bool:
    """Whether the host is here as a Flatpak."""
    bases = (Path("/var/lib/flatpak/app"), Path.home() / ".local/share/flatpak/app")
    return any((base / HOSTS[host].flatpak).is_dir() for base in bases)


def is_flatpak(plugins: Path) -> bool:
    """Whether a folder of plug-ins belongs to a Flatpak."""
    return ".var" in plugins.parts


def give_zmq(host: str, plugins: Path, pip: Pip, report: Reporter) -> bool:
    """Fetch the locked pyzmq for the sandbox's Python and put it beside the plug-in; whether the plug-in has one now.

    Args:
        plugins: the host's folder of plug-ins.
        pip: fetches, from where the person's own settings and options point.

    Raises:
        OSError: the folder cannot be written.
    """
    command = ["flatpak", "run", "--command=python3", HOSTS[host].flatpak, "-c", _ASK]
    report.step(f"Asking the Flatpak of {HOSTS[host].name} for the version of its Python")
    try:
        python: dict[str, Any] = json.loads(_run(command, report).strip().splitlines()[-1])
        number = ".".join(str(int(part)) for part in python["version"])
    except (ValueError, IndexError, KeyError, TypeError):
        report.warn("The Flatpak's Python did not answer, so the plug-in has no pyzmq: see docs/installation.md.")
        return False
    if python.get("zmq"):
        return True
    words = ["--python-version", number, "--implementation", "cp", "--abi", f"cp{number.replace('.', '')}"]
    words += [word for name in PLATFORMS for word in ("--platform", f"{name}_{python['machine']}")]
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as scratch:
        wish, made = Path(scratch) / "pyzmq.txt", Path(scratch) / "made"
        wish.write_text(locked_zmq(), encoding="utf-8")
        arguments = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(wish)]
        output = pip.attempt("pyzmq", [*arguments, *words, "--target", str(made)])
        if output is not None:
            report.warn(f"There is no pyzmq for the Flatpak's Python {number}: {reason(output)}")
            return False
        final = HOSTS[host].inner(plugins) / OWN_ZMQ
        shutil.rmtree(final, ignore_errors=True)
        shutil.copytree(made, final, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    return True


def locked_zmq() -> str:
    """The lines of the lock file for pyzmq, with the hashes of all of its wheels."""
    text = (LOCKS / "cpu.txt").read_text(encoding="utf-8")
    found = re.search(r"(?m)^pyzmq==\S+(?: \\\n {4}--hash=\S+)+", text)
    if found is None:
        raise InstallError("The lock files lack pyzmq.", "Fetch Underdrawing anew, or run: python3 installer lock")
    return found.group(0) + "\n"


def lacks(host: str, engine_home: Path, report: Reporter) -> list[str]:
    """What the Flatpak does not allow that the plug-in needs: sentences with the command that allows it."""
    name = HOSTS[host].flatpak
    return judge(_run(["flatpak", "info", "--show-permissions", name], report), name, engine_home)


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
    """The output of a program; empty where it fails."""
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
