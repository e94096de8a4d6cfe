"""Who may come in, and what anybody who came in can do to others: nothing."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
import zmq

from underdrawing.client.endpoint import Connection, is_key, make_home
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.keys import allowed, load_pair
from underdrawing.client.messages import MAGIC, MOST_BYTES, EngineError, Message, new_id, request
from underdrawing.daemon.clients import MOST_UPLOADS

from .conftest import Raw, kill, pid

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def code_of(answer: Message) -> str:
    return str(answer.body["code"]) if answer.kind == "error" else answer.kind


# --- keys


def test_keys_are_keys() -> None:
    for _ in range(50):
        assert all(is_key(key.decode()) for key in zmq.curve_keypair())
    for wrong in ("", "0" * 39, "0" * 41, "#" * 40, "ä" * 40, "0" * 39 + "\n", "0" * 39 + " "):
        assert not is_key(wrong)


def test_an_unknown_key_gets_no_answer(folder: Path, direct: Engine) -> None:
    with Raw(folder, zmq.curve_keypair()) as raw:
        raw.send(*request("hello", {}).encode())
        assert raw.receive(0.7) is None
    with Raw(folder) as raw:
        assert raw.ask(request("hello", {})).body["pid"] == direct.hello()["pid"]


def test_a_client_with_an_unknown_key_is_told_so(folder: Path, tmp_path: Path, direct: Engine) -> None:
    """Its home has the right connection file and a key of its own."""
    connection = direct.connection
    assert connection is not None
    make_home(tmp_path)
    connection.write(tmp_path)
    load_pair(tmp_path / "keys", "client", create=True)
    with pytest.raises(EngineError) as caught:
        Engine.connect(start=False, home=tmp_path, bridge=False)
    assert caught.value.code == "refused"
    with pytest.raises(EngineError) as caught:
        Engine.connect(start=False, home=tmp_path, bridge=True)
    assert caught.value.code in ("refused", "not_running")


def test_a_key_that_was_added_by_hand_may_come_in(folder: Path, direct: Engine) -> None:
    public, secret = zmq.curve_keypair()
    place = folder / "keys" / "allowed"
    place.mkdir(exist_ok=True)
    (place / "other machine.key").write_text(public.decode() + "\n")
    (place / "damaged.key").write_bytes(b"\xff\0")
    (place / "short.key").write_text("abc")
    try:
        assert allowed(folder / "keys") == [public]
        with Raw(folder, (public, secret)) as raw:
            assert raw.ask(request("hello", {})).kind == "reply"
    finally:
        for path in place.iterdir():
            path.unlink()
    with Raw(folder, (public, secret)) as raw:
        raw.send(*request("hello", {}).encode())
        assert raw.receive(0.7) is None


def test_nobody_comes_in_without_encryption(folder: Path, direct: Engine) -> None:
    connection = direct.connection
    assert connection is not None
    context = zmq.Context()
    plain = context.socket(zmq.DEALER)
    plain.linger = 0
    plain.connect(connection.endpoint)
    plain.send_multipart(request("shutdown", {}).encode())
    assert not plain.poll(500)
    plain.close()
    context.term()
    with socket.create_connection((connection.host, connection.port)) as bare:
        bare.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(5000))
    assert direct.hello()["pid"] == connection.pid


def test_it_listens_on_this_machine_alone(direct: Engine) -> None:
    connection = direct.connection
    assert connection is not None and connection.host == "127.0.0.1"


@posix
def test_files_are_the_users_alone(folder: Path, direct: Engine) -> None:
    for name in ("", "run", "keys"):
        assert mode(folder / name) == 0o700
    for name in ("keys/client.secret", "keys/engine.secret", "run/engine.json"):
        assert mode(folder / name) == 0o600
    assert (folder / "keys" / "client.secret").read_text().split()[1] not in (folder / "run/engine.json").read_text()


@posix
@pytest.mark.parametrize("shared", [0o640, 0o620, 0o604], ids=oct)
def test_a_key_that_anybody_else_can_read_or_change_is_exposed(tmp_path: Path, shared: int) -> None:
    make_home(tmp_path)
    folder = tmp_path / "keys"
    made = load_pair(folder, "client", create=True)
    assert load_pair(folder, "client", create=False) == made
    (folder / "client.secret").chmod(shared)
    with pytest.raises(EngineError) as caught:
        load_pair(folder, "client", create=False)
    assert caught.value.code == "key_exposed"
    assert load_pair(folder, "client", create=True) != made
    assert mode(folder / "client.secret") == 0o600


def test_keys_survive_a_power_cut(tmp_path: Path, synced: set[int]) -> None:
    make_home(tmp_path)
    load_pair(tmp_path / "keys", "engine", create=True)
    assert (tmp_path / "keys" / "engine.secret").stat().st_ino in synced


@posix
def test_exposed_keys_are_replaced_when_the_engine_starts(own: Path, bridge: bool) -> None:
    with Engine.connect(home=own, bridge=bridge):
        pass
    before = {name: (own / "keys" / name).read_text() for name in ("client.secret", "engine.secret")}
    kill(own)
    for name in before:
        (own / "keys" / name).chmod(0o644)
    with Engine.connect(home=own, bridge=bridge) as engine:
        assert engine.hello()["pid"] == pid(own)
    for name, text in before.items():
        assert (own / "keys" / name).read_text() != text
        assert mode(own / "keys" / name) == 0o600


@posix
def test_an_exposed_key_is_not_used(own: Path) -> None:
    with Engine.connect(home=own) as engine:
        (own / "keys" / "client.secret").chmod(0o644)
        for start, timeout in ((False, 10.0), (True, 0.5)):
            with pytest.raises(EngineError) as caught:
                Engine.connect(start=start, home=own, bridge=False, timeout=timeout)
            assert caught.value.code == "key_exposed" and "engine stop" in caught.value.hint
        # What the hint says helps.
        engine.shutdown()
        assert engine.wait_for_end()
    with Engine.connect(home=own, bridge=False) as engine:
        assert engine.hello()["pid"] == pid(own)


@pytest.mark.parametrize("text", ["", "abc", "0" * 40, "#" * 40 + "\n" + "#" * 40, "ä" * 90])
def test_a_damaged_key_is_replaced(tmp_path: Path, text: str) -> None:
    make_home(tmp_path)
    path = tmp_path / "keys" / "client.secret"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(EngineError) as caught:
        load_pair(tmp_path / "keys", "client", create=False)
    assert caught.value.code == "no_key"
    made = load_pair(tmp_path / "keys", "client", create=True)
    assert load_pair(tmp_path / "keys", "client", create=False) == made


# --- messages that mean no good


def header(**changes: Any) -> bytes:
    return json.dumps(
        {"protocol": 1, "kind": "request", "id": new_id(), "verb": "hello", "body": {}, **changes}
    ).encode()


HOSTILE: dict[str, list[bytes]] = {
    "nothing": [b""],
    "no magic": [b"XX1", header()],
    "no header": [MAGIC],
    "no json": [MAGIC, b"{"],
    "deep": [MAGIC, b"[" * 200_000],
    "half a letter as id": [MAGIC, header(id="\ud800")],
    "half a letter as verb": [MAGIC, header(verb="\udc00")],
    "half a letter to keep": [MAGIC, header(verb="train", body={"method": "\ud800"})],
    "not a number": [MAGIC, header(verb="train", body={"recipe": float("nan")})],
    "many parts": [MAGIC, header(), *[b"x"] * 40],
    "parts without headers": [MAGIC, header(verb="have", body={"hashes": []}), b"abc"],
    "headers without parts": [MAGIC, header(frames=[{"width": 1}])],
    "a header that lies": [MAGIC, header(frames=[Frame(1, 1, "L", "u8", b"1").header()]), b"2"],
    "a hash that is a path": [MAGIC, header(frames=[{**Frame(1, 1, "L", "u8", b"1").header(), "hash": "../x"}]), b"1"],
    "a depth that is a list": [MAGIC, header(frames=[{**Frame(1, 1, "L", "u8", b"1").header(), "depth": []}]), b"1"],
    "a file with the message": [MAGIC, header(frames=[{"file": True, "size": 1 << 62, "hash": "0" * 64}]), b"1"],
    "a chunk of nothing": [MAGIC, header(verb="put", body={"upload": "x", "header": {}, "offset": 0}), b""],
    "a name that climbs": [MAGIC, header(verb="models.show", body={"model": "../../x"})],
    "a file that climbs": [MAGIC, header(verb="models.file", body={"model": "x", "file": "../../x"})],
    "a job of no sense": [MAGIC, header(verb="watch", body={"job": {"a": []}})],
    "planes of no sense": [MAGIC, header(verb="region", body={"planes": {"a": [1]}, "region": {"point": ["x"]}})],
    "patches of no sense": [
        MAGIC,
        header(
            verb="primitive", body={"kind": "paint", "picture": {"base": {"hash": []}, "patches": [{"x": 1, "y": []}]}}
        ),
    ],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_answered_and_harms_nobody(folder: Path, direct: Engine, name: str) -> None:
    before = pid(folder)
    with Raw(folder) as raw:
        raw.send(*HOSTILE[name])
        answer = raw.receive()
        assert answer is not None and answer.kind == "error" and answer.body["message"]
        assert answer.body["code"] != "internal"
        assert raw.ask(request("hello", {})).body["pid"] == before
    assert direct.jobs() == []


def test_what_is_no_request_is_ignored(folder: Path, direct: Engine) -> None:
    with Raw(folder) as raw:
        for kind in ("reply", "event", "error"):
            raw.send(MAGIC, header(kind=kind))
        assert raw.ask(request("hello", {})).kind == "reply"


def test_a_part_that_is_too_long_ends_the_connection_alone(folder: Path, direct: Engine) -> None:
    with Raw(folder) as raw:
        raw.send(*request("hello", {}, (), [b"x" * (MOST_BYTES + 1000)]).encode())
        assert raw.receive(0.7) is None
    assert direct.hello()["pid"] == pid(folder)


def test_an_id_is_open_once(slow_folder: Path, slow: Engine) -> None:
    frame = Frame(1, 1, "L", "u8", b"3")
    body = {"picture": {"hash": frame.hash}, "kind": "paint", "options": {"seconds": 60}}
    message = request("primitive", body, [frame.header()], [frame.blob()])
    with Raw(slow_folder) as raw:
        raw.send(*message.encode())
        raw.send(*message.encode())
        answer = raw.receive()
        while answer is not None and answer.kind == "event":
            answer = raw.receive()
        assert answer is not None and code_of(answer) == "queue_full"
        raw.send(*request("abandon", {"request": message.id}).encode())
        # Nothing is known of it any more, which a ping tells.
        raw.send(*request("ping", {"open": [message.id, 7, "", "x" * 65]}).encode())
        answer = raw.receive()
        while answer is not None and answer.kind == "event":
            answer = raw.receive()
        assert answer is not None and (code_of(answer), answer.id) == ("lost_answer", message.id)
        raw.send(*request("bye", {}).encode())


def test_uploads_have_their_order_and_their_number(folder: Path, direct: Engine) -> None:
    frame = Frame(100, 100, "L", "u8", os.urandom(10_000))

    def put(name: str, offset: int, chunk: bytes, header: dict[str, Any] | None = None) -> str:
        body = {"upload": name, "header": header or frame.header(), "offset": offset}
        return code_of(raw.ask(Message("request", new_id(), "put", body, [], [chunk])))

    with Raw(folder) as raw:
        data = bytes(frame.data)
        assert put("a", 5000, data[5000:]) == "bad_frame", "it has not begun"
        assert put("a", 0, data[:5000]) == "reply"
        assert put("a", 4000, data[4000:]) == "bad_frame", "a wrong place"
        assert put("a", 5000, data[5000:]) == "bad_frame", "it was dropped"
        assert put("b", 0, data + b"x") == "bad_frame", "too many bytes"
        assert put("c", 0, bytes(10_000)) == "bad_frame", "other bytes than the hash says"
        assert put("d", -1, data) == "bad_frame"
        for number in range(MOST_UPLOADS):
            assert put(f"e{number}", 0, data[:1]) == "reply"
        assert put("f", 0, data[:1]) == "queue_full"
        assert put("e0", 1, data[1:]) == "reply"
        assert put("f", 0, b"anything: the engine has it all") == "reply"
        huge = {"file": True, "size": 1 << 40, "hash": "1" * 64}
        assert put("g", 0, b"x", huge) == "too_large"
        raw.send(*request("bye", {}).encode())
        assert raw.ask(request("hello", {})).kind == "reply"
    assert not list((folder / "spool").glob("*.partial")), "what was not completed is gone"
    assert direct.fetch(frame.hash).hash == frame.hash


def test_a_flood_does_not_hold_others_up(folder: Path, direct: Engine) -> None:
    """A client that asks and never reads loses its answers; the others get theirs."""
    with Raw(folder) as raw:
        for _ in range(3000):
            raw.send(*request("status", {}).encode())
        for _ in range(5):
            assert direct.hello()["pid"] == pid(folder)


def test_the_connection_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    make_home(tmp_path)
    made = Connection("tcp://127.0.0.1:1234", "0" * 40, 7, 1, "1.2 „ü“")
    for _ in range(2):
        made.write(tmp_path)
        assert Connection.read(tmp_path) == made
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["engine.json"]
    assert (made.host, made.port) == ("127.0.0.1", 1234)
    assert Connection("tcp://[::1]:5", "", 1, 1, "").host == "::1"
