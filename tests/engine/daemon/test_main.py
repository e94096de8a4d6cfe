"""The engine's program: one in a home, an end when nobody needs it, logs that stay small and tell no secrets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from underdrawing.client.endpoint import Connection, make_home
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.daemon.main import LOG_BYTES, LOGS

WORKER = """
import os, time
from pathlib import Path
from underdrawing.store.worker_pipe import serve

def train(args, context):
    folder = Path(args["folder"])
    iteration = int((folder / "checkpoint").read_text()) if (folder / "checkpoint").exists() else 0
    while context.wanted() is None:
        iteration += 1
        context.event("progress", phase="training", iteration=iteration, device="CPU", loss=float("nan"))
        time.sleep(0.02)
    (folder / "checkpoint").write_text(str(iteration))
    return {"state": "paused", "figures": {"iterations": iteration, "losses": {"vgg": float("inf")}}}

serve({"train": train})
"""
PICTURE = Frame(8, 6, "RGB", "u8", bytes(144))
posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is so; the bound only ends tests that would never end."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


class Place:
    """A home, and the engines that a test starts in it."""

    def __init__(self, folder: Path, modules: Path) -> None:
        self.folder, self.modules = folder, modules
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> subprocess.Popen[str]:
        """An engine with a worker that trains nothing."""
        command = [
            sys.executable,
            "-m",
            "underdrawing.daemon",
            "--home",
            str(self.folder),
            "--worker",
            "unlearned",
        ]
        process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(self.modules), *sys.path])},
        )
        self.started.append(process)
        return process

    def running(self, *options: str) -> subprocess.Popen[str]:
        """The same, once it listens."""
        process = self.start(*options)

        def listens() -> bool:
            assert process.poll() is None, process.communicate()
            connection = Connection.read(self.folder)
            return connection is not None and connection.pid == process.pid

        wait_for(listens)
        return process

    def connect(self) -> Engine:
        return Engine.connect(start=False, home=self.folder, bridge=False)

    def log(self) -> str:
        return (self.folder / "logs" / "engine.log").read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "unlearned.py").write_text(WORKER, encoding="utf-8")
    made = Place(tmp_path / "home ä", modules)
    yield made
    for process in made.started:
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.communicate()


def train(engine: Engine, **more: object) -> dict[str, str]:
    begun: dict[str, str] = engine.train(PICTURE, {"paint": PICTURE}, **more)
    wait_for(lambda: engine.jobs()[-1]["progress"].get("iteration", 0) > 2)
    return begun


def worker_of(engine: Engine) -> psutil.Process:
    return psutil.Process(engine.status()["worker"]["pid"])


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("options", [("--idle-exit", "0.5"), ()])
def test_an_engine_that_nobody_needs_ends(
    place: Place, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERDRAWING_IDLE_EXIT", "600" if options else "0.5")
    process = place.running(*options)
    assert process.wait(30) == 0
    assert Connection.read(place.folder) is None
    assert "the engine exits" in place.log()
    assert not list((place.folder / "run").glob("child-*"))


def test_an_engine_that_trains_is_needed(place: Place) -> None:
    process = place.running("--idle-exit", "0.5")
    with place.connect() as engine:
        begun = train(engine)
    time.sleep(1.5)  # three times the patience it would have without work
    assert process.poll() is None
    with place.connect() as engine:
        engine.cancel(begun["job"])
    assert process.wait(30) == 0


def test_a_second_engine_in_a_home_leaves_it_to_the_first(place: Place) -> None:
    first = place.running()
    second = place.start()
    assert second.wait(30) == 0
    assert first.poll() is None
    with place.connect() as engine:
        assert engine.hello()["pid"] == first.pid


def test_engines_started_at_once_are_one_in_the_end(place: Place) -> None:
    several = [place.start() for _ in range(3)]
    wait_for(lambda: sum(process.poll() is None for process in several) == 1)
    (left,) = [process for process in several if process.poll() is None]
    assert all(process.returncode == 0 for process in several if process is not left)
    wait_for(lambda: (found := Connection.read(place.folder)) is not None and found.pid == left.pid)
    with place.connect() as engine:
        assert engine.hello()["pid"] == left.pid


def test_two_homes_have_two_engines(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", place.modules)
    try:
        first, second = place.running(), other.running()
        assert first.poll() is None and second.poll() is None
    finally:
        for process in other.started:
            process.kill()
            process.communicate()


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_it_with_a_checkpoint_and_the_next_engine_goes_on(place: Place, name: str) -> None:
    process = place.running()
    with place.connect() as engine:
        begun, worker = train(engine, name="cut short"), worker_of(engine)
    process.send_signal(getattr(signal, name))
    assert process.wait(30) == 0
    assert ended(worker)
    staging = place.folder / "training" / begun["model"]
    reached = int((staging / "checkpoint").read_text())
    assert json.loads((staging / "job.json").read_text(encoding="utf-8"))["state"] == "queued"
    place.running()
    with place.connect() as engine:
        wait_for(lambda: engine.jobs()[0]["progress"].get("iteration", 0) > reached)
        (job,) = engine.jobs()
        assert (job["job"], job["name"]) == (begun["job"], "cut short")


@posix
def test_a_killed_engine_leaves_no_children_and_the_next_one_goes_on(place: Place) -> None:
    process = place.running()
    with place.connect() as engine:
        begun, worker = train(engine), worker_of(engine)
    process.kill()
    wait_for(lambda: ended(worker))
    assert Connection.read(place.folder) is not None  # nobody took it away, and it misleads nobody
    process.wait(10)
    place.running()
    with place.connect() as engine:
        assert [job["job"] for job in engine.jobs()] == [begun["job"]]
        assert worker_of(engine).pid != worker.pid


def test_numbers_that_are_none_spoil_no_answer(place: Place) -> None:
    """A loss that is NaN, or a figure that is infinite, is no JSON: jobs must be listed all the same."""
    place.running()
    with place.connect() as engine:
        begun = train(engine)
        (job,) = engine.jobs()
        assert job["progress"]["loss"] is None
        engine.pause(begun["job"])
        paused = engine.watch(begun["job"], deadline=30)
        assert paused["state"] == "paused"
        assert paused["figures"]["losses"] == {"vgg": None}


def test_logs_stay_small_and_hold_no_secrets(place: Place) -> None:
    logs = make_home(place.folder) / "logs"
    (logs / "engine.log").write_text("x" * (LOG_BYTES - 10), encoding="utf-8")
    for number in range(1, LOGS + 1):
        (logs / f"engine.log.{number}").write_text(f"older {number}", encoding="utf-8")
    process = place.running()
    with place.connect() as engine:
        begun = train(engine, name="a secret name")
        engine.cancel(begun["job"])
        engine.shutdown()
    assert process.wait(30) == 0
    kept = sorted(path.name for path in logs.glob("engine.log*"))
    assert kept == ["engine.log", *(f"engine.log.{number}" for number in range(1, LOGS + 1))]
    assert (logs / "engine.log.2").read_text(encoding="utf-8") == "older 1"
    assert (logs / "engine.log").stat().st_size < LOG_BYTES
    words = "".join(path.read_text(encoding="utf-8") for path in logs.iterdir())
    secrets = [
        word for path in (place.folder / "keys").rglob("*") if path.is_file() for word in path.read_text().split()
    ]
    secrets = [word.strip('"') for word in secrets if len(word.strip('"')) >= 40]
    assert secrets
    assert not [word for word in secrets if word in words]
    assert PICTURE.hash not in words and "a secret name" not in words


def test_a_home_that_cannot_be_used_is_said(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    place.folder = tmp_path / "file" / "home"
    process = place.start()
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "cannot be used" in errors and "UNDERDRAWING_HOME" in errors
    assert "Traceback" not in errors and output == ""


@pytest.mark.parametrize("damage", ["run/engine.json", "run/child-train.json", "run/precision.json"])
def test_damaged_files_of_a_former_engine_keep_nobody_from_starting(place: Place, damage: str) -> None:
    make_home(place.folder)
    (place.folder / damage).write_bytes(b"\xff{[")
    place.running()
    with place.connect() as engine:
        assert engine.models() == []


def test_a_training_that_cannot_be_read_keeps_nobody_from_starting(place: Place) -> None:
    make_home(place.folder)
    whole = {"id": "1", "model": "0123456789a3", "name": "x", "args": {}, "key": "", "keep": True, "state": "queued"}
    texts = ["{", "", "[" * 100_000, json.dumps({**whole, "created": 10**400})]
    for number, text in enumerate(texts):
        folder = place.folder / "training" / f"0123456789a{number}"
        folder.mkdir()
        (folder / "job.json").write_text(text, encoding="utf-8")
    (place.folder / "training" / "notes of the user.txt").write_text("mine")
    place.running()
    with place.connect() as engine:
        assert engine.jobs() == []
        with pytest.raises(EngineError):
            engine.resume("0123456789a0")
    assert [path.name for path in (place.folder / "training").iterdir()] == ["notes of the user.txt"]
