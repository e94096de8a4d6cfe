"""Keys are made anew on demand; an engine serves other machines only when told to, and only those it knows."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from underdrawing.client.endpoint import Connection, make_home
from underdrawing.client.engine import Engine
from underdrawing.client.keys import allowed, as_text, from_text, load_pair
from underdrawing.client.messages import EngineError

from .conftest import end, picture, pid, trained, wait_for


def ask(home: Path, *words: str) -> tuple[int, dict[str, object], str]:
    """A command in this home: its exit code, its answer, and what it said besides."""
    done = subprocess.run(
        [sys.executable, "-m", "underdrawing", *words, "--json"],
        env={**os.environ, "UNDERDRAWING_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Path]:
    """The home of a second machine, on this one."""
    place = tmp_path / "other machine"
    yield place
    end(place)


@pytest.fixture
def open_engine(own: Path) -> Iterator[str]:
    """An engine that listens at an address of its own besides: that address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    make_home(own)
    command = [sys.executable, "-m", "underdrawing.daemon", "--home", str(own), "--listen", place]
    daemon = subprocess.Popen(command)
    wait_for(lambda: Connection.read(own) is not None)
    yield place
    daemon.terminate()
    daemon.wait(30)


def test_keys_are_passed_on_as_digits() -> None:
    import zmq

    for _ in range(20):
        key = zmq.curve_keypair()[0]
        assert from_text(as_text(key)) == from_text(key.decode()) == key
        assert set(as_text(key)) <= set("0123456789abcdef")
    for wrong in ("", "0" * 63, "x" * 64, "#" * 40):
        with pytest.raises(EngineError) as caught:
            from_text(wrong)
        assert caught.value.code == "bad_key"


def test_new_keys_lock_the_old_ones_out(own: Path) -> None:
    with Engine.connect(home=own) as engine:
        model, before = trained(engine), pid(own)
        old = {name: load_pair(own / "keys", name, create=False) for name in ("engine", "client")}
        code, body, _ = ask(own, "engine", "key", "rotate")
        assert (code, body) == (0, {"rotated": True, "restarted": True})
        assert pid(own) != before
        for name, pair in old.items():
            assert load_pair(own / "keys", name, create=False) != pair
            assert os.name != "posix" or (own / "keys" / f"{name}.secret").stat().st_mode & 0o777 == 0o600
        assert engine.apply(model, {"segments": picture()[2]}).body["width"], "a client that was there finds its way"
        left = Connection.read(own)
        assert left is not None and left.public_key.encode() == load_pair(own / "keys", "engine", create=False)[0]


def test_new_keys_without_an_engine_start_none(own: Path) -> None:
    code, body, _ = ask(own, "engine", "key", "rotate")
    assert (code, body) == (0, {"rotated": True, "restarted": False})
    assert Connection.read(own) is None


def test_another_machine_comes_in_by_hand_and_goes_again(own: Path, other: Path, open_engine: str) -> None:
    engine_key = str(ask(own, "engine", "key", "show")[1]["engine"])
    code, body, _ = ask(other, "engine", "connect", open_engine, engine_key)
    assert code == 1 and body["error"]["code"] == "refused"  # type: ignore[index]
    assert "engine allow" in str(body["error"]["hint"])  # type: ignore[index]
    client_key = str(ask(other, "engine", "key", "show")[1]["client"])
    assert ask(own, "engine", "allow", client_key, "--name", "Küche")[0] == 0
    code, body, said = ask(other, "engine", "connect", open_engine, engine_key)
    assert code == 0 and body["pid"] == pid(own), said
    with Engine.connect(home=other, start=True) as engine, Engine.connect(home=other, bridge=True) as bridged:
        model = trained(engine)
        for client in (engine, bridged):
            assert client.apply(model, {"segments": picture()[2]}).body["width"]
    assert not (other / "run" / "engine.json").exists(), "no engine was started on the other machine"
    code, body, _ = ask(other, "engine", "key", "rotate")
    assert code == 1 and body["error"]["code"] == "elsewhere"  # type: ignore[index]
    assert ask(other, "engine", "status")[1]["pid"] == pid(own), "the engine elsewhere was left alone"
    assert ask(own, "engine", "key", "show")[1]["allowed"] == {"Küche": client_key}
    assert ask(own, "engine", "forbid", "Küche")[0] == 0
    assert allowed(own / "keys") == []
    with pytest.raises(EngineError) as caught:
        Engine.connect(home=other, timeout=20)
    assert caught.value.code == "refused"
    assert ask(own, "engine", "forbid", "Küche")[0] == 1
    assert ask(other, "engine", "disconnect")[0] == 0
    with Engine.connect(home=other) as engine:
        assert engine.hello()["pid"] == pid(other) != pid(own)


def test_an_engine_that_is_gone_is_said_with_its_place(own: Path, other: Path, open_engine: str) -> None:
    engine_key = str(ask(own, "engine", "key", "show")[1]["engine"])
    ask(own, "engine", "allow", str(ask(other, "engine", "key", "show")[1]["client"]))
    assert ask(other, "engine", "connect", open_engine, engine_key)[0] == 0
    ask(own, "engine", "stop")
    wait_for(lambda: Connection.read(own) is None)
    code, body, _ = ask(other, "engine", "status")
    assert code == 3 and body == {"running": False}
    with pytest.raises(EngineError) as caught:
        Engine.connect(home=other, timeout=20)
    assert caught.value.code == "not_running"
    assert "127.0.0.1" in caught.value.message and "disconnect" in caught.value.hint
    assert Connection.read(other) is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("allow", "no key"), "bad_key"),
        (("allow", "0" * 64, "--name", "../../x"), "bad_name"),
        (("forbid", "../client"), "bad_name"),
        (("connect", "nowhere", "0" * 64), "bad_address"),
        (("connect", "host:5577", "short"), "bad_key"),
    ],
)
def test_what_is_wrong_is_said(own: Path, words: tuple[str, ...], code: str) -> None:
    status, body, _ = ask(own, "engine", *words)
    assert status == 1 and body["error"]["code"] == code  # type: ignore[index]
    assert not (own / "remote.json").exists()


def test_an_address_that_is_taken_is_said(own: Path, open_engine: str, other: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "underdrawing.daemon", "--home", str(other), "--listen", open_engine],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1 and "cannot listen" in done.stderr
    assert Connection.read(other) is None


def test_without_the_option_it_listens_on_this_machine_alone(own: Path) -> None:
    with Engine.connect(home=own):
        listening = [
            found.laddr.ip
            for found in psutil.Process(pid(own)).net_connections(kind="inet")
            if found.status == psutil.CONN_LISTEN
        ]
    assert listening == ["127.0.0.1"]
