"""The client against real engines, over both transports."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from underdrawing import __version__
from underdrawing.client.engine import Engine, references
from underdrawing.client.frames import Frame
from underdrawing.client.messages import CHUNK, INLINE, MOST_HASHES, MOST_PARTS, PROTOCOL, EngineError, decode
from underdrawing.daemon.clients import MOST_ASKS
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

from .conftest import pid, wait_for


def noise(size: int) -> Frame:
    """A new picture of so many bytes."""
    width = next(width for width in (1 << 16, 1000, 1) if size % width == 0)
    return Frame(width, size // width, "L", "u8", os.urandom(size))


def sent(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Verbs of everything that this client sends from now on."""
    verbs: list[str] = []
    transport = engine.session.transport
    assert transport is not None
    send = transport.send

    def listen(parts: Any) -> bool:
        gone = send(parts)
        if gone:
            verbs.append(decode(parts).verb)
        return gone

    monkeypatch.setattr(transport, "send", listen)
    return verbs


def error_of(action: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        action()
    assert caught.value.message
    return caught.value


def slow_request(engine: Engine, seconds: float = 60.0, **options: Any) -> dict[str, Any]:
    """What keeps the slow renderer busy for so long."""
    (key,) = engine.upload(Frame(1, 1, "L", "u8", b"0"))
    return {"picture": {"hash": key}, "kind": "paint", "options": {"seconds": seconds, **options}}


def idle(engine: Engine) -> bool:
    told = engine.status()
    return not told["waiting"] and not (told["renderer"] or {}).get("busy")


# --- about the engine


def test_hello_says_who_is_there(engine: Engine, folder: Path, bridge: bool) -> None:
    told = engine.hello()
    assert told == {"engine": "underdrawing", "version": __version__, "protocol": PROTOCOL, "pid": pid(folder)}
    assert engine.bridged == bridge


def test_status_says_where_the_engine_lives(engine: Engine, folder: Path) -> None:
    told = engine.status()
    assert told["home"] == str(folder) and told["clients"] >= 1 and told["free"] > 0
    assert engine.jobs() == [] and engine.models() == []


def test_an_engine_that_is_closed_says_so(folder: Path, bridge: bool) -> None:
    engine = Engine.connect(home=folder, bridge=bridge)
    call = engine.submit("hello")
    engine.close()
    assert call.done and error_of(call.result).code == "closed"
    engine.close()


def test_the_engine_hears_when_a_client_goes(engine: Engine, folder: Path, bridge: bool) -> None:
    before = engine.status()["clients"]
    other = Engine.connect(home=folder, bridge=bridge)
    assert engine.status()["clients"] == before + 1
    other.close()
    wait_for(lambda: engine.status()["clients"] == before, 10)


# --- pictures


@pytest.mark.parametrize("size", [1, 1000, INLINE - 1000, INLINE, 5 << 20, 3 * CHUNK + 1000])
def test_pictures_of_every_size_come_back_as_they_were(engine: Engine, size: int) -> None:
    frame = noise(size) if size % 1000 == 0 or size < 2 or not size % (1 << 16) else noise(size // 1000 * 1000)
    assert engine.upload(frame) == [frame.hash]
    back = engine.fetch(frame.hash)
    assert back.header() == frame.header() and bytes(back.data) == frame.data


def test_a_picture_of_a_thousand_pixels_a_side_goes_with_its_request(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1024 x 1024 RGBA is exactly what fits into a part: encryption must not make it too long."""
    frame = Frame(1024, 1024, "RGBA", "u8", os.urandom(INLINE))
    verbs = sent(engine, monkeypatch)
    assert error_of(lambda: engine.layout("nobody", frame)).code == "unknown_model"
    assert verbs == ["layout"]
    assert engine.fetch(frame.hash).hash == frame.hash


def test_a_picture_travels_once(engine: Engine, monkeypatch: pytest.MonkeyPatch, folder: Path, bridge: bool) -> None:
    frame = noise(3 << 20)
    verbs = sent(engine, monkeypatch)
    assert engine.upload(frame, frame) == [frame.hash] * 2
    assert verbs == ["have", "put", "put", "put"]
    engine.upload(frame)
    assert verbs[4:] == ["have"]
    with Engine.connect(home=folder, bridge=bridge) as other:
        verbs = sent(other, monkeypatch)
        other.upload(frame)
        assert verbs == ["have"]


def test_many_pictures_at_once(engine: Engine) -> None:
    frames = [Frame(1, 1, "RGBA", "u8", os.urandom(4)) for _ in range(MOST_HASHES + 20)]
    wanted = [frame.hash for frame in frames]
    engine.upload(*frames)
    for first in (0, MOST_HASHES):
        asked = wanted[first : first + MOST_HASHES]
        assert engine.request("have", {"hashes": asked}).body == {"missing": []}


@pytest.mark.parametrize(("count", "size"), [(MOST_PARTS, 100), (MOST_PARTS + 1, 100), (2, 3 << 20)])
def test_pictures_go_along_where_they_are_few_and_small(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, size: int
) -> None:
    frames = [Frame(size, 1, "L", "u8", os.urandom(size)) for _ in range(count)] if size < 1000 else []
    frames = frames or [noise(size) for _ in range(count)]
    verbs = sent(engine, monkeypatch)
    hashes = [frame.hash for frame in frames]
    assert engine.request("have", {"hashes": hashes}, frames).body == {"missing": []}
    assert ("put" in verbs) == (count > MOST_PARTS or size > 1000)


def test_patches_make_the_picture_that_they_stand_for(engine: Engine) -> None:
    """Paint of a base with patches is paint of the whole picture; only the patches travel."""
    pixels = np.random.default_rng(1).integers(0, 4, (40, 60, 3), np.uint8) * 60
    base = frame_of(Picture(pixels))
    changed = pixels.copy()
    changed[10:30, 5:25], changed[0:4, 50:60] = 200, (10, 90, 30)
    changed[25:28, 20:40] = 33
    patches = [(5, 10, 20, 20), (50, 0, 10, 4), (20, 25, 20, 3)]
    engine.upload(base)
    frames = [frame_of(Picture(np.ascontiguousarray(changed[y : y + h, x : x + w]))) for x, y, w, h in patches]
    placed = [{"x": p[0], "y": p[1], "hash": frame.hash} for p, frame in zip(patches, frames, strict=True)]
    body = {"picture": {"base": base.hash, "patches": placed}, "kind": "paint", "options": {"colours": 5}}
    patched = engine.request("primitive", body, frames, deadline=60.0)
    whole = engine.make_primitive(frame_of(Picture(changed)), "paint", colours=5)
    assert patched.body == whole.body and patched.frames[0].hash == whole.frames[0].hash
    assert whole.body["planes"][0]["hash"] == whole.frames[0].hash
    for wrong in ({"x": 41, "y": 0}, {"x": -1, "y": 0}, {"x": 0, "y": 21}, {"x": 10**30, "y": 0}):
        body["picture"] = {"base": base.hash, "patches": [{**placed[0], **wrong}]}
        assert error_of(lambda: engine.request("primitive", body)).code == "bad_request"


def test_big_answers_are_fetched(engine: Engine) -> None:
    picture = np.zeros((1100, 1300, 3), np.uint8)
    picture[:500] = 200
    reply = engine.make_primitive(frame_of(Picture(picture)), "paint", colours=2)
    assert (reply.frames[0].width, reply.frames[0].height) == (1300, 1100)
    assert reply.frames[0].size > INLINE and reply.frames[0].hash == reply.body["planes"][0]["hash"]
    assert engine.result(reply, reply.frames[0].hash) is reply.frames[0]


def test_a_picture_that_the_engine_has_forgotten_is_sent_again(engine: Engine, folder: Path) -> None:
    frame = frame_of(Picture(np.random.default_rng().integers(0, 255, (20, 20, 3), np.uint8)))
    first = engine.make_primitive(frame, "paint")
    for path in (folder / "spool").glob(f"{frame.hash}.*"):
        path.unlink()
    assert engine.make_primitive(frame, "paint").body == first.body
    gone = "0" * 64
    assert error_of(lambda: engine.fetch(gone)).code == "unknown_picture"
    body = {"model": "x", "planes": {}, "kind": "paint", "picture": {"hash": gone}}
    assert error_of(lambda: engine.request("primitive", body)).code == "unknown_picture"


def test_files_that_are_no_models_are_refused(engine: Engine, tmp_path: Path) -> None:
    for data in (b"", b"PK", os.urandom(3 << 20)):
        (tmp_path / "a model.underdrawing").write_bytes(data)
        assert error_of(lambda: engine.import_model(tmp_path / "a model.underdrawing")).code == "bad_model"
    assert error_of(lambda: engine.import_model(tmp_path / "nothing")).code == "file"
    assert engine.models() == []


# --- errors


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("dance", {}, "unknown_verb"),
        ("find", {}, "unknown_verb"),
        ("__init__", {}, "unknown_verb"),
        ("models_list", {}, "unknown_verb"),
        ("models.show", {"model": "nobody"}, "unknown_model"),
        ("models.show", {}, "bad_request"),
        ("models.rename", {"model": 7}, "bad_request"),
        ("models.import", {"hash": "../../etc/passwd"}, "bad_request"),
        ("watch", {"job": "nothing"}, "unknown_job"),
        ("watch", {"job": ["nothing"]}, "bad_request"),
        ("have", {"hashes": ["x"]}, "bad_request"),
        ("get", {"hash": "0" * 64, "offset": 0, "length": 1}, "unknown_picture"),
        ("get", {"hash": "0" * 64, "offset": -1, "length": 1}, "bad_request"),
        ("get", {"hash": "0" * 64, "offset": 10**300, "length": 1}, "bad_request"),
        ("header", {"hash": "../" * 21 + "x"}, "bad_request"),
        ("primitive", {"kind": "statue"}, "bad_request"),
        ("region", {"planes": {}, "region": {}}, "plane_missing"),
        ("train", {"picture": {"hash": "0" * 64}}, "plane_missing"),
        ("train", {"picture": {"hash": "0" * 64}, "recipe": "vary"}, "unknown_picture"),
        ("apply", {"model": "nobody"}, "bad_request"),
        ("apply", {"model": "nobody", "planes": {"paint": {"hash": "0" * 64}}}, "unknown_model"),
    ],
)
def test_what_is_wrong_is_said(engine: Engine, verb: str, body: dict[str, Any], code: str) -> None:
    assert error_of(lambda: engine.request(verb, body)).code == code
    assert engine.hello()


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
