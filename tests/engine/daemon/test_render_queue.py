"""The renderer's queue: who comes first, who is refused, what becomes of those who wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.daemon.puppets import IDLE, PLENTY, Puppet, inbox, puppets
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError, Message, request
from underdrawing.daemon.child_process import CANCELLED, ChildTask, Inbox
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.render_queue import MOST_OF_ONE, MOST_WAITING, PATIENT, Rendering
from underdrawing.store.blob_store import Spool

__all__ = ["inbox", "puppets"]  # fixtures


class Counter:
    """The renderer's queue and those who stand in it."""

    def __init__(self, home: Path, inbox: Inbox) -> None:
        self.spool = Spool(home / "spool")
        self.ways: list[bool] = []
        self.rendering = Rendering("none", inbox, home / "run", self.spool, IDLE, self.ways.append)
        self.sent: list[Message] = []
        self.ends: list[tuple[int, dict[str, Any] | None, str]] = []
        self._number = 0

    def submit(self, name: str = "apply", client: bytes = b"one", pins: tuple[str, ...] = ()) -> Ask:
        """Ask for something; the number of its task is how many came before."""
        number, self._number = self._number, self._number + 1

        def ended(result: dict[str, Any] | None, error: EngineError | None) -> None:
            self.ends.append((number, result, "" if error is None else error.code))
            if error is not None:
                ask.fail(error)
            else:
                ask.reply(result or {}, tuple((result or {}).get("keys", ())))

        ask = Ask(lambda _, message: self.sent.append(message), self.spool, client, request(name, {}))
        self.rendering.submit(ChildTask(number, name, {}, lambda _: None, ended), ask, pins)
        return ask

    @property
    def doing(self) -> int | None:
        """The number of what is done now."""
        current = self.rendering.current
        return None if current is None else current.task.number


@pytest.fixture
def counter(home: Path, inbox: Inbox) -> Counter:
    return Counter(home, inbox)


def done(puppets: list[Puppet], count: int = 1) -> None:
    for _ in range(count):
        puppets[-1].answer({})


def order(counter: Counter) -> list[int]:
    return [number for number, _, _ in counter.ends]


def test_applying_overtakes_and_the_others_keep_their_order(counter: Counter, puppets: list[Puppet]) -> None:
    for name in ("primitive", "region", "layout", "apply", "primitive", "status", "apply"):
        counter.submit(name)
    done(puppets, 7)
    assert order(counter) == [0, 3, 5, 6, 1, 2, 4]
    assert len(puppets) == 1


def test_who_waited_for_long_is_not_overtaken_any_more(counter: Counter, puppets: list[Puppet]) -> None:
    for name in ("apply", "primitive", "primitive", "apply"):
        counter.submit(name)
    counter.rendering.waiting[0].since -= PATIENT + 1
    done(puppets, 4)
    assert order(counter) == [0, 1, 3, 2]


def test_training_makes_way_until_nothing_waits(counter: Counter, puppets: list[Puppet]) -> None:
    counter.submit()
    counter.submit()
    assert counter.ways == [True]
    done(puppets)
    assert counter.ways == [True, True]
    done(puppets)
    assert counter.ways[-1] is False


def test_a_crash_is_tried_once_more_before_those_who_came_later(counter: Counter, puppets: list[Puppet]) -> None:
    counter.submit("primitive")
    counter.submit("primitive")
    puppets[0].crash()
    assert (counter.doing, len(puppets)) == (0, 2)
    puppets[1].crash()
    assert counter.ends == [(0, None, "crashed")]
    assert (counter.doing, len(puppets)) == (1, 3)
    done(puppets)
    assert counter.ends[-1] == (1, {}, "")


@pytest.mark.parametrize("error", [CANCELLED, EngineError("out_of_memory", "Too much.", "Less.")])
def test_other_ends_are_not_tried_again(counter: Counter, puppets: list[Puppet], error: EngineError) -> None:
    counter.submit()
    puppets[0].crash(error)
    assert counter.ends == [(0, None, error.code)]
    assert len(puppets) == 1


def test_a_crash_of_what_nobody_waits_for_is_not_tried_again(counter: Counter, puppets: list[Puppet]) -> None:
    counter.submit().open = False
    puppets[0].crash()
    assert counter.doing is None and len(puppets) == 1


