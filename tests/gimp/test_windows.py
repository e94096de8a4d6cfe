"""With windows: the menu, dialogs, strokes with the pencil, undo, live, an engine or a GIMP that goes away."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from underdrawing.client.engine import Engine

from .conftest import Host
from .window import Window

SEGMENTS = 'sheet = planes(image.get_layers()[0])["Segments"]'
HASHED = f"{SEGMENTS}\nimport hashlib\ntell(value=hashlib.sha256(native(sheet)).hexdigest())"
LAYERS = "tell(value=[one.get_name() for one in image.get_layers()])"
THIRTY_SECONDS, TWO_MINUTES = 1, 2  # places in the list of times
JOB = """
note = image.get_parasite("underdrawing")
tell(value=json.loads(bytes(note.get_data()).decode())["job"])
"""

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def host(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A profile and an engine for the tests of this file: GIMP looks for its plug-ins once."""
    made = Host(root, tmp_path_factory.mktemp("gimp windows"))
    made.prepare()
    yield made
    made.end()


@pytest.fixture
def window(host: Host) -> Iterator[Window]:
    """GIMP with its windows, for one test alone."""
    host.engine().close()  # it runs already: starting is tested elsewhere
    opened = Window(host)
    yield opened
    opened.close()


def test_from_the_menu_to_a_result_and_back_in_one_step(window: Window) -> None:
    screen = window.screen
    screen.keys("alt+r", "Up", "Right")
    screen.photograph("menu")
    screen.keys("m")
    screen.wait_for("Make Underdrawing")
    time.sleep(3)
    screen.photograph("make")
    screen.keys("Return")
    window.until("tell(value=image.get_layers()[0].get_name())", "Underdrawing")
    window.focus()
    screen.photograph("underdrawing")

    window.train_at_once()
    before = window.ask(HASHED)["value"]
    screen.keys("n")
    window.pick_and_stroke((420, 300), (600, 440), (650, 470), (700, 500))
    hashed = f"{SEGMENTS}\nimport hashlib\ntell(value=hashlib.sha256(native(sheet)).hexdigest() != {before!r})"
    window.until(hashed, True)
    screen.keys("ctrl+alt+4")
    window.until(LAYERS, ["Underdrawing", "Result", "picture.png"])
    window.focus()
    screen.photograph("result")
    shown = "tell(value=[one.get_visible() for one in image.get_layers()])"
    assert window.ask(shown)["value"] == [False, True, True]
    screen.keys("ctrl+z")
    window.until(LAYERS, ["Underdrawing", "picture.png"])
    assert window.ask(shown)["value"] == [True, True]
    assert window.ask(hashed)["value"], "the stroke is still there: applying was one step"
    screen.keys("ctrl+y")
    window.until(LAYERS, ["Underdrawing", "Result", "picture.png"])


def test_training_in_a_window_while_painting_and_saving(window: Window) -> None:
    screen = window.screen
    window.make()
    job = _begin(window, TWO_MINUTES)
    with window.host.engine() as engine:
        _until(engine, job, "training")
        screen.photograph("training")
        screen.run("xdotool", "windowmove", screen.wait_for("^Train on "), "920", "560")
        window.focus()
        before = window.ask(HASHED)["value"]
        screen.keys("n")
        window.pick_and_stroke((420, 200), (600, 440), (650, 470), (700, 500))
        assert window.ask(HASHED)["value"] != before
        saved = window.host.folder / "while it trains ü.xcf"
        window.ask(f"Gimp.file_save(QUIET, image, Gio.File.new_for_path({str(saved)!r}), None)")
        assert saved.stat().st_size > 1000
        assert _state(engine, job) == "running", "it trained while GIMP was used"
        screen.run("xdotool", "windowactivate", "--sync", screen.wait_for("^Train on "))
        screen.keys("alt+p")
        engine.watch(job, deadline=60)
        assert _state(engine, job) == "paused"
        time.sleep(1)
        screen.photograph("paused")
        screen.keys("alt+r")
        _until(engine, job, "training")
        screen.keys("alt+c")
        screen.wait_for("^Underdrawing$")
        screen.photograph("cancel")
        screen.keys("Return")
        assert engine.watch(job, deadline=60)["state"] == "cancelled"
    assert screen.windows("^Train on "), "the window stays, to train again"


