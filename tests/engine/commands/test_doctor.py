"""`underdrawing doctor`: what each state of this machine means, and what to do about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from underdrawing.commands import doctor
from underdrawing.commands.doctor import Finding, Verdict


def bad(findings: Iterator[Finding]) -> list[str]:
    found = list(findings)
    assert all(finding.remedy for finding in found if finding.verdict is Verdict.BAD)
    return [finding.text for finding in found if finding.verdict is Verdict.BAD]


@pytest.mark.parametrize(
    ("packages", "text"),
    [
        ({"onnxruntime": "installed", "onnxruntime-gpu": "installed"}, "break each other"),
        ({}, "models cannot be applied"),
        ({"onnxruntime": "installed", "error": "libfoo.so is missing"}, "libfoo.so is missing"),
        ({"onnxruntime-gpu": "installed", "torch_cuda": "13.0", "onnxruntime_cuda": "12.8"}, "ONNX Runtime for 12.8"),
    ],
)
def test_packages_that_do_not_fit_are_bad(packages: dict[str, str], text: str) -> None:
    (only,) = bad(doctor.package_findings(packages))
    assert text in only


def test_the_packages_here_are_good() -> None:
    packages = doctor.installed_packages()
    assert packages["torch"]
    assert bad(doctor.package_findings(packages)) == []


def test_a_registered_python_must_be_there(tmp_path: Path) -> None:
    assert bad(doctor.registration_findings(tmp_path)) == ["The plug-ins do not know where the engine is."]
    (tmp_path / "install.json").write_text(json.dumps({"python": "/gone/python"}))
    assert "/gone/python, which is not there" in bad(doctor.registration_findings(tmp_path))[0]
    (tmp_path / "install.json").write_text(json.dumps({"python": sys.executable}))
    assert bad(doctor.registration_findings(tmp_path)) == []


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_a_key_that_others_can_read_is_bad(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (keys / "engine.secret").touch(mode=0o600)
    assert bad(doctor.key_findings(tmp_path)) == []
    (keys / "engine.secret").chmod(0o640)
    assert f"Others can read {keys / 'engine.secret'}" in bad(doctor.key_findings(tmp_path))[0]


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at the folder that a process works in")
def test_an_engine_whose_folder_is_gone_is_bad(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    # A process with an engine's command line; it waits for the end of its input.
    words = [sys.executable, "-c", "import sys; sys.stdin.read()", "underdrawing.daemon", "--home", str(folder)]
    with subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE) as running:
        mine = f"(process {running.pid})"
        assert not any(mine in text for text in bad(doctor.leftover_findings()))
        folder.rmdir()
        assert any(mine in text for text in bad(doctor.leftover_findings()))


def test_a_full_disk_and_a_broken_renderer_are_bad() -> None:
    renderer = {"error": {"message": "no graph runs", "hint": "Repair it."}}
    texts = bad(doctor.engine_findings({"free": 5e8, "home": "/data", "renderer": renderer}))
    assert [("free" in texts[0]), ("no graph runs" in texts[1])] == [True, True]
