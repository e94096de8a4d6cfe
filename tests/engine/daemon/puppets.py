"""Puppets in the place of child processes; the test says when they answer."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from underdrawing.client.messages import EngineError
from underdrawing.daemon import render_queue as rendering_module
from underdrawing.daemon import training_supervisor
from underdrawing.daemon.child_process import CRASHED, ChildTask, Inbox

IDLE, PLENTY = 300.0, 1 << 40


class Puppet:
    """What the queues see of a child; the test says when it answers, and whether it can be started at all."""

    made: list[Puppet]
    refuse: bool

    def __init__(self, *_: object) -> None:
        if Puppet.refuse:
            raise EngineError("not_startable", "A process could not be started.", "Close other programs.")
        self.tasks: dict[int, ChildTask] = {}
        self.alive, self.suspended, self.idle_since = True, False, 0.0
        self.told: list[tuple[int, str, float]] = []
        self.process = SimpleNamespace(pid=len(Puppet.made))
        Puppet.made.append(self)

    def give(self, task: ChildTask) -> None:
        task.attempts += 1
        self.tasks[task.number] = task

    def control(self, number: int, what: str, patience: float = 0.7) -> None:
        self.suspended = False
        self.told.append((number, what, patience))
        if number in self.tasks:
            self.tasks[number].kill_at = patience

    def answer(self, result: dict[str, Any] | None, error: EngineError | None = None) -> None:
        """The end of what it does."""
        _, task = self.tasks.popitem()
        task.on_end(result, error)

    def crash(self, error: EngineError = CRASHED) -> None:
        self.alive = False
        self.answer(None, error)

    def suspend(self) -> None:
        self.suspended = True

    def resume(self) -> None:
        self.suspended = False

    def tick(self, now: float, most: int) -> None:
        pass

    def kill(self) -> None:
        self.alive = False

    def memory(self) -> int:
        return 7


@pytest.fixture(autouse=True)
def puppets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Puppet]]:
    Puppet.made, Puppet.refuse = [], False
    for module in (rendering_module, training_supervisor):
        monkeypatch.setattr(module, "Child", Puppet)
    yield Puppet.made


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()
