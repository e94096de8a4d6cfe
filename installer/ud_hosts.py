"""Finds the folders where GIMP 3 and Krita look for a user's plug-ins, and puts ours there or takes it away."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path

from ud_plugins import HOSTS, installed, lay_out
from ud_report import InstallError, Reporter

NAMES = {"gimp": "GIMP 3", "krita": "Krita"}
KRITA_SECTION, KRITA_KEY = "[python]", "enable_underdrawing_krita"


def _configurations(home: Path) -> list[Path]:
    """Folders of settings: the system's, and those of Flatpak and Snap."""
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")]
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support"]
    own = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [own, home / ".var/app/org.gimp.GIMP/config", home / "snap/gimp/current/.config"]


def krita_data(home: Path) -> Path:
    """Where a Krita that is no sandbox keeps what belongs to the user; it need not exist yet."""
    if sys.platform in ("win32", "darwin"):
        return _configurations(home)[0] / "krita"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "krita"


def plugin_folders(host: str, home: Path) -> list[Path]:
    """Folders of plug-ins of every profile that the host has made for this user; they need not exist yet."""
    if host == "gimp":
        named = os.environ.get("GIMP3_DIRECTORY")
        profiles = [Path(named)] if named else []
        for folder in _configurations(home):
            profiles += sorted((folder / "GIMP").glob("3.*"))
        return [profile / "plug-ins" for profile in profiles if profile.is_dir()]
    places = [krita_data(home)]
    if sys.platform not in ("win32", "darwin"):
        places += [
            home / ".var/app/org.kde.krita/data/krita",
            home / "snap/krita/current/.local/share/krita",
        ]
    return [place / "pykrita" for place in places if place.is_dir()]


def kritarc(pykrita: Path, home: Path) -> Path:
    """The settings of the Krita whose plug-ins are in this folder."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "kritarc"
    if sys.platform == "darwin":
        return home / "Library" / "Preferences" / "kritarc"
    data = pykrita.parent.parent
    if data.name == "data":  # Flatpak
        return data.parent / "config" / "kritarc"
    if data == home / ".local" / "share" or str(data) == os.environ.get("XDG_DATA_HOME"):
        return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kritarc"
    return data.parent.parent / ".config" / "kritarc"


def switched(text: str, on: bool) -> str:
    """Krita's settings with our plug-in switched on or off; everything else stays as it is, to the letter."""
    text, count = re.subn(rf"(?m)^{KRITA_KEY}=.*\n?", "", text)
    if not on:
        # A section at the end that has nothing else in it came with our line, and goes with it.
        return re.sub(rf"(?:^|\n){re.escape(KRITA_SECTION)}\n\Z", "", text) if count else text
    line = f"{KRITA_KEY}=true\n"
    if re.search(rf"(?m)^{re.escape(KRITA_SECTION)}$", text):
        return re.sub(rf"(?m)^{re.escape(KRITA_SECTION)}\n?", f"{KRITA_SECTION}\n{line}", text, count=1)
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{KRITA_SECTION}\n{line}"


def is_on(pykrita: Path, home: Path) -> bool:
    """Whether Krita's settings have our plug-in switched on."""
    settings = kritarc(pykrita, home)
    try:
        return f"{KRITA_KEY}=true" in settings.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False


def _switch(settings: Path, on: bool) -> None:
    before = settings.read_text(encoding="utf-8") if settings.is_file() else ""
    after = switched(before, on)
    if after == before:
        return
    settings.parent.mkdir(parents=True, exist_ok=True)
    partial = settings.with_name(settings.name + ".underdrawing")
    partial.write_text(after, encoding="utf-8")
    if settings.is_file():
        shutil.copymode(settings, partial)
    partial.replace(settings)


def put(
    host: str, report: Reporter, to: Path | None = None, home: Path | None = None, folders: list[Path] | None = None
) -> list[Path]:
    """Put the plug-in where the host finds it; an older one is replaced. What was written.

    Args:
        host: `gimp` or `krita`.
        to: the folder of plug-ins, where it is not to be looked for.
        home: the user's folder; as a rule the system's answer.
        folders: the folders of plug-ins, where they were looked for already.

    Raises:
        InstallError: no profile of the host is there.
    """
    home = home or Path.home()
    folders = folders or ([to] if to is not None else plugin_folders(host, home))
    if not folders:
        raise InstallError(
            f"{NAMES[host]} has made no folder for you yet.",
            f"Start {NAMES[host]} once and run this again, or name its folder of plug-ins with --to DIR.",
        )
    written = []
    for folder in folders:
        settings = kritarc(folder, home) if host == "krita" and to is None else None
        made = _made(host, folder, settings) if to is None else []
        for place in lay_out(host, folder, made_too=made):
            report.say(f"Put: {place}")
            written.append(place)
        if settings is not None:
            _switch(settings, on=True)
    return written


def _made(host: str, folder: Path, settings: Path | None) -> list[str]:
    """What is not there yet and will be made for the plug-in, now or (as the note of an older one says) before."""
    before = (installed(host, folder) or {}).get("made")
    if isinstance(before, list):
        return [str(name) for name in before]
    places = [folder, folder.parent, *([settings] if settings is not None else [])]
    return [str(place) for place in places if not place.exists()]


def take_away(host: str, home: Path | None = None) -> list[Path]:
    """Take the plug-in out of every profile; what was there and is gone now."""
    home = home or Path.home()
    layout, gone = HOSTS[host], []
    names = [layout.folder] if layout.folder else [layout.package, *layout.files]
    for folder in plugin_folders(host, home):
        made = (installed(host, folder) or {}).get("made") or []
        for place in (folder / name for name in names):
            if place.is_dir():
                shutil.rmtree(place)
                gone.append(place)
            elif place.is_file():
                place.unlink()
                gone.append(place)
        if host == "krita":
            _switch(kritarc(folder, home), on=False)
        for place in (folder, folder.parent, kritarc(folder, home)):
            if str(place) in made:
                _forget(place)
    return gone


def with_plugin(host: str, home: Path) -> list[Path]:
    """The folders of plug-ins that have ours."""
    layout = HOSTS[host]
    names = [layout.folder] if layout.folder else [layout.package, *layout.files]
    return [folder for folder in plugin_folders(host, home) if any((folder / name).exists() for name in names)]


def _forget(place: Path) -> None:
    """Delete what was made for the plug-in, where nothing else has come into it since."""
    with contextlib.suppress(OSError):
        if place.is_dir():
            place.rmdir()
        elif not place.read_text(encoding="utf-8").strip():
            place.unlink()
