"""GIMP and Krita: everything that the installer knows about a host, in one record for each.

A new host is a new record here, and its plug-in's folder.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ud_krita_settings


@dataclass(frozen=True)
class Question:
    """How a host is asked something without a window: a command, and variables on top of the user's."""

    command: list[str]
    variables: dict[str, str]


@dataclass(frozen=True)
class Host:
    """A program that a plug-in is for.

    Attributes:
        key: what the command line calls it.
        name, title: its name, and the same with the version that is needed.
        least: the oldest major version.
        source: the plug-in's folder in the repository.
        package: its Python package, within `source`; the engine's `client` is copied into it.
        files: what else is in `source`.
        folder: a folder of the host's plug-in folder that takes all of it; empty for the plug-in folder itself.
        consoles: programs that answer questions without a window, the first is taken.
        console: what to name with `--program`, in words.
        windows, mac: where they are, as patterns below the folders of programs.
        process: names of its processes; Linux keeps 15 letters.
        flatpak: its name as a Flatpak.
        menu: where the plug-in is.
        first: where to click first.
        folders: from the user's folder, the folders of plug-ins of the profiles that exist.
        first_folder: the same for a host that never ran and takes a folder as it finds it; None where it must make its
            profile itself.
        settings: from a folder of plug-ins and the user's folder, the file in which a plug-in has to be switched on.
        look: from a program, a folder of plug-ins, a scratch folder and a file for the answer (JSON), how the host is
            asked whether it sees the plug-in (`seen`), and the plug-in whether it reaches the engine (see `ROUND`).
    """

    key: str
    name: str
    title: str
    least: int
    source: str
    package: str
    files: tuple[str, ...]
    folder: str
    consoles: tuple[str, ...]
    console: str
    windows: str
    mac: str
    process: re.Pattern[str]
    flatpak: str
    menu: str
    first: str
    folders: Callable[[Path], list[Path]]
    first_folder: Callable[[Path], Path] | None
    settings: Callable[[Path, Path], Path] | None
    look: Callable[[str, Path, Path, Path], Question]

    def inner(self, plugins: Path) -> Path:
        """The plug-in's package within a folder of plug-ins."""
        return plugins / self.folder / self.package

    def entries(self) -> tuple[str, ...]:
        """What the plug-in puts directly into a folder of plug-ins."""
        return (self.folder,) if self.folder else (self.package, *self.files)


# Runs in the host's own Python, with the plug-in's own copy of `client`: one question to the engine, and the answer.
ROUND = """
def engine(package):
    import importlib
    found = {}
    try:
        Engine = importlib.import_module(package + ".client.engine").Engine
        with Engine.connect(timeout=60) as engine:
            found["engine"], found["bridged"] = engine.hello()["version"], bool(engine.bridged)
    except Exception as error:
        found["error"] = "%s %s" % (getattr(error, "message", error), getattr(error, "hint", ""))
    return found
"""
_GIMP = """
import json, sys
from gi.repository import Gimp
found = {"seen": Gimp.get_pdb().lookup_procedure("underdrawing-engine") is not None}
if found["seen"]:
    sys.path.insert(0, %(folder)r)
    found.update(engine(%(package)r))
with open(%(answer)r, "w", encoding="utf-8") as file:
    json.dump(found, file)
"""
_KRITA = """
def look(*_):
    import json, os, sys
    found = {}
    try:
        import importlib
        importlib.import_module("underdrawing_krita.docker")
        found["seen"] = True
        found.update(engine("underdrawing_krita"))
    except BaseException as error:
        found["why"] = "%s: %s" % (type(error).__name__, error)
    with open(os.environ["UD_LOOK_ANSWER"], "w", encoding="utf-8") as file:
        json.dump(found, file)
"""


def settings_folder(home: Path) -> Path:
    """Where programs of this user keep their settings."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")


def _gimp_folders(home: Path) -> list[Path]:
    named = os.environ.get("GIMP3_DIRECTORY")
    profiles = [Path(named)] if named else []
    for folder in (settings_folder(home), home / ".var/app/org.gimp.GIMP/config"):
        profiles += sorted((folder / "GIMP").glob("3.*"))
    return [profile / "plug-ins" for profile in profiles if profile.is_dir()]


def _krita_folder(home: Path) -> Path:
    if sys.platform in ("win32", "darwin"):
        return settings_folder(home) / "krita" / "pykrita"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "krita" / "pykrita"


def _krita_folders(home: Path) -> list[Path]:
    places = [_krita_folder(home), home / ".var/app/org.kde.krita/data/krita/pykrita"]
    return [place for place in places if place.parent.is_dir()]


def scratch(place: Path) -> dict[str, str]:
    """Variables that let a host keep caches and data in a folder that goes away, and nothing in the user's."""
    return {"XDG_CACHE_HOME": str(place / "cache"), "XDG_DATA_HOME": str(place / "data")}


