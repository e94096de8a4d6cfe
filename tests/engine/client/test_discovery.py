"""Finding, starting, losing and finding again: engines that are killed, many clients at once, damaged files."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq

from underdrawing.client import session
from underdrawing.client.endpoint import Connection, clean_environment, home, make_home
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.keys import load_pair
from underdrawing.client.messages import MAGIC, PROTOCOL, EngineError, decode, reply, request

from .conftest import Raw, daemons, kill, pid, wait_for

ASK = """
import json, sys
from pathlib import Path
from underdrawing.client.engine import Engine
with Engine.connect(home=Path(sys.argv[1]), bridge=sys.argv[2] == "True", timeout=60) as engine:
    print(json.dumps(engine.hello()["pid"]))
"""


def error_of(**how: Any) -> str:
    """The code with which a connection fails."""
    with pytest.raises(EngineError) as caught:
        Engine.connect(**how).close()
    assert caught.value.message and caught.value.hint
    return caught.value.code


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port where somebody takes connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener.getsockname()[1]
    listener.close()


def claim(place: Path, text: str | bytes) -> None:
    """Write a connection file."""
    make_home(place)
    (place / "run" / "engine.json").write_bytes(text.encode() if isinstance(text, str) else text)


def about(**changes: Any) -> str:
    whole = {"endpoint": "tcp://127.0.0.1:9", "public_key": "0" * 40, "pid": 1, "protocol": PROTOCOL, "version": "0"}
    return json.dumps({**whole, **changes})


def test_a_killed_engine_is_replaced_and_asked_again(own: Path, bridge: bool) -> None:
    """The engine stands still before it is killed, so that the request is certainly under way; its picture is lost."""
    frame = Frame(64, 64, "RGB", "u8", os.urandom(64 * 64 * 3))
    with Engine.connect(home=own, bridge=bridge) as engine:
        first = pid(own)
        engine.upload(frame)
        psutil.Process(first).suspend()
        call = engine.submit("have", {"hashes": [frame.hash]}, [frame], 60.0)
        engine.process(0.2)
        assert not call.done
        kill(own)
        for path in (own / "spool").iterdir():
            path.unlink()
        wait_for(lambda: engine.process(0.05) or call.done, 60)
        assert call.result().body == {"missing": []}
        assert pid(own) != first and daemons(own) == [pid(own)]
        kill(own)
        assert engine.hello()["pid"] == pid(own)


def test_what_must_not_be_repeated_is_not(own: Path, bridge: bool) -> None:
    with Engine.connect(home=own, bridge=bridge) as engine:
        psutil.Process(pid(own)).suspend()
        call = engine.submit("shutdown", deadline=60.0)
        engine.process(0.2)
        kill(own)
        wait_for(lambda: engine.process(0.05) or call.done)
        assert call.error is not None and call.error.code == "engine_gone"
        assert engine.hello()["pid"] == pid(own)


def test_a_restarted_engine_is_found(own: Path, bridge: bool) -> None:
    with Engine.connect(home=own, bridge=bridge) as engine, Engine.connect(home=own, bridge=bridge) as other:
        first = engine.hello()["pid"]
        engine.shutdown()
        assert engine.wait_for_end()
        # The lock is free a moment before the process is gone.
        wait_for(lambda: first not in daemons(own))
        assert other.hello()["pid"] == engine.hello()["pid"] != first


def test_an_engine_that_is_not_to_be_started_is_not(own: Path, bridge: bool) -> None:
    assert error_of(home=own, bridge=bridge, start=False) == "not_running"
    with Engine.connect(home=own, bridge=bridge), Engine.connect(home=own, bridge=bridge, start=False) as engine:
        kill(own)
        with pytest.raises(EngineError) as caught:
            engine.hello()
        assert caught.value.code == "not_running"
    assert not daemons(own)


def test_twenty_clients_at_once_start_one_engine(own: Path) -> None:
    """A few are processes of their own, as hosts are; both transports among them."""
    told: list[int] = []

    def ask(bridge: bool) -> None:
        with Engine.connect(home=own, bridge=bridge, timeout=60) as engine:
            told.append(engine.hello()["pid"])

    threads = [threading.Thread(target=ask, args=(number % 8 == 0,)) for number in range(16)]
    programs = [
        subprocess.Popen([sys.executable, "-c", ASK, str(own), str(number == 0)], stdout=subprocess.PIPE)
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    told += [int(program.communicate(timeout=90)[0]) for program in programs]
    assert len(told) == 20 and set(told) == {pid(own)}
    assert daemons(own) == [pid(own)]
    assert (own / "logs" / "engine.log").read_text().count("listens") == 1


def test_an_engine_that_hangs_is_told_from_one_that_works(
    own: Path, bridge: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SILENCE", 1.0)
    with Engine.connect(home=own, bridge=bridge) as engine:
        process = psutil.Process(pid(own))
        process.suspend()
        call = engine.submit("hello")
        wait_for(lambda: engine.process(0.05) or call.done)
        assert call.error is not None and call.error.code == "engine_silent"
        process.resume()
        assert engine.hello()["pid"] == process.pid


def test_an_engine_that_is_too_busy_to_answer_at_once_is_asked_again(
    own: Path, bridge: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine.connect(home=own).close()
    busy = psutil.Process(pid(own))
    monkeypatch.setattr("underdrawing.client.discovery.GREET", 0.3)
    busy.suspend()
    free = threading.Timer(4.0, busy.resume)
    free.start()
    try:
        with Engine.connect(home=own, bridge=bridge, timeout=60) as engine:
            assert engine.hello()["pid"] == busy.pid
    finally:
        free.join()
        busy.resume()
    assert daemons(own) == [busy.pid]


def test_an_engine_that_cannot_start_says_why(own: Path, bridge: bool) -> None:
    own.mkdir()
    (own / "logs").mkdir()
    (own / "logs" / "engine.log").mkdir()
    assert error_of(home=own, bridge=bridge, timeout=20.0) == "not_startable"
    assert "engine.log" in (own / "logs" / "start.log").read_text()


def test_a_home_that_cannot_be_one_is_said(tmp_path: Path, bridge: bool) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert error_of(home=tmp_path / "file", bridge=bridge, timeout=5.0) == "home"


# --- the connection file


DAMAGED = {
    "empty": "",
    "half": about()[:50],
    "no text": b"\xff\xfe\x00",
    "no object": "[1, 2]",
    "deep": "[" * 100_000,
    "nothing in it": "{}",
    "another's port": about(endpoint="tcp://127.0.0.1:9"),
    "no such port": about(endpoint="tcp://127.0.0.1:99999"),
    "huge port": about(endpoint="tcp://127.0.0.1:" + "9" * 30),
    "a file": about(endpoint="ipc:///tmp/engine"),
    "a shell": about(endpoint="tcp://$(touch x):1"),
    "several": about(endpoint="tcp://127.0.0.1:1;tcp://127.0.0.1:2"),
    "no host": about(endpoint="tcp://:80"),
    "infinite": about(pid=1e999),
    "short key": about(public_key="abc"),
    "letters": about(public_key="ä" * 40),
    "key beyond all numbers": about(public_key="#" * 40),
    "another protocol, nobody there": about(protocol=PROTOCOL + 1),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_means_that_there_is_no_engine(tmp_path: Path, name: str, bridge: bool) -> None:
    claim(tmp_path, DAMAGED[name])
    assert error_of(home=tmp_path, start=False, bridge=bridge, timeout=5.0) == "not_running"


def test_a_file_left_over_does_not_hinder_the_next_engine(own: Path, bridge: bool, stranger: int) -> None:
    """Another program has the port by now: who does not answer is not our engine."""
    make_home(own)
    load_pair(own / "keys", "client", create=True)
    claim(own, about(endpoint=f"tcp://127.0.0.1:{stranger}"))
    code = error_of(home=own, start=False, bridge=bridge, timeout=1.0)
    assert code in ("engine_silent", "not_running", "not_startable")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("underdrawing.client.discovery.GREET", 0.5)
        with Engine.connect(home=own, bridge=bridge) as engine:
            assert engine.hello()["pid"] == pid(own)


@pytest.mark.parametrize(("number", "older"), [(PROTOCOL + 1, "plug-in"), (PROTOCOL - 1, "engine")])
def test_another_protocol_is_said_with_the_older_side(
    tmp_path: Path, bridge: bool, stranger: int, number: int, older: str
) -> None:
    claim(tmp_path, about(endpoint=f"tcp://127.0.0.1:{stranger}", protocol=number))
    with pytest.raises(EngineError, match=f"protocol {number}") as caught:
        Engine.connect(home=tmp_path, bridge=bridge)
    assert caught.value.code == "protocol" and older in caught.value.hint
    assert not (tmp_path / "logs" / "start.log").exists(), "no second engine is started beside it"


def test_an_engine_that_answers_in_another_protocol_is_refused(tmp_path: Path, bridge: bool) -> None:
    """The file may be right and the answer wrong; here an engine of a later version answers."""
    make_home(tmp_path)
    load_pair(tmp_path / "keys", "client", create=True)
    public, secret = zmq.curve_keypair()
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.linger = 0
    router.curve_server, router.curve_secretkey = True, secret
    port = router.bind_to_random_port("tcp://127.0.0.1")
    Connection(f"tcp://127.0.0.1:{port}", public.decode(), os.getpid(), PROTOCOL, "9").write(tmp_path)

    def answer() -> None:
        client, *rest = router.recv_multipart()
        parts = reply(decode(rest).id, {}).encode()
        router.send_multipart([client, MAGIC, parts[1].replace(b'"protocol":1', b'"protocol":2')])

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with pytest.raises(EngineError, match="protocol 2"):
            Engine.connect(home=tmp_path, bridge=bridge, start=False)
    finally:
        thread.join(10)
        router.close()
        context.term()


def test_a_message_of_another_protocol_is_answered_with_an_error(folder: Path, engine: Engine) -> None:
    with Raw(folder) as raw:
        parts = request("hello", {}).encode()
        raw.send(MAGIC, parts[1].replace(b'"protocol":1', b'"protocol":7'))
        answer = raw.receive()
        assert answer is not None and (answer.kind, answer.id, answer.body["code"]) == ("error", "?", "protocol")


# --- homes


@pytest.mark.parametrize("name", ["mit Leerzeichen", "größe-画像-ñ", "a'b\"c", "$(x) & y; z %PATH%"])
def test_a_home_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, bridge: bool) -> None:
    place = tmp_path / name
    monkeypatch.setenv("UNDERDRAWING_HOME", str(place))
    assert home() == place
    with Engine.connect(bridge=bridge) as engine:
        assert engine.status()["home"] == str(place)
        engine.shutdown()
        assert engine.wait_for_end()
    assert not (place / "run" / "engine.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name != "posix", reason="locales other than UTF-8 name files on POSIX systems alone")
def test_an_engine_whose_folder_has_other_letters_is_found_in_the_locale_c(tmp_path: Path) -> None:
    """Krita gives its Python this locale, whatever the user's is."""
    folder = make_home(tmp_path / "Käthes Maschine")
    python = folder / "python"
    python.symlink_to(sys.executable)
    (folder / "install.json").write_text(json.dumps({"python": str(python)}), encoding="utf-8")
    ask = "from underdrawing.client import endpoint; print(ascii(endpoint.engine_command(endpoint.home())[0]))"
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "UNDERDRAWING_HOME": str(folder)}
    done = subprocess.run([sys.executable, "-c", ask], env={**os.environ, **plain}, capture_output=True, check=True)
    assert done.stdout.decode("ascii").strip() == ascii(os.fsencode(python).decode("ascii", "surrogateescape"))


