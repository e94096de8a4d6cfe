"""Engines that hang, or that nobody can find: ended or replaced, and what was trained is still there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.engine.commands.command_line import CommandLine
from underdrawing.client import engine_lock
from underdrawing.client.endpoint import Connection

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows has no way to halt a process")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path, tmp_path / "home")
    try:
        yield made
    finally:
        engine_lock.end(made.home)


def started(line: CommandLine) -> int:
    """Start an engine with a child of its own; its process."""
    assert line.run("engine", "start").returncode == 0
    connection = Connection.read(line.home)
    assert connection is not None
    return connection.pid


def gone(process: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    return True


def test_stop_ends_an_engine_that_is_halted(line: CommandLine) -> None:
    process = started(line)
    os.kill(process, signal.SIGSTOP)
    done = line.run("engine", "stop")
    assert done.returncode == 0, done.stderr
    assert "did not answer and was ended" in done.stdout
    assert gone(process)
    assert not engine_lock.holds(line.home)
    assert "not running" in line.run("engine", "stop").stdout


def test_a_command_replaces_an_engine_that_is_halted_and_says_so(line: CommandLine) -> None:
    process = started(line)
    os.kill(process, signal.SIGSTOP)
    done = line.run("models", "list")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("started afresh") == 1
    assert gone(process)
    assert "started afresh" not in line.run("models", "list").stderr


@pytest.mark.parametrize("damage", [None, b"", b"{", b'{"endpoint": "tcp://127.0.0.1:1"}'])
def test_a_lost_connection_file_is_written_anew(line: CommandLine, damage: bytes | None) -> None:
    process, path = started(line), line.home / "run" / "engine.json"
    for words in (("models", "list"), ("engine", "status")):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        done = line.run(*words)
        assert done.returncode == 0, done.stderr
        connection = Connection.read(line.home)
        assert connection is not None and connection.pid == process


def test_stop_ends_an_engine_whose_files_are_lost(line: CommandLine) -> None:
    process = started(line)
    os.kill(process, signal.SIGSTOP)
    for name in ("engine.json", "engine.pid"):
        (line.home / "run" / name).unlink()
    if not Path("/proc/locks").exists():
        pytest.skip("only Linux says who holds a lock")
    done = line.run("engine", "stop")
    assert done.returncode == 0, done.stderr
    assert gone(process)


def test_a_process_that_is_no_engine_is_never_ended(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    script = "import fcntl, sys, time\nf = open(sys.argv[1], 'a+b')\nfcntl.flock(f, fcntl.LOCK_EX)\n"
    script += "print('held', flush=True)\ntime.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "run" / engine_lock.LOCK)], stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            assert engine_lock.holds(tmp_path)
            assert engine_lock.holder(tmp_path) is None
            with pytest.raises(Exception, match="its process is unknown"):
                engine_lock.end(tmp_path)
            assert other.poll() is None
        finally:
            other.kill()
