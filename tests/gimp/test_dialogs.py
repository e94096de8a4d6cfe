"""Dialogs as a person uses them: opened from the menu, their controls worked, what comes of it looked at."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hosts.screen import PATIENCE

from .window import Window, one_gimp

NAMES = "tell(value=[one.get_name() for one in image.get_layers()])"
SHOWN = "tell(value=[one.get_name() for one in image.get_layers() if one.get_visible()])"
CANCEL, TITLE = (1110, 863), (700, 288)  # of the progress bar; of the window Train on This Picture
MADE = ["Underdrawing", "picture.png"]
# The plug-in's processes that work for this GIMP.
PLUGINS = """
found = 0
for entry in os.listdir("/proc"):
    try:
        words = open("/proc/%s/cmdline" % entry, "rb").read()
        ours = os.environ["UNDERDRAWING_HOME"].encode() in open("/proc/%s/environ" % entry, "rb").read()
        found += ours and b"underdrawing-gimp.py" in words and b"-run" in words
    except OSError:
        pass
tell(value=found)
"""

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def session(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One GIMP for all of this file, with a trained picture: GIMP's start is what takes the time."""
    with one_gimp(root, tmp_path_factory.mktemp("gimp dialogs")) as opened:
        yield opened


@pytest.fixture
def window(session: Window) -> Iterator[Window]:
    """The same GIMP with the picture as it was made and trained on first, and an edit on its underdrawing."""
    if session.layers() != MADE:
        session.make()
        session.train_at_once()
        session.ask("""
group, source = image.get_layers()
sheet = planes(group)["Segments"]
kept = native(sheet)
edited(group)
now = native(sheet)
""")
    session.focus()
    yield session
    for title in ("GIMP Message", "^Underdrawing$", "^Train on ", "Live Underdrawing"):
        for found in session.screen.windows(title):
            session.screen.run("xdotool", "windowactivate", "--sync", found)
            session.screen.keys("Escape")
    session.ask("""
for layer in image.get_layers():
    if layer.get_id() not in (group.get_id(), source.get_id()):
        image.remove_layer(layer)
Gimp.Selection.none(image)
image.set_selected_layers([sheet])
for layer in (group, *group.get_children(), source):
    layer.set_visible(True)
""")


def menu(window: Window, key: str) -> None:
    """Choose an entry of the menu by its key."""
    window.focus()
    window.screen.keys("alt+r", "Up", "Right", key)


def dialog(window: Window, key: str, title: str, photograph: str) -> None:
    """Open a dialog from the menu."""
    menu(window, key)
    window.screen.wait_for(title)
    time.sleep(0.6)
    window.screen.photograph(photograph)


def test_nothing_made_yet_and_an_engine_of_another_version(session: Window) -> None:
    screen, file = session.screen, session.host.home / "run" / "engine.json"
    dialog(session, "a", "^Underdrawing$", "nothing-made")
    screen.keys("Escape")
    screen.wait_for("^Underdrawing$", there=False)
    file.write_text(json.dumps({**json.loads(file.read_text()), "protocol": 99}))
    session.ask("image.set_selected_layers(image.get_layers())")
    menu(session, "m")
    screen.wait_for("Make Underdrawing")
    time.sleep(0.6)
    screen.photograph("protocol-dialog")
    screen.keys("Return")
    # An engine of another version is replaced.
    session.until("tell(value=image.get_layers()[0].get_name())", "Underdrawing")
    session.ask("image.remove_layer(image.get_layers()[0])")


def test_options_several_results_and_earlier_ones_kept(window: Window) -> None:
    screen = window.screen
    dialog(window, "o", "Apply Edit with Options", "options")
    screen.keys("alt+t", "ctrl+a", "2", "Tab", "alt+y")
    screen.photograph("options-chosen")
    screen.keys("Return")
    window.until(NAMES, ["Underdrawing", "Result 1", "Result 2", "Baked copy", "picture.png"])
    assert window.ask(SHOWN)["value"] == ["Result 1", "picture.png"], "of several results the first is shown"
    menu(window, "o")
    screen.wait_for("Apply Edit with Options")
    time.sleep(0.6)
    screen.keys("alt+t", "ctrl+a", "1", "Tab", "alt+y", "alt+k", "alt+i", "Return")
    window.until("tell(value=len(image.get_layers()))", 6)
    screen.photograph("options-kept")
    shown = window.ask(SHOWN)["value"]
    assert len(shown) == 2, "earlier results are hidden"
    assert shown[0].startswith("Result")
    window.focus()
    screen.keys("ctrl+z")
    window.until("tell(value=len(image.get_layers()))", 5)
    screen.keys("ctrl+z")
    window.until(NAMES, MADE)