def test_the_engine_inherits_nothing_that_a_host_set_for_its_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "GI_TYPELIB_PATH")
    for name in hosts:
        monkeypatch.setenv(name, "/the/hosts/own")
    monkeypatch.setenv("LANG", "C.UTF-8")
    found = clean_environment("/another/python")
    assert found["LANG"] == "C.UTF-8"
    assert not found.keys() & set(hosts)
    assert clean_environment(sys.executable).keys() & set(hosts) == {"PYTHONPATH"}


def test_the_users_home_is_found_from_within_sandboxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("sandboxes of Linux")
    for name in ("UNDERDRAWING_HOME", "HOST_XDG_DATA_HOME", "XDG_DATA_HOME", "SNAP", "SNAP_REAL_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ".local" / "share" / "underdrawing"
    assert home() == usual
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / ".var/app/org.gimp.GIMP/data"))
    assert home() == usual
    monkeypatch.setenv("HOST_XDG_DATA_HOME", str(tmp_path / "data"))
    assert home() == tmp_path / "data" / "underdrawing"
    monkeypatch.delenv("HOST_XDG_DATA_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "snap/krita/1/.local/share"))
    monkeypatch.setenv("SNAP", "/snap/krita/1")
    monkeypatch.setenv("SNAP_REAL_HOME", str(tmp_path / "real"))
    assert home() == tmp_path / "real" / ".local" / "share" / "underdrawing"


def test_time_stands_still_for_nobody(own: Path, bridge: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is given up ends, and the next call begins another."""
    make_home(own)
    with (own / "run" / "start.lock").open("a+b") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        assert error_of(home=own, bridge=bridge, timeout=0.5) == "not_startable"
        engine = Engine.connect(home=own, bridge=bridge, timeout=60.0, wait=False)
        call = engine.submit("hello")
        engine.process(0.2)
        assert not call.done and not daemons(own)
    until = time.monotonic() + 60
    while not call.done and time.monotonic() < until:
        engine.process(0.05)
    assert call.result().body["pid"] == pid(own)
    engine.close()
