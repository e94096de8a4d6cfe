"""Making an environment for real, with small wheels in place of the big ones: resumed, mended, refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ud_engine_register
import ud_env
import ud_profiles
import ud_report
from tests.installer.conftest import INSTALLER, Small, imported, make_wheel
from ud_env import Environment


def test_an_environment_is_made_once_and_brought_up_to_date(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    environment = small.environment()
    assert environment.ensure("cpu", tests=True) == "cpu"
    assert imported(environment.folder, "cpu_part") == "1.0"
    assert imported(environment.folder, "test_part") == "1.0"
    assert environment.ours()
    capsys.readouterr()
    assert environment.ensure("cpu") == "cpu"
    assert capsys.readouterr().out == "", "nothing was to be done"
    small.lock("cpu", version="2.0")
    environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == "2.0"
    assert "Installing the other packages" in capsys.readouterr().out


def test_a_wrong_hash_stops_the_installation_and_the_next_run_goes_on(small: Small) -> None:
    lock = small.root / "installer" / "locks" / "cpu.txt"
    good = lock.read_text()
    lock.write_text(good[:-5] + "0000\n")
    environment = small.environment()
    with pytest.raises(ud_report.InstallError, match="DO NOT MATCH THE HASHES"):
        environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == ""
    lock.write_text(good)
    environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == "1.0"


def test_a_half_unpacked_package_is_installed_again(small: Small) -> None:
    """The state that a killed pip leaves: a distribution's files, but not the INSTALLER file written last."""
    environment = small.environment()
    environment.ensure("cpu")
    site = environment._site()
    (site / "cpu_part-1.0.dist-info" / "INSTALLER").unlink()
    (site / "cpu_part.py").write_text("version = '1.")
    steps = environment.state()["steps"]
    del steps["packages"]
    environment.record(running="packages", steps=steps)
    environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == "1.0"
    assert environment.state()["running"] is None


def test_packages_that_do_not_load_are_installed_anew_by_the_next_run(small: Small) -> None:
    small.lock("cpu", version="1.0")
    line = make_wheel(small.wheels, "cpu_part", "1.1", "raise ImportError('libfoo.so is missing')\n")
    (small.root / "installer" / "locks" / "cpu.txt").write_text(line)
    environment = small.environment()
    with pytest.raises(ud_report.InstallError, match=r"libfoo\.so is missing"):
        environment.ensure("cpu")
    small.lock("cpu", version="1.2")
    environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == "1.2"


def test_a_torso_of_an_environment_is_made_anew(small: Small) -> None:
    environment = small.environment()
    environment.folder.mkdir()
    (environment.folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == "1.0"


def test_a_folder_with_something_else_in_it_is_left_alone(small: Small) -> None:
    environment = small.environment()
    environment.folder.mkdir()
    (environment.folder / "letters.txt").write_text("keep me")
    with pytest.raises(ud_report.InstallError, match="is no environment"):
        environment.ensure("cpu")
    assert (environment.folder / "letters.txt").read_text() == "keep me"


def test_an_environment_killed_while_it_was_made_is_made_anew(small: Small) -> None:
    environment = small.environment()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment.folder)], check=True)
    environment.record(made_by="python3 installer", running="venv", steps={})
    environment.ensure("cpu")
    assert imported(environment.folder, "cpu_part") == "1.0"


def test_somebody_elses_environment_is_never_changed(small: Small) -> None:
    environment = small.environment()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment.folder)], check=True)
    before = sorted(environment.folder.rglob("*"))
    with pytest.raises(ud_report.InstallError, match="was not made by the installer"):
        environment.ensure("cpu")
    assert sorted(p for p in environment.folder.rglob("*") if "__pycache__" not in p.parts) == before


def test_a_full_disk_is_reported_before_anything_is_made(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ud_env, "free_megabytes", lambda folder: 12)
    environment = small.environment()
    with pytest.raises(ud_report.InstallError, match="12 MB are free"):
        environment.ensure("cpu")
    assert not environment.folder.exists()


