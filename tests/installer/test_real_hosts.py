"""Real installations into the real GIMP 3 and Krita: the host sees the plug-in, works with it, and forgets it again."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import debian, inside, krita51
from tests.installer.conftest import ROOT
from underdrawing.link.client import Engine
from underdrawing.link.messages import EngineError

WAY = Path(__file__).with_name("host_way.py")
PATIENCE = 400


class User:
    """Somebody with a home of blanks and letters beyond ASCII, and a copy of Underdrawing somewhere below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "Zoë’s home 日本語"
        self.home.mkdir(parents=True)
        self.copy = folder / "under drawing コピー"
        for name in ("installer", "engine", "plugin_gimp", "plugin_krita"):
            shutil.copytree(ROOT / name, self.copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self.copy)
        self.venv = self._venv(folder / "en v")
        self.scratch = folder / "scratch"
        self.scratch.mkdir()

    def _venv(self, folder: Path) -> Path:
        """An environment with the packages of the one that runs this test, and the copy's engine."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "all.pth").write_text(f"{self.copy / 'engine'}\n{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
        return folder

    @property
    def data(self) -> Path:
        """The engine's folder, where the engine itself looks for it."""
        return self.home / ".local" / "share" / "underdrawing"

    def variables(self) -> dict[str, str]:
        """A plain login's."""
        weights = os.environ["UNDERDRAWING_WEIGHTS"]
        base = {"PATH": krita51.SYSTEM, "LANG": "C.UTF-8", "HOME": str(self.home), "TMPDIR": str(self.scratch)}
        return {**base, "UNDERDRAWING_WEIGHTS": weights}

    def installer(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the copy's installer with the environment of these tests."""
        command = [sys.executable, str(self.copy / "installer"), *words, "--venv", str(self.venv)]
        return subprocess.run(
            command,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )

    def tree(self) -> list[str]:
        """Everything in the home."""
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob("*"))

    def way(self, command: list[str], package: str, **more: str) -> dict[str, Any]:
        """Run a host with host_way.py; what that wrote down."""
        answer = self.scratch / "way.json"
        variables = {**self.variables(), "WAY_PACKAGE": package, "WAY_ANSWER": str(answer), **more}
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=PATIENCE, errors="replace"
        )
        assert answer.is_file(), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """A fresh one; the engine that the plug-ins use runs already, as it does after the first use."""
    made = User(tmp_path)
    yield made
    try:
        with Engine.connect(start=False, home=made.data) as engine:
            engine.shutdown()
            engine.wait_for_end()
    except EngineError:
        pass


def gimp_program(user: User, root: Path) -> Path:
    """A program that is GIMP's console in the folder with Debian 13, with the user's home as its home."""
    passed = ("GIMP3_DIRECTORY", "WAY_PACKAGE", "WAY_ANSWER")
    words = inside.command(root, [user.folder], {"HOME": str(user.home)}, ["@passed@", "gimp-console-3.0"])
    given = " ".join(f'${{{name}:+"{name}=${name}"}}' for name in passed)
    program = user.folder / "gimp console"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words).replace("@passed@", given)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def check_way(told: dict[str, Any], user: User) -> None:
    assert "error" not in told, told
    assert str(user.home) in told["link"], "the host used the copy that was installed"
    assert told["state"] == "done"
    assert told["area"][2] > 0
    assert told["area"][3] > 0


def test_gimp_sees_what_was_installed_works_with_it_and_forgets_it(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        program = gimp_program(user, debian.ensure())
    except debian.HostsError as error:
        pytest.skip(str(error))
    # Inside of the folder the engine's Python is not at its place: there the plug-in meets an engine that runs.
    env = {**user.variables(), "UNDERDRAWING_HOME": str(user.data)}
    start = "from underdrawing.link.client import Engine; Engine.connect(timeout=90).close()"
    subprocess.run([str(user.venv / "bin" / "python"), "-c", start], env=env, check=True, timeout=PATIENCE)

    done = user.installer("gimp", "--program", str(program))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "letting it make its folder" in done.stdout
    assert "✓ GIMP 3.0.4 sees the plug-in, and the plug-in reaches the engine" in done.stdout
    assert "over ZeroMQ" in done.stdout
    assert "Filters > Underdrawing" in done.stdout
    profile = user.home / ".config" / "GIMP" / "3.0"
    plugin = profile / "plug-ins" / "underdrawing-gimp"

    code = f"import sys; sys.path[:0] = [{str(plugin)!r}]; exec(open({str(WAY)!r}).read()); way()"
    shutil.copy(WAY, user.scratch)
    code = code.replace(str(WAY), str(user.scratch / WAY.name))
    quiet = [str(program), "-i", "-d", "-f", "--batch-interpreter", "python-fu-eval", "-b", code, "--quit"]
    check_way(user.way(quiet, "underdrawing_gimp"), user)

    (plugin / "underdrawing_gimp" / "procedures.py").write_text("this is no Python\n")
    (profile / "pluginrc").unlink()
    import ud_see
    from ud_report import Reporter

    monkeypatch.setattr(tempfile, "tempdir", str(user.scratch))
    seen = ud_see.see("gimp", [plugin.parent], Reporter(), home=user.home, named=program)
    assert [answer.sight for answer in seen] == [ud_see.Sight.UNSEEN], "a plug-in that GIMP skips is not taken for one"
    assert "does not see the plug-in" in seen[0].text

    gone = user.installer("remove", "--yes", "--models")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert f"To be kept: {user.venv}" in gone.stdout
    left = [name for name in user.tree() if "underdrawing" in name.lower()]
    assert left == []
    assert (profile / "plug-ins").is_dir(), "GIMP's own folder stays"


def test_krita_sees_what_was_installed_works_with_it_and_forgets_it(user: User) -> None:
    why = krita51.why_not()
    if why is not None:
        pytest.skip(why)
    before = user.tree()
    done = user.installer("krita")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ Krita 5.1.5 sees the plug-in, and the plug-in reaches the engine" in done.stdout
    pykrita = user.home / ".local" / "share" / "krita" / "pykrita"
    settings = user.home / ".config" / "kritarc"
    assert "enable_underdrawing_krita=true" in settings.read_text(encoding="utf-8")

    paths = f"{WAY.parent}{os.pathsep}{pykrita}"
    scratch = {name: str(user.scratch / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    more = {"PYTHONPATH": paths, "QT_QPA_PLATFORM": "offscreen", "UNDERDRAWING_HOME": str(user.data), **scratch}
    runner = ["kritarunner", "-s", "host_way", "-f", "way"]
    check_way(user.way(runner, "underdrawing_krita", PYTHONDONTWRITEBYTECODE="1", **more), user)

    gone = user.installer("remove", "--yes", "--models")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert [name for name in user.tree() if name not in before and "underdrawing" in name.lower()] == []
    assert not settings.exists()
    assert not pykrita.exists()
