"""The pipe to a child that says whatever it likes, or does not listen: the engine stays, and stays awake."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from underdrawing.client.messages import EngineError
from underdrawing.daemon.child_process import LONGEST_LINE, Child, ChildTask, Inbox

PRELUDE = """
import json, os, sys, time
def say(*lines):
    for line in lines:
        data = line if isinstance(line, bytes) else line.encode()
        while data:
            data = data[os.write(1, data):]
def end(**more):
    say(json.dumps({"id": 1, "ok": True, "result": {}, **more}) + "\\n")
    sys.stdin.read()
"""


class Pipe:
    """Children of a test, each running a few lines of Python, and what is heard of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.inbox = folder, Inbox()
        self.children: list[Child] = []
        self.events: list[dict[str, Any]] = []
        self.ends: list[tuple[dict[str, Any] | None, EngineError | None]] = []

    def child(self, program: str) -> Child:
        module = f"hostile{len(self.children)}"
        (self.folder / f"{module}.py").write_text(PRELUDE + program, encoding="utf-8")
        made = Child(module, module, self.inbox, self.folder / "child-test.json")
        self.children.append(made)
        return made

    def task(self, number: int = 1, on_event: Callable[[dict[str, Any]], None] | None = None, **args: Any) -> ChildTask:
        return ChildTask(number, "apply", args, on_event or self.events.append, lambda r, e: self.ends.append((r, e)))

    def until(self, what: Callable[[], object]) -> None:
        end = time.monotonic() + 30
        while not what():
            assert time.monotonic() < end, "it did not come about"
            self.inbox.run()
            time.sleep(0.005)


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    made = Pipe(tmp_path)
    yield made
    for child in made.children:
        child.kill()
    made.until(lambda: not any(child.alive or child.tasks for child in made.children))
    made.inbox.close()


@pytest.mark.parametrize(
    "program",
    [
        r'say(b"\xff\xfe\x00\n", b"\n" * 1000, b"\r\n", "null\n", "7\n", "[]\n", "\"text\"\n", "{\n")',
        r'say("[" * 100_000 + "\n", "{\"id\": " + "9" * 5000 + "}\n")',
        r'say("{\"id\": null}\n", "{\"id\": [1]}\n", "{\"id\": {}}\n", "{\"id\": 1.5}\n", "{\"id\": \"1\"}\n")',
        r'say("{\"id\": 2, \"ok\": true, \"result\": {}}\n", "{\"id\": -1, \"event\": \"x\"}\n")',
        f'say("x" * {LONGEST_LINE + 1000}, "\\n")',
        'os.write(2, b"\\xff" * 100_000); print("on standard error", file=sys.stderr)',
    ],
    ids=["no JSON", "too deep", "no number", "of others", "an endless line", "noise"],
)
def test_what_is_no_line_of_ours_is_passed_over(pipe: Pipe, program: str) -> None:
    child = pipe.child(f"{program}\nend()\n")
    child.give(pipe.task())
    pipe.until(lambda: pipe.ends)
    assert pipe.ends == [({}, None)]
    assert child.alive and not child.tasks


@pytest.mark.parametrize(
    "answer",
    ["ok=1", "ok='true'", "result=[]", "result=None", "ok=False, error=None", "ok=False, error={'code': []}"],
)
def test_an_answer_that_is_none_is_an_error(pipe: Pipe, answer: str) -> None:
    pipe.child(f"end(**dict({answer}))").give(pipe.task())
    pipe.until(lambda: pipe.ends)
    result, error = pipe.ends[0]
    assert result is None
    assert error is not None and error.message and json.dumps(error.as_dict())


def test_an_answer_counts_once(pipe: Pipe) -> None:
    answer = '{"id": 1, "ok": true, "result": {"n": %d}}\\n'
    pipe.child(f"say(*['{answer}' % n for n in range(5)])\nend()").give(pipe.task())
    pipe.until(lambda: pipe.ends)
    child = pipe.children[0]
    child.kill()
    pipe.until(lambda: not child.alive)
    for _ in range(20):
        pipe.inbox.run()
        time.sleep(0.005)
    assert pipe.ends == [({"n": 0}, None)]


