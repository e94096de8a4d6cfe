"""Updating with small wheels: to a new release, back from a broken one, and killed at ten moments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ud_update
from tests.installer.conftest import Small, imported, make_wheel
from ud_report import InstallError

HERE = Path(__file__).with_name("update_here.py")
# Each run begins with what the one before left. 2n - 1 is just before the n-th step that changes the disk, 2n just
# after it. The steps are: what is still to be installed beside (three at most), the renames, the check, the deletion.
MOMENTS = [1, 2, 4, 4, 3, 2, 6, 2, 4, 1]


def update(small: Small, moment: int = 0) -> subprocess.CompletedProcess[str]:
    words = [str(small.root), str(small.wheels), str(small.template), str(moment)]
    return subprocess.run([sys.executable, str(HERE), *words], capture_output=True, text=True, check=False)


def left(small: Small) -> list[str]:
    return sorted(path.name for path in small.root.glob(".venv*"))


def test_an_update_replaces_the_environment_and_its_programs_know_their_place(small: Small) -> None:
    environment = small.environment()
    environment.ensure("cpu", tests=True)
    assert not ud_update.renew(environment, None, environment.report), "nothing was to be done"
    small.lock("cpu", version="2.0")
    assert ud_update.renew(environment, None, environment.report)
    assert imported(environment.folder, "cpu_part") == "2.0"
    assert imported(environment.folder, "test_part") == "1.0", "what was there for the tests is there again"
    assert left(small) == [".venv"]
    words = [str(environment.folder / "bin" / "pip"), "--version"]
    pip = subprocess.run(words, capture_output=True, text=True, check=False)
    assert str(environment.folder / "lib") in pip.stdout, pip.stderr
    assert not environment.outdated("cpu", tests=True)


@pytest.mark.parametrize(
    ("answer", "source", "output"),
    [
        ("pass", "raise ImportError('libfoo.so is missing')\n", "libfoo.so is missing"),
        pytest.param("sys.exit('no graph runs')", "", "no graph runs", marks=pytest.mark.long),
        pytest.param("'-new' in sys.prefix or sys.exit('only there')", "", "only there", marks=pytest.mark.long),
    ],
    ids=["cannot be loaded", "does not answer", "does not work in its place"],
)
def test_a_broken_update_goes_back_by_itself(small: Small, answer: str, source: str, output: str) -> None:
    environment = small.environment()
    environment.ensure("cpu")
    if source:
        line = make_wheel(small.wheels, "cpu_part", "2.0", source)
        (small.root / "installer" / "locks" / "cpu.txt").write_text(line)
    else:
        small.lock("cpu", version="2.0", answer=answer)
    with pytest.raises(InstallError, match=output) as caught:
        ud_update.renew(environment, None, environment.report)
    assert "former" in str(caught.value)
    assert caught.value.hint
    assert left(small) == [".venv"]
    assert imported(environment.folder, "cpu_part") == "1.0"
    assert environment.check() == ""


def test_without_the_files_the_former_environment_stays_and_the_next_run_goes_on(small: Small) -> None:
    environment = small.environment()
    environment.ensure("cpu")
    small.lock("cpu", version="2.0")
    wheel = next(small.wheels.glob("cpu_part-2.0*"))
    content = wheel.read_bytes()
    wheel.unlink()
    with pytest.raises(InstallError, match="The former environment is unchanged"):
        ud_update.renew(environment, None, environment.report)
    assert imported(environment.folder, "cpu_part") == "1.0"
    wheel.write_bytes(content)
    assert ud_update.renew(environment, None, environment.report)
    assert imported(environment.folder, "cpu_part") == "2.0"
    assert left(small) == [".venv"]


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="processes are killed as POSIX does it")
def test_an_update_killed_at_ten_moments_is_finished_or_undone_by_the_next_run(small: Small) -> None:
    environment = small.environment()
    environment.ensure("cpu")
    small.lock("cpu", version="2.0")
    for number, moment in enumerate(MOMENTS):
        done = update(small, moment)
        assert done.returncode == -9, f"run {number} was not killed: {done.stdout}{done.stderr}"
        there = [imported(small.root / name, "cpu_part") for name in (".venv", ".venv-old")]
        assert {"1.0", "2.0"} & set(there), f"run {number} left nothing that works: {left(small)}"
    last = update(small)
    assert last.returncode == 0, last.stderr
    assert imported(environment.folder, "cpu_part") == "2.0"
    assert left(small) == [".venv"]


def test_what_was_put_in_place_and_does_not_work_is_undone_by_the_next_run(small: Small) -> None:
    environment = small.environment()
    environment.ensure("cpu")
    small.lock("cpu", version="2.0", answer="'-new' in sys.prefix or sys.exit('only there')")
    _, old, _ = ud_update.places(environment)
    # The state after the second rename, as a killed run leaves it.
    done = update(small, 10)
    assert done.returncode == -9, done.stdout + done.stderr
    assert old.exists()
    assert imported(environment.folder, "cpu_part") == "2.0"
    ud_update.settle(environment, environment.report)
    assert imported(environment.folder, "cpu_part") == "1.0"
    assert left(small) == [".venv"]
