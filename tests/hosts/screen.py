"""A screen for the tests: Xvfb and a window manager in the hosts' folder, with keys, a pointer and photographs."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import inside

SIZE = "1400x900"
PATIENCE = 180.0  # seconds that anything may take to appear; nearly everything is there within a few
# Runs in the folder: starts the screen, then does what it is told, line by line. So all programs share one /tmp.
DRIVER = """
import json, os, signal, subprocess, sys, time
read, write = os.pipe()
server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "%s" + "x24", "-nolisten", "tcp"],
                          pass_fds=[write], stderr=subprocess.DEVNULL)
os.environ["DISPLAY"] = ":" + os.read(read, 16).decode().strip()
# The screen says its number a moment before it lets everybody in.
for _ in range(50):
    manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    if manager.poll() is None:
        break
running = {}
for line in sys.stdin:
    told = json.loads(line)
    if told["do"] == "start":
        log = open(told["log"], "wb")
        running[told["name"]] = subprocess.Popen(told["words"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        answer = {}
    elif told["do"] == "code":
        answer = {"code": running[told["name"]].poll()}
    else:
        try:
            done = subprocess.run(told["words"], capture_output=True, timeout=30)
            answer = {"code": done.returncode, "text": (done.stdout + done.stderr).decode("utf-8", "replace")}
        except subprocess.TimeoutExpired:
            answer = {"code": -1, "text": "it took too long"}
    print(json.dumps(answer), flush=True)
os.killpg(0, signal.SIGKILL)
"""


class Screen:
    """One screen of its own; `close` ends everything that runs on it.

    Args:
        shared: see `inside.command`.
        photographs: where `photograph` puts its pictures.
    """

    def __init__(self, root: Path, shared: Sequence[Path], environment: Mapping[str, str], photographs: Path) -> None:
        self.photographs = photographs
        photographs.mkdir(parents=True, exist_ok=True)
        self.place = shared[0]
        words = ["/usr/bin/python3", "-u", "-c", DRIVER % SIZE]
        folders = [*shared, photographs]
        self._driver = subprocess.Popen(
            inside.command(root, folders, environment, words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _tell(self, **order: Any) -> dict[str, Any]:
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(order) + "\n")
        self._driver.stdin.flush()
        line = self._driver.stdout.readline()
        assert line, "the screen is gone"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def start(self, name: str, *words: str) -> Path:
        """Start a program; the file that gets all it says."""
        log = self.place / f"{name}.log"
        self._tell(do="start", name=name, words=list(words), log=str(log))
        return log

    def code(self, name: str) -> int | None:
        """A program's exit code; None while it runs."""
        code: int | None = self._tell(do="code", name=name)["code"]
        return code

    def run(self, *words: str) -> str:
        """Run a short program on the screen: what it says; nothing where it failed."""
        answer = self._tell(do="run", words=list(words))
        return str(answer["text"]).strip() if answer["code"] == 0 else ""

    def windows(self, name: str) -> list[str]:
        """Ids of the visible windows whose title matches."""
        return self.run("xdotool", "search", "--onlyvisible", "--name", name).split()

    def wait_for(self, name: str, there: bool = True) -> str:
        """Wait until a window is there (its id), or gone."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.windows(name)
            if bool(found) is there:
                return found[0] if found else ""
            time.sleep(0.1)
        self.photograph("waited-in-vain")
        raise AssertionError(f"the window {name!r} is {'not there' if there else 'still there'}")

    def wait_for_end(self, name: str) -> int:
        """Wait until a program has ended: its exit code."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            code = self.code(name)
            if code is not None:
                return code
            time.sleep(0.1)
        self.photograph("waited-in-vain")
        raise AssertionError(f"{name} does not end")

    def keys(self, *names: str) -> None:
        """Press keys, one after the other, with the pauses of a quick typist: menus need a moment."""
        for name in names:
            self.run("xdotool", "key", name)
            time.sleep(0.35)

    def write(self, text: str) -> None:
        """Type a text."""
        self.run("xdotool", "type", "--delay", "30", text)

    def stroke(self, *points: tuple[int, int]) -> None:
        """Draw with the pointer's first button through points of the screen."""
        (x, y), *others = points
        self.run("xdotool", "mousemove", str(x), str(y))
        time.sleep(0.1)
        self.run("xdotool", "mousedown", "1")
        for x, y in others:
            self.run("xdotool", "mousemove", str(x), str(y))
            time.sleep(0.05)
        self.run("xdotool", "mouseup", "1")
        time.sleep(0.2)

    def click(self, x: int, y: int) -> None:
        """Press and let go."""
        self.run("xdotool", "mousemove", str(x), str(y), "click", "1")
        time.sleep(0.2)

    def photograph(self, name: str) -> Path:
        """A picture of all of the screen."""
        path = self.photographs / f"{name}.png"
        self.run("import", "-window", "root", str(path))
        return path

    def close(self) -> None:
        """End the screen and what runs on it."""
        inside.kill(self._driver)
        for pipe in (self._driver.stdin, self._driver.stdout):
            if pipe is not None:
                pipe.close()
