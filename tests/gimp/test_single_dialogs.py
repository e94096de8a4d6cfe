"""Pictures without an underdrawing as a person makes them: the dialogs, and the window that follows a training."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from underdrawing.picture.files import write_picture

from .conftest import test_picture
from .folder_model import NAME, dusk
from .test_dialogs import NAMES, until
from .test_single import PASTED
from .window import Window, one_gimp

SIDE = 220  # pixels of a preview
BETWEEN = "^Between Two Pictures"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def window(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One GIMP for all of this file."""
    with one_gimp(root, tmp_path_factory.mktemp("gimp single")) as opened:
        pasted = "source = image.get_layers()[0]\nlayer = pasted(image)\nimage.set_selected_layers([layer])"
        opened.ask(PASTED + pasted)
        yield opened


@pytest.fixture(scope="module")
def maker(window: Window, folder_model_file: tuple[str, Path]) -> str:
    """A folder's model, from here on: without one nothing is said of it."""
    write_picture(window.host.folder / "dusk.png", dusk(test_picture()))
    with window.host.engine() as engine:
        return str(engine.import_model(folder_model_file[1])["id"])


def dialog(window: Window, key: str, title: str, photograph: str) -> None:
    """Open a dialog from the submenu."""
    window.focus()
    window.screen.run("xdotool", "mousemove", "1390", "890")  # where it calls up no tooltip
    window.screen.keys("alt+r", "Up", "Right", "w", key)
    window.screen.wait_for(title)
    time.sleep(1.5)
    window.screen.photograph(photograph)


def device_of(window: Window, job: dict[str, Any]) -> str:
    """What a training is to run on, as the engine has written it down."""
    kept = json.loads((window.host.home / "training" / job["model"] / "job.json").read_text(encoding="utf-8"))
    return str(kept["args"]["device"])


def test_nothing_pasted_is_said(window: Window) -> None:
    window.ask("image.set_selected_layers([source])")
    dialog(window, "h", "GIMP Message", "single-nothing-pasted")
    window.screen.keys("Return")
    window.screen.wait_for("GIMP Message", there=False)
    window.ask("image.set_selected_layers([layer])")
    assert window.layers() == ["pasted", "picture.png"]


def test_a_training_is_followed_paused_left_and_found_again(window: Window) -> None:
    screen = window.screen
    dialog(window, "h", "Harmonize Pasted Layer", "single-harmonize")
    screen.keys("alt+v", "Down")
    time.sleep(0.5)
    screen.photograph("single-processor")
    screen.keys("alt+m")
    with window.host.engine() as engine:
        until(window, lambda: [job["progress"].get("phase") for job in engine.jobs()] == ["training"])
        assert device_of(window, engine.jobs()[0]) == "cpu"
        time.sleep(2)
        screen.photograph("single-training")
        screen.keys("alt+p")
        until(window, lambda: engine.jobs()[0]["state"] == "paused")
        time.sleep(1)
        screen.photograph("single-paused")
        screen.keys("alt+o")
        screen.wait_for("Harmonize Pasted Layer", there=False)
        dialog(window, "h", "Harmonize Pasted Layer", "single-found-again")
        screen.keys("alt+m")
        until(window, lambda: engine.jobs()[0]["state"] == "running")
        time.sleep(1)
        screen.keys("alt+c")
        screen.wait_for("^Underdrawing$")
        screen.photograph("single-cancel")
        screen.keys("alt+c")
        until(window, lambda: engine.jobs()[0]["state"] == "cancelled")
    screen.wait_for("Harmonize Pasted Layer", there=False)
    assert window.layers() == ["pasted", "picture.png"]


def test_harmonize_with_a_trained_model(window: Window) -> None:
    screen = window.screen
    window.ask('call("harmonize", image, [layer], **few)')
    window.focus()
    screen.keys("ctrl+z")
    window.until(NAMES, ["pasted", "picture.png"])
    dialog(window, "h", "Harmonize Pasted Layer", "single-known")
    screen.keys("alt+m")
    window.until(NAMES, ["Harmonized", "pasted", "picture.png"])
    screen.photograph("single-harmonized")
    assert not window.ask("tell(value=layer.get_visible())")["value"]
    window.focus()
    screen.keys("ctrl+z")
    window.until("tell(value=[len(image.get_layers()), layer.get_visible()])", [2, True])


