"""pyzmq for a host's own Python: the locked wheel of that Python's version and system, beside the plug-in's package.

A host that has pyzmq keeps its own. Where no wheel fits (Windows' GIMP has an MSYS2 Python that loads none), or none
can be had, nothing is lost: messages pass over the bridge, a small process of the engine.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ud_env import LOCKS
from ud_pip import Pip, reason
from ud_plugins import HOSTS, OWN_ZMQ
from ud_report import InstallError, Reporter

NOTE = "underdrawing.json"
OLDEST_GLIBC = 17  # manylinux_2_17 (2014): what no wheel of pyzmq goes below
# A host's Python says what it is. Runs there: the standard library alone, and as old as the host may be.
ASK = """
def python():
    import os, platform, sys, sysconfig
    told = {"implementation": sys.implementation.name, "version": list(sys.version_info[:2])}
    told["platform"], told["machine"] = sysconfig.get_platform(), platform.machine()
    told["wide"], told["free"] = sys.maxsize > 2**32, bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    told["mac"] = platform.mac_ver()[0]
    try:
        told["libc"] = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        told["libc"] = ""
    return told
"""


@dataclass(frozen=True)
class Target:
    """A Python as pip's `download` wants it: `3.13`, `cp313`, and the platforms whose wheels it takes, best first."""

    version: str
    abi: str
    platforms: tuple[str, ...]

    def words(self) -> list[str]:
        """pip's own words for it."""
        platforms = [word for name in self.platforms for word in ("--platform", name)]
        return ["--python-version", self.version, "--implementation", "cp", "--abi", self.abi, *platforms]


def target(told: Mapping[str, Any]) -> Target | None:
    """What wheels a Python takes, by what `ASK` made it say; None where none of pyzmq's would fit.

    The names of platforms are those of PEP 425, 600 and 656.
    """
    try:
        major, minor = (int(number) for number in told["version"])
        name, machine = str(told["platform"]), str(told["machine"])
        if told["implementation"] != "cpython" or not told["wide"]:
            return None
        abi = f"cp{major}{minor}{'t' if told.get('free') else ''}"
        libc, mac = str(told.get("libc") or ""), str(told.get("mac") or "")
    except (KeyError, TypeError, ValueError):
        return None
    platforms: list[str] = []
    glibc = re.fullmatch(r"glibc 2\.(\d+)", libc)
    if name.startswith("linux-") and glibc:
        newest = int(glibc.group(1))
        platforms = [f"manylinux_2_{number}_{machine}" for number in range(newest, OLDEST_GLIBC - 1, -1)]
        platforms += [f"manylinux2014_{machine}"] if platforms else []
    elif name.startswith("macosx-") and mac:
        parts = [*mac.split("."), "0"]
        platforms = [f"macosx_{parts[0]}_{parts[1] if parts[0] == '10' else 0}_{machine}"]
    elif name in ("win-amd64", "win-arm64"):
        platforms = [name.replace("-", "_")]
    return Target(f"{major}.{minor}", abi, tuple(platforms)) if platforms else None


def locked() -> tuple[str, str]:
    """The locked version of pyzmq, and its lines of the lock file, with the hashes of all of its wheels."""
    text = (LOCKS / "cpu.txt").read_text(encoding="utf-8")
    found = re.search(r"(?m)^pyzmq==(\S+)(?: \\\n {4}--hash=\S+)+", text)
    if found is None:
        raise InstallError("The lock files know no pyzmq.", "Fetch Underdrawing anew, or run: python3 installer lock")
    return found.group(1), found.group(0) + "\n"


def place(host: str, folder: Path) -> Path:
    """Where a plug-in's own pyzmq is, for a host's folder of plug-ins; it need not be there."""
    layout = HOSTS[host]
    return folder / layout.folder / layout.package / OWN_ZMQ


def has(host: str, folder: Path) -> dict[str, Any]:
    """What is known of a plug-in's own pyzmq (`version`, and the `python` that it is for); empty without one."""
    try:
        found = json.loads((place(host, folder) / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def give(host: str, folder: Path, told: Mapping[str, Any], pip: Pip, report: Reporter) -> bool:
    """Fetch the wheel for a host's Python and unpack it beside the plug-in; whether it is there now.

    Args:
        folder: the host's folder of plug-ins.
        told: what `ASK` made the host's Python say.
        pip: fetches, from where the person's own settings and options say.

    Raises:
        OSError: the folder cannot be written.
    """
    wanted, (version, lines) = target(told), locked()
    if wanted is None:
        report.log(f"no wheel of pyzmq is for the Python of {host}: {dict(told)}")
        return False
    former = has(host, folder)
    if former.get("version") == version and former.get("python") == dict(told):
        return False  # it is there, and did not help
    report.step(f"Fetching pyzmq {version} for the host's Python {wanted.version} (1 MB)")
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as scratch:
        wish, out = Path(scratch) / "pyzmq.txt", Path(scratch) / "out"
        wish.write_text(lines, encoding="utf-8")
        arguments = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(wish)]
        said = pip.attempt("pyzmq", [*arguments, *wanted.words(), "--dest", str(out)], verb="download")
        wheels = list(out.glob("pyzmq-*.whl"))
        if said is not None or not wheels:
            report.warn(f"pyzmq for that Python could not be had: {reason(said or [])} The bridge does its work.")
            return False
        note = {"version": version, "python": dict(told)}
        unpack(wheels[0], place(host, folder), note)
    return True


def renew(host: str, folder: Path, pip: Pip, report: Reporter) -> bool:
    """Bring a plug-in's own pyzmq, where it has one, to the version that is locked now; whether that changed it."""
    former = has(host, folder)
    python = former.get("python")
    return isinstance(python, dict) and former.get("version") != locked()[0] and give(host, folder, python, pip, report)


def unpack(wheel: Path, final: Path, note: Mapping[str, Any]) -> None:
    """Put what a wheel holds into a folder, without its tests; what was there before is replaced.

    Raises:
        InstallError: the wheel holds names that lead out of the folder.
        OSError: the folder cannot be written.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".pyzmq-", dir=str(final.parent)))
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                name = PurePosixPath(entry.filename)
                if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
                    raise InstallError(f"{wheel.name} is no sound wheel.", "Use another mirror.")
                if name.parts[:2] != ("zmq", "tests"):
                    archive.extract(entry, fresh)
        (fresh / NOTE).write_text(json.dumps(note, indent=1), encoding="utf-8")
        fresh.chmod(0o755)
        if final.exists():
            shutil.rmtree(final)
        fresh.replace(final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
