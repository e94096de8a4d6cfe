"""The newcomer's way with the mouse: a thing of a photograph is picked, lifted, moved with GIMP's tool, applied."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from .conftest import ROOT, Host
from .test_dialogs import until
from .test_newcomer import NAMES, menu
from .window import Window, opened_window

PHOTO = ROOT / "engine" / "underdrawing" / "_demo" / "rocket.png"
DRAWN = 200  # pixels of an outline
ROCKET = 321, 296  # a place on it in the photograph
TITLE = "^Pick and Lift"
PATH = 'GIVEN["folder"] + "/seen.png"'


@pytest.fixture(scope="module")
def window(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One GIMP with a photograph, for all of this file, in the order of its tests."""
    host = Host(root, tmp_path_factory.mktemp("gimp pick"))
    host.prepare()
    shutil.copyfile(PHOTO, host.folder / "picture.png")
    with opened_window(host) as opened:
        yield opened


def on_the_preview(x: int, y: int) -> tuple[int, int]:
    """A place of the photograph on the screen, in the window."""
    return 381 + x, 230 + y


def on_the_canvas(x: int, y: int) -> tuple[int, int]:
    """The same on GIMP's canvas, where the photograph fits."""
    return round(214 + 1.44 * x), round(154 + 1.44 * y)


def seen(window: Window, name: str) -> np.ndarray:
    """The picture as it is seen, at full size; kept beside the photographs."""
    window.ask(
        "copy = image.duplicate()\ncopy.flatten()\n"
        f"Gimp.file_save(QUIET, copy, Gio.File.new_for_path({PATH}), None)\ncopy.delete()"
    )
    shutil.copyfile(window.host.folder / "seen.png", window.screen.photographs / f"{name}.png")
    return cv2.imread(str(window.host.folder / "seen.png"))


def pick_rocket(window: Window, photograph: str) -> None:
    """Open the window, click the rocket, and wait until it is outlined."""
    screen = window.screen
    menu(window, "p")
    screen.wait_for(TITLE)
    time.sleep(2)
    before = outline(window, photograph)
    screen.click(*on_the_preview(*ROCKET))
    until(window, lambda: (outline(window, photograph) & ~before).sum() > DRAWN)


def outline(window: Window, name: str) -> np.ndarray:
    """Where the window shows the bright outline."""
    shown = cv2.imread(str(window.screen.photograph(name))).astype(int)
    left, top = on_the_preview(0, 0)
    part = shown[top : top + 427, left : left + 640]
    return np.asarray(abs(part - (60, 235, 255)).max(2) < 60)


def test_a_thing_is_picked_lifted_moved_and_applied(window: Window) -> None:
    screen, before = window.screen, seen(window, "pick-before")
    pick_rocket(window, "pick-picked")
    first = outline(window, "pick-picked")
    screen.run("xdotool", "click", "4")
    time.sleep(1)
    screen.photograph("pick-bigger")
    screen.run("xdotool", "click", "5")
    time.sleep(1)
    assert (outline(window, "pick-smaller") == first).all()
    screen.run("xdotool", "windowactivate", "--sync", screen.wait_for(TITLE))
    screen.keys("alt+l")
    screen.wait_for(TITLE, there=False)
    window.until(NAMES, ["Lifted thing", "picture.png"])
    window.focus()
    screen.photograph("pick-lifted")
    screen.keys("m")
    x, y = on_the_canvas(*ROCKET)
    screen.stroke((x, y), (x - 40, y), (x - 120, y), (x - 216, y))
    window.until("tell(value=image.get_layers()[0].get_offsets()[1] < 200)", True)
    screen.photograph("pick-moved")
    screen.keys("ctrl+alt+4")
    window.until(NAMES, ["Lifted thing", "Result", "picture.png"])
    time.sleep(1)
    screen.photograph("pick-applied")
    after = seen(window, "pick-after")
    x, y = ROCKET
    moved = after[y, x - 160 : x - 140].astype(int)
    assert abs(moved - before[y, x - 10 : x + 10].astype(int)).max(1).min() < 30
    assert after[y - 100 : y, x].max() < before[y - 100 : y, x].min() + 60, "the night is where the rocket was"
    assert (after[:100] == before[:100]).all()


def test_undo_and_remove(window: Window) -> None:
    screen = window.screen
    window.focus()
    screen.keys("ctrl+z", "ctrl+z", "ctrl+z")
    window.until(NAMES, ["picture.png"])
    pick_rocket(window, "pick-again")
    screen.run("xdotool", "windowactivate", "--sync", screen.wait_for(TITLE))
    screen.keys("alt+r")
    window.until(NAMES, ["Result", "picture.png"])
    screen.photograph("pick-removed")
    seen(window, "pick-removed-picture")


def test_the_removal_is_taken_back_in_the_list_of_edits(window: Window) -> None:
    screen = window.screen
    menu(window, "d")
    screen.run("xdotool", "windowactivate", "--sync", screen.wait_for("^Edits of"))
    time.sleep(1)
    screen.photograph("edits")
    screen.keys("alt+t")
    window.until(NAMES, ["picture.png"])
    time.sleep(1)
    screen.photograph("edits-none")
    screen.run("xdotool", "windowactivate", "--sync", screen.wait_for("^Edits of"))
    screen.keys("alt+c")
    screen.wait_for("^Edits of", there=False)
    window.focus()
    screen.keys("ctrl+z")
    window.until(NAMES, ["Result", "picture.png"])
    screen.keys("ctrl+z", "ctrl+z")
    window.until(NAMES, ["picture.png"])


def test_the_pick_window_closes_with_its_picture(window: Window) -> None:
    screen = window.screen
    menu(window, "p")
    screen.wait_for(TITLE)
    window.ask("image.clean_all()")
    window.focus()
    screen.keys("ctrl+w")
    screen.wait_for(TITLE, there=False)
