"""Waiting for real engines, and not waiting any more: deadlines, jobs, limits, hosts that must not freeze."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.client.requesting import error_of, idle, slow_request
from underdrawing.client.engine import Engine, references
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.daemon.clients import MOST_ASKS

from .conftest import pid, wait_for

# --- waiting, and not waiting any more


def test_answers_come_when_they_are_ready(slow: Engine) -> None:
    """A quick request is not held up by a slow one, and events of the slow one arrive."""
    heard: list[dict[str, Any]] = []
    call = slow.submit("primitive", slow_request(slow), on_event=heard.append)
    assert slow.hello()["pid"]
    wait_for(lambda: slow.process(0.05) or heard)
    assert heard[0] == {"event": "begun"} and not call.done
    slow.give_up(call)
    assert call.done and error_of(call.result).code == "cancelled"
    wait_for(lambda: idle(slow))


def test_a_deadline_ends_the_waiting_and_the_work(slow: Engine) -> None:
    body = slow_request(slow)
    assert error_of(lambda: slow.request("primitive", body, deadline=0.4)).code == "deadline"
    wait_for(lambda: idle(slow))
    assert slow.request("primitive", slow_request(slow, 0.0)).body["planes"]


def test_cancelled_is_asked_and_obeyed(slow: Engine) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 3

    body = slow_request(slow)
    assert error_of(lambda: slow.request("primitive", body, cancelled=cancelled)).code == "cancelled"
    assert len(asked) == 4
    wait_for(lambda: idle(slow))


def test_a_fault_of_the_caller_gives_the_request_up(slow: Engine) -> None:
    def cancelled() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        slow.request("primitive", slow_request(slow), cancelled=cancelled)
    wait_for(lambda: idle(slow))


def test_what_waits_can_be_given_up_too(slow: Engine) -> None:
    calls = [slow.submit("primitive", slow_request(slow)) for _ in range(4)]
    wait_for(lambda: slow.status()["waiting"] == 3)
    for call in calls[2:]:
        slow.give_up(call)
    wait_for(lambda: slow.status()["waiting"] == 1)
    for call in calls[:2]:
        slow.give_up(call)
    wait_for(lambda: idle(slow))
    slow.give_up(calls[0])
    assert not slow.session.calls


def test_a_crash_is_tried_once_more_and_then_said(slow: Engine) -> None:
    error = error_of(lambda: slow.request("primitive", slow_request(slow, 0.0, crash=True)))
    assert error.code == "crashed" and error.hint
    assert slow.request("primitive", slow_request(slow, 0.0)).body["planes"]


# --- jobs


def test_a_job_tells_what_happens_and_obeys(slow: Engine) -> None:
    frame = Frame(1, 1, "L", "u8", b"7")
    started = slow.train(frame, {"segments": frame}, name="größer ✓")
    heard: list[dict[str, Any]] = []
    error = error_of(lambda: slow.watch(started["job"], heard.append, cancelled=lambda: len(heard) > 4))
    assert error.code == "cancelled"
    assert heard[0]["event"] == "state" and heard[0]["name"] == "größer ✓"
    assert {event["event"] for event in heard[1:]} <= {"state", "note", "progress"}
    assert slow.train(frame, {"segments": frame}, name="größer ✓")["existing"]
    assert slow.pause(started["job"])["stopping"] == "pause"
    paused = slow.watch(started["job"], deadline=30)
    assert paused["state"] == "paused" and paused["figures"]["iterations"] > 0
    assert slow.resume("größer ✓")["state"] in ("queued", "running")
    wait_for(lambda: slow.jobs()[-1]["progress"].get("iteration", 0) > 0)
    slow.cancel(started["model"])
    assert slow.watch(started["job"], deadline=30)["state"] == "cancelled"
    assert error_of(lambda: slow.resume(started["job"])).code == "job_ended"


def test_a_request_sent_twice_begins_one_job(slow: Engine) -> None:
    frame = Frame(1, 1, "L", "u8", b"8")
    slow.upload(frame)
    body = {"picture": {"hash": frame.hash}, "planes": references({"paint": frame}), "key": os.urandom(9).hex()}
    first, second = slow.request("train", body).body, slow.request("train", body).body
    assert (first["job"], first["existing"], second["existing"]) == (second["job"], False, True)
    slow.cancel(first["job"])
    slow.watch(first["job"], deadline=30)
    assert slow.request("train", body).body["job"] == first["job"], "the key counts when the job is over, too"


def test_a_job_may_end_with_its_client(slow: Engine, slow_folder: Path, bridge: bool) -> None:
    frame = Frame(1, 1, "L", "u8", os.urandom(1))
    with Engine.connect(start=False, home=slow_folder, bridge=bridge) as other:
        job = other.train(frame, {"edges": frame}, on_disconnect="cancel", seed=int.from_bytes(os.urandom(4)))["job"]
    assert slow.watch(job, deadline=30)["state"] == "cancelled"


# --- limits


def test_a_client_that_asks_too_much_is_told_and_can_go_on(slow: Engine) -> None:
    """Giving up must work at the limit, or a client that watches many jobs could never ask again."""
    frame = Frame(1, 1, "L", "u8", b"9")
    running, job = (slow.train(frame, {"edges": frame}, seed=int.from_bytes(os.urandom(4)))["job"] for _ in range(2))
    calls = [slow.submit("watch", {"job": job}, deadline=60) for _ in range(MOST_ASKS + 3)]
    wait_for(lambda: slow.process(0.05) or sum(call.done for call in calls) == 3)
    assert {error_of(call.result).code for call in calls if call.done} == {"queue_full"}
    assert error_of(slow.hello).code == "queue_full"
    for call in [call for call in calls if not call.done][:2]:
        slow.give_up(call)
    assert slow.hello()["pid"]
    for call in calls:
        if not call.done:
            slow.give_up(call)
    slow.cancel(job)
    slow.cancel(running)


def test_the_renderers_queue_has_an_end(slow: Engine) -> None:
    body = slow_request(slow)
    calls = [slow.submit("primitive", body) for _ in range(20)]
    wait_for(lambda: slow.process(0.05) or sum(call.done for call in calls) == 3)
    assert {error_of(call.result).code for call in calls if call.done} == {"queue_full"}
    for call in calls:
        if not call.done:
            slow.give_up(call)
    wait_for(lambda: idle(slow))


# --- hosts must not freeze


def test_submit_and_process_never_wait(slow: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not measured but counted: nothing sleeps, and what is received is asked for with no time to wait."""
    waits: list[float] = []
    transport = slow.session.transport
    assert transport is not None
    receive = transport.receive

    def noted(timeout: float) -> Any:
        waits.append(timeout)
        return receive(timeout)

    def never(seconds: float) -> None:
        raise AssertionError(f"slept for {seconds} s")

    body = slow_request(slow)
    monkeypatch.setattr(transport, "receive", noted)
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", never)
        call = slow.submit("primitive", body)
        assert waits == []
        for _ in range(50):
            slow.process()
        slow.give_up(call)
        slow.ping()
    assert set(waits) == {0} and call.done
    wait_for(lambda: idle(slow))


def test_finding_and_starting_an_engine_never_waits(own: Path, bridge: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(seconds: float) -> None:
        raise AssertionError(f"slept for {seconds} s")

    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", never)
    with Engine.connect(home=own, bridge=bridge, wait=False) as engine:
        call = engine.submit("hello")
        for _ in range(3000):
            engine.process()
            if call.done:
                break
            sleep(0.01)
        assert call.result().body["pid"] == pid(own)
        monkeypatch.undo()
        engine.shutdown()
        assert engine.wait_for_end()


def test_a_client_that_nobody_keeps_is_closed(folder: Path, bridge: bool) -> None:
    engine = Engine.connect(home=folder, bridge=bridge)
    transport = engine.session.transport
    assert transport is not None
    del engine
    if bridge:
        wait_for(lambda: transport.process.poll() is not None)  # type: ignore[union-attr]
    else:
        assert transport.socket.closed  # type: ignore[union-attr]
    with contextlib.suppress(EngineError):
        Engine.connect(home=folder / "nowhere", bridge=bridge, start=False, timeout=1.0)