def test_a_graphics_card_that_is_not_there_any_more(window: Window) -> None:
    """GIMP remembers that it was chosen: the list is without it then, and what asks for it all the same is refused."""
    screen, title = window.screen, "Harmonize Pasted Layer"
    settings = window.host.profile / "plug-in-settings"
    (last,) = settings.glob("*-underdrawing-harmonize.last")
    last.write_text(last.read_text().replace('(device "auto")', '(device "cuda")'))
    card = window.host.has_card()
    with window.host.engine() as engine:
        dialog(window, "h", title, "single-card-remembered")
        screen.keys("alt+s", "alt+n", "alt+m")
        until(window, lambda: engine.jobs()[-1]["state"] == "running")
        assert device_of(window, engine.jobs()[-1]) == ("cuda" if card else "auto")
        time.sleep(1)
        screen.keys("alt+c")
        screen.wait_for("^Underdrawing$")
        screen.keys("alt+c")
        until(window, lambda: engine.jobs()[-1]["state"] == "cancelled")
        screen.wait_for(title, there=False)
        if card:
            return
        (saved,) = settings.glob("*-underdrawing-harmonize.default")
        saved.write_text(saved.read_text().replace('(device "auto")', '(device "cuda")'))
        dialog(window, "h", title, "single-card-reset")
        screen.keys("alt+l", "alt+n", "alt+m")
        screen.wait_for("GIMP Message")
        screen.photograph("single-no-card")
        screen.keys("Return")
        screen.wait_for("GIMP Message", there=False)
        assert engine.jobs()[-1]["error"]["code"] == "no_gpu"
    assert window.layers() == ["pasted", "picture.png"]


@pytest.mark.parametrize(
    ("key", "title"),
    [("b", "Blend Rough Edit"), ("r", "Repaint Rough Painting"), ("a", "Animate Picture"), ("e", "Enlarge")],
)
def test_the_other_dialogs(window: Window, key: str, title: str) -> None:
    dialog(window, key, title, "single-" + title.split(maxsplit=1)[0].lower())
    window.screen.keys("Escape")
    window.screen.wait_for(title, there=False)
    assert window.layers() == ["pasted", "picture.png"]


