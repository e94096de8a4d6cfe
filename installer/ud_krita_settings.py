"""Krita's settings file, `kritarc`: where it is, and our plug-in switched on or off in it, to the byte."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

SECTION, KEY = "[python]", "enable_underdrawing_krita"


def place(pykrita: Path, home: Path) -> Path:
    """The settings of the Krita whose plug-ins are in this folder; the file need not exist."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "kritarc"
    if sys.platform == "darwin":
        return home / "Library" / "Preferences" / "kritarc"
    data = pykrita.parent.parent
    if data.name == "data":  # Flatpak
        return data.parent / "config" / "kritarc"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kritarc"


def switched(text: str, on: bool) -> str:
    """The settings with our plug-in switched on or off; everything else stays as it is."""
    end = "\r\n" if "\r\n" in text else "\n"
    text, count = re.subn(rf"(?m)^{KEY}=.*(?:\n|\Z)", "", text)
    section = re.escape(SECTION)
    if not on:
        # A section at the end that has nothing else in it came with our line, and goes with it.
        return re.sub(rf"(?:^|\r?\n){section}\r?\n\Z", "", text) if count else text
    line = f"{KEY}=true{end}"
    if re.search(rf"(?m)^{section}\r?$", text):
        return re.sub(rf"(?m)^{section}(?:\r?\n|\Z)", lambda _: f"{SECTION}{end}{line}", text, count=1)
    gap = "" if not text or text.endswith(end * 2) else end if text.endswith(end) else end * 2
    return f"{text}{gap}{SECTION}{end}{line}"


def is_on(settings: Path) -> bool:
    """Whether the settings have our plug-in switched on."""
    return f"{KEY}=true" in (content(settings) or "").splitlines()


def content(settings: Path) -> str | None:
    """The file with one letter (Latin-1) for each byte, so that any byte survives; None where it cannot be read."""
    try:
        return settings.read_bytes().decode("latin-1")
    except OSError:
        return None


def write(settings: Path, text: str) -> None:
    """Change the file: all of it or nothing; its rights stay, and a link to it stays a link."""
    settings = settings.resolve()
    settings.parent.mkdir(parents=True, exist_ok=True)
    partial = settings.with_name(settings.name + ".underdrawing")
    partial.write_bytes(text.encode("latin-1"))
    if settings.is_file():
        shutil.copymode(settings, partial)
    partial.replace(settings)
