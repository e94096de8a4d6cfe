"""When things go wrong: each is told in a sentence with what to do, and the picture stays as it was."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from underdrawing.client import endpoint
from underdrawing.client.engine import Engine

from .conftest import Host

PATIENCE = 240.0  # seconds; a machine that does something else too can take long to load a training's libraries
BEGIN = """
image = opened()
group = call("make", image, regions=5, known=False)[0]
model, job, state, notes = call("train", image, method="deepsim", budget=GIVEN["budget"], again=True, wait=False)
Gimp.file_save(QUIET, image, Gio.File.new_for_path(GIVEN["folder"] + "/training.xcf"), None)
tell(model=model, job=job, state=state)
"""

APPLY = """
image = Gimp.file_load(QUIET, Gio.File.new_for_path(GIVEN["folder"] + "/trained.xcf"))
text = failure("apply", image)
tell(text=text, layers=[one.get_name() for one in image.get_layers()], undo=image.undo_is_enabled())
"""


def test_no_engine_is_installed(own_gimp: Host) -> None:
    (own_gimp.home / "install.json").unlink()
    told = own_gimp.case("""
image = opened()
tell(text=failure("make", image), layers=len(image.get_layers()))
""")
    assert "not installed" in told["text"]
    assert "python3 installer engine" in told["text"]
    assert told["layers"] == 1


def test_an_engine_that_cannot_start_says_why(own_gimp: Host) -> None:
    script = own_gimp.folder / "engine-python"
    script.write_text("#!/bin/sh\necho 'ImportError: something is missing' >&2\nexit 3\n")
    told = own_gimp.case('tell(text=failure("make", opened()))')
    assert "exit code 3" in told["text"]
    assert "something is missing" in told["text"]


@pytest.mark.long
def test_an_engine_of_another_protocol_is_replaced(own_gimp: Host) -> None:
    with own_gimp.engine():
        file = own_gimp.home / "run" / "engine.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "protocol": 99}))
        told = own_gimp.case('tell(made=call("make", opened())[0].get_name())')
    assert told["made"] == "Underdrawing"


@pytest.mark.long
def test_an_engine_that_is_killed_while_it_trains_goes_on_with_the_next(own_gimp: Host) -> None:
    told = own_gimp.case(BEGIN, budget=20.0)
    assert told["state"] == "running"
    with own_gimp.engine() as engine:
        _until_training(engine, told["job"])
        pid = engine.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    after = own_gimp.case(
        """
image = Gimp.file_load(QUIET, Gio.File.new_for_path(GIVEN["folder"] + "/training.xcf"))
tell(ended=json.loads(call("training", action="wait", job=GIVEN["job"]))["state"])
group = image.get_layers()[0]
edited(group)
tell(trained=call("train", image), applied=call("apply", image)[1])
""",
        job=told["job"],
    )
    assert after["ended"] == "done"
    assert after["trained"][0] == told["model"]
    assert after["trained"][1] == ""
    assert after["applied"] == 1


@pytest.mark.long
def test_an_engine_that_is_killed_or_has_no_memory_while_it_applies(own_gimp: Host) -> None:
    """The real processes: a renderer that is stopped works on the edit for ever, until its engine is killed."""
    own_gimp.case("""
image = opened()
edited(trained(image))
Gimp.file_save(QUIET, image, Gio.File.new_for_path(GIVEN["folder"] + "/trained.xcf"), None)
""")
    engine = own_gimp.engine()
    first = engine.status()
    os.kill(first["renderer"]["pid"], signal.SIGSTOP)
    engine.submit("status")  # which the renderer would have to answer: from now on it is busy
    with ThreadPoolExecutor() as pool:
        applied = pool.submit(own_gimp.case, APPLY)
        _until(lambda: engine.status()["waiting"] == 1)
        os.kill(first["pid"], signal.SIGKILL)
        engine.close()
        told = applied.result()
    assert told["text"] == "it did not fail", "the next engine answers"
    assert told["layers"] == ["Underdrawing", "Result", "Background"]
    with own_gimp.engine() as engine:
        assert engine.status()["pid"] != first["pid"]
        engine.shutdown()
        assert engine.wait_for_end()
    script = own_gimp.folder / "engine-python"
    script.write_text(script.read_text(encoding="utf-8").replace('"$@"', '"$@" --memory 60'), encoding="utf-8")
    told = own_gimp.case(APPLY)
    assert "more memory than the engine may use (60 MiB)" in told["text"]
    assert "smaller region" in told["text"]
    assert told["layers"] == ["Underdrawing", "Background"]
    assert told["undo"]


@pytest.mark.long
def test_pause_go_on_and_cancel(own_gimp: Host) -> None:
    told = own_gimp.case(BEGIN, budget=60.0)
    with own_gimp.engine() as engine:
        _until_training(engine, told["job"])
    after = own_gimp.case(
        """