def test_gimp_is_closed_while_it_trains_and_the_next_finds_the_model(window: Window) -> None:
    screen, host = window.screen, window.host
    window.make()
    job = _begin(window, THIRTY_SECONDS)
    path = host.folder / "closed.xcf"
    window.ask(f"Gimp.file_save(QUIET, image, Gio.File.new_for_path({str(path)!r}), None)\nimage.clean_all()")
    with host.engine() as engine:
        _until(engine, job, "training")
        window.focus()
        screen.keys("ctrl+q")
        time.sleep(1)
        if screen.windows("Quit GIMP"):
            screen.keys("ctrl+d")
        screen.wait_for_end("gimp")
        assert engine.watch(job, deadline=120)["state"] == "done"
    told = host.case(
        """
image = Gimp.file_load(QUIET, Gio.File.new_for_path(GIVEN["path"]))
tell(trained=call("train", image))
edited(image.get_layers()[0])
tell(applied=call("apply", image)[1])
""",
        path=str(path),
    )
    assert told["trained"][1] == "", "no training is needed again"
    assert told["applied"] == 1


def test_an_engine_that_is_killed_while_the_window_follows_it(window: Window) -> None:
    screen = window.screen
    window.make()
    job = _begin(window, THIRTY_SECONDS)
    with window.host.engine() as engine:
        _until(engine, job, "training")
        pid = engine.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    with window.host.engine() as engine:
        assert engine.watch(job, deadline=120)["state"] == "done"
        assert engine.status()["pid"] != pid
    time.sleep(2)
    screen.photograph("trained")
    assert screen.windows("^Train on ")
    screen.keys("Escape")
    screen.wait_for("^Train on ", there=False)


def test_live_follows_ten_strokes_and_leaves_ten_undo_steps(window: Window) -> None:
    screen = window.screen
    window.make()
    window.train_at_once()
    screen.keys("ctrl+alt+6")
    screen.run("xdotool", "windowmove", screen.wait_for("Live Underdrawing"), "930", "0")
    name = "tell(value=image.get_layers()[1].get_name())"
    window.until(name, "Live result")
    window.focus()
    screen.keys("n")
    states = [window.ask(HASHED)["value"]]
    for number in range(10):
        y = 420 + 12 * number
        window.pick_and_stroke((420, 300), (560, y), (600 + 10 * number, y + 4))
        states.append(window.ask(HASHED)["value"])
    screen.photograph("live")
    assert len(set(states)) > 8, "the strokes must change something"
    window.until("tell(value=max(native(image.get_layers()[1].get_mask())))", 255)
    layers = window.layers()
    for _ in range(10):
        screen.keys("ctrl+z")
    assert window.ask(HASHED)["value"] == states[0], "ten strokes are ten steps"
    assert window.layers() == layers, "no step of the history belongs to the live result"
    window.until("tell(value=max(native(image.get_layers()[1].get_mask())))", 0)
    screen.run("xdotool", "windowactivate", "--sync", screen.wait_for("Live Underdrawing"))
    screen.keys("Escape")
    screen.wait_for("Live Underdrawing", there=False)


def _begin(window: Window, time_entry: int) -> str:
    """Train by the window with the first trained method; the training's id."""
    screen = window.screen
    screen.keys("ctrl+alt+3")
    screen.wait_for("^Train on ")
    with window.host.engine() as engine:
        assert engine.methods()["methods"][0]["needs_training"]
    time.sleep(2)  # the window has the list by now, too
    screen.keys("alt+m", "Down", "Return", "Return", "alt+i", *["Down"] * time_entry, "Return", "Return")
    screen.photograph("train")
    screen.keys("alt+t")
    return _job(window)


def _job(window: Window) -> str:
    """The id of the training that the window has begun."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        job = str(window.ask(JOB)["value"])
        if job:
            return job
        time.sleep(0.2)
    window.screen.photograph("waited-in-vain")
    raise AssertionError("the window does not begin to train")


def _state(engine: Engine, job: str) -> str:
    return str(next(one for one in engine.jobs() if one["job"] == job)["state"])


def _until(engine: Engine, job: str, phase: str) -> None:
    """Wait until a training is in this phase."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        found = next(one for one in engine.jobs() if one["job"] == job)
        if found["state"] == "running" and found["progress"].get("phase") == phase:
            return
        assert found["state"] in ("queued", "running", "paused"), found
        time.sleep(0.2)
    raise AssertionError(f"the training does not come to {phase}")
