"""Worker and renderer as the daemon keeps them: real processes that obey, hang, crash, lie and eat memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.daemon.place import FOREVER, Place, child, place
from underdrawing.daemon.child_process import Child, end_leftovers

__all__ = ["child", "place"]  # fixtures


def test_a_task_gives_events_and_a_result(place: Place, child: Child) -> None:
    child.give(place.task(events=3, result={"width": 7}))
    place.until(lambda: place.ended)
    assert [event["iteration"] for event in place.events] == [0, 1, 2]
    result, error = place.ended[0]
    assert error is None
    assert result is not None
    assert result["width"] == 7


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        ({"error": "It is so."}, "told", "It is so."),
        ({"raise": "deep inside"}, "internal", "ValueError"),
        ({"crash": True}, "crashed", "ended unexpectedly"),
    ],
)
def test_errors_come_back_as_errors(place: Place, child: Child, args: dict[str, Any], code: str, text: str) -> None:
    child.give(place.task(**args))
    place.until(lambda: place.ended)
    _, error = place.ended[0]
    assert error is not None
    assert error.code == code
    assert text in error.message


def test_an_unknown_task_is_refused_and_the_child_lives(place: Place, child: Child) -> None:
    child.give(place.task("magic"))
    child.give(place.task("apply"))
    place.until(lambda: len(place.ended) == 2)
    assert place.ended[0][1] is not None
    assert place.ended[1][1] is None


def test_lines_that_are_none_of_ours_harm_nobody(place: Place, child: Child) -> None:
    garbage = ["not JSON", "[1, 2]", '{"id": 99, "ok": true}', '{"id": [1]}', "[" * 100_000, "null", '{"ok": true}']
    child.give(place.task(garbage=garbage))
    place.until(lambda: place.ended)
    assert place.ended[0][1] is None


def test_who_obeys_is_not_killed_and_who_does_not_is(place: Place, child: Child) -> None:
    child.give(place.task(wait=FOREVER))
    child.control(1, "cancel", 20.0)
    place.until(lambda: place.ended)
    assert place.ended[0] == ({"state": "cancelled"}, None)
    assert child.alive
    child.give(place.task(wait=FOREVER, obey=False))
    child.control(2, "cancel", 0.2)
    place.until(lambda: len(place.ended) == 2)
    assert place.ended[1][1] is not None
    assert place.ended[1][1].code == "cancelled"
    assert not child.alive


def test_a_child_that_takes_too_much_memory_is_ended(place: Place, child: Child) -> None:
    place.ticking[0] = lambda: child.tick(time.monotonic(), 200 << 20)
    child.give(place.task(memory=400 << 20, wait=FOREVER))
    place.until(lambda: place.ended)
    error = place.ended[0][1]
    assert error is not None
    assert error.code == "out_of_memory"
    assert "200 MiB" in error.message


def test_suspended_is_standing_still(place: Place, child: Child) -> None:
    child.give(place.task(wait=FOREVER))
    place.until(lambda: psutil.Process(child.process.pid).cpu_times().user > 0)
    child.suspend()
    place.until(lambda: psutil.Process(child.process.pid).status() == psutil.STATUS_STOPPED)
    child.resume()
    place.until(lambda: psutil.Process(child.process.pid).status() != psutil.STATUS_STOPPED)


def test_leftovers_of_a_killed_engine_are_ended_and_strangers_are_not(home: Path) -> None:
    folder = home / "run"
    ours, other = (subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2))
    try:
        began = psutil.Process(ours.pid).create_time()
        (folder / "child-worker.json").write_text(json.dumps({"pid": ours.pid, "began": began}))
        (folder / "child-renderer.json").write_text(json.dumps({"pid": other.pid, "began": began - 500}))
        (folder / "child-damaged.json").write_text("{")
        end_leftovers(folder)
        ours.wait(10)
        assert other.poll() is None
        assert not list(folder.glob("child-*"))
    finally:
        ours.kill()
        other.kill()
        ours.wait()
        other.wait()
