"""Many at once, and clients that behave badly: one engine, one model, and the others are served."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import MOST_BYTES, request

from ..client.conftest import daemons
from .conftest import QUICK_OPTIONS, WORKER, Raw, children, library_is_whole, picture, pid, train, trained, wait_for

ASK = """
import sys
from pathlib import Path
from underdrawing.client.engine import Engine
with Engine.connect(home=Path(sys.argv[1]), bridge=sys.argv[2] == "True", timeout=120) as engine:
    print(engine.hello()["pid"])
"""


@pytest.mark.parametrize("clients", [12, pytest.param(50, marks=pytest.mark.long)])
def test_many_programs_at_once_start_one_engine(own: Path, clients: int) -> None:
    """Each a process of its own, as hosts are; every tenth over the bridge."""
    programs = [
        subprocess.Popen([sys.executable, "-c", ASK, str(own), str(number % 10 == 0)], stdout=subprocess.PIPE)
        for number in range(clients)
    ]
    told = [int(program.communicate(timeout=180)[0]) for program in programs]
    assert len(told) == clients and set(told) == {pid(own)}
    assert daemons(own) == [pid(own)]
    assert (own / "logs" / "engine.log").read_text().count("listens") == 1


def test_two_programs_that_train_on_the_same_picture_get_one_model(own: Path) -> None:
    with Engine.connect(home=own) as first, Engine.connect(home=own, bridge=True) as second:
        begun = [
            train(engine, "shared", method="deepsim", options=QUICK_OPTIONS, iterations=3) for engine in (first, second)
        ]
        assert begun[0]["job"] == begun[1]["job"] and begun[0]["model"] == begun[1]["model"]
        ended = [engine.watch(begun[0]["job"], deadline=120)["state"] for engine in (first, second)]
        assert ended == ["done", "done"]
        assert [model["id"] for model in second.models()] == [begun[0]["model"]]
        # Another picture is another model.
        other = train(second, "other", 1, method="draft")
        assert other["model"] != begun[0]["model"]
        second.watch(other["job"], deadline=60)
    assert library_is_whole(own) == 2


def memory(own: Path) -> int:
    """The daemon's, in bytes, after a moment in which it gives back what it can."""
    time.sleep(0.5)
    return int(psutil.Process(pid(own)).memory_info().rss)


def test_bad_manners_cost_the_others_nothing(own: Path) -> None:
    """Clients that vanish, stall in mid-upload, flood, and never read; the engine's memory ends as it began."""
    header = Frame(1 << 10, 1 << 10, "RGB", "u8", bytes(3 << 20)).header()
    with Engine.connect(home=own) as engine:
        model = trained(engine)
        engine.apply(model, {"segments": picture()[2]})
        greedy(own, header, 1)  # what a first meeting costs is no leak
        before = memory(own)
        for _ in range(2):
            greedy(own, header, 2)
            began = time.monotonic()
            assert engine.apply(model, {"segments": picture()[2]}, deadline=60).body["width"]
            assert engine.hello()["pid"] == pid(own)
            assert time.monotonic() - began < 60
        wait_for(lambda: not list((own / "spool").glob("*.partial")), 60)
        assert memory(own) < before * 1.05 + (4 << 20)


def greedy(own: Path, header: dict[str, object], times: int) -> None:
    """Some of each kind, who all leave without a word."""
    raws = [Raw(own) for _ in range(4)]
    try:
        vanishing, stalling, flooding, deaf = raws
        chunk = os.urandom(MOST_BYTES)
        for number in range(times):
            stalling.send(
                *request(
                    "put", {"upload": f"u{number}", "header": header, "offset": 0}, (), [chunk[: 1 << 20]]
                ).encode()
            )
            flooding.send(*request("have", {"hashes": []}, (), [chunk]).encode())
            vanishing.send(*request("put", {"upload": f"v{number}"}, (), [chunk]).encode())
            for _ in range(500):
                deaf.send(*request("status", {}).encode())
        assert flooding.ask(request("hello", {})).kind == "reply"
    finally:
        for raw in raws:
            raw.__exit__()


def test_who_asks_for_the_methods_again_and_again_gets_one_process(own: Path) -> None:
    """Only a worker knows the methods, and it loads torch: a process for each question would take the machine."""
    with Engine.connect(home=own) as engine:
        daemon, asking = pid(own), Raw(own)
        try:
            for _ in range(40):
                asking.send(*request("methods", {}).encode())
            seen = []
            call = engine.submit("methods", deadline=120)
            while not call.done:
                engine.process(0.02)
                seen.append(len(children(daemon, WORKER)))
        finally:
            asking.__exit__()
        assert call.error is None
        assert max(seen) == 1
        wait_for(lambda: not children(daemon, WORKER), 30)
