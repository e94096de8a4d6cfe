"""Real installations into the real GIMP 3 and Krita: the host sees the plug-in, works with it, and forgets it again."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import ud_host_probe
import ud_package
from tests.hosts import debian, krita51
from tests.installer.person import User, check_way, gimp_program, gimp_way, krita_runner, krita_way
from ud_report import Reporter
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """A fresh one; an engine that a host started ends with the test."""
    made = User(tmp_path)
    yield made
    try:
        with Engine.connect(start=False, home=made.data) as engine:
            engine.shutdown()
            engine.wait_for_end()
    except EngineError:
        pass


@pytest.fixture
def root() -> Path:
    """The folder with Debian 13 and its GIMP 3."""
    try:
        return debian.ensure()
    except debian.HostsError as error:
        pytest.skip(str(error))


@pytest.fixture
def here() -> None:
    """Krita 5.1 is on this machine."""
    why = krita51.why_not()
    if why is not None:
        pytest.skip(why)


def test_a_gimp_without_pyzmq_works_over_the_bridge_and_forgets_the_plugin(
    user: User, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = gimp_program(user, root, zmq=False)
    done = user.installer("gimp", "--program", str(program))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it makes its folder now" in done.stdout
    assert "the plug-in reaches engine 0.1.0 over the bridge" in done.stdout
    assert "Filters > Underdrawing" in done.stdout
    profile = user.home / ".config" / "GIMP" / "3.0"
    plugin = profile / "plug-ins" / "underdrawing-gimp"
    check_way(gimp_way(user, program, profile), user, bridged=True)
    again = user.installer("update")
    assert again.returncode == 0, again.stdout + again.stderr

    (plugin / "underdrawing_gimp" / "procedures.py").write_text("this is no Python\n")
    monkeypatch.setattr(tempfile, "tempdir", str(user.scratch))
    seen = ud_host_probe.see("gimp", [plugin.parent], Reporter(), home=user.home, named=program)
    assert [answer.sight for answer in seen] == [ud_host_probe.Sight.UNSEEN], (
        "a plug-in that GIMP skips is not taken for one"
    )
    assert "does not see the plug-in" in seen[0].text

    gone = user.installer("remove", "--yes", "--models")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert f"To be kept: {user.venv}" in gone.stdout
    left = [name for name in user.tree() if "underdrawing" in name.lower()]
    assert [name for name in left if "/palettes/" not in name] == [], "a picture's palette is the person's"
    assert (profile / "plug-ins").is_dir(), "a profile that was used since stays"
    assert not user.data.exists()


@pytest.mark.long
def test_a_gimp_that_never_ran_is_left_as_it_was(user: User, root: Path) -> None:
    program = gimp_program(user, root, zmq=False)
    before = user.tree()
    done = user.installer("gimp", "--program", str(program))
    assert done.returncode == 0, done.stdout + done.stderr
    assert user.installer("remove", "--yes", "--models").returncode == 0
    assert user.tree() == before, "the profile that GIMP made for us goes, too, as nobody used it"


@pytest.mark.long
def test_a_gimp_with_pyzmq_keeps_its_own_and_its_profile(user: User, root: Path) -> None:
    program = gimp_program(user, root, zmq=True)
    profile = user.home / ".config" / "GIMP" / "3.0"
    (profile / "plug-ins" / "strange").mkdir(parents=True)
    (profile / "plug-ins" / "strange" / "notes.txt").write_text("mine\n")
    (profile / "gimprc").write_text("(undo-levels 7)\n")
    (profile / "gimprc").chmod(0o600)
    before = user.tree()
    done = user.installer("gimp", "--program", str(program))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reaches engine 0.1.0 over ZeroMQ" in done.stdout
    assert user.installer("remove", "--yes").returncode == 0
    left = {name: state for name, state in user.tree().items() if not name.startswith(".local")}
    assert left == before, "not a byte of the profile is another one"
    assert (user.data / "models").is_dir(), "models stay"


def test_gimps_archive_is_unpacked_by_hand_and_seen(user: User, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = user.installer("engine")
    assert done.returncode == 0, done.stdout + done.stderr
    plugins = user.home / ".config" / "GIMP" / "3.0" / "plug-ins"
    with zipfile.ZipFile(ud_package.archive("gimp", user.folder)) as archive:
        for entry in archive.infolist():
            # As unzip and file managers do it, rights included.
            Path(archive.extract(entry, plugins)).chmod(entry.external_attr >> 16 & 0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(user.scratch))
    program = gimp_program(user, root, zmq=True)
    (answer,) = ud_host_probe.see("gimp", [plugins], Reporter(), home=user.home, engine_home=user.data, named=program)
    assert answer.sight is ud_host_probe.Sight.SEEN, answer.text


@pytest.mark.usefixtures("here")
def test_a_krita_without_pyzmq_works_over_the_bridge_and_is_left_as_it_was(user: User) -> None:
    runner = krita_runner(user)
    settings = user.home / ".config" / "kritarc"
    settings.parent.mkdir()
    # As somebody may have it: other plug-ins, a letter that is no UTF-8, no end of line, for the user alone.
    settings.write_bytes(b"[python]\r\nenable_tenbrushes=true\r\n\r\n[Colors]\r\nname=Gr\xf6\xdfe")
    settings.chmod(0o600)
    before = user.tree()
    # Another Python comes first in the path of the terminal, as pyenv's does: it is not Krita's.
    other = user.folder / "other"
    other.mkdir()
    (other / "python3").symlink_to(sys.executable)
    path = f"{other}{os.pathsep}{user.variables()['PATH']}"
    done = user.installer("krita", "--program", str(runner), PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    way = "reaches engine 0.1.0 over the bridge"
    assert f"✓ Krita 5.1.5 sees the plug-in, and the plug-in {way}" in done.stdout
    pykrita = user.home / ".local" / "share" / "krita" / "pykrita"
    assert b"enable_underdrawing_krita=true\r\n" in settings.read_bytes()
    check_way(krita_way(user, str(runner), pykrita), user, bridged=True)
    shutil.rmtree(user.home / ".cache", ignore_errors=True)  # Mesa's, of kritarunner

    gone = user.installer("remove", "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    inner = str(user.data.relative_to(user.home))
    after = {name: state for name, state in user.tree().items() if not name.startswith(inner)}
    assert after == {**before, **{name: after[name] for name in (".local", ".local/share")}}
    assert list((user.data / "models").iterdir()) != [], "models stay"