def test_a_listener_that_fails_hears_what_comes_next(pipe: Pipe) -> None:
    heard: list[int] = []

    def fails(event: dict[str, Any]) -> None:
        heard.append(event["n"])
        raise ValueError("a listener's own fault")

    program = 'say(*[json.dumps({"id": 1, "event": "x", "n": n}) + "\\n" for n in range(3)])\nend()'
    pipe.child(program).give(pipe.task(on_event=fails))
    pipe.until(lambda: pipe.ends)
    assert heard == [0, 1, 2]


def test_numbers_that_are_no_json_become_nothing(pipe: Pipe) -> None:
    program = 'say(\'{"id": 1, "event": "progress", "loss": NaN, "rate": [-Infinity, Infinity, 1.5]}\\n\')\nend()'
    pipe.child(program).give(pipe.task())
    pipe.until(lambda: pipe.ends)
    assert pipe.events == [{"event": "progress", "loss": None, "rate": [None, None, 1.5]}]


def test_a_child_that_does_not_listen_holds_nobody_up(pipe: Pipe) -> None:
    """More than any pipe takes in one go, for a child that never reads: giving it returns, and so does the end."""
    child = pipe.child("time.sleep(60)")
    child.give(pipe.task(options="x" * (4 << 20)))
    child.control(1, "cancel", 0.0)
    child.tick(time.monotonic() + 1.0, 1 << 40)
    pipe.until(lambda: pipe.ends)
    assert pipe.ends[0][1] is not None and pipe.ends[0][1].code == "cancelled"


def test_a_long_task_arrives_whole(pipe: Pipe) -> None:
    program = 'task = json.loads(sys.stdin.readline())\nend(result={"length": len(task["args"]["options"])})'
    pipe.child(program).give(pipe.task(options="ü" * (1 << 20)))
    pipe.until(lambda: pipe.ends)
    assert pipe.ends == [({"length": 1 << 20}, None)]


def test_an_end_in_the_middle_of_a_line_is_a_crash(pipe: Pipe) -> None:
    pipe.child('say(\'{"id": 1, "ok": tr\')').give(pipe.task())
    pipe.until(lambda: pipe.ends)
    assert pipe.ends[0][1] is not None and pipe.ends[0][1].code == "crashed"


def test_a_module_that_is_not_there_is_a_crash(pipe: Pipe) -> None:
    child = Child("underdrawing.no.such.module", "nobody", pipe.inbox, pipe.folder / "child-nobody.json")
    pipe.children.append(child)
    child.give(pipe.task())
    pipe.until(lambda: pipe.ends)
    assert pipe.ends[0][1] is not None and pipe.ends[0][1].code == "crashed"


def test_a_program_that_cannot_be_started_is_said(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(pipe.folder / "no python"))
    with pytest.raises(EngineError) as caught:
        pipe.child("")
    assert caught.value.code == "not_startable"
    assert not (pipe.folder / "child-test.json").exists()


def test_what_a_child_started_ends_with_it(pipe: Pipe) -> None:
    program = """
import subprocess
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
say(json.dumps({"id": 1, "event": "begun", "pid": inner.pid}) + "\\n")
time.sleep(60)
"""
    child = pipe.child(program)
    child.give(pipe.task())
    pipe.until(lambda: pipe.events)
    inner = psutil.Process(pipe.events[0]["pid"])
    child.kill()
    pipe.until(lambda: not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE)


def test_the_record_of_the_next_child_stays(pipe: Pipe) -> None:
    """The end of the former one is heard only after the next was started."""
    first = pipe.child("time.sleep(60)")
    first.kill()
    first.process.wait(10)
    second = pipe.child("time.sleep(60)")
    first.ended()
    assert json.loads((pipe.folder / "child-test.json").read_text())["pid"] == second.process.pid
    second.kill()
    second.process.wait(10)
    second.ended()
    assert not (pipe.folder / "child-test.json").exists()
