"""The installer's output: steps, notes, a progress bar, and errors with what to do."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TextIO


class InstallError(Exception):
    """The installation cannot go on. `str()` says what is wrong, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Reporter:
    """Prints for a person, and writes the output of programs to a log file."""

    def __init__(self, log: Path | None = None) -> None:
        self.log_path = log
        self._log: TextIO | None = None
        self._bar = False
        self.live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    def open_log(self, path: Path) -> None:
        """Begin the log (an older one is kept as `<name>.old`)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(path.with_name(path.name + ".old"))
        self.log_path = path
        self._log = path.open("w", encoding="utf-8", errors="replace")
        self.log(time.strftime("%Y-%m-%d %H:%M:%S ") + " ".join(sys.argv))

    def log(self, text: str) -> None:
        """A line for the log alone."""
        if self._log is not None:
            self._log.write(text.rstrip("\n") + "\n")
            self._log.flush()

    def close_log(self) -> None:
        """End the log; later output goes to the person only."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def say(self, text: str = "") -> None:
        """A line for the person."""
        self.clear()
        print(text, flush=True)
        self.log(text)

    def step(self, text: str) -> None:
        """The headline of something that takes a while."""
        self.say(f"• {text}")

    def warn(self, text: str) -> None:
        """Something the person should know."""
        self.say(f"! {text}")

    def paint(self, text: str, colour: int) -> None:
        """A line in one of the terminal's colours (32 is green, 31 red, 33 yellow), plain where nobody watches."""
        self.clear()
        print(f"\x1b[{colour}m{text}\x1b[0m" if self.live and not os.environ.get("NO_COLOR") else text, flush=True)
        self.log(text)

    def bar(self, label: str, done: int, total: int) -> None:
        """A progress line in bytes, drawn over itself; silent when nobody watches."""
        if not self.live or total <= 0:
            return
        filled = min(24, 24 * done // total)
        line = f"  {'█' * filled}{'░' * (24 - filled)} {done / 1e6:6.0f} of {total / 1e6:.0f} MB  {label}"
        print("\r\x1b[2K" + line[:110], end="", flush=True)
        self._bar = True

    def clear(self) -> None:
        """Remove the progress line."""
        if self._bar:
            print("\r\x1b[2K", end="", flush=True)
            self._bar = False

    def fail(self, error: InstallError) -> None:
        """The closing words of a run that failed."""
        self.clear()
        sys.stdout.flush()
        lines = [f"✗ {error}"]
        if error.hint:
            lines.append(f"  {error.hint}")
        if self.log_path is not None and self._log is not None:
            lines.append(f"  All output is in {self.log_path}")
        for line in lines:
            print(line, file=sys.stderr, flush=True)
            self.log(line)


def plain_output() -> None:
    """Never let a terminal without Unicode end the installation."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