def test_layers_of_the_users_own(window: Window) -> None:
    window.ask("""
for name in ("flat areas", "ink lines"):
    fresh = Gimp.Layer.new(image, name, 96, 64, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
    fresh.fill(Gimp.FillType.WHITE)
    image.insert_layer(fresh, None, 0)
""")
    dialog(window, "u", "Use These Layers", "use-layers")
    window.screen.keys("alt+e", "Home")
    window.screen.photograph("use-layers-chosen")
    window.screen.keys("alt+u")
    window.until(
        """
notes = [layer.get_parasite("underdrawing-plane") for layer in image.get_layers()[:2]]
tell(value=[note and bytes(note.get_data()).decode().split()[1] for note in notes])
""",
        [None, "segments"],
    )


def test_colours_that_the_model_was_not_trained_on(window: Window) -> None:
    window.ask("paint(sheet, 60, 40, 12, 12, (250, 250, 250))")
    dialog(window, "a", "^Underdrawing$", "unseen")
    window.screen.keys("Escape")
    window.screen.wait_for("^Underdrawing$", there=False)
    assert window.layers() == MADE
    dialog(window, "a", "^Underdrawing$", "unseen")
    window.screen.keys("Return")
    window.until(NAMES, ["Underdrawing", "Result", "picture.png"])
    window.ask("""
buffer = sheet.get_buffer()
buffer.set(rect(0, 0, 96, 64), Babl.get_name(sheet.get_format()), kept)
buffer.flush()
edited(group)
""")


def test_the_layout_of_an_open_picture_and_of_a_file(window: Window) -> None:
    screen = window.screen
    window.ask("other = opened(80, 80)\nother.flip(Gimp.OrientationType.HORIZONTAL)")
    changed = "tell(value=native(sheet) != now)"
    dialog(window, "y", "Layout of Another Picture", "layout")
    screen.keys("alt+t")
    window.until(changed, True)
    window.focus()
    screen.photograph("layout-taken")
    screen.keys("ctrl+z")
    window.until(changed, False)
    menu(window, "y")
    screen.wait_for("Layout of Another Picture")
    time.sleep(0.6)
    screen.keys("alt+p", "End", "alt+f", "space")
    screen.wait_for("Choose the Other Picture")
    time.sleep(0.5)
    screen.keys("slash")  # opens the line for a path
    screen.write(str(window.host.folder / "picture.png")[1:])
    time.sleep(0.5)
    screen.photograph("layout-file")
    screen.keys("Return")
    screen.wait_for("Choose the Other Picture", there=False)
    screen.keys("alt+t")
    window.until(changed, True)
    window.focus()
    screen.keys("ctrl+z")
    window.until(changed, False)
    # By hand: the first part becomes something else than what was found.
    dialog(window, "y", "Layout of Another Picture", "layout-again")
    screen.keys("alt+m")
    screen.wait_for("Match Areas")
    time.sleep(0.6)
    screen.keys("Tab", "Down", "Down")
    time.sleep(0.4)
    screen.photograph("layout-match")
    screen.keys("alt+t")
    screen.wait_for("Match Areas", there=False)
    window.until(changed, True)
    window.focus()
    screen.photograph("layout-matched")
    screen.keys("ctrl+z")
    window.until(changed, False)
    window.ask("other.delete()")


def test_frames_of_a_group(window: Window) -> None:
    window.ask("""
frames = Gimp.GroupLayer.new(image, "frames")
image.insert_layer(frames, None, 0)
for number in range(2):
    image.insert_layer(sheet.copy(), frames, 0)
image.set_selected_layers([frames])
""")
    dialog(window, "n", "Animate Underdrawing", "animate")
    window.screen.keys("alt+a")
    window.until(NAMES, ["Animation", "frames", *MADE])
    window.screen.photograph("animated")
    assert window.ask("tell(value=len(image.get_layers()[0].get_children()))")["value"] == 2


