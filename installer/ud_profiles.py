"""Puts the plug-ins into the profiles that GIMP and Krita have for a user, and takes them out again without a trace."""

from __future__ import annotations

import shutil
from pathlib import Path

import ud_krita_settings
from ud_hosts import HOSTS, Host
from ud_plugins import installed, lay_out
from ud_report import InstallError, Reporter
from ud_uninstall_record import Record, forget, missing, read, short


def put(
    host: str,
    report: Reporter,
    to: Path | None = None,
    home: Path | None = None,
    folders: list[Path] | None = None,
    begun: Record | None = None,
) -> list[Path]:
    """Put the plug-in where the host finds it; an older one is replaced. Returns what was written.

    Args:
        host: `gimp` or `krita`.
        to: the folder of plug-ins, where it is not to be looked for.
        home: the user's folder; as a rule the system's answer.
        folders: the folders of plug-ins, where they were looked for already.
        begun: what was made for the plug-in before.

    Raises:
        InstallError: no profile of the host is there.
    """
    home, spec = home or Path.home(), HOSTS[host]
    folders = folders or ([to] if to is not None else spec.folders(home))
    if not folders:
        raise InstallError(
            f"{spec.title} has made no folder for you yet.",
            f"Start {spec.title} once and run this again, or name its folder of plug-ins with --to DIR.",
        )
    written = []
    for folder in folders:
        settings = spec.settings(folder, home) if spec.settings and to is None else None
        before = ud_krita_settings.content(settings) if settings is not None else None
        after = ud_krita_settings.switched(before or "", on=True)
        # A folder that was named is nobody's profile: nothing is recorded, and nothing taken away there.
        note = None
        if to is None:
            note = _record(spec, folder, settings, before, after, home, begun).as_note()
        for place in lay_out(host, folder, note=note):
            report.say(f"Installed: {place}")
            written.append(place)
        if settings is not None and after != before:
            ud_krita_settings.write(settings, after)
    return written


def _record(
    host: Host,
    folder: Path,
    settings: Path | None,
    before: str | None,
    after: str,
    home: Path,
    begun: Record | None,
) -> Record:
    """What is not there yet and will be made, now or (as the note of an older plug-in has it) before."""
    note = installed(host.key, folder)
    former = read(note)
    kept = former.settings if former.settings.get("after") == short((before or "").encode("latin-1")) else {}
    if settings is not None and not kept:
        # Where the plug-in is there already, and Krita has written its settings since: they have our line.
        own = before if note is None or before is None else ud_krita_settings.switched(before, on=False)
        kept = {"before": own, "after": short(after.encode("latin-1"))}
    if note is not None and note.get("made") is not None:
        return Record(former.made, former.profiles, kept)
    made = missing([folder, *([settings] if settings is not None else [])], home)
    begun = begun or Record()
    mine = [name for name in begun.profiles if folder.is_relative_to(name)]
    return Record(tuple(dict.fromkeys([*begun.made, *made])), {name: begun.profiles[name] for name in mine}, kept)


def take_away(host: str, home: Path | None = None) -> list[Path]:
    """Take the plug-in out of every profile; what was there and is gone now."""
    home, spec, gone = home or Path.home(), HOSTS[host], []
    for folder in spec.folders(home):
        record = read(installed(host, folder))
        for place in (folder / name for name in spec.entries()):
            if place.is_dir():
                shutil.rmtree(place)
                gone.append(place)
            elif place.is_file():
                place.unlink()
                gone.append(place)
        if spec.settings:
            _switch_off(spec.settings(folder, home), record)
        forget(record)
    return gone


def _switch_off(settings: Path, record: Record) -> None:
    """The settings as they were before us; where Krita has written them since, without our line."""
    now = ud_krita_settings.content(settings)
    if now is None:
        return
    before, after = record.settings.get("before"), record.settings.get("after")
    if after == short(now.encode("latin-1")):
        if before is None:
            settings.resolve().unlink()
            return
        ud_krita_settings.write(settings, str(before))
    elif ud_krita_settings.switched(now, on=False) != now:
        ud_krita_settings.write(settings, ud_krita_settings.switched(now, on=False))


def with_plugin(host: str, home: Path) -> list[Path]:
    """The folders of plug-ins that have ours."""
    spec = HOSTS[host]
    return [folder for folder in spec.folders(home) if any((folder / name).exists() for name in spec.entries())]
