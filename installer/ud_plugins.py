"""Lays the plug-ins out as GIMP and Krita want them: the plug-in's own files, and a copy of `client`.

In the repository there is one `client`, the engine's; the copy is made here and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ud_hardware import ROOT
from ud_hosts import HOSTS

CLIENT = "engine/underdrawing/client"
NO_COPIES = shutil.ignore_patterns("__pycache__", "*.pyc")
# Lies in the plug-in's package: of which version it is, and what the installer made for it.
NOTE = "installed.json"
# The same as `client.transport.OWN_ZMQ`: a pyzmq for the host's Python, where the installer fetched spec.
OWN_ZMQ = "pyzmq"


def engine_package(root: Path = ROOT) -> Path:
    """The engine's package: in the repository, or, where a wheel carries these files, the package around them."""
    inside = root / "engine" / "underdrawing"
    return inside if inside.is_dir() else root.parent


def version(root: Path = ROOT) -> str:
    """The version of this copy of Underdrawing; empty where it is unknown."""
    try:
        text = (engine_package(root) / "__init__.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r'(?m)^__version__ = "([^"]+)"', text)
    return found.group(1) if found else ""


def _sources(host: str, root: Path) -> list[tuple[str, Path]]:
    """Every file of a plug-in: its name below the host's folder, and where it is now."""
    spec = HOSTS[host]
    client = engine_package(root) / "client"
    found = [(name, root / spec.source / name) for name in spec.files]
    for base, prefix in ((root / spec.source / spec.package, spec.package), (client, f"{spec.package}/client")):
        for path in base.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                found.append((f"{prefix}/{path.relative_to(base).as_posix()}", path))
    return sorted(found)


def digest(host: str, root: Path = ROOT) -> str:
    """Tells two states of a plug-in apart, whatever their versions say."""
    made = hashlib.sha256()
    for name, path in _sources(host, root):
        content = path.read_bytes()
        made.update(f"{name}\0{len(content)}\0".encode())
        made.update(content)
    return made.hexdigest()


def installed(host: str, target: Path) -> dict[str, Any] | None:
    """The note of the plug-in in a folder (`version`, `digest`, `made`); None where there is none."""
    note = HOSTS[host].inner(target) / NOTE
    if not note.parent.is_dir():
        return None
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def lay_out(host: str, target: Path, root: Path = ROOT, note: Mapping[str, Any] | None = None) -> list[Path]:
    """Put a plug-in into a host's plug-in folder; an older one is replaced, and its own pyzmq kept.

    Args:
        host: `gimp` or `krita`.
        target: the host's folder of plug-ins: GIMP's `plug-ins`, Krita's `pykrita`. Made where it is not there.
        root: where the sources are.
        note: what else is to be known when it is taken away.

    Returns:
        What now lies directly in `target`; deleting these takes the plug-in away again.

    Raises:
        OSError: something cannot be read or written.
        KeyError: there is no such host.
    """
    spec = HOSTS[host]
    target.mkdir(parents=True, exist_ok=True)
    # Made beside its place first: a full disk leaves the older one as it was.
    fresh = Path(tempfile.mkdtemp(prefix=".underdrawing-", dir=str(target)))
    try:
        inner = fresh / spec.folder if spec.folder else fresh
        shutil.copytree(root / spec.source / spec.package, inner / spec.package, ignore=NO_COPIES)
        shutil.copytree(engine_package(root) / "client", inner / spec.package / "client", ignore=NO_COPIES)
        for name in spec.files:
            # With the time of now: GIMP asks a program for its procedures again when its time has changed.
            shutil.copyfile(root / spec.source / name, inner / name)
            if name.endswith(".py"):
                (inner / name).chmod(0o755)
        former = spec.inner(target) / OWN_ZMQ
        if former.is_dir():
            shutil.copytree(former, inner / spec.package / OWN_ZMQ, ignore=NO_COPIES)
        known = {"version": version(root), "digest": digest(host, root), **(note or {})}
        (inner / spec.package / NOTE).write_text(json.dumps(known, indent=1), encoding="utf-8")
        made = []
        for entry in sorted(fresh.iterdir()):
            place = target / entry.name
            if place.is_dir():
                shutil.rmtree(place)
            entry.replace(place)
            made.append(place)
        return made
    finally:
        shutil.rmtree(fresh)
