"""A newcomer at the screen, with keys and mouse: steps out of order, windows left open, pictures closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.screen import PATIENCE

from .window import Window, one_gimp

HASHED = """
import hashlib
tell(value=hashlib.sha256(native(planes(image.get_layers()[0])["Segments"])).hexdigest())
"""
RESULT = "tell(value=[one.get_id() for one in image.get_layers() if one.get_name().startswith('Result')])"
NAMES = "tell(value=[one.get_name() for one in image.get_layers()])"
ACTIVE = "tell(value=[one.get_name().split(' #')[0] for one in image.get_selected_layers()])"


@pytest.fixture(scope="module")
def window(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One GIMP for all of this file, in the order of its tests."""
    with one_gimp(root, tmp_path_factory.mktemp("gimp newcomer")) as opened:
        yield opened


def menu(window: Window, key: str) -> None:
    """Choose an entry of the menu by its key."""
    window.focus()
    window.screen.keys("alt+r", "Up", "Right", key)


def apply(window: Window) -> None:
    """Apply the edit, with the nearest colours where the stroke has one that is not in the palette."""
    window.screen.keys("ctrl+alt+4")
    end = time.monotonic() + PATIENCE
    before = window.ask(RESULT)["value"]
    while window.ask(RESULT)["value"] == before:
        assert time.monotonic() < end
        if window.screen.windows("^Underdrawing$"):
            window.screen.keys("Return")
        time.sleep(0.2)


def test_apply_before_anything_offers_to_make_an_underdrawing(window: Window) -> None:
    screen = window.screen
    menu(window, "a")
    screen.wait_for("^Underdrawing$")
    time.sleep(0.6)
    screen.photograph("advice")
    screen.keys("Return")
    screen.wait_for("Make Underdrawing")
    time.sleep(5)
    screen.photograph("make-preview")
    screen.keys("alt+m")
    window.until(NAMES, ["Underdrawing", "picture.png"])


def test_paint_and_apply_without_training(window: Window) -> None:
    screen = window.screen
    window.focus()
    screen.keys("n")
    before = window.ask(HASHED)["value"]
    while window.ask(HASHED)["value"] == before:
        window.pick_and_stroke((420, 300), (600, 440), (650, 470), (700, 500))
    apply(window)
    window.until(ACTIVE, ["Result"])
    screen.photograph("applied")


def test_make_again_keeps_what_was_painted(window: Window) -> None:
    screen = window.screen
    menu(window, "m")
    screen.wait_for("Make Underdrawing")
    time.sleep(1)
    screen.keys("alt+m")
    window.until("tell(value=len(image.get_layers()))", 4)
    seen = "tell(value=[[one.get_name().split(' #')[0], one.get_visible()] for one in image.get_layers()])"
    assert window.ask(seen)["value"] == [
        ["Underdrawing", True],
        ["Underdrawing", False],
        ["Result", True],
        ["picture.png", True],
    ]
    window.focus()
    screen.keys("ctrl+z")
    window.until(NAMES, ["Underdrawing", "Result", "picture.png"])


def test_live_leaves_neither_a_layer_nor_an_active_mask(window: Window) -> None:
    screen = window.screen
    window.ask("GIVEN['result'] = image.get_layers()[1].get_id()")
    screen.keys("ctrl+alt+6")
    screen.wait_for("Live Underdrawing")
    window.until("tell(value=any(one.get_name() == 'Live result' for one in image.get_layers()))", True)
    screen.photograph("live-window")
    screen.run("xdotool", "windowactivate", "--sync", screen.wait_for("Live Underdrawing"))
    screen.keys("Escape")
    screen.wait_for("Live Underdrawing", there=False)
    window.until(NAMES, ["Underdrawing", "Result", "picture.png"])
    window.focus()
    apply(window)
    changed = "tell(value=image.get_layers()[1].get_id() != GIVEN['result'])"
    window.focus()
    screen.keys("ctrl+z")
    window.until(changed, False)
    masks = "tell(value=[one.get_name() for one in image.get_layers() if one.get_mask() and one.get_edit_mask()])"
    assert window.ask(masks)["value"] == [], "the next stroke must not go into a mask"


@pytest.mark.long
def test_a_window_closes_with_its_picture(window: Window) -> None:
    screen = window.screen
    screen.keys("ctrl+alt+3")
    screen.wait_for("^Train on ")
    time.sleep(4)
    screen.photograph("train")
    window.ask("image.clean_all()")
    window.focus()
    screen.keys("ctrl+w")
    screen.wait_for("^Train on ", there=False)
    time.sleep(1)
    screen.photograph("closed")
    assert not screen.windows("GIMP Message")
