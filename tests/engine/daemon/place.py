"""A place with real child processes, stepped by hand."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from underdrawing.client.messages import EngineError, Message, request
from underdrawing.daemon.child_process import Child, ChildTask, Inbox
from underdrawing.daemon.clients import Ask
from underdrawing.store.blob_store import Spool
from underdrawing.store.model_library import Library

FOREVER, PLENTY = 60.0, 1 << 40


class Place:
    """What a daemon has: an inbox, a spool, a library, and a loop that `until` runs."""

    def __init__(self, home: Path) -> None:
        self.home, self.inbox, self.spool, self.library = home, Inbox(), Spool(home / "spool"), Library(home)
        self.ticking: list[Callable[[], None]] = []
        self.sent: list[Message] = []
        self.ended: list[tuple[dict[str, Any] | None, EngineError | None]] = []
        self.events: list[dict[str, Any]] = []
        self._number = 0

    def until(self, what: Callable[[], object]) -> None:
        """Run the loop until something is so."""
        end = time.monotonic() + 30
        while not what():
            assert time.monotonic() < end, "it did not come about"
            self.inbox.run()
            for tick in self.ticking:
                tick()
            time.sleep(0.005)

    def task(
        self, name: str = "apply", on_event: Any = None, on_end: Any = None, args: Any = None, **more: Any
    ) -> ChildTask:
        self._number += 1
        ended = on_end or (lambda result, error: self.ended.append((result, error)))
        return ChildTask(self._number, name, {**(args or {}), **more}, on_event or self.events.append, ended)

    def ask(self, client: bytes = b"one") -> Ask:
        return Ask(lambda _, message: self.sent.append(message), self.spool, client, request("apply", {}))


@pytest.fixture
def place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    made, seen = Place(home), []
    begin = Child.__init__

    def remembered(self: Child, *args: Any) -> None:
        begin(self, *args)
        seen.append(self)

    monkeypatch.setattr(Child, "__init__", remembered)
    yield made
    made.ticking.clear()

    def over() -> bool:
        for one in seen:  # what waits in a queue starts another
            one.kill()
        return all(one.process.stdin is None or one.process.stdin.closed for one in seen)

    made.until(over)
    made.inbox.close()


@pytest.fixture
def child(place: Place) -> Child:
    made = Child("scripted", "scripted", place.inbox, place.home / "run" / "child-test.json")
    place.ticking.append(lambda: made.tick(time.monotonic(), PLENTY))
    return made
