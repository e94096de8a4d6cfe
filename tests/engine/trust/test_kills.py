"""kill -9 at random moments, for everybody: nothing is lost, nothing stays behind, nobody waits for ever."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from underdrawing.client.endpoint import Connection
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError

from .conftest import (
    QUICK_OPTIONS,
    RENDERER,
    WORKER,
    Chance,
    alive,
    children,
    library_is_whole,
    picture,
    train,
    trained,
    wait_for,
)

FEW, MANY = 2, 100
kills = pytest.mark.parametrize("times", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
LONGEST = 60.0  # seconds that any request may take: it is answered, or fails, before
MOST_LOST = 30.0  # seconds of training
# What a client says when its engine was killed under it: all of them sentences, none a hang.
ENGINE_GONE = {"connection_lost", "engine_gone", "not_running", "not_startable", "crashed", "engine_silent", "deadline"}


def strike(process: int) -> None:
    """kill -9."""
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
        os.kill(process, signal.SIGKILL)


def strike_daemon(home: Path) -> None:
    """kill -9 for the daemon; its children must end by themselves."""
    connection = Connection.read(home)
    if connection is None or not psutil.pid_exists(connection.pid):
        return
    left = children(connection.pid)
    strike(connection.pid)
    wait_for(lambda: not any(alive(process) for process in left), 15)


def strike_child(home: Path, module: str) -> None:
    """kill -9 for worker or renderer, if there is one just now."""
    connection = Connection.read(home)
    for process in children(connection.pid, module) if connection else []:
        strike(process.pid)


def within(seconds: float, ask: Callable[[], object]) -> object:
    """An answer, or an error with a sentence, in time."""
    began = time.monotonic()
    try:
        return ask()
    except EngineError as error:
        assert error.message
        return error
    finally:
        assert time.monotonic() - began < seconds + 10, "a client waited beyond its deadline"


@pytest.mark.long
@pytest.mark.parametrize("who", ["daemon", "worker"])
@pytest.mark.parametrize("method", ["deepsim", "sia"])
def test_training_continues(own: Path, who: str, method: str) -> None:
    """Each time it goes on from a checkpoint that is at most half a minute old (once: `whole/test_whole_way.py`)."""
    rng, times = Chance(MANY), MANY
    with Engine.connect(home=own) as engine:
        options = QUICK_OPTIONS if method == "deepsim" else {"filters": 4, "discriminator_filters": 4}
        begun = train(engine, method=method, options=options, budget=4.0 * times + 4)
        for _ in range(times):
            before = _trained_for(engine, begun["job"], more_than=0.0)
            rng.wait(2.0)
            strike_daemon(own) if who == "daemon" else strike_child(own, WORKER)
            if state(engine, begun["job"]) == "done":
                break
            assert _trained_for(engine, begun["job"], more_than=0.0) > before - MOST_LOST
        ended = within(600, lambda: engine.watch(begun["job"], deadline=600))
        assert isinstance(ended, dict) and ended["state"] == "done", ended
        assert [model["id"] for model in engine.models()] == [begun["model"]]
    assert library_is_whole(own) == 1


def _trained_for(engine: Engine, wanted: str, more_than: float) -> float:
    """Wait until a training says how many seconds it has trained (more than these, or all): that."""
    found = 0.0

    def look() -> bool:
        nonlocal found
        job = next(job for job in engine.jobs() if job["job"] == wanted)
        if job["state"] == "failed":  # killed thrice before it came further: the user is asked, and goes on
            assert job["error"]["code"] == "crashed"
            engine.resume(wanted)
        found = float(job["progress"].get("elapsed") or 0.0)
        return found > more_than or job["state"] == "done"

    wait_for(look, 120)
    return found


def state(engine: Engine, job: str) -> str:
    """Where a job stands."""
    return str(next(entry["state"] for entry in engine.jobs() if entry["job"] == job))


@pytest.mark.parametrize("times", [1, pytest.param(MANY, marks=pytest.mark.long)])
def test_what_is_nearly_a_model_becomes_one(own: Path, times: int) -> None:
    """Killed while the graphs are exported, checked and published."""
    rng = Chance(times + 1)
    with Engine.connect(home=own) as engine:
        for number in range(times):
            begun = train(engine, f"model {number}", number, method="deepsim", options=QUICK_OPTIONS, iterations=1)
            with contextlib.suppress(EngineError):
                wait_for(lambda: _exporting(engine), 60)
            rng.wait(1.5)
            strike_daemon(own) if number % 2 else strike_child(own, WORKER)
            ended = within(240, partial(engine.watch, begun["job"], deadline=240))
            if isinstance(ended, EngineError):  # finished before the kill; only the models are remembered then
                assert ended.code == "unknown_job", ended
            else:
                assert isinstance(ended, dict) and ended["state"] == "done", ended
            assert len(engine.models()) == number + 1
    assert library_is_whole(own) == times


def _exporting(engine: Engine) -> bool:
    jobs = engine.jobs()
    return not jobs or jobs[-1]["state"] == "done" or jobs[-1]["progress"].get("phase") not in (None, "", "preparing")


@kills
@pytest.mark.parametrize("who", ["daemon", pytest.param("renderer", marks=pytest.mark.long)])
def test_an_edit_is_answered_or_refused(own: Path, times: int, who: str) -> None:
    rng = Chance(times + 2)
    _, _, edit = picture()
    answered = 0
    with Engine.connect(home=own) as engine:
        model = trained(engine)
        for _ in range(times):
            asked = engine.submit(
                "apply",
                {"model": model, "planes": {"segments": {"hash": edit.hash}}, "options": {}},
                (edit,),
                LONGEST,
            )
            began = time.monotonic()
            rng.wait(0.4, lambda: engine.process(0.0))
            strike_daemon(own) if who == "daemon" else strike_child(own, RENDERER)
            while not asked.done:
                engine.process(0.05)
                assert time.monotonic() - began < LONGEST + 10, "a client waited beyond its deadline"
            try:
                assert asked.result().body["width"] >= 9
                answered += 1
            except EngineError as error:
                assert error.message and error.code in ENGINE_GONE, error.code
        assert engine.apply(model, {"segments": edit}).body["width"] >= 9
    assert answered, "not one edit came through"
    assert library_is_whole(own) == 1


@kills
def test_the_library_always_opens(own: Path, tmp_path: Path, times: int) -> None:
    """Killed while models are renamed, deleted, exported and imported."""
    rng = Chance(times + 3)
    file = tmp_path / "sun.underdrawing"
    with Engine.connect(home=own) as engine:
        first = trained(engine)
        engine.export_model(first, file)
        for number in range(times):
            work = subprocess.Popen([sys.executable, "-c", BUSY, str(own), first, str(file), str(tmp_path)])
            rng.wait(1.2)
            strike_daemon(own)
            if number % 2:
                strike(work.pid)  # the client, too
            assert work.wait(LONGEST) in (0, -signal.SIGKILL)
            names = {model["id"]: model["name"] for model in engine.models()}
            assert names[first] in ("sun", "moon")
            library_is_whole(own)
            for other in set(names) - {first}:
                engine.delete(other)
    assert library_is_whole(own) == 1
    assert not list((own / "training").iterdir())


# A client that writes to the library as fast as it can for a while; being left alone by the engine is no failure.
BUSY = """
import contextlib, sys, time
from pathlib import Path
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
home, model, file, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
until = time.monotonic() + 1.5
while time.monotonic() < until:
    with contextlib.suppress(EngineError):
        with Engine.connect(home=home) as engine:
            while time.monotonic() < until:
                engine.rename(model, "moon")
                came = engine.import_model(file)
                engine.export_model(model, folder / "again.underdrawing")
                engine.rename(model, "sun")
                engine.delete(came["id"])
"""


@pytest.mark.long
@kills
def test_clients_that_die_leave_nothing(own: Path, times: int) -> None:
    """What a dead client waited for is given up, and the engine serves the next one."""
    rng = Chance(times + 4)
    with Engine.connect(home=own) as engine:
        model = trained(engine)
        before = engine.hello()["pid"]
        for _ in range(times):
            client = subprocess.Popen([sys.executable, "-c", PAINTER, str(own), model])
            rng.wait(2.0)
            strike(client.pid)
            client.wait(10)
            assert engine.hello()["pid"] == before
        assert engine.apply(model, {"segments": picture()[2]}).body["width"] >= 9
        wait_for(lambda: not list((own / "spool").glob("*.partial")), 60)


PAINTER = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from tests.engine.trust.conftest import picture
from underdrawing.client.engine import Engine
with Engine.connect(home=Path(sys.argv[1])) as engine:
    while True:
        for seed in range(100):
            engine.upload(picture(seed, 256)[0])
            engine.apply(sys.argv[2], {{"segments": picture()[2]}})
"""