def test_changing_the_kind_removes_the_other_onnxruntime(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime and onnxruntime-gpu overwrite each other's files."""
    torch = {"other": {"lock": "torch.txt"}}
    data = {**ud_env.sources(), "torch": {"cpu": torch, "cuda": torch}}
    monkeypatch.setattr(ud_env, "sources", lambda: data)
    locks = small.root / "installer" / "locks"
    packages = (locks / "cpu.txt").read_text()
    (locks / "cpu.txt").write_text(packages + make_wheel(small.wheels, "onnxruntime", "1.0", ""))
    (locks / "cuda.txt").write_text(packages + make_wheel(small.wheels, "onnxruntime_gpu", "1.0", ""))
    environment = small.environment()
    environment.ensure("cpu")
    assert list(environment._site().glob("onnxruntime-*"))
    line = make_wheel(small.wheels, "torch", "2.0", "class version:\n    cuda = '13.0'\n")
    (locks / "torch.txt").write_text(line)
    assert environment.ensure("cuda") == "cuda"
    assert list(environment._site().glob("onnxruntime_gpu-*"))
    assert not list(environment._site().glob("onnxruntime-*"))


def test_uninstalling_forgets_this_copys_engine_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERDRAWING_HOME", str(tmp_path))
    environment = Environment(Path(sys.prefix), ud_report.Reporter())
    note = tmp_path / "install.json"
    for root, kept in (("/another/copy", True), (str(ud_engine_register.ROOT), False)):
        note.write_text(json.dumps({"python": sys.executable, "root": root}))
        ud_engine_register.unregister(environment, tmp_path)
        assert note.exists() == kept


def test_a_damaged_record_is_no_record(small: Small) -> None:
    environment = small.environment()
    environment.folder.mkdir()
    environment.mark.write_text('{"steps": ')
    assert environment.state() == {}
    environment.mark.write_text("[]")
    assert not environment.ours()


def installer(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the real installer."""
    from ud_hardware import clean_environment

    env = {**clean_environment(), **variables}
    command = [sys.executable, str(INSTALLER), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL)


def test_no_network_is_one_sentence_and_leaves_a_run_that_can_go_on(tmp_path: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_CONFIG_FILE": "/dev/null",
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"), ""),
    }
    done = installer("engine", "--cpu", "--venv", str(tmp_path / "v"), **nowhere)
    assert done.returncode == 1
    assert "pip could not install the installation tools" in done.stderr
    assert "Check the network" in done.stderr
    assert "Traceback" not in done.stderr
    mark = json.loads((tmp_path / "v" / ud_env.MARK).read_text())
    assert mark["running"] == "tools"
    proxy = {"HTTPS_PROXY": "http://ada:hush@127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    nowhere["PIP_INDEX_URL"] = "https://packages.invalid/simple"
    done = installer("engine", "--cpu", "--venv", str(tmp_path / "v"), **{**nowhere, **proxy})
    assert done.returncode == 1
    assert "through the proxy http://127.0.0.1:9 (HTTPS_PROXY): check that it answers" in done.stderr
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = installer("engine", "--cpu", "--venv", str(tmp_path / "file" / "v"))
    assert done.returncode == 1
    assert done.stderr.startswith("✗ ")
    assert "Traceback" not in done.stderr


def test_an_offline_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = installer("engine", "--offline", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "There is no folder" in done.stderr


def test_remove_takes_its_own_environment_alone(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep me")
    # Whoever runs the tests keeps the plug-ins of their own.
    mine = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"), str(tmp_path / "nobody"))
    done = installer("remove", "--yes", "--venv", str(folder), **mine)
    assert done.returncode == 1
    assert "was not made by the installer" in done.stderr
    assert (folder / "mine.txt").exists()


def test_the_doctor_has_nothing_to_complain_about_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import ud_doctor
    from underdrawing.client.engine import Engine

    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    home = tmp_path / "data"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("UNDERDRAWING_HOME", str(home))
    (home / "install.json").write_text(json.dumps({"python": sys.executable}))
    (tmp_path / ".config/GIMP/3.0").mkdir(parents=True)
    ud_profiles.put("gimp", ud_report.Reporter(), home=tmp_path)
    environment = Environment(Path(sys.prefix), ud_report.Reporter())
    try:
        ud_doctor.doctor(environment, environment.report, tmp_path / "report.txt")
    finally:
        with Engine.connect(start=False, home=home) as engine:
            engine.shutdown()
            engine.wait_for_end()
    output = capsys.readouterr().out
    # Engines that other programs left on this machine are rightly reported, and nothing of this test.
    assert [line for line in output.splitlines() if "✗" in line and "whose folder was deleted" not in line] == []
    assert "CPUExecutionProvider: runs" in output
    assert "is this copy's" in output
    shown = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert "CPUExecutionProvider: runs" in shown
    assert str(tmp_path) not in shown


def test_the_doctor_finds_a_missing_and_a_broken_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ud_doctor

    monkeypatch.setenv("HOME", str(tmp_path))
    environment = Environment(tmp_path / "v", ud_report.Reporter())

    def bad() -> list[str]:
        return [line.text for line in ud_doctor.examine(environment) if line.verdict == ud_doctor.BAD]

    assert bad() == ["Underdrawing is not installed here."]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment.folder)], check=True)
    environment.record(running="packages")
    stopped, broken = bad()
    assert "stopped at the step 'packages'" in stopped
    assert "No module named underdrawing" in broken
