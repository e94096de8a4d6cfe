"""GIMP with its windows on a screen of its own: keys and strokes from outside, questions answered from inside."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.screen import PATIENCE, Screen

from .conftest import PRELUDE, ROOT, Host

SHORTCUTS = {
    "make": "<Primary><Alt>1",
    "use-layers": "<Primary><Alt>2",
    "train": "<Primary><Alt>3",
    "apply": "<Primary><Alt>4",
    "apply-options": "<Primary><Alt>5",
    "live": "<Primary><Alt>6",
    "move": "<Primary><Alt>7",
    "layout": "<Primary><Alt>8",
    "animate": "<Primary><Alt>9",
    "engine": "<Primary><Alt>0",
}
# Runs inside of GIMP as long as its windows are there: looks for questions in a folder, and answers them.
ANSWERS = """
place = GIVEN["questions"]
while not Gimp.get_images():
    time.sleep(0.1)
image = Gimp.get_images()[0]
done = set()
def look():
    for name in sorted(os.listdir(place)):
        if name.endswith(".py") and name not in done:
            done.add(name)
            ANSWER.clear()
            try:
                exec(compile(open(os.path.join(place, name)).read(), name, "exec"), globals())
            except Exception as error:
                import traceback
                ANSWER["error"] = traceback.format_exc()
            partial = os.path.join(place, name + ".partial")
            with open(partial, "w") as file:
                json.dump(ANSWER, file)
            os.rename(partial, os.path.join(place, name + ".json"))
    return True
GLib.timeout_add(50, look)
GLib.MainLoop().run()
"""


def photographs() -> Path:
    """Where the tests' photographs go."""
    named = os.environ.get("UNDERDRAWING_PHOTOGRAPHS")
    return Path(named) / "gimp" if named else ROOT / ".cache" / "photographs" / "gimp"


class Window:
    """GIMP, with the test picture open and large on the screen."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.questions = Path(tempfile.mkdtemp(prefix="questions-", dir=host.folder))
        lines = [f'(action "underdrawing-{name}" "{key}")' for name, key in SHORTCUTS.items()]
        text = "\n".join(["(file-version 1)", *lines, ""])
        (host.profile / "shortcutsrc").write_text(text, encoding="utf-8")
        script = host.folder / "answers.py"
        script.write_text(PRELUDE + ANSWERS, encoding="utf-8")
        given = {
            "picture": str(host.folder / "picture.png"),
            "questions": str(self.questions),
            "folder": str(host.folder),
        }
        environment = host.environment({"CASE_GIVEN": json.dumps(given)})
        self.screen = Screen(host.root, [host.folder], environment, photographs())
        batch = f"exec(compile(open({str(script)!r}).read(), 'answers.py', 'exec'))"
        self.log = self.screen.start(
            "gimp", "gimp-3.0", given["picture"], "--batch-interpreter", "python-fu-eval", "-b", batch
        )
        self.number = 0
        try:
            self._arrange()
        except BaseException:
            self.close()
            raise

    def _arrange(self) -> None:
        window = self.screen.wait_for("picture.*GIMP")
        for words in (("windowmove", window, "0", "0"), ("windowsize", window, "1400", "900")):
            self.screen.run("xdotool", *words)
        self.focus()
        self.ask("tell(ready=True)")
        self.screen.keys("shift+ctrl+j")  # fit the picture into the window

    def focus(self) -> None:
        """Give the keys to GIMP's main window."""
        self.screen.run("xdotool", "windowactivate", "--sync", self.screen.wait_for("picture.*GIMP"))
        time.sleep(0.3)

    def ask(self, body: str) -> dict[str, Any]:
        """Run Python inside of GIMP; `image` is the picture."""
        self.number += 1
        path = self.questions / f"{self.number:04}.py"
        partial = path.with_suffix(".partial")
        partial.write_text(body, encoding="utf-8")
        partial.rename(path)
        told = path.with_name(path.name + ".json")
        end = time.monotonic() + PATIENCE
        while not told.exists():
            assert time.monotonic() < end, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)
        answer: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        assert "error" not in answer, answer["error"]
        return answer

    def until(self, body: str, wanted: Any) -> None:
        """Ask until the answer `value` is as wanted."""
        end = time.monotonic() + PATIENCE
        while True:
            value = self.ask(body)["value"]
            if value == wanted:
                return
            if time.monotonic() > end:
                self.screen.photograph("waited-in-vain")
                raise AssertionError(f"{body}: {value!r}, not {wanted!r}")
            time.sleep(0.2)

    def layers(self) -> list[str]:
        """Names of the layers, from the top."""
        found: list[str] = self.ask("tell(value=[one.get_name() for one in image.get_layers()])")["value"]
        return found

    def make(self) -> None:
        """Make an underdrawing, by keys."""
        self.screen.wait_for("Make Underdrawing", there=False)  # the one before may still be closing
        self.screen.keys("ctrl+alt+1")
        self.screen.run("xdotool", "windowactivate", "--sync", self.screen.wait_for("Make Underdrawing"))
        time.sleep(0.5)
        self.screen.keys("Return")
        self.until("tell(value=image.get_layers()[0].get_name())", "Underdrawing")
        self.focus()

    def train_at_once(self) -> None:
        """Make a draft, as a script does."""
        self.ask('call("train", image, method="draft", again=True)')

    def pick_and_stroke(self, colour_from: tuple[int, int], *points: tuple[int, int]) -> None:
        """Take a colour from the picture with the pencil, and draw with it."""
        screen = self.screen
        screen.run("xdotool", "mousemove", *map(str, colour_from))
        time.sleep(0.3)
        screen.run("xdotool", "keydown", "ctrl")
        time.sleep(0.3)
        screen.run("xdotool", "click", "1")
        time.sleep(0.3)
        screen.run("xdotool", "keyup", "ctrl")
        time.sleep(0.3)
        screen.stroke(*points)

    def close(self) -> None:
        """End it."""
        self.screen.close()


@contextmanager
def one_gimp(root: Path, folder: Path) -> Iterator[Window]:
    """A GIMP with a window for all tests of a file, as its start is what takes the time; then its log is judged."""
    host = Host(root, folder)
    host.prepare()
    with opened_window(host) as opened:
        yield opened


@contextmanager
def opened_window(host: Host) -> Iterator[Window]:
    """The same on a profile that is prepared."""
    host.engine().close()
    opened = Window(host)
    opened.screen.run("xdotool", "windowsize", opened.screen.wait_for("picture.*GIMP"), "1390", "860")
    yield opened
    told = opened.log.read_text(errors="replace")
    opened.close()
    host.end()
    assert "duplicate mnemonic" not in told, "two things of a dialog have the same key"
    assert "Traceback" not in told
