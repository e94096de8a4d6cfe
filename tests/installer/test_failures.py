"""Failures that a machine can bring about: each a sentence, what to do, a code that is not 0, and nothing half done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import ud_host_install
import ud_host_probe
import ud_host_programs
import ud_profiles
import ud_redact
import ud_wizard
from tests.hosts import debian, inside
from tests.installer.conftest import INSTALLER, ROOT, Small, make_wheel
from ud_env import Environment
from ud_report import InstallError, Reporter

PUT = """
import sys
from pathlib import Path
from underdrawing.commands import plugins
from underdrawing.client.messages import EngineError
try:
    plugins.put("gimp", Path(sys.argv[1]))
except EngineError as error:
    sys.exit(f"{error.message} {error.hint}")
"""


def mounted(kind: str, folder: Path, words: Sequence[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program while a folder is `tiny` (64 kB), `small` (80 MB) or `fixed` (read-only) for it; then list it."""
    fixed = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"'
    sizes = {"tiny": "64k", "small": "80m"}
    mounts = {kind: f'mount -t tmpfs -o size={size} t "$1"' for kind, size in sizes.items()} | {"fixed": fixed}
    script = f'set -e; {mounts[kind]}; place=$1; shift; code=0; "$@" || code=$?; echo LEFT; ls -A "$place"; exit $code'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(folder), *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "engine"), "UNDERDRAWING_HOME": str(home), "HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that can be mounted over."""
    folder = tmp_path / "plug ins プラグイン"
    folder.mkdir()
    if sys.platform != "linux" or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("mounts of its own need Linux and root")
    return folder


@pytest.mark.parametrize(("kind", "output"), [("tiny", "No space left on device"), ("fixed", "Read-only file system")])
def test_a_plugin_that_cannot_be_written_leaves_nothing(kind: str, output: str, place: Path, tmp_path: Path) -> None:
    done = mounted(kind, place, [sys.executable, "-c", PUT, str(place)], tmp_path / "home")
    assert done.returncode == 1
    assert output in done.stderr
    assert "Is the folder writable, and is there room on the disk?" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.split("LEFT\n")[1] == "", "nothing half done"


@pytest.mark.parametrize(
    ("kind", "output"), [("tiny", "0 MB are free on the disk"), ("fixed", "Read-only file system")]
)
def test_an_environment_that_cannot_be_made_leaves_nothing(kind: str, output: str, place: Path, tmp_path: Path) -> None:
    words = [sys.executable, str(INSTALLER), "engine", "--cpu", "--venv", str(place / "v")]
    done = mounted(kind, place, words, tmp_path / "home")
    assert done.returncode == 1
    assert output in done.stderr
    assert done.stderr.startswith("✗ ")
    assert "Traceback" not in done.stderr
    assert done.stdout.split("LEFT\n")[1] == ""


FILL = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/installer"]
import ud_env
from tests.installer.conftest import shrink
from ud_pip import Where
from ud_report import InstallError, Reporter
root, wheels, template, place = (Path(word) for word in sys.argv[2:])
shrink(root, setattr, template)
try:
    ud_env.Environment(place / "v", Reporter(), Where(offline=wheels)).ensure("cpu")
except InstallError as error:
    sys.exit(f"{error} {error.hint}")