def gimp_batch(program: str, code: str) -> list[str]:
    """The command that runs some Python in GIMP."""
    quiet = [program, "-i", "-d", "-f", "--batch-interpreter", "python-fu-eval"]
    return [*quiet, "-b", f"exec({code!r})", "--quit"]


def _look_in_gimp(program: str, plugins: Path, place: Path, answer: Path) -> Question:
    # A profile that goes away, with the person's own settings and plug-ins: GIMP writes into each that it opens.
    profile = place / "profile"
    profile.mkdir()
    if (plugins.parent / "gimprc").is_file():
        shutil.copyfile(plugins.parent / "gimprc", profile / "gimprc")
    try:
        (profile / "plug-ins").symlink_to(plugins)
    except OSError:  # Windows lets not everybody make links
        profile = plugins.parent
    given = {"folder": str(plugins / GIMP.folder), "package": GIMP.package, "answer": str(answer)}
    variables = {**scratch(place), "GIMP3_DIRECTORY": str(profile)}
    return Question(gimp_batch(program, ROUND + _GIMP % given), variables)


def _look_in_krita(program: str, plugins: Path, place: Path, answer: Path) -> Question:
    scripts, run = place / "scripts", place / "run"
    scripts.mkdir()
    run.mkdir(mode=0o700)
    (scripts / "underdrawing_look.py").write_text(ROUND + _KRITA, encoding="utf-8")
    variables = {
        # The runner fills a data folder of its own with Krita's brushes (90 MB): in a folder that goes away.
        **scratch(place),
        "XDG_CONFIG_HOME": str(place / "config"),
        "XDG_RUNTIME_DIR": str(run),
        # Krita takes the first Python in the path for its own: the system's, not one of pyenv in a terminal.
        "PATH": os.pathsep.join([str(Path(program).parent), "/usr/bin", os.environ.get("PATH", "")]),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": os.pathsep.join([str(scripts), str(plugins)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "UD_LOOK_ANSWER": str(answer),
    }
    return Question([program, "-s", "underdrawing_look", "-f", "look"], variables)


GIMP = Host(
    key="gimp",
    name="GIMP",
    title="GIMP 3",
    least=3,
    source="plugin_gimp",
    package="underdrawing_gimp",
    # GIMP runs plug-ins/NAME/NAME.py. A name with a hyphen is nobody's module, so nothing imports it by mistake.
    files=("underdrawing-gimp.py",),
    folder="underdrawing-gimp",
    consoles=("gimp-console-3.2", "gimp-console-3.0", "gimp-console-3", "gimp-console"),
    console="gimp-console of GIMP 3",
    windows="GIMP 3*/bin/gimp-console*.exe",
    mac="GIMP*.app/Contents/MacOS/gimp-console*",
    process=re.compile(r"(?:gimp|gimp-3(?:\.\d+)?)(?:\.exe|-bin)?\Z", re.IGNORECASE),
    flatpak="org.gimp.GIMP",
    menu="Filters > Underdrawing",
    first="Filters > Underdrawing > Make Underdrawing…",
    folders=_gimp_folders,
    first_folder=None,
    settings=None,
    look=_look_in_gimp,
)
KRITA = Host(
    key="krita",
    name="Krita",
    title="Krita",
    least=5,
    source="plugin_krita",
    package="underdrawing_krita",
    files=("underdrawing_krita.desktop",),
    folder="",
    consoles=("kritarunner",),
    console="kritarunner (next to Krita's program)",
    windows="Krita*/bin/kritarunner.exe",
    mac="[Kk]rita*.app/Contents/MacOS/kritarunner",
    process=re.compile(r"krita(?:\.exe|\.com|-bin)?\Z", re.IGNORECASE),
    flatpak="org.kde.krita",
    menu="Settings > Dockers > Underdrawing",
    first="Settings > Dockers > Underdrawing, and there “Make”",
    folders=_krita_folders,
    first_folder=_krita_folder,
    settings=ud_krita_settings.place,
    look=_look_in_krita,
)
HOSTS = {host.key: host for host in (GIMP, KRITA)}
