"""`installer test`: which suites run, and that what was not tested is output just before pytest's closing line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ud_test
from tests.installer.conftest import ROOT
from ud_env import Environment
from ud_report import Reporter

PASSES = "def test_a():\n    assert True\n"
SKIPS = "import pytest\n\n\ndef test_b():\n    pytest.skip('no Krita here')\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with an engine suite that passes and a Krita suite that skips itself."""
    for suite, text in (("engine", PASSES), ("krita", SKIPS)):
        folder = tmp_path / "tests" / suite
        folder.mkdir(parents=True)
        (folder / f"test_{suite}.py").write_text(text)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests" / "conftest.py")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-ra'\n")
    return tmp_path


def run(tree: Path, notes: dict[str, list[str]], **more: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}  # this pytest's own, of its processes
    env |= {"UNDERDRAWING_TEST_NOTES": json.dumps(notes), **more}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *ud_test.SIDE_BY_SIDE]
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)


def test_what_exists_is_what_runs(tree: Path) -> None:
    made = ud_test.plan(tree, None, without_hosts=False, strict=False)
    assert made.folders == ["tests/krita", "tests/engine"], "hosts first"
    assert made.required == made.untested == []


def test_hosts_left_out_are_listed_and_required_in_ci(tree: Path) -> None:
    made = ud_test.plan(tree, None, without_hosts=True, strict=True)
    assert made.folders == ["tests/engine"]
    assert made.untested == ["krita: left out by --without-hosts"]
    assert made.required == ["krita"]


def test_only_runs_one(tree: Path) -> None:
    made = ud_test.plan(tree, "krita", without_hosts=False, strict=False)
    assert made.folders == ["tests/krita"]
    assert made.untested == ["engine: left out by --only krita"]


def test_the_closing_line_is_pytests_own_and_the_list_stands_before_it(tree: Path) -> None:
    done = run(tree, {"untested": ["CUDA: no NVIDIA card answers here"], "required": [], "failed": []})
    assert done.returncode == 0, done.stdout
    lines = done.stdout.strip().splitlines()
    assert "1 passed, 1 skipped" in lines[-1]
    assert "NOT TESTED ON THIS MACHINE" in done.stdout
    assert "krita: every test was skipped" in done.stdout
    assert done.stdout.index("CUDA: no NVIDIA card") < done.stdout.index("1 passed, 1 skipped")


def test_in_ci_a_host_that_was_not_tested_is_a_failure(tree: Path) -> None:
    done = run(tree, {"required": ["krita"]})
    assert done.returncode == 1
    assert "krita was not tested, and CI wants it tested" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout.strip().splitlines()[-1]


def test_a_linters_complaint_is_repeated_at_the_end(tree: Path) -> None:
    assert "mypy complained" in run(tree, {"failed": ["mypy"]}).stdout


def test_where_the_hosts_cannot_be_the_list_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = ud_test.Plan(folders=["tests/engine", "tests/gimp"])
    ud_test.make_hosts(Environment(tmp_path, Reporter()), made)
    (line,) = made.untested
    assert line.startswith("gimp: ")
    assert "the hosts for the tests" in line or "mounts of its own" in line
    assert made.folders == ["tests/engine", "tests/gimp"]


def test_changed_files_lead_to_their_folders_of_tests(tmp_path: Path) -> None:
    for folder in ("engine/picture", "engine/train", "installer", "gimp"):
        (tmp_path / "tests" / folder).mkdir(parents=True)

    def found(*files: str) -> list[str]:
        return ud_test.tests_of(list(files), tmp_path)

    assert found("engine/underdrawing/picture/mask.py") == ["tests/engine/picture"]
    assert found("engine/underdrawing/train/methods/sia/run.py") == ["tests/engine/train"]
    assert found("installer/ud_env.py", "plugin_gimp/underdrawing_gimp/live.py") == ["tests/installer", "tests/gimp"]
    assert found("tests/engine/picture/test_mask.py", "engine/underdrawing/picture/mask.py") == ["tests/engine/picture"]
    assert found("engine/underdrawing/version.py", "engine/underdrawing/train/loop.py") == ["tests/engine"]
    assert found("README.md") == []


def test_quick_begins_no_test_after_its_time(tree: Path) -> None:
    done = run(tree, {}, UNDERDRAWING_TEST_SECONDS="0")
    assert done.returncode == 0, done.stdout
    assert "2 skipped" in done.stdout
    assert "the 0 seconds of --quick are over" in done.stdout
