"""What stood in a host's folders before the plug-in came, so that taking it away leaves them as they were.

Kept in the note beside the plug-in (`ud_plugins.NOTE`): which folders were made for it, a profile that was made for it,
and the host's settings before and after our line came into them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Record:
    """What was there before.

    Attributes:
        made: files and folders that were not there; each goes again where nothing else has come into it.
        profiles: profiles that the host made because we asked it to, by path; the value tells whether anything in them
            changed since (see `tree`).
        settings: the host's settings file: its `before` (Latin-1 for every byte; None where there was none) and the
            sha256 of what we made of it, `after`. Empty where there are none.
    """

    made: tuple[str, ...] = ()
    profiles: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_note(self) -> dict[str, Any]:
        """For the note, in JSON."""
        return {"made": list(self.made), "profiles": dict(self.profiles), "settings": dict(self.settings)}


def read(note: Mapping[str, Any] | None) -> Record:
    """The content of a note; nothing where it is damaged or of an older version."""
    note = note or {}
    made, profiles, settings = note.get("made"), note.get("profiles"), note.get("settings")
    return Record(
        tuple(str(name) for name in made) if isinstance(made, list) else (),
        {str(path): str(value) for path, value in profiles.items()} if isinstance(profiles, dict) else {},
        settings if isinstance(settings, dict) else {},
    )


def missing(places: Iterable[Path], home: Path) -> list[str]:
    """Those of these places, and of the folders above them within `home`, that are not there."""
    found: list[str] = []
    for place in places:
        for path in (place, *place.parents):
            if path == home or path.exists() or path.is_symlink():
                break
            if str(path) not in found:
                found.append(str(path))
    return found


def tree(folder: Path) -> str:
    """Names, kinds, rights and contents of all that is in a folder, in short."""
    made = hashlib.sha256()
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(root) / name
            state = path.lstat()
            made.update(
                f"{path.relative_to(folder).as_posix()}\0{state.st_mode:o}\0".encode("utf-8", "surrogateescape")
            )
            if path.is_symlink():
                made.update(os.fsencode(path.readlink()))
            elif path.is_file():
                made.update(hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()


def short(content: bytes) -> str:
    """The sha256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def forget(record: Record) -> None:
    """Delete what was made for the plug-in, where nothing else has come into it since."""
    _forget(record.made)
    for name, state in record.profiles.items():
        profile = Path(name)
        if profile.is_dir() and not profile.is_symlink() and tree(profile) == state:
            shutil.rmtree(profile)
    # Once more: a folder around a profile is empty only now.
    _forget(record.made)


def _forget(made: Iterable[str]) -> None:
    # The innermost first: a folder goes when what was made in it has gone.
    for name in sorted(made, key=len, reverse=True):
        place = Path(name)
        with contextlib.suppress(OSError):
            if place.is_dir():
                place.rmdir()
            elif not place.read_bytes().strip():
                place.unlink()
