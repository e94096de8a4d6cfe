"""Real engines for the tests of the protocol: one with the usual children, one whose children are slow on purpose."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import zmq

from underdrawing.client.endpoint import Connection, make_home
from underdrawing.client.engine import Engine
from underdrawing.client.keys import load_pair
from underdrawing.client.messages import Message, decode

# Children of the standard library alone: they start at once, and take as long as a test wants.
SLOW_RENDERER = """
import json, time
from pathlib import Path
from underdrawing.store.worker_pipe import serve

def primitive(args, context):
    until = time.monotonic() + float(args["options"].get("seconds", 0))
    context.event("begun")
    while time.monotonic() < until and context.wanted() is None:
        time.sleep(0.01)
    if args["options"].get("crash"):
        import os
        os._exit(3)
    return {"planes": [{"name": "paint", "hash": args["picture"]["hash"]}], "palette": [], "notes": []}

def status(args, context):
    return {"loaded": [], "device": ""}

serve({"primitive": primitive, "status": status})
"""
SLOW_WORKER = """
import time
from underdrawing.store.worker_pipe import serve

def train(args, context):
    context.event("note", text="slow on purpose")
    iteration = 0
    while context.wanted() is None:
        iteration += 1
        context.event("progress", phase="training", iteration=iteration, fraction=0.5, device="CPU")
        time.sleep(0.05)
    return {"state": "paused", "figures": {"iterations": iteration}}

serve({"train": train, "describe": lambda args, context: {"methods": [], "devices": []}})
"""


def end(folder: Path) -> None:
    """End every process that has this home in its command line; children end with their daemon."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or []):
            with contextlib.suppress(psutil.Error):
                process.kill()
                process.wait(10)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of the engine that most tests share: with blanks, quotes and letters that are not ASCII."""
    place = tmp_path_factory.mktemp("shared") / "Bilder & „Maße“ 'ñ 画"
    yield place
    end(place)


# Over the bridge these are enough for every day: it carries the same messages. The others run with `--long`.
OVER_THE_BRIDGE = {
    "test_hello_says_who_is_there",
    "test_pictures_of_every_size_come_back_as_they_were",
    "test_big_answers_are_fetched",
    "test_cancelled_is_asked_and_obeyed",
    "test_a_killed_engine_is_replaced_and_asked_again",
    "test_an_engine_that_hangs_is_told_from_one_that_works",
    "test_an_engine_that_cannot_start_says_why",
    "test_a_client_with_an_unknown_key_is_told_so",
}


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Over the bridge only what is chosen above runs every day."""
    for item in items:
        given = getattr(item, "callspec", None)
        if given is not None and given.params.get("bridge") and item.originalname not in OVER_THE_BRIDGE:
            item.add_marker(pytest.mark.long)


@pytest.fixture(params=[False, True], ids=["zmq", "bridge"])
def bridge(request: pytest.FixtureRequest) -> bool:
    """A test that takes this runs over both transports."""
    return bool(request.param)


@pytest.fixture
def engine(folder: Path, bridge: bool) -> Iterator[Engine]:
    """A connection to the shared engine."""
    with Engine.connect(home=folder, bridge=bridge) as connected:
        yield connected


@pytest.fixture
def direct(folder: Path) -> Iterator[Engine]:
    """The same over ZeroMQ alone, for tests in which the transport plays no part."""
    with Engine.connect(home=folder, bridge=False) as connected:
        yield connected


@pytest.fixture(scope="session")
def slow_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a shared engine whose children are slow on purpose."""
    modules, place = tmp_path_factory.mktemp("modules"), tmp_path_factory.mktemp("slow home")
    (modules / "slow_renderer.py").write_text(SLOW_RENDERER)
    (modules / "slow_worker.py").write_text(SLOW_WORKER)
    make_home(place)
    command = [sys.executable, "-m", "underdrawing.daemon", "--home", str(place), "--renderer", "slow_renderer"]
    daemon = subprocess.Popen(
        [*command, "--worker", "slow_worker", "--idle-exit", "1800"],
        env={**os.environ, "PYTHONPATH": str(modules)},
        cwd=place,
    )
    wait_for(lambda: Connection.read(place) is not None)
    yield place
    end(place)
    daemon.wait(10)


@pytest.fixture
def slow(slow_folder: Path, bridge: bool) -> Iterator[Engine]:
    """A connection to the slow engine."""
    with Engine.connect(start=False, home=slow_folder, bridge=bridge) as connected:
        yield connected


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """The home of an engine for one test alone; not there yet."""
    place = tmp_path / "own"
    yield place
    end(place)


class Raw:
    """A client that says whatever a test wants: a bare DEALER socket.

    Args:
        pair: its keys; None takes the user's own.
    """

    def __init__(self, folder: Path, pair: tuple[bytes, bytes] | None = None) -> None:
        connection = Connection.read(folder)
        assert connection is not None
        public, secret = pair or load_pair(folder / "keys", "client", create=False)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.curve_serverkey = connection.public_key.encode()
        self.socket.connect(connection.endpoint)

    def send(self, *parts: bytes) -> None:
        """These parts as they are."""
        self.socket.send_multipart(parts)

    def receive(self, seconds: float = 10.0) -> Message | None:
        """The next message; None where none comes in time."""
        return decode(self.socket.recv_multipart()) if self.socket.poll(int(seconds * 1000)) else None

    def ask(self, message: Message) -> Message:
        """The end of a request."""
        self.send(*message.encode())
        while True:
            answer = self.receive()
            assert answer is not None, "no answer"
            if answer.id == message.id and answer.kind != "event":
                return answer

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close(0)
        self.context.term()


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is so. The bound is generous: it only ends tests that would never end."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def pid(folder: Path) -> int:
    """The daemon's process."""
    connection = Connection.read(folder)
    assert connection is not None
    return connection.pid


def kill(folder: Path) -> None:
    """kill -9 for the daemon of this home."""
    number = pid(folder)
    process = psutil.Process(number)
    os.kill(number, signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.wait(10)


def daemons(folder: Path) -> list[int]:
    """All engines of this home."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "underdrawing.daemon" in words and str(folder) in words:
            found.append(process.pid)
    return found
