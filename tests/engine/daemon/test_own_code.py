"""An engine whose code was replaced under it makes way for the new one as soon as it has nothing to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import underdrawing
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.daemon.own_code import OwnCode

PACKAGE = Path(underdrawing.__file__).parent


def test_only_other_code_counts_and_only_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "room" / "module.py"
    file.parent.mkdir()
    file.write_text("ONE = 1\n", encoding="utf-8")
    code = OwnCode(tmp_path)
    assert not code.replaced()
    os.utime(file, (1, 1))
    assert [code.replaced() for _ in range(3)] == [False] * 3, "touched, and the same"
    (tmp_path / "notes.txt").write_text("no code", encoding="utf-8")
    file.write_text("ONE = 2\n", encoding="utf-8")
    assert [code.replaced() for _ in range(3)] == [False, True, True], "from the second look on"
    file.write_text("ONE = 1\n", encoding="utf-8")
    assert not code.replaced()
    assert not code.replaced(), "it is what runs, again"


def test_an_upgrade_of_the_same_version_replaces_an_idle_engine(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "code" / "underdrawing", ignore=shutil.ignore_patterns("__pycache__"))
    home = tmp_path / "home"
    command = [sys.executable, "-P", "-m", "underdrawing.daemon", "--home", str(home)]
    variables = {**os.environ, "PYTHONPATH": str(tmp_path / "code")}
    daemon = subprocess.Popen(command, env=variables)
    for _ in range(300):
        if (home / "run" / "engine.json").is_file():
            break
        with pytest.raises(subprocess.TimeoutExpired):
            daemon.wait(0.1)
    with Engine.connect(home=home, start=False) as engine:
        before = engine.hello()["pid"]
    with (tmp_path / "code" / "underdrawing" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("UPGRADED = True\n")
    assert daemon.wait(60) == 0
    assert "the engine's code was replaced" in (home / "logs" / "engine.log").read_text(encoding="utf-8")
    with pytest.raises(EngineError):
        Engine.connect(home=home, start=False)
    with Engine.connect(home=home) as engine:
        assert engine.hello()["pid"] != before
        engine.shutdown()