def test_what_nobody_waits_for_is_dropped_or_cancelled(counter: Counter, puppets: list[Puppet]) -> None:
    running, waiting = counter.submit(), counter.submit()
    waiting.on_abandon()
    assert counter.rendering.waiting == []
    running.on_abandon()
    assert [(number, what) for number, what, _ in puppets[0].told] == [(0, "cancel")]
    running.on_abandon()
    waiting.on_abandon()


def test_the_queue_is_shared_fairly(counter: Counter) -> None:
    clients = MOST_WAITING // MOST_OF_ONE
    counter.submit(client=b"first")
    for number in range(clients):
        for _ in range(MOST_OF_ONE):
            counter.submit(client=str(number).encode())
        with pytest.raises(EngineError) as caught:
            counter.submit(client=str(number).encode())
        assert caught.value.code == "queue_full"
    with pytest.raises(EngineError, match=f"{MOST_WAITING} requests"):
        counter.submit(client=b"one more")


def test_pictures_are_kept_while_somebody_needs_them(counter: Counter, puppets: list[Puppet]) -> None:
    frame = Frame(4, 4, "L", "u8", bytes(16))
    key = counter.spool.put(frame.header(), frame.blob())
    counter.spool.limit = 0
    counter.submit(pins=(key,))
    waiting = counter.submit(pins=(key,))
    counter.submit(pins=(key,))
    for act in (puppets[0].crash, waiting.on_abandon, lambda: done(puppets)):
        act()
        counter.spool.sweep()
        assert counter.spool.has(key)
    done(puppets)
    assert not counter.spool.pinned
    counter.spool.sweep()
    assert not counter.spool.has(key)


def test_a_refused_request_keeps_no_pictures(counter: Counter) -> None:
    for _ in range(MOST_OF_ONE + 1):
        counter.submit()
    with pytest.raises(EngineError):
        counter.submit(pins=("0" * 64,))
    assert not counter.spool.pinned


def test_when_no_process_can_be_started_nobody_is_forgotten(counter: Counter, puppets: list[Puppet]) -> None:
    """The renderer crashed while several waited, and the machine has no room for another."""
    for _ in range(3):
        counter.submit(pins=("0" * 64,))
    Puppet.refuse = True
    puppets[0].crash()
    assert sorted(counter.ends) == [(number, None, "not_startable") for number in range(3)]
    assert counter.doing is None and not counter.rendering.waiting and not counter.spool.pinned
    assert counter.ways[-1] is False
    Puppet.refuse = False
    counter.submit()
    done(puppets)
    assert counter.ends[-1] == (3, {}, "")


def test_an_answer_that_cannot_be_used_is_an_error(counter: Counter, puppets: list[Puppet]) -> None:
    asked = counter.submit()
    counter.submit()
    puppets[0].answer({"keys": ["0" * 64]})
    assert not asked.open and counter.sent[-1].body["code"] == "unknown_picture"
    puppets[0].answer({"keys": 7})
    assert counter.sent[-1].body["code"] == "internal"
    assert counter.doing is None


def test_only_an_unused_renderer_ends(counter: Counter, puppets: list[Puppet]) -> None:
    assert counter.rendering.end() == 0
    counter.submit()
    counter.rendering.tick(IDLE * 10, PLENTY)
    assert counter.rendering.end() == 0 and puppets[0].alive
    done(puppets)
    counter.rendering.tick(IDLE - 1, PLENTY)
    assert puppets[0].alive
    counter.rendering.tick(IDLE + 1, PLENTY)
    assert not puppets[0].alive and counter.rendering.child is None


def test_warming_starts_one_renderer(counter: Counter, puppets: list[Puppet]) -> None:
    counter.rendering.warm()
    counter.rendering.warm()
    counter.submit()
    assert len(puppets) == 1
    assert counter.rendering.end() == 0
    done(puppets)
    assert counter.rendering.end() == 7


def test_the_end_of_the_engine_is_told_to_those_who_wait(counter: Counter, puppets: list[Puppet]) -> None:
    counter.submit()
    waiting = [counter.submit() for _ in range(2)]
    counter.rendering.close()
    assert not any(ask.open for ask in waiting)
    assert [message.body["code"] for message in counter.sent] == ["engine_ends"] * 2
    assert not puppets[0].alive
