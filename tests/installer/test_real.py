"""The real installation and the real update, killed at ten random moments each, and a broken update (`--long`)."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.installer.conftest import ROOT

# Ten moments at random within the time that it takes, each time others; printed, should one of them fail.
MOMENTS = 10
LONGEST = 45.0  # seconds


class Copy:
    """A copy of Underdrawing with an environment of its own, of somebody who has no GIMP and no Krita."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "copy of 写本", folder / "home"
        for name in ("installer", "engine", "plugin_gimp", "plugin_krita"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py"):
            shutil.copy(ROOT / name, self.root)
        self.lock = self.root / "installer" / "locks" / "cpu.txt"

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start the installer in a process group of its own."""
        from ud_hardware import clean_environment

        nobody = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(self.root.parent / "nobody"))
        cache = os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache" / "pip")
        env = {**clean_environment(), **nobody, "PIP_CACHE_DIR": cache, "UNDERDRAWING_HOME": str(self.home)}
        command = [sys.executable, str(self.root / "installer"), *words]
        return subprocess.Popen(
            command, env=env, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Run the installer to its end: its exit code, and what it output."""
        began = time.monotonic()
        running = self.begin(*words)
        output = running.communicate()[0]
        print(f"{' '.join(words)}: {time.monotonic() - began:.0f} s, code {running.returncode}")
        return running.returncode, output

    def kill(self, *words: str) -> None:
        """Run the installer ten times, and kill it at a random moment."""
        for number in range(MOMENTS):
            running = self.begin(*words)
            moment = random.uniform(0.2, LONGEST)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(moment)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            output = running.communicate()[0].strip().splitlines() or ["nothing"]
            print(f"{words[0]} {number}: at most {moment:.1f} s, code {running.returncode}, last words: {output[-1]}")
            assert running.returncode in (0, -signal.SIGKILL), output

    def environments(self) -> list[str]:
        return sorted(path.name for path in self.root.glob(".venv*"))


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="kills a process group")
def test_installation_and_update_killed_at_any_moment_are_finished_and_a_broken_update_goes_back(
    tmp_path: Path,
) -> None:
    copy = Copy(tmp_path)
    copy.kill("engine", "--cpu")
    code, output = copy.run("engine", "--cpu")
    assert code == 0, output
    assert "Ready:" in output or "Pretrained weights" in output
    code, output = copy.run("engine")
    assert code == 0
    assert "Installing" not in output
    assert (copy.home / "install.json").is_file()
    assert copy.run("doctor")[0] == 0

    right = copy.lock.read_text(encoding="utf-8")
    copy.lock.write_text(f"{right}# another release\n", encoding="utf-8")
    copy.kill("update")
    code, output = copy.run("update")
    assert code == 0, output
    assert copy.environments() == [".venv"]
    code, output = copy.run("update")
    assert code == 0
    assert "The environment is what the lock files say." in output

    # A release that lacks a package: everything is installed, and then it cannot be loaded.
    copy.lock.write_text(re.sub(r"(?m)^safetensors==\S+(?: \\\n {4}--hash=\S+)+\n", "", right), encoding="utf-8")
    code, output = copy.run("update")
    assert code == 1
    assert "The update failed" in output
    assert "The former environment is unchanged." in output
    assert copy.environments() == [".venv"]
    assert copy.run("doctor")[0] == 0, "the former one works"

    code, output = copy.run("remove", "--yes", "--models")
    assert code == 0, output
    assert copy.environments() == []
    assert not copy.home.exists()
