"""Lays the plug-ins out as GIMP and Krita want them: the plug-in's own files, and a copy of `link`.

In the repository there is one `link`, the engine's; the copy is made here and nowhere else.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ud_machine import ROOT

LINK = "engine/underdrawing/link"
NO_COPIES = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Layout:
    """Where a host wants what.

    Attributes:
        source: the plug-in's folder in the repository.
        package: its Python package, within `source`; `link` is copied into it.
        files: what else is in `source`.
        folder: a folder of the host's plug-in folder that takes all of it; empty for the plug-in folder itself.
    """

    source: str
    package: str
    files: tuple[str, ...]
    folder: str = ""


HOSTS = {
    # GIMP runs plug-ins/NAME/NAME.py. A name with a hyphen is nobody's module, so nothing imports it by mistake.
    "gimp": Layout("plugin_gimp", "underdrawing_gimp", ("underdrawing-gimp.py",), "underdrawing-gimp"),
    "krita": Layout("plugin_krita", "underdrawing_krita", ("underdrawing_krita.desktop",)),
}


def lay_out(host: str, target: Path, root: Path = ROOT) -> list[Path]:
    """Put a plug-in into a host's plug-in folder; an older one is replaced.

    Args:
        host: `gimp` or `krita`.
        target: the host's folder of plug-ins: GIMP's `plug-ins`, Krita's `pykrita`. Made where it is not there.
        root: where the sources are.

    Returns:
        What now lies directly in `target`; deleting these takes the plug-in away again.

    Raises:
        OSError: something cannot be read or written.
        KeyError: there is no such host.
    """
    layout = HOSTS[host]
    target.mkdir(parents=True, exist_ok=True)
    # Made beside its place first: a full disk leaves the older one as it was.
    fresh = Path(tempfile.mkdtemp(prefix=".underdrawing-", dir=str(target)))
    try:
        inner = fresh / layout.folder if layout.folder else fresh
        shutil.copytree(root / layout.source / layout.package, inner / layout.package, ignore=NO_COPIES)
        shutil.copytree(root / LINK, inner / layout.package / "link", ignore=NO_COPIES)
        for name in layout.files:
            shutil.copy2(root / layout.source / name, inner / name)
            if name.endswith(".py"):
                (inner / name).chmod(0o755)
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
