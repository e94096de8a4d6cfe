"""No program starts because of what another user, or a folder one happens to stand in, holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from underdrawing.client import endpoint
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError

ROOT = os.name == "posix" and os.geteuid() == 0
OTHER = 65534  # a user who is not us


def planted(home: Path) -> Path:
    """A home whose registration names a program that leaves a trace; where the trace would be."""
    endpoint.make_home(home)
    program, trace = home / "python", home / "trace"
    program.write_text(f"#!/bin/sh\ntouch '{trace}'\n", encoding="utf-8")
    program.chmod(0o755)
    endpoint.write_private(home / "install.json", json.dumps({"python": str(program)}))
    return trace


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["", "install.json", "run"])
def test_a_home_of_another_user_is_not_believed(tmp_path: Path, name: str) -> None:
    trace = planted(tmp_path / "home")
    os.chown(tmp_path / "home" / name, OTHER, OTHER)
    for bridge in (False, True):
        with pytest.raises(EngineError) as caught:
            Engine.connect(home=tmp_path / "home", bridge=bridge, timeout=5)
        assert caught.value.code == "home"
        assert "belongs to the user nobody" in caught.value.message
        assert "chown" in caught.value.hint
    assert not trace.exists()


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
def test_a_registration_that_others_can_change_is_not_believed(tmp_path: Path) -> None:
    trace = planted(tmp_path / "home")
    (tmp_path / "home" / "install.json").chmod(0o664)
    with pytest.raises(EngineError) as caught:
        Engine.connect(home=tmp_path / "home", timeout=5)
    assert "can be changed by other users" in caught.value.message
    assert "chmod go-w" in caught.value.hint
    assert not trace.exists()


@pytest.mark.parametrize("words", [("engine", "status"), ("engine", "start"), ("engine", "stop"), ("weights", "list")])
def test_modules_of_the_current_folder_do_not_run(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = tmp_path / "Downloads"
    folder.mkdir()
    for name in ("pip", "psutil", "zmq", "numpy", "json", "typer"):
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / 'trace')!r}, 'a').write('{name} ')\n", encoding="utf-8"
        )
    variables = {**os.environ, "UNDERDRAWING_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
    command = [sys.executable, "-m", "underdrawing", *words, "--json"]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False)
    if words == ("engine", "start"):
        Engine.connect(start=False, home=tmp_path / "home").shutdown()
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "trace").exists()
