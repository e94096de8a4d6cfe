"""Memory that is bounded for real, logs that can be shown to others, and a machine that sleeps."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from underdrawing.client.endpoint import Connection, make_home
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError

from .conftest import QUICK_OPTIONS, WORKER, children, picture, pid, train, trained, wait_for

LITTLE = 520  # MiB: what worker and renderer take for small pictures, and a quarter more
SIDE = 6000  # pixels: 36 megapixels, far more than fits


@pytest.fixture
def little(own: Path) -> Iterator[Engine]:
    """An engine whose worker and renderer may take little memory."""
    make_home(own)
    command = [sys.executable, "-m", "underdrawing.daemon", "--home", str(own), "--memory", str(LITTLE)]
    daemon = subprocess.Popen(command)
    wait_for(lambda: Connection.read(own) is not None)
    with Engine.connect(start=False, home=own) as engine:
        yield engine
    daemon.terminate()
    daemon.wait(30)


def large(channels: int = 3) -> Frame:
    rows = np.random.default_rng(0).integers(0, 255, (SIDE // 8, SIDE, channels)).astype(np.uint8)
    return Frame(SIDE, SIDE, "RGB", "u8", np.tile(rows, (8, 1, 1)).tobytes())


def test_what_does_not_fit_is_refused_and_the_engine_serves_on(own: Path, little: Engine) -> None:
    model = trained(little)
    before = pid(own)
    with pytest.raises(EngineError) as caught:
        little.make_primitive(large(), "segments", regions=8, deadline=240)
    assert caught.value.code == "out_of_memory" and str(LITTLE) in caught.value.message and caught.value.hint
    shown = large()
    begun = little.train(shown, {"paint": shown}, method="draft", name="too large")
    ended = little.watch(begun["job"], deadline=240)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "out_of_memory")
    assert ended["error"]["hint"]
    assert pid(own) == before
    assert little.apply(model, {"segments": picture()[2]}).body["width"]
    assert [entry["id"] for entry in little.models()] == [model]


def test_logs_can_be_shown_to_others(tmp_path: Path) -> None:
    """Faults are logged with their tracebacks, whose paths would tell the user's name."""
    user = tmp_path / "home" / "mariechen"
    place = user / ".local" / "share" / "underdrawing"
    make_home(place)
    (user / "broken_renderer.py").write_text("raise RuntimeError(f'{__file__} of mariechen cannot start')\n")
    environment = {**os.environ, "HOME": str(user), "LOGNAME": "mariechen", "PYTHONPATH": str(user)}
    command = [sys.executable, "-m", "underdrawing.daemon", "--home", str(place)]
    daemon = subprocess.Popen([*command, "--renderer", "broken_renderer"], env=environment)
    try:
        wait_for(lambda: Connection.read(place) is not None)
        with Engine.connect(start=False, home=place) as engine:
            shown, segments, edit = picture()
            with pytest.raises(EngineError):
                engine.make_primitive(shown, "segments", deadline=60)
            begun = train(engine, "a picture of mariechen's")
            engine.watch(begun["job"], deadline=120)
        log = (place / "logs" / "engine.log").read_text(encoding="utf-8")
        assert "RuntimeError" in log and "of USER cannot start" in log, "the fault itself is told"
        assert "mariechen" not in log and str(user) not in log
        for frame in (shown, segments, edit):
            assert frame.hash not in log
    finally:
        daemon.terminate()
        daemon.wait(30)


@pytest.mark.parametrize("asleep", [3.0, pytest.param(40.0, marks=pytest.mark.long)])
@pytest.mark.skipif(os.name != "posix", reason="processes are stopped and woken by POSIX signals")
def test_a_machine_that_slept_goes_on(own: Path, asleep: float) -> None:
    """All processes of the engine stand still for a while, as when the lid is closed; 40 s is beyond every patience."""
    with Engine.connect(home=own) as engine:
        model = trained(engine)
        begun = train(engine, "long", 1, method="deepsim", options=QUICK_OPTIONS, budget=4.0)
        wait_for(lambda: bool(children(pid(own), WORKER)), 60)
        before = pid(own)
        stopped = [psutil.Process(before), *children(before)]
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        time.sleep(asleep)
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        assert engine.watch(begun["job"], deadline=240)["state"] == "done"
        assert engine.apply(model, {"segments": picture()[2]}).body["width"]
        assert pid(own) == before, "nobody took the sleeping engine for dead"
        assert len(engine.models()) == 2
