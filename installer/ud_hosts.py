"""Finds the folders where GIMP 3 and Krita look for a user's plug-ins, and puts ours there or takes it away."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from ud_plugins import HOSTS, installed, lay_out
from ud_report import InstallError, Reporter
from ud_uninstall_record import Traces, forget, missing, read, short

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


def gimp_profiles(home: Path) -> list[Path]:
    """Where a GIMP that is no sandbox keeps its profiles; it need not exist yet."""
    return [_configurations(home)[0] / "GIMP"]


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
    end = "\r\n" if "\r\n" in text else "\n"
    text, count = re.subn(rf"(?m)^{KRITA_KEY}=.*(?:\n|\Z)", "", text)
    section = re.escape(KRITA_SECTION)
    if not on:
        # A section at the end that has nothing else in it came with our line, and goes with it.
        return re.sub(rf"(?:^|\r?\n){section}\r?\n\Z", "", text) if count else text
    line = f"{KRITA_KEY}=true{end}"
    if re.search(rf"(?m)^{section}\r?$", text):
        return re.sub(rf"(?m)^{section}(?:\r?\n|\Z)", lambda _: f"{KRITA_SECTION}{end}{line}", text, count=1)
    gap = "" if not text or text.endswith(end * 2) else end if text.endswith(end) else end * 2
    return f"{text}{gap}{KRITA_SECTION}{end}{line}"


def is_on(pykrita: Path, home: Path) -> bool:
    """Whether Krita's settings have our plug-in switched on."""
    return f"{KRITA_KEY}=true" in (_content(kritarc(pykrita, home)) or "").splitlines()


def _content(settings: Path) -> str | None:
    """A settings file, a letter for each byte, so that nothing in it can be unreadable or changed on the way."""
    try:
        return settings.read_bytes().decode("latin-1")
    except OSError:
        return None


def _write(settings: Path, text: str) -> None:
    """Change a settings file: all of it or nothing; its rights stay, and a link to it stays a link."""
    settings = settings.resolve()
    settings.parent.mkdir(parents=True, exist_ok=True)
    partial = settings.with_name(settings.name + ".underdrawing")
    partial.write_bytes(text.encode("latin-1"))
    if settings.is_file():
        shutil.copymode(settings, partial)
    partial.replace(settings)


def put(
    host: str,
    report: Reporter,
    to: Path | None = None,
    home: Path | None = None,
    folders: list[Path] | None = None,
    begun: Traces | None = None,
) -> list[Path]:
    """Put the plug-in where the host finds it; an older one is replaced. What was written.

    Args:
        host: `gimp` or `krita`.
        to: the folder of plug-ins, where it is not to be looked for.
        home: the user's folder; as a rule the system's answer.
        folders: the folders of plug-ins, where they were looked for already.
        begun: what was made for the plug-in before.

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
        before = _content(settings) if settings is not None else None
        after = switched(before or "", on=True)
        # A folder that was named is nobody's profile: nothing is written down, and nothing taken away there.
        note = None
        if to is None:
            note = _traces(host, folder, settings, before, after, home, begun).as_note()
        for place in lay_out(host, folder, note=note):
            report.say(f"Put: {place}")
            written.append(place)
        if settings is not None and after != before:
            _write(settings, after)
    return written


def _traces(
    host: str,
    folder: Path,
    settings: Path | None,
    before: str | None,
    after: str,
    home: Path,
    begun: Traces | None,
) -> Traces:
    """What is not there yet and will be made, now or (as the note of an older plug-in says) before."""
    note = installed(host, folder)
    former = read(note)
    kept = former.settings if former.settings.get("after") == short((before or "").encode("latin-1")) else {}
    if settings is not None and not kept:
        # Where the plug-in is there already, and Krita has written its settings since: they have our line.
        own = before if note is None or before is None else switched(before, on=False)
        kept = {"before": own, "after": short(after.encode("latin-1"))}
    if note is not None and note.get("made") is not None:
        return Traces(former.made, former.profiles, kept)
    places = [folder, *([settings] if settings is not None else [])]
    made = missing(places, home)
    begun = begun or Traces()
    mine = [name for name in begun.profiles if folder.is_relative_to(name)]
    return Traces(tuple(dict.fromkeys([*begun.made, *made])), {name: begun.profiles[name] for name in mine}, kept)


def take_away(host: str, home: Path | None = None) -> list[Path]:
    """Take the plug-in out of every profile; what was there and is gone now."""
    home = home or Path.home()
    layout, gone = HOSTS[host], []
    names = [layout.folder] if layout.folder else [layout.package, *layout.files]
    for folder in plugin_folders(host, home):
        traces = read(installed(host, folder))
        for place in (folder / name for name in names):
            if place.is_dir():
                shutil.rmtree(place)
                gone.append(place)
            elif place.is_file():
                place.unlink()
                gone.append(place)
        if host == "krita":
            _switch_off(kritarc(folder, home), traces)
        forget(traces)
    return gone


def _switch_off(settings: Path, traces: Traces) -> None:
    """Krita's settings as they were before us; where Krita has written them since, without our line."""
    now = _content(settings)
    if now is None:
        return
    before, after = traces.settings.get("before"), traces.settings.get("after")
    if after == short(now.encode("latin-1")):
        if before is None:
            settings.resolve().unlink()
            return
        _write(settings, str(before))
    elif switched(now, on=False) != now:
        _write(settings, switched(now, on=False))


def with_plugin(host: str, home: Path) -> list[Path]:
    """The folders of plug-ins that have ours."""
    layout = HOSTS[host]
    names = [layout.folder] if layout.folder else [layout.package, *layout.files]
    return [folder for folder in plugin_folders(host, home) if any((folder / name).exists() for name in names)]
