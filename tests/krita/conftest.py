"""Real Kritas on screens that nobody sees, with the real engine, judged by the reports that the driver writes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import debian, krita51
from tests.hosts.krita51 import Here, Place

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
LONGEST = 180.0  # seconds for one case
SILENT: set[str] = set()  # the Kritas that said nothing at all in a case: no other case need wait for them

sys.path.insert(0, str(ROOT / "installer"))


class Krita:
    """A Krita with a home, a data folder and an engine of its own."""

    def __init__(self, place: Place, folder: Path, engine_home: Path, shared: Path) -> None:
        import ud_plugins

        self.place, self.folder, self.engine_home, self.shared = place, folder, engine_home, shared
        self.home = folder / "Käthe’s home"
        data, config = self.home / ".local" / "share", self.home / ".config"
        pykrita = data / "krita" / "pykrita"
        config.mkdir(parents=True)
        ud_plugins.lay_out("krita", pykrita)
        shutil.copytree(FOLDER / "driver", pykrita, dirs_exist_ok=True)
        plugins = "enable_underdrawing_krita=true\nenable_ud_driver=true\n"
        (config / "kritarc").write_text(f"[python]\n{plugins}[theme]\nTheme=Krita dark\n", encoding="utf-8")
        run = folder / "run"
        run.mkdir(mode=0o700)
        self.variables = {
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(data),
            "XDG_CONFIG_HOME": str(config),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_RUNTIME_DIR": str(run),
            "UNDERDRAWING_HOME": str(engine_home),
            "UD_FOLDER": str(folder),
            "UD_REPORT": str(folder / "report.json"),
        }
        self.process: subprocess.Popen[str] | None = None

    def start(self, case: str, **given: Any) -> None:
        """Start Krita with a case; `given` is what the case is to know."""
        (self.folder / "report.json").unlink(missing_ok=True)
        script = self.folder / "case.py"
        shutil.copyfile(FOLDER / "cases" / f"{case}.py", script)
        more = {"UD_CASE": str(script), "UD_GIVEN": json.dumps(given)}
        log = self.folder / "krita.log"
        self.process = self.place.start({**self.variables, **more}, krita51.desk(), self.shared, log)

    def report(self, timeout: float = LONGEST) -> dict[str, Any]:
        """The case's report; Krita has ended by itself afterwards.

        Raises:
            AssertionError: the case failed, or Krita crashed, hung, or would not close.
        """
        assert self.process is not None
        assert self.place.name not in SILENT, f"Krita {self.place.name} said nothing in an earlier case"
        file, until = self.folder / "report.json", time.monotonic() + timeout
        while not file.exists():
            ended = self.process.poll()
            assert ended is None or file.exists(), f"Krita ended without a report (code {ended}): {self.log()}"
            if time.monotonic() > until:
                SILENT.add(self.place.name)
                raise AssertionError(f"no report after {timeout:.0f} s: {self.log()}")
            time.sleep(0.1)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Krita did not close: {self.log()}") from None
        assert found["done"], found["failed"]
        assert "Traceback" not in self.log(), self.log()
        return found

    def run(self, case: str, timeout: float = LONGEST, **given: Any) -> dict[str, Any]:
        """Start, and wait for the report."""
        self.start(case, **given)
        try:
            return self.report(timeout)
        finally:
            self.end()

    def end(self) -> None:
        """End Krita, whatever it does."""
        if self.process is not None:
            krita51.end(self.process)
            self.process = None

    def log(self) -> str:
        """The end of what Krita and the plug-in wrote."""
        try:
            lines = (self.folder / "krita.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        start = next(
            (n for n, line in enumerate(lines) if "Traceback" in line or "Timeout (" in line), max(0, len(lines) - 15)
        )
        return "\n".join(lines[start : start + 30])


def _place(version: str) -> Place:
    if version == "5.1":
        why = krita51.why_not()
        if why is not None:
            pytest.skip(why)
        return Here()
    try:
        return krita51.krita52()
    except debian.HostsError as error:
        pytest.skip(f"Krita 5.2: {error}")


@pytest.fixture(scope="session", params=["5.1", "5.2"])
def place(request: pytest.FixtureRequest) -> Place:
    """Where a Krita runs: 5.1 on this machine, 5.2 in the folder with Debian 13."""
    return _place(str(request.param))


@pytest.fixture(scope="session")
def engine_home(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the engine, shared by all tests of one Krita; the plug-in itself starts the engine."""
    folder = tmp_path_factory.mktemp("engine" + place.name.replace(".", ""))
    yield from _engine_home(place, folder)


def _engine_home(place: Place, folder: Path) -> Iterator[Path]:
    home = folder / "home ü"
    home.mkdir()
    variables = {"PYTHONPATH": str(ROOT / "engine"), "UNDERDRAWING_WEIGHTS": os.environ["UNDERDRAWING_WEIGHTS"]}
    python = place.engine(Path(sys.executable), home, variables)
    (home / "install.json").write_text(json.dumps({"python": str(python)}), encoding="utf-8")
    yield home
    end_engine(home)


def end_engine(home: Path) -> None:
    """End the engine of a home, if one runs."""
    try:
        pid = int(json.loads((home / "run" / "engine.json").read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)


@pytest.fixture
def krita(place: Place, engine_home: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krita]:
    """A fresh Krita; its engine is shared."""
    made = Krita(place, tmp_path, engine_home, tmp_path_factory.getbasetemp())
    yield made
    made.end()
