"""The doctor's report as a file that can be shown to others: no name of the user, no folder of theirs, no key."""

from __future__ import annotations

import getpass
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path

# Names that everybody has: to take them out would only garble the lines.
NOBODY = ("root", "user", "admin")
LAST = 60  # lines of the engine's log: it is written without names in the first place
KEY = re.compile(r"(?<![^\s\"'=:])[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}(?![^\s\"',])")
PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def discreet(text: str, homes: Sequence[Path] = (), user: str | None = None, home: Path | None = None) -> str:
    """A text without what belongs to the user alone.

    Args:
        homes: the engine's folders.
        user, home: the user's name and folder; as a rule the system's answers.
    """
    if user is None:
        try:
            user = getpass.getuser()
        except (OSError, KeyError, ImportError):  # a user without an entry anywhere
            user = ""
    places = [(str(folder), "HOME") for folder in homes] + [(str(home or Path.home()), "~")]
    for place, shown in sorted(places, key=lambda pair: -len(pair[0])):
        if len(place) > 1:
            text = text.replace(place, shown).replace(place.replace("\\", "\\\\"), shown)
    text = PASSWORD.sub("…", text)
    text = KEY.sub("KEY", text)
    for name, shown in ((user, "USER"), (platform.node(), "MACHINE")):
        if len(name) > 2 and name.lower() not in NOBODY:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", shown, text)
    return text


def report_text(lines: Sequence[str], engine_home: Path | None) -> str:
    """The whole report: the doctor's lines, the system, and the end of the engine's log."""
    parts = [f"Underdrawing, {time.strftime('%Y-%m-%d %H:%M')}"]
    parts += [f"{platform.platform()}, Python {platform.python_version()}", "", *lines]
    if engine_home is not None:
        try:
            log = (engine_home / "logs" / "engine.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            log = []
        parts += ["", f"The end of the engine's log ({len(log)} lines):", *log[-LAST:]]
    return discreet("\n".join(parts) + "\n", [engine_home] if engine_home is not None else [])