def test_a_region_is_moved_and_the_library_shown(window: Window) -> None:
    screen = window.screen
    window.ask("image.select_rectangle(Gimp.ChannelOps.REPLACE, 24, 24, 26, 26)")
    changed = "tell(value=native(sheet) != now)"
    menu(window, "g")
    screen.keys("v")
    screen.wait_for("Move Region")
    time.sleep(0.5)
    screen.photograph("move")
    screen.keys("Return")
    window.until(changed, True)
    window.focus()
    screen.keys("ctrl+z")
    window.until(changed, False)
    dialog(window, "e", "Engine and Models", "engine")
    screen.keys("Escape")
    screen.wait_for("Engine and Models", there=False)


def test_cancel_in_the_progress_bar_leaves_nothing_half_done(window: Window) -> None:
    screen = window.screen
    with window.host.engine() as engine:
        renderer = engine.status()["renderer"]["pid"]
        os.kill(renderer, signal.SIGSTOP)
        try:
            engine.submit("status")
            menu(window, "a")
            until(window, lambda: engine.status()["waiting"] == 1)
            assert window.ask(PLUGINS)["value"] == 1
            screen.photograph("cancel-progress")
            screen.click(*CANCEL)
            window.until(PLUGINS, 0)
            assert window.layers() == MADE
            # The engine drops what nobody waits for any more.
            until(window, lambda: engine.status()["waiting"] == 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(renderer, signal.SIGCONT)
    menu(window, "a")
    window.until(NAMES, ["Underdrawing", "Result", "picture.png"])
    window.focus()
    screen.keys("ctrl+z")
    window.until(NAMES, MADE)


def test_live_works_while_the_model_trains(window: Window) -> None:
    window.ask('call("train", image, method="refine", budget=40.0, again=True, wait=False)')
    window.ask("edited(group, 50, 30, 24, 20)")
    menu(window, "v")
    window.screen.wait_for("Live Underdrawing")
    seen = """
live = [one for one in image.get_layers() if one.get_name() == "Live result"]
mask = max(native(live[0].get_mask())) if live else 0
tell(value=native(live[0]).hex() if mask else "")
"""
    until(window, lambda: bool(window.ask(seen)["value"]))
    window.screen.photograph("live-early")
    first = window.ask(seen)["value"]
    window.ask("edited(group, 8, 8, 16, 10)")
    until(window, lambda: window.ask(seen)["value"] not in ("", first))
    window.screen.photograph("live-training")
    window.ask("""
note = json.loads(bytes(image.get_parasite("underdrawing").get_data()).decode())
call("training", action="cancel", job=note["job"])
""")
    window.screen.wait_for("Live Underdrawing")


def test_grey_becomes_rgb_when_the_user_says_so(window: Window) -> None:
    screen = window.screen
    mode = "tell(value=[image.get_base_type() == Gimp.ImageBaseType.GRAY, len(image.get_layers())])"
    window.ask("image.convert_grayscale()\nimage.set_selected_layers([source])")
    menu(window, "m")
    screen.wait_for("Make Underdrawing")
    time.sleep(2)
    screen.photograph("make-grey")
    screen.keys("alt+m")
    screen.wait_for("^Underdrawing$")
    time.sleep(0.5)
    screen.photograph("grey")
    screen.keys("Return")
    window.until(mode, [False, 3])
    window.focus()
    screen.keys("ctrl+z")
    window.until(mode, [True, 2])
    screen.keys("ctrl+z")
    window.until(mode, [False, 2])


def test_a_picture_that_was_changed_as_a_whole_is_asked_about(window: Window) -> None:
    screen = window.screen
    window.ask("""
image.set_selected_layers([source])
call("train", image, method="draft", again=True)
image.scale(48, 32)
paint(source, 30, 4, 8, 8, (3, 200, 90))
edited(group, 8, 8, 16, 10)
""")
    dialog(window, "a", "^Underdrawing$", "changed")
    screen.keys("alt+t")
    screen.wait_for("^Train on ")
    time.sleep(0.6)
    screen.photograph("changed-train")
    screen.click(*TITLE)
    screen.keys("Escape")
    screen.wait_for("^Train on ", there=False)
    assert window.layers() == MADE
    dialog(window, "a", "^Underdrawing$", "changed")
    screen.keys("Return")
    window.until(NAMES, ["Underdrawing", "Result", "picture.png"])
    assert window.ask("tell(value=image.get_layers()[1].get_width())")["value"] <= 48


def until(window: Window, ready: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            window.screen.photograph("waited-in-vain")
            raise AssertionError("it does not come to it")
        time.sleep(0.1)
