"""A daemon that a test steps by hand, without sockets and processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from underdrawing.client.frames import Frame
from underdrawing.client.messages import Message, decode, request
from underdrawing.daemon.child_process import ChildTask
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.server import Daemon, Settings

PICTURE = Frame(8, 6, "RGB", "u8", bytes(range(144)))
OTHER = Frame(8, 6, "RGB", "u8", bytes(144))


class Desk:
    """A daemon, and what it sends. What it would have a renderer do is written down instead."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.daemon = Daemon(home, Settings())
        self.sent: list[tuple[bytes, Message]] = []
        self.rendered: list[tuple[ChildTask, Ask, tuple[str, ...]]] = []
        monkeypatch.setattr(self.daemon, "send", self._send)
        self.daemon.clients._send = self._send
        monkeypatch.setattr(self.daemon.rendering, "submit", self._submit)

    def _send(self, client: bytes, message: Message) -> None:
        # Through the wire's own checks: what a client would refuse is no answer.
        self.sent.append((client, decode(message.encode())))

    def _submit(self, task: ChildTask, ask: Ask, pins: tuple[str, ...] = ()) -> None:
        self.rendered.append((task, ask, pins))

    def say(self, verb: str, body: dict[str, Any], frames: Sequence[Frame] = (), client: bytes = b"one") -> str:
        """A request; its id."""
        message = request(verb, body, [f.header() for f in frames], [f.blob() for f in frames])
        self.daemon.receive([client, *message.encode()])
        return message.id

    def answer(self, identity: str) -> Message:
        """The end of a request, once what goes on beside the loop has come about."""
        until = time.monotonic() + 30
        while True:
            self.daemon.inbox.run()
            for _, message in self.sent:
                if message.id == identity and message.kind != "event":
                    return message
            assert time.monotonic() < until, "no answer came"
            time.sleep(0.005)

    def ask(self, verb: str, body: dict[str, Any], frames: Sequence[Frame] = (), client: bytes = b"one") -> Message:
        return self.answer(self.say(verb, body, frames, client))

    def rest(self) -> None:
        """Until nothing goes on beside the loop."""
        until = time.monotonic() + 30
        while self.daemon._chores:
            assert time.monotonic() < until
            self.daemon.inbox.run()
            time.sleep(0.005)


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(home, monkeypatch)
    yield made
    made.daemon.chores.shutdown()
    made.daemon.inbox.close()
    made.daemon.context.term()


def training(**more: Any) -> dict[str, Any]:
    return {"picture": {"hash": PICTURE.hash}, "planes": {"paint": {"hash": OTHER.hash}}, **more}


def code(message: Message) -> str:
    assert message.kind == "error", message
    assert message.body["message"]
    return str(message.body["code"])