def test_previews_of_larger_pictures_show_them(window: Window) -> None:
    window.ask("image.scale(480, 320)")
    dialog(window, "e", "Enlarge", "single-large")
    shown = cv2.imread(str(window.screen.photograph("single-large")))
    told = window.screen.run("xdotool", "getwindowgeometry", "--shell", window.screen.wait_for("^Enlarge"))
    place = dict(line.split("=") for line in told.splitlines())
    x, y, width, height = (int(place[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))
    black = (shown[y : y + height, x : x + width].max(2) == 0).sum()
    assert black < SIDE * SIDE / 10
    window.screen.keys("Escape")
    window.screen.wait_for("^Enlarge", there=False)
    window.focus()
    window.screen.keys("ctrl+z")
    window.until("tell(value=image.get_width())", 96)


def test_between_needs_a_folders_model(window: Window) -> None:
    text = window.ask('tell(value=failure("between", image, other=image))')["value"]
    window.screen.wait_for("GIMP Message")
    window.screen.keys("Return")
    window.screen.wait_for("GIMP Message", there=False)
    assert "no folder model yet" in text
    dialog(window, "t", BETWEEN, "between-no-model")
    window.screen.keys("alt+m", "Escape")
    window.screen.wait_for(BETWEEN, there=False)
    assert window.layers() == ["pasted", "picture.png"]


def test_a_model_made_at_once_is_used_and_refined(window: Window, maker: str) -> None:
    screen, title = window.screen, "Harmonize Pasted Layer"
    dialog(window, "h", title, "single-start-with")
    screen.keys("alt+i", "Down")
    time.sleep(0.5)
    screen.photograph("single-at-once")
    screen.keys("alt+m")
    window.until(NAMES, ["Harmonized", "pasted", "picture.png"])
    window.focus()
    screen.keys("ctrl+z")
    window.until(NAMES, ["pasted", "picture.png"])
    with window.host.engine() as engine:
        made = engine.models()[-1]
        assert (made["base"], made["name"]) == (maker, f"picture, from {NAME}")
        dialog(window, "h", title, "single-at-once-again")
        screen.keys("alt+t", "Down", "alt+v", "Down", "Down", "alt+m")
        until(window, lambda: engine.jobs()[-1]["progress"].get("phase") == "training")
        last = "cuda" if window.host.has_card() else "cpu"
        assert device_of(window, engine.jobs()[-1]) == last, "the last of those that are offered"
        time.sleep(1)
        screen.photograph("single-refining")
        screen.keys("alt+o")
        screen.wait_for(title, there=False)
        dialog(window, "h", title, "single-refining-found-again")
        screen.keys("alt+m")
        time.sleep(2)
        screen.photograph("single-refining-again")
        screen.keys("alt+c")
        screen.wait_for("^Underdrawing$")
        screen.keys("alt+c")
        until(window, lambda: engine.jobs()[-1]["state"] == "cancelled")
        assert [job["name"] for job in engine.jobs()][-1] == f"picture, from {NAME}, refined"
    screen.wait_for(title, there=False)
    assert window.layers() == ["pasted", "picture.png"]


def middle(window: Window, name: str) -> np.ndarray:
    """What the dialog shows of the way."""
    shown = cv2.imread(str(window.screen.photograph(name)))
    told = window.screen.run("xdotool", "getwindowgeometry", "--shell", window.screen.wait_for(BETWEEN))
    place = dict(line.split("=") for line in told.splitlines())
    left, top = int(place["X"]) + int(place["WIDTH"]) // 2 - 60, int(place["Y"]) + 70
    return np.asarray(shown[top : top + 80, left : left + 120])


def test_the_way_between_two_pictures_is_seen_and_made(window: Window, maker: str) -> None:
    screen = window.screen
    load = 'other = Gimp.file_load(QUIET, Gio.File.new_for_path(GIVEN["folder"] + "/dusk.png"))'
    window.ask(load)
    dialog(window, "t", BETWEEN, "between")
    until(window, lambda: middle(window, "between").std() > 1)
    half = middle(window, "between")
    screen.keys("alt+y", "ctrl+a", "1", "0", "0", "Tab")
    until(window, lambda: bool((middle(window, "between-end") != half).any()))
    screen.keys("alt+k", "Down", "Down")
    time.sleep(0.5)
    screen.photograph("between-clip")
    screen.keys("Home", "alt+m")
    window.until(NAMES, ["Between, 100 %", "pasted", "picture.png"])
    screen.photograph("between-made")
    window.focus()
    screen.keys("ctrl+z")
    window.until(NAMES, ["pasted", "picture.png"])
    dialog(window, "t", BETWEEN, "between-again")
    with window.host.engine() as engine:
        engine.delete(maker)
    screen.keys("alt+m")
    screen.wait_for(BETWEEN, there=False)
    time.sleep(2)
    screen.photograph("between-gone")  # the line below the picture says it
    assert not screen.windows("^Underdrawing$"), "training on an underdrawing is no remedy"
    window.ask("other.delete()")
    assert window.layers() == ["pasted", "picture.png"]


def test_variations_and_any_size(window: Window) -> None:
    screen = window.screen
    window.ask('call("vary", image, count=1, **few)\nimage.remove_layer(image.get_layers()[0])')
    dialog(window, "v", "^Variations", "single-vary")
    screen.keys("alt+w", "ctrl+a", "3", "Tab", "alt+m")
    window.until(NAMES, ["Variations", "pasted", "picture.png"])
    assert window.ask("tell(value=len(image.get_layers()[0].get_children()))")["value"] == 3
    screen.photograph("single-variations")
    dialog(window, "s", "Any Size", "single-resize")
    screen.keys("alt+m")
    window.until("tell(value=sorted(one.get_width() for one in Gimp.get_images()))", [96, 144])
    time.sleep(1)
    screen.photograph("single-resized")
