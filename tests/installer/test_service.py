"""The engine as a service: what is written for each system, and the real thing where systemd is."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ud_flatpak
import ud_service
from tests.hosts import debian
from tests.installer.conftest import make_wheel
from tests.installer.person import User, check_way, gimp_program, gimp_way
from tests.installer.session import Session, SessionError
from ud_pip import Pip, Where
from ud_report import InstallError, Reporter
from underdrawing.client.endpoint import Connection
from underdrawing.client.engine import Engine

NAMES = ("plain", "blank and “quotes” 日本語", '100 % $HOME "x" \\ back')
FLATPAK = """#!/bin/sh
# What Flatpak's program says and does, as far as the installer uses it: the folder with Debian 13 is the sandbox.
case "$1" in
  info) printf '[Context]\\nshared=ipc;\\nfilesystems=xdg-pictures;\\n' ;;
  run) shift 3; exec {python} "$@" ;;
esac
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_says_the_same_to_systemd(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    python, home = tmp_path / name / "bin" / "python", tmp_path / name / "home"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    made = ud_service.Engine(python, home, {"UNDERDRAWING_WEIGHTS": str(home / "w")})
    file = tmp_path / ud_service.UNIT
    file.write_text(ud_service.unit(made, ["a"]), encoding="utf-8")
    # It looks at the units around this one, too, and complains about these.
    done = subprocess.run(
        [str(analyze), "verify", "--user", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if ud_service.UNIT in line] == [], done.stderr


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_than_on_linux_the_docs_are_named(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(InstallError, match="on Linux only") as caught:
        ud_service.switch_on(ud_service.Engine(Path(sys.executable), tmp_path / "home"), tmp_path, Reporter())
    assert "docs/installation.md" in caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="the place is that of Linux")
def test_without_a_session_nothing_of_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    made = ud_service.Engine(Path(sys.executable), tmp_path / "home")
    with pytest.raises(InstallError, match="cannot run as a service here") as caught:
        ud_service.switch_on(made, tmp_path, Reporter())
    assert "underdrawing engine start" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("permissions", "output"),
    [
        ("[Context]\nshared=network;ipc;\nfilesystems=host;xdg-config/GIMP;\n", []),
        ("[Context]\nshared=network;\nfilesystems=home:ro;\n", []),
        ("[Context]\nshared=ipc;\nfilesystems=host;\n", ["--share=network org.kde.krita"]),
        ("[Context]\nshared=network;\nfilesystems=xdg-pictures;~/Art;\n", ["--filesystem="]),
        ("[Context]\nshared=network;\nfilesystems=~/.local/share;\n", []),
        ("no list at all", []),
    ],
)
def test_what_a_flatpak_lacks_is_said_with_the_command(permissions: str, output: list[str]) -> None:
    found = ud_flatpak.judge(permissions, "org.kde.krita", Path.home() / ".local" / "share" / "underdrawing")
    assert len(found) == len(output)
    assert all(word in sentence for word, sentence in zip(output, found, strict=True))


def flatpak(folder: Path, reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program `flatpak` in the path whose sandbox's Python prints this."""
    folder.mkdir()
    (folder / "flatpak").write_text(f"#!/bin/sh\necho '{reply}'\n", encoding="utf-8")
    (folder / "flatpak").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_locked_pyzmq_comes_for_the_flatpaks_python(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip(Path(sys.executable), Reporter(), Where())
    output = pip.attempt("pip", ["--dry-run", "--no-deps", "--ignore-installed", "pyzmq"])
    if output is not None:
        pytest.skip(f"no package index can be reached: {output[-1]}")
    flatpak(tmp_path / "bin", f'{{"version": [3, 12], "machine": "{machine}", "zmq": false}}', monkeypatch)
    former = tmp_path / "pykrita" / "underdrawing_krita" / "pyzmq"
    former.mkdir(parents=True)
    (former / "old.py").write_text("")
    assert ud_flatpak.give_zmq("krita", tmp_path / "pykrita", pip, Reporter())
    assert (former / "zmq" / "__init__.py").is_file()
    assert not (former / "old.py").exists()
    (info,) = former.glob("pyzmq-*.dist-info")
    assert f"_{machine}" in (info / "WHEEL").read_text(encoding="utf-8")
    assert f"pyzmq=={info.name.split('-')[1].removesuffix('.dist')}" in ud_flatpak.locked_zmq()


def test_a_pyzmq_with_another_hash_than_the_locked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flatpak(tmp_path / "bin", '{"version": [3, 12], "machine": "x86_64", "zmq": false}', monkeypatch)
    files, plugins = tmp_path / "files", tmp_path / "plug-ins"
    version = ud_flatpak.locked_zmq().split()[0].partition("==")[2]
    make_wheel(files, "pyzmq", version, "print('a stranger')")
    pip = Pip(Path(sys.executable), Reporter(), Where(offline=files))
    assert not ud_flatpak.give_zmq("gimp", plugins, pip, Reporter())
    assert "DO NOT MATCH" in capsys.readouterr().out
    assert not plugins.exists()


@pytest.mark.parametrize("reply", ["", "no JSON", '{"version": "3.12"}', "[]"])
def test_a_flatpak_that_does_not_answer_gets_a_sentence(
    reply: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flatpak(tmp_path / "bin", reply, monkeypatch)
    pip = Pip(Path(sys.executable), Reporter(), Where())
    assert not ud_flatpak.give_zmq("gimp", tmp_path / "plug-ins", pip, Reporter())
    assert "did not answer" in capsys.readouterr().out


class Boxed:
    """A person whose GIMP is in a sandbox, in a session with systemd."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.user = User(folder)
        self.profile = self.user.home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP" / "3.0"
        self.profile.mkdir(parents=True)
        self.gimp = gimp_program(self.user, root, zmq=False)
        python = gimp_program(self.user, root, zmq=False, program="python3")
        programs = folder / "programs"
        programs.mkdir()
        (programs / "flatpak").write_text(FLATPAK.format(python=shlex.quote(str(python))), encoding="utf-8")
        (programs / "flatpak").chmod(0o755)
        self.path = f"{programs}{os.pathsep}{self.user.variables()['PATH']}"
        self.session = Session(self.user.home, folder / "systemd.log")

    def installer(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.user.installer(*words, within=self.session.within, PATH=self.path)

    def state(self, word: str) -> str:
        """What systemd says of our unit."""
        return self.session.control(word, ud_service.UNIT, home=self.user.home).stdout.strip()

    def pid(self, other: int = 0) -> int:
        """The engine's process, once it is another than this."""
        for _ in range(300):
            found = Connection.read(self.user.data)
            if found is not None and found.pid != other:
                return found.pid
            time.sleep(0.2)
        raise AssertionError("no engine came")


@pytest.fixture
def boxed(tmp_path: Path) -> Iterator[Boxed]:
    try:
        made = Boxed(tmp_path, debian.ensure())
    except (debian.HostsError, SessionError) as error:
        pytest.skip(str(error))
    yield made
    made.session.end()


@pytest.mark.long
def test_a_gimp_in_a_sandbox_works_with_the_engine_that_runs_as_a_service(boxed: Boxed) -> None:
    user = boxed.user
    before = user.tree()
    done = boxed.installer("gimp")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cannot start the engine from there" in done.stdout
    assert "The engine runs as a service" in done.stdout
    assert "--share=network org.gimp.GIMP" in done.stdout, "what the sandbox lacks is output"
    assert "--filesystem=" in done.stdout
    assert (boxed.profile / "plug-ins/underdrawing-gimp/underdrawing_gimp/pyzmq/zmq/__init__.py").is_file()
    assert (boxed.state("is-enabled"), boxed.state("is-active")) == ("enabled", "active")
    shown = json.dumps(boxed.session.control("show", "-p", "ExecStart", ud_service.UNIT, home=user.home).stdout)
    assert "--idle-exit inf" in shown

    # As in the sandbox: its own data folder, no pyzmq but ours, and nothing that could be started.
    inside = {"FLATPAK_ID": "org.gimp.GIMP", "GIMP3_DIRECTORY": str(boxed.profile)}
    own = user.home / ".var" / "app" / "org.gimp.GIMP"
    inside |= {"XDG_DATA_HOME": str(own / "data"), "XDG_CACHE_HOME": str(own / "cache")}
    check_way(gimp_way(user, boxed.gimp, boxed.profile, **inside), user, bridged=False)

    # An accident is mended by systemd; what was ended on purpose stays ended, and the sandbox says what to do.
    first = boxed.pid()
    os.kill(first, signal.SIGKILL)
    boxed.pid(other=first)
    with Engine.connect(start=False, home=user.data) as engine:
        engine.shutdown()
        engine.wait_for_end()
    reply = gimp_way(user, boxed.gimp, boxed.profile, **inside)
    assert "a Flatpak cannot start it" in reply["error"]

    again = boxed.installer("update")
    assert again.returncode == 0, again.stdout + again.stderr
    assert boxed.state("is-active") == "active", "an update starts the service again"
    unit = ud_service.place(user.home)
    assert unit.is_file()
    gone = boxed.installer("remove", "--yes", "--models")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert f"To be deleted: the service {unit}" in gone.stdout
    assert boxed.state("is-active") == "inactive"
    after = {name: state for name, state in user.tree().items() if not name.startswith(".var")}
    assert after == {name: state for name, state in before.items() if not name.startswith(".var")}
    assert not list((boxed.profile / "plug-ins").glob("underdrawing*"))


def test_a_line_of_a_unit_is_what_is_started(tmp_path: Path) -> None:
    """The words of ExecStart, read back by the rules of systemd.syntax, are the engine's command."""
    made = ud_service.Engine(tmp_path / 'a "b" $c %d \\e' / "python", tmp_path / "home")
    line = next(line for line in ud_service.unit(made).splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="))
    assert [word.replace("%%", "%").replace("$$", "$") for word in words] == made.command()
    for sign in "%$":
        assert line.count(sign) == 2 * sum(word.count(sign) for word in made.command())