def ask(action):
    return json.loads(call("training", action=action, job=GIVEN["job"]))
ask("pause")
listed = [one["job"] for one in json.loads(call("training"))]
tell(paused=ask("wait")["state"], listed=listed, resumed=ask("resume")["state"])
ask("cancel")
tell(cancelled=ask("wait")["state"], unknown=failure("training", action="state", job="nobody"))
""",
        job=told["job"],
    )
    assert after["paused"] == "paused"
    assert after["listed"][-1] == told["job"], "the draft that serves meanwhile was made before"
    assert after["resumed"] in ("queued", "running")
    assert after["cancelled"] == "cancelled"
    assert "no training" in after["unknown"]


def test_a_client_that_is_killed_while_it_waits_harms_nobody(own_gimp: Host) -> None:
    """Cancel in GIMP's progress bar kills the plug-in; so does the end of GIMP. The training goes on."""
    told = own_gimp.case(
        BEGIN
        + """
import signal
watcher = os.fork()
if watcher == 0:
    time.sleep(4)
    for entry in os.listdir("/proc"):
        try:
            words = open("/proc/%s/cmdline" % entry, "rb").read()
            ours = os.environ["UNDERDRAWING_HOME"].encode() in open("/proc/%s/environ" % entry, "rb").read()
            if ours and b"underdrawing-gimp.py" in words and b"-run" in words:
                os.kill(int(entry), signal.SIGKILL)
        except (OSError, ValueError):
            pass
    os._exit(0)
layers = len(image.get_layers())
try:
    call("training", action="wait", job=job)
    tell(killed=False)
except FailedError:
    tell(killed=True)
tell(same=len(image.get_layers()) == layers, undo=image.undo_is_enabled(), alive=call("engine")[:1])
""",
        budget=600.0,
    )
    assert told["killed"]
    assert told["same"]
    assert told["undo"]
    assert told["alive"] == "{"
    with own_gimp.engine() as engine:
        _until_training(engine, told["job"])
        engine.cancel(told["job"])


@pytest.mark.long
def test_everything_passes_over_the_bridge_without_zmq(own_gimp: Host) -> None:
    blocked = own_gimp.folder / "blocked"
    blocked.mkdir()
    (blocked / "zmq.py").write_text("raise ImportError('there is no zmq here')\n")
    told = own_gimp.case(
        """
try:
    import zmq
    tell(zmq=True)
except ImportError:
    tell(zmq=False)
image = opened()
group = trained(image)
edited(group)
layer = call("apply", image)[0]
tell(mask=max(native(layer.get_mask())), live=call("live", image)[0], status=call("engine"))
""",
        {"PYTHONPATH": str(blocked)},
    )
    assert not told["zmq"]
    assert told["mask"] == 255
    assert told["live"] == 1
    assert json.loads(told["status"])["clients"] >= 1


@pytest.mark.long
def test_a_folder_that_cannot_be_used(own_gimp: Host, tmp_path: Path) -> None:
    (own_gimp.folder / "no folder").write_text("")
    told = own_gimp.case(
        'tell(text=failure("make", opened()))', {"UNDERDRAWING_HOME": str(own_gimp.folder / "no folder")}
    )
    assert "cannot be used" in told["text"] or "not installed" in told["text"]
    assert endpoint.Connection.read(own_gimp.home) is None


def _until(ready: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, "it does not come to it"
        time.sleep(0.05)


def _until_training(engine: Engine, job: str) -> None:
    """Wait until a training has really begun."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = next(one for one in engine.jobs() if one["job"] == job)
        if found["progress"].get("phase") == "training":
            return
        assert found["state"] in ("queued", "running"), found
        time.sleep(0.2)
    raise AssertionError("the training does not begin")
