"""For all tests: a home of their own, and the list of what could not be tested, just before pytest's closing line."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Set before any test module is imported: no test may ever touch the user's own models, keys or running engine.
_HOME = Path(tempfile.mkdtemp(prefix="underdrawing-test-"))
os.environ["UNDERDRAWING_HOME"] = str(_HOME / "home")
os.environ["UNDERDRAWING_IDLE_EXIT"] = "600"  # a test run that is killed leaves no engine for long
if "UNDERDRAWING_WEIGHTS" not in os.environ:
    _CACHE = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or str(Path.home() / ".cache")
    os.environ["UNDERDRAWING_WEIGHTS"] = str(Path(_CACHE) / "underdrawing" / "weights")

HOSTS = ("gimp", "krita")
# `installer test --quick` gives this many seconds to all tests together.
_SECONDS = float(os.environ.get("UNDERDRAWING_TEST_SECONDS", "inf"))
_BEGAN = time.monotonic()
_ran: dict[str, int] = {}
_skipped: dict[str, int] = {}


# Folders whose tests share a host or an engine, and stay in one process: all hosts in the same.
TOGETHER = {"tests/gimp/": "hosts", "tests/krita/": "hosts", "tests/engine/end_to_end/": "end_to_end"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile` a file's tests stay together, and so do those of a folder in `TOGETHER`."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            found = [name for folder, name in TOGETHER.items() if nodeid.startswith(folder)]
            return found[0] if found else str(super()._split_scope(nodeid))

    return Together(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh home for one test alone."""
    folder = tmp_path / "home"
    monkeypatch.setenv("UNDERDRAWING_HOME", str(folder))
    yield folder


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test after the time that `--quick` has; those that were left out are listed at the end."""
    if time.monotonic() - _BEGAN > _SECONDS:
        pytest.skip(f"the {_SECONDS:.0f} seconds of --quick are over")


def _suite(node: str) -> str:
    parts = Path(node.split("::", maxsplit=1)[0]).parts
    return parts[1] if len(parts) > 2 and parts[0] == "tests" else ""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count, for each suite, the tests that really ran."""
    counted = _skipped if report.skipped else _ran if report.when == "call" else None
    if counted is not None:
        counted[_suite(report.nodeid)] = counted.get(_suite(report.nodeid), 0) + 1


def _notes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(os.environ.get("UNDERDRAWING_TEST_NOTES", "{}"))
    return found


def _not_run() -> list[str]:
    """The suites that must run here (a host's, in CI) and of which no test ran."""
    return [suite for suite in _notes().get("required", []) if not _ran.get(suite)]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A host that was to be tested and was not is a failure."""
    side_by_side = hasattr(session.config, "workerinput")  # one process of several: it did not run everything
    if exitstatus == 0 and not side_by_side and _not_run():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(_HOME, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what was not tested."""
    notes = _notes()
    lines = list(notes.get("untested", []))
    for suite in HOSTS:
        if _skipped.get(suite) and not _ran.get(suite):
            lines.append(f"{suite}: every test was skipped (the reasons stand above)")
    if lines:
        terminalreporter.section("NOT TESTED ON THIS MACHINE", yellow=True, bold=True)
        for line in lines:
            terminalreporter.line(f"  {line}")
    failures = [f"{suite} was not tested, and CI wants it tested" for suite in _not_run()]
    failures += [f"{name} complained (its words stand further up)" for name in notes.get("failed", [])]
    if failures:
        terminalreporter.section("FAILED BESIDE THE TESTS", red=True, bold=True)
        for line in failures:
            terminalreporter.line(f"  {line}")