"""


def test_a_disk_that_gets_full_on_the_way_is_reported(small: Small, place: Path) -> None:
    # A little wheel of much that is alike: the disk has room for the file, and not for what is in it.
    line = make_wheel(small.wheels, "cpu_part", "3.0", f"version = '3.0'\nmuch = '{'0' * 90_000_000}'\n")
    (small.root / "installer" / "locks" / "cpu.txt").write_text(line)
    words = [sys.executable, "-c", FILL, str(ROOT), str(small.root), str(small.wheels), str(small.template), str(place)]
    done = mounted("small", place, words, small.folder / "home")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "The disk is full: free some space. Run the same command again" in done.stderr
    assert "Traceback" not in done.stderr


def test_debians_python_without_venv_names_the_package(tmp_path: Path) -> None:
    """Debian keeps venv in a package of its own, and the folder with Debian 13 has none of it."""
    try:
        root = debian.ensure()
    except debian.HostsError as error:
        pytest.skip(str(error))
    copy = tmp_path / "copy 写本"
    shutil.copytree(INSTALLER, copy / "installer")
    for path in (tmp_path, copy):
        os.chown(path, 65534, 65534)
    somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    words = [*somebody, "python3", str(copy / "installer"), "engine", "--cpu", "--venv", str(copy / "v")]
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.name.startswith("pytest-"):
            folder.chmod(0o755)
    done = inside.run(root, [tmp_path], {"HOME": str(tmp_path)}, words, 120)
    assert done.returncode == 1, done.stdout
    assert "lacks venv: Debian keeps it in a package of its own, python3.13-venv" in done.stdout
    assert "Run: sudo apt-get install python3.13-venv" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (copy / "v").exists()


def test_a_host_that_is_open_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sleep = shutil.which("sleep")
    if sys.platform != "linux" or sleep is None:
        pytest.skip("a process takes its program's name on Linux")
    assert sleep is not None
    program = tmp_path / "gimp-3.0"
    shutil.copy(sleep, program)
    with subprocess.Popen([str(program), "60"]) as running:
        try:
            # A process has its parent's name for a moment.
            while running.pid not in ud_host_programs.running("gimp"):
                assert running.poll() is None
            assert ud_host_probe.still_open("gimp", Reporter())
        finally:
            running.kill()
    assert "close it and start it again" in capsys.readouterr().out
    assert running.pid not in ud_host_programs.running("gimp")


def test_what_a_host_says_becomes_a_sentence_and_advice(tmp_path: Path) -> None:
    log = tmp_path / "gimp.log"
    silent = ud_host_probe.judge("GIMP 3.0.4", None, log)
    blind = ud_host_probe.judge("Krita 5.2.9", {"why": "ModuleNotFoundError: No module named 'PyQt5'"}, log)
    alone = ud_host_probe.judge("GIMP 3.0.4", {"seen": True, "error": "The engine is not installed."}, log)
    well = ud_host_probe.judge("GIMP 3.0.4", {"seen": True, "engine": "0.1.0", "bridged": True}, log)
    kinds = [answer.sight for answer in (silent, blind, alone, well)]
    assert kinds == [
        ud_host_probe.Sight.UNASKED,
        ud_host_probe.Sight.UNSEEN,
        ud_host_probe.Sight.UNSEEN,
        ud_host_probe.Sight.SEEN,
    ]
    assert str(log) in silent.remedy
    assert "No module named 'PyQt5'" in blind.text
    assert "python3 installer doctor" in alone.remedy
    assert "over the bridge" in well.text


def test_a_program_that_is_no_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="does not run, or is not what is meant"):
        ud_host_install.install("krita", Reporter(), named=tmp_path / "none", home=tmp_path)


def test_a_plugin_that_is_switched_off_or_older_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ud_doctor

    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(ud_doctor, "programs", lambda host: [])
    (tmp_path / ".local/share/krita").mkdir(parents=True)
    (tmp_path / ".config/GIMP/3.0").mkdir(parents=True)

    def bad() -> list[str]:
        return [line.text for line in ud_doctor.host_lines() if line.verdict == ud_doctor.BAD]

    for host in ("gimp", "krita"):
        ud_profiles.put(host, Reporter(), home=tmp_path)
    assert bad() == []
    settings = tmp_path / ".config/kritarc"
    settings.write_text(settings.read_text().replace("=true", "=false"))
    plugin = tmp_path / ".config/GIMP/3.0/plug-ins/underdrawing-gimp"
    (plugin / "underdrawing-gimp.py").chmod(0o644)
    found = bad()
    assert len(found) == 2
    assert any("switched off" in text for text in found)
    assert any("not executable" in text for text in found)
    note = plugin / "underdrawing_gimp/installed.json"
    note.write_text('{"version": "0.0.9", "digest": "x"}')
    assert any("is version 0.0.9, this copy is" in text for text in bad())


def test_a_report_can_be_shown(tmp_path: Path) -> None:
    secret = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    home, data = Path("/home/ada lovelace"), Path("/home/ada lovelace/.local/share/underdrawing")
    text = "\n".join(
        [
            f"the plug-in in {home}/.config/GIMP/3.0 and the models in {data}/models",
            "a disk at /media/adalove/Pictures, owned by adalove",
            f"key: {secret}",
            "from https://adalove:hush@mirror.example/simple",
        ]
    )
    shown = ud_redact.discreet(text, [data], user="adalove", home=home)
    for word in ("ada", "lovelace", "hush", secret):
        assert word not in shown, shown
    assert "~/.config/GIMP/3.0" in shown
    assert "HOME/models" in shown
    assert "mirror.example" in shown


def test_without_a_command_it_shows_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "PATH": "/nowhere", "UNDERDRAWING_HOME": str(tmp_path / "data")}
    command = [sys.executable, str(INSTALLER), "--cpu", "--venv", str(tmp_path / "v")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "downloads about 490 MB" in done.stdout
    assert "no GIMP 3" in done.stdout
    assert "add --yes" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_plan_names_every_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ud_wizard, "programs", lambda host: [])
    (tmp_path / ".config/GIMP/3.0").mkdir(parents=True)
    made = ud_wizard.plan(Environment(tmp_path / "v", Reporter()), "cpu", tmp_path)
    assert made.hosts == ["gimp"]
    assert any("make the environment" in step for step in made.steps)
    assert any("no Krita" in line for line in made.found)
