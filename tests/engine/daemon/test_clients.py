"""Who asks: limits for one client that leave the others alone, signs of life, and farewell to the silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import underdrawing.daemon.clients
from underdrawing.client.endpoint import make_home
from underdrawing.client.frames import Frame
from underdrawing.client.messages import UNANSWERED, EngineError, Message, request
from underdrawing.daemon.clients import GONE, HEARTBEAT, MOST_ASKS, MOST_UPLOADS, Ask, Clients
from underdrawing.daemon.server import Daemon, Settings
from underdrawing.store.blob_store import Spool


class Clock:
    """A clock that goes on when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(underdrawing.daemon.clients.time, "monotonic", lambda: self.now)

    def pass_by(self, clients: Clients, seconds: float, step: float = 0.5) -> None:
        """Tick as the daemon does, several times a second."""
        until = self.now + seconds
        while self.now < until:
            self.now += step
            clients.tick(self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def sent() -> list[tuple[bytes, Message]]:
    return []


@pytest.fixture
def gone() -> list[bytes]:
    return []


@pytest.fixture
def clients(clock: Clock, sent: list[tuple[bytes, Message]], gone: list[bytes], tmp_path: Path) -> Iterator[Clients]:
    def send(client: bytes, message: Message) -> None:
        sent.append((client, message))

    made = Clients(send, Spool(tmp_path / "spool"), gone.append)
    yield made
    for owner, name in list(made.uploads):
        made.end_upload(owner, name)


def begin(clients: Clients, client: bytes = b"one", verb: str = "apply", identity: str = "") -> Ask:
    message = request(verb, {})
    if identity:
        message = Message(message.kind, identity, verb)
    clients.hear(client)
    return clients.begin(client, message)


def upload(clients: Clients, number: int, client: bytes = b"one") -> Any:
    header = Frame(4, 4, "L", "u8", bytes([number]) * 16).header()
    return clients.upload(client, f"upload {number}", header)


def code(act: Callable[[], object]) -> str:
    with pytest.raises(EngineError) as caught:
        act()
    return caught.value.code


def test_a_client_at_its_limit_is_refused_and_others_are_not(clients: Clients) -> None:
    for _ in range(MOST_ASKS):
        begin(clients)
    assert code(lambda: begin(clients)) == "queue_full"
    assert begin(clients, b"two").open
    # It must still be able to live, to leave, and to give requests up.
    for verb in UNANSWERED:
        assert begin(clients, verb=verb).open


def test_answers_make_room(clients: Clients) -> None:
    made = [begin(clients) for _ in range(MOST_ASKS)]
    made[0].reply({})
    clients.forget_answered()
    assert begin(clients).open


def test_an_id_belongs_to_one_open_request(clients: Clients) -> None:
    begin(clients, identity="same")
    assert code(lambda: begin(clients, identity="same")) == "queue_full"
    assert begin(clients, b"two", identity="same").open


@pytest.mark.parametrize("verb", UNANSWERED)
def test_what_is_never_answered_displaces_no_request(clients: Clients, verb: str) -> None:
    """Else the request could not be given up any more, and would not count against the limit."""
    asked = begin(clients, identity="same")
    begin(clients, verb=verb, identity="same").open = False
    clients.forget_answered()
    dropped: list[bool] = []
    asked.on_abandon = lambda: dropped.append(True)
    clients.abandon(b"one", "same")
    assert dropped == [True]


def test_an_answer_is_sent_once(clients: Clients, sent: list[tuple[bytes, Message]]) -> None:
    asked = begin(clients)
    asked.event({"event": "begun"})
    asked.reply({"width": 1})
    asked.reply({"width": 2})
    asked.fail(EngineError("late", "Too late."))
    asked.event({"event": "late"})
    assert [message.kind for _, message in sent] == ["event", "reply"]
    assert sent[1][1].body == {"width": 1}


def test_an_answer_whose_picture_is_lost_can_still_become_an_error(
    clients: Clients, sent: list[tuple[bytes, Message]]
) -> None:
    asked = begin(clients)
    with pytest.raises(EngineError) as caught:
        asked.reply({}, ("0" * 64,))
    asked.fail(caught.value)
    assert [message.body["code"] for _, message in sent] == ["unknown_picture"]


def test_those_who_wait_hear_a_sign_of_life(clients: Clients, clock: Clock, sent: list[tuple[bytes, Message]]) -> None:
    asked = begin(clients)
    clock.pass_by(clients, 3 * HEARTBEAT + 1)
    assert [message.body for _, message in sent] == [{"event": "heartbeat"}] * 3
    asked.reply({})
    clients.forget_answered()
    sent.clear()
    clock.pass_by(clients, 2 * HEARTBEAT)
    assert sent == []


def test_a_silent_client_is_dropped_with_all_that_was_its_own(
    clients: Clients, clock: Clock, sent: list[tuple[bytes, Message]], gone: list[bytes]
) -> None:
    silent, lively = begin(clients, b"silent"), begin(clients, b"lively")
    abandoned: list[str] = []
    silent.on_abandon = lambda: abandoned.append("silent")
    lively.on_abandon = lambda: abandoned.append("lively")
    incoming = upload(clients, 1, b"silent")
    for _ in range(int(GONE / HEARTBEAT) + 1):
        clients.hear(b"lively")
        clock.pass_by(clients, HEARTBEAT)
    assert (abandoned, gone) == (["silent"], [b"silent"])
    assert (silent.open, lively.open) == (False, True)
    assert list(clients.seen) == [b"lively"]
    assert clients.uploads == {} and not incoming.path.exists()
    # Should it live after all, it has an answer that says why.
    assert [m.body["code"] for c, m in sent if c == b"silent" and m.kind == "error"] == ["client_silent"]


def test_a_machine_that_slept_blames_nobody(clients: Clients, clock: Clock, gone: list[bytes]) -> None:
    asked = begin(clients)
    clock.pass_by(clients, HEARTBEAT)
    clock.now += 8 * 3600
    clients.tick(clock.now)
    assert asked.open and not gone
    clock.pass_by(clients, GONE + HEARTBEAT)
    assert gone == [b"one"]


def test_a_goodbye_takes_everything_along(clients: Clients, gone: list[bytes]) -> None:
    asked, other = begin(clients), begin(clients, b"two")
    upload(clients, 1)
    clients.gone(b"one")
    assert not asked.open and other.open
    assert clients.uploads == {} and gone == [b"one"]
    assert list(clients.seen) == [b"two"]


def test_giving_up_what_is_not_open_is_nothing(clients: Clients, sent: list[tuple[bytes, Message]]) -> None:
    asked = begin(clients, identity="mine")
    clients.abandon(b"two", "mine")
    clients.abandon(b"one", "another")
    assert asked.open
    clients.abandon(b"one", "mine")
    clients.abandon(b"one", "mine")
    assert not asked.open and sent == []


def test_a_ping_is_told_which_answers_will_never_come(clients: Clients, sent: list[tuple[bytes, Message]]) -> None:
    begin(clients, identity="open")
    clients.answer_ping(b"one", ["open", "lost", 7, "", "x" * 65, None, {"id": "open"}])
    assert [(message.id, message.body["code"]) for _, message in sent] == [("lost", "lost_answer")]


def test_uploads_of_one_client_are_limited_and_end(clients: Clients) -> None:
    begun = [upload(clients, number) for number in range(MOST_UPLOADS)]
    assert code(lambda: upload(clients, 99)) == "queue_full"
    assert upload(clients, 0) is begun[0]
    assert upload(clients, 99, b"two").received == 0
    clients.end_upload(b"one", "upload 0")
    assert not begun[0].path.exists()
    assert upload(clients, 99).received == 0


def test_a_stranger_who_connects_and_says_nothing_is_thrown_out_within_seconds(tmp_path: Path) -> None:
    """ZeroMQ itself would wait for half a minute."""
    daemon = Daemon(make_home(tmp_path / "home"), Settings())
    daemon.listen()
    try:
        assert 0 < daemon.socket.handshake_ivl <= 10_000  # milliseconds
        assert 0 < daemon.socket.heartbeat_ivl < daemon.socket.heartbeat_timeout <= 60_000
    finally:
        daemon.close()
