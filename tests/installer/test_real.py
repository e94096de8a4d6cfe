"""The real installation, killed at several moments and finished by the next run (minutes: `--long`)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installer.conftest import INSTALLER

# Ten moments at random within the time that an installation takes, each time others; printed, should one of them fail.
MOMENTS = 10
LONGEST = 30.0  # seconds


def begin(venv: Path, home: Path) -> subprocess.Popen[str]:
    """Start `installer engine` in a process group of its own."""
    from ud_machine import clean_environment

    env = {**clean_environment(), "UNDERDRAWING_HOME": str(home)}
    command = [sys.executable, str(INSTALLER), "engine", "--cpu", "--venv", str(venv)]
    return subprocess.Popen(
        command, env=env, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="kills a process group")
def test_an_installation_killed_at_any_moment_is_finished_by_the_next_run(tmp_path: Path) -> None:
    venv, home = tmp_path / "v 環境", tmp_path / "home"
    for number in range(MOMENTS):
        running = begin(venv, home)
        moment = random.uniform(0.2, LONGEST)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(moment)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        said = running.communicate()[0].strip().splitlines() or ["nothing"]
        print(f"run {number}: killed after {moment:.1f} s, code {running.returncode}, last words: {said[-1]}")
        assert running.returncode in (0, -signal.SIGKILL), said
    finished = begin(venv, home)
    said = finished.communicate()[0]
    assert finished.returncode == 0, said
    assert "Ready:" in said
    again = begin(venv, home)
    said = again.communicate()[0]
    assert again.returncode == 0
    assert "Installing" not in said
    assert (home / "install.json").is_file()
    doctor = [sys.executable, str(INSTALLER), "doctor", "--venv", str(venv)]
    done = subprocess.run(doctor, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    remove = [sys.executable, str(INSTALLER), "remove", "--yes", "--venv", str(venv)]
    # Whoever runs the tests keeps the plug-ins of their own.
    mine = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"), str(tmp_path / "nobody"))
    subprocess.run(remove, check=True, env={**os.environ, **mine, "UNDERDRAWING_HOME": str(home)})
    assert not venv.exists()
    assert home.exists(), "models stay unless they are asked for by name"
