"""Somebody with a home of blanks and letters beyond ASCII, and the real GIMP 3 and Krita as programs of that home."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from tests.hosts import inside, krita51
from tests.installer.conftest import ROOT

WAY = Path(__file__).with_name("host_way.py")
PATIENCE = 400
DEBIAN_ZMQ = "/usr/lib/python3/dist-packages/zmq"
# An environment's Python that runs as well from within the folder with Debian 13, where it is under /outside.
PYTHON = """#!/bin/bash
if [ -d /outside/etc ]; then
  exec /usr/sbin/chroot /outside /bin/bash -c 'exec -a "$0" {real} "$@"' {here} "$@"
fi
exec -a {here} {real} "$@"
"""


class User:
    """A person, and a copy of Underdrawing somewhere below their folder."""

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
        python = folder / "bin" / "python"
        real = python.resolve()
        python.unlink()
        script = PYTHON.format(real=shlex.quote(str(real)), here=shlex.quote(str(python)))
        python.write_text(script, encoding="utf-8")
        python.chmod(0o755)
        return folder

    @property
    def data(self) -> Path:
        """The engine's folder, where the engine itself looks for it."""
        return self.home / ".local" / "share" / "underdrawing"

    def variables(self) -> dict[str, str]:
        """A plain login's, with the settings of pip and of the network that this machine needs."""
        weights = os.environ["UNDERDRAWING_WEIGHTS"]
        base = {"PATH": krita51.SYSTEM, "LANG": "C.UTF-8", "HOME": str(self.home), "TMPDIR": str(self.scratch)}
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}
        # What pip keeps of its downloads is pip's, in the home of whoever it may be.
        return {**kept, **base, "UNDERDRAWING_WEIGHTS": weights, "PIP_CACHE_DIR": str(self.scratch / "pip")}

    def installer(self, *words: str, within: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
        """Run the copy's installer with the environment of these tests. within: the words before, of nsenter say."""
        command = [*within, sys.executable, str(self.copy / "installer"), *words, "--venv", str(self.venv)]
        return subprocess.run(
            command,
            env={**self.variables(), **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )

    def tree(self) -> dict[str, tuple[int, str]]:
        """Everything in the home: rights and contents by name."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            content = "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(self.home))] = (path.lstat().st_mode, content)
        return found

    def way(self, command: list[str], package: str, **more: str) -> dict[str, Any]:
        """Run a host with host_way.py; what that wrote down."""
        answer = self.scratch / "way.json"
        answer.unlink(missing_ok=True)
        variables = {**self.variables(), "WAY_PACKAGE": package, "WAY_ANSWER": str(answer), **more}
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=PATIENCE, errors="replace"
        )
        assert answer.is_file(), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


def gimp_program(user: User, root: Path, zmq: bool, program: str = "gimp-console-3.0") -> Path:
    """A program of the folder with Debian 13, with the user's home as its home.

    zmq: whether Python has Debian's pyzmq in there, or an empty folder in its place.
    """
    passed = ("GIMP3_DIRECTORY", "XDG_CACHE_HOME", "XDG_DATA_HOME", "UNDERDRAWING_HOME", "UNDERDRAWING_WEIGHTS")
    passed += ("WAY_PACKAGE", "WAY_ANSWER", "FLATPAK_ID")
    hidden = f'mkdir /tmp/none; mount --bind /tmp/none {DEBIAN_ZMQ}; exec "$0" "$@"'
    words = [program] if zmq else ["sh", "-c", hidden, program]
    words = inside.command(root, [user.folder], {"HOME": str(user.home)}, ["@passed@", *words])
    given = " ".join(f'${{{name}:+"{name}=${name}"}}' for name in passed)
    made = user.folder / f"{program} {'with' if zmq else 'without'} zmq"
    text = shlex.join(words).replace("@passed@", given)
    made.write_text(f'#!/bin/sh\nexec {text} "$@"\n', encoding="utf-8")
    made.chmod(0o755)
    return made


def krita_runner(user: User) -> Path:
    """This machine's kritarunner, with an empty folder in the place of Debian's pyzmq."""
    none, made = user.folder / "none", user.folder / "krita runner"
    none.mkdir()
    script = f'mount --bind "$0" {DEBIAN_ZMQ}; exec kritarunner "$@"'
    words = shlex.join(["unshare", "--mount", "sh", "-c", script, str(none)])
    made.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    made.chmod(0o755)
    return made


def gimp_way(user: User, program: Path, profile: Path, **more: str) -> dict[str, Any]:
    """The way in GIMP, with the copy of `link` that lies in this profile."""
    plugin = profile / "plug-ins" / "underdrawing-gimp"
    shutil.copy(WAY, user.scratch)
    code = f"import sys; sys.path[:0] = [{str(plugin)!r}]; exec(open({str(user.scratch / WAY.name)!r}).read()); way()"
    quiet = [str(program), "-i", "-d", "-f", "--batch-interpreter", "python-fu-eval", "-b", code, "--quit"]
    return user.way(quiet, "underdrawing_gimp", **more)


def krita_way(user: User, runner: str, pykrita: Path) -> dict[str, Any]:
    """The way in Krita's own runner of scripts."""
    scratch = {name: str(user.scratch / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    more = {"PYTHONPATH": f"{WAY.parent}{os.pathsep}{pykrita}", "QT_QPA_PLATFORM": "offscreen", **scratch}
    more |= {"UNDERDRAWING_HOME": str(user.data), "PYTHONDONTWRITEBYTECODE": "1"}
    return user.way([runner, "-s", "host_way", "-f", "way"], "underdrawing_krita", **more)


def check_way(reply: dict[str, Any], user: User, bridged: bool) -> None:
    """What the way wrote down is that of a whole way, with the copy of `link` that was installed."""
    assert "error" not in reply, reply
    assert str(user.home) in reply["client"]
    assert reply["state"] == "done"
    assert reply["area"][2] > 0
    assert reply["area"][3] > 0
    assert reply["bridged"] == bridged
