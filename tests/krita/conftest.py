"""Real Kritas on screens that nobody sees, with the real engine, judged by the reports that the driver writes."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import debian, krita51
from tests.hosts.krita51 import Here, Place

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
LONGEST = 900.0  # seconds for one case, on a machine that has much else to do
STARTS = 240.0  # seconds for Krita's start, which takes 5 to 15
SILENT: set[str] = set()  # the Kritas that said nothing at all: no other case need wait for them

sys.path.insert(0, str(ROOT / "installer"))


@dataclass(frozen=True)
class Kind:
    """How a Krita is set up: a theme, and how many pixels of the screen there are to one of Qt's."""

    theme: str = "Krita dark"
    scale: int = 1


class Desk:
    """A Krita with a home and an engine of its own that serves one case after the other; started where none runs."""

    def __init__(self, place: Place, folder: Path, engine_home: Path, shared: Path) -> None:
        self.place, self.folder, self.engine_home, self.shared = place, folder, engine_home, shared
        self.home = folder / "Käthe’s home"
        self.log_file = folder / "krita.log"
        self.process: subprocess.Popen[str] | None = None
        self.kind = Kind()
        data, self.config = self.home / ".local" / "share", self.home / ".config"
        pykrita = data / "krita" / "pykrita"
        self.config.mkdir(parents=True)
        import ud_plugins

        ud_plugins.lay_out("krita", pykrita)
        shutil.copytree(FOLDER / "driver", pykrita, dirs_exist_ok=True)
        run = folder / "run"
        run.mkdir(mode=0o700)
        self.variables = {
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(data),
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_RUNTIME_DIR": str(run),
            "UNDERDRAWING_HOME": str(engine_home),
            "UD_FOLDER": str(folder),
        }

    def ready(self, kind: Kind) -> None:
        """A Krita of this kind that waits for a case.

        Raises:
            AssertionError: none starts.
        """
        assert self.place.name not in SILENT, f"Krita {self.place.name} said nothing when it was started before"
        if self.process is not None and (self.kind != kind or self.process.poll() is not None):
            self.end()
        if self.process is not None:
            return
        self.kind = kind
        plugins = "enable_underdrawing_krita=true\nenable_ud_driver=true\n"
        text = f"[python]\n{plugins}[theme]\nTheme={kind.theme}\n"
        (self.config / "kritarc").write_text(text, encoding="utf-8")
        for name in ("ready", "next.json"):
            (self.folder / name).unlink(missing_ok=True)
        self.log_file.unlink(missing_ok=True)
        dense = {"QT_SCALE_FACTOR": str(kind.scale)} if kind.scale > 1 else {}
        self.process = self.place.start(
            {**self.variables, **dense}, krita51.desk(kind.scale), self.shared, self.log_file
        )
        if not self._until((self.folder / "ready").exists, STARTS):
            said = self.log()
            SILENT.add(self.place.name)
            self.end()
            raise AssertionError(f"Krita {self.place.name} did not start within {STARTS:.0f} s: {said}")

    def order(self, orders: dict[str, Any]) -> None:
        """Tell Krita what is next."""
        partial = self.folder / "next.partial"
        partial.write_text(json.dumps(orders), encoding="utf-8")
        partial.replace(self.folder / "next.json")

    def close(self) -> None:
        """Krita ends by itself.

        Raises:
            AssertionError: it does not.
        """
        if self.process is not None:
            self.order({})
            self.wait()

    def wait(self) -> None:
        """Wait until Krita, which was told to end, has ended."""
        assert self.process is not None
        try:
            code = self.process.wait(120)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Krita did not close: {self.log()}") from None
        assert code == 0, f"Krita ended with code {code}: {self.log()}"

    def end(self) -> None:
        """End Krita, whatever it does."""
        if self.process is not None:
            krita51.end(self.process)
            self.process = None

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether something holds within so many seconds, before Krita ends."""
        assert self.process is not None
        until = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None or time.monotonic() > until:
                return holds()
            time.sleep(0.05)
        return True

    def report(self, file: Path, seconds: float) -> dict[str, Any]:
        """The report that a case writes.

        Raises:
            AssertionError: it writes none.
        """
        if not self._until(file.exists, seconds):
            ended = self.process.poll() if self.process is not None else None
            raise AssertionError(f"no report (Krita's code: {ended}): {self.log()}")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def log(self) -> str:
        """The end of what Krita and the plug-in wrote."""
        try:
            lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        start = next(
            (n for n, line in enumerate(lines) if "Traceback" in line or "Timeout (" in line), max(0, len(lines) - 15)
        )
        return "\n".join(lines[start : start + 30])


class Krita:
    """What a test has of a Krita: its cases, in a folder of the test's own."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.place, self.engine_home, self.home = desk.place, desk.engine_home, desk.home

    def run(
        self, case: str, timeout: float = LONGEST, leave: bool = False, kind: Kind | None = None, **given: Any
    ) -> dict[str, Any]:
        """The report of a case; `given` is what it is to know.

        Args:
            leave: Krita ends after it, by itself.
            kind: how Krita is set up, else as usual.

        Raises:
            AssertionError: the case failed, or Krita crashed, hung, or would not close.
        """
        desk = self.desk
        desk.ready(kind or Kind())
        report = self.folder / f"{case}.json"
        script = FOLDER / "cases" / f"{case}.py"
        copied = shutil.copyfile(script, self.folder / script.name)
        desk.order({"case": str(copied), "given": given, "report": str(report), "leave": leave})
        try:
            found = desk.report(report, timeout)
            if leave:
                desk.wait()
                desk.process = None
            assert found["done"], found["failed"]
            assert "Traceback" not in desk.log(), desk.log()
        except AssertionError:
            desk.end()  # the next case begins with another Krita
            raise
        return found


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


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """With Krita 5.1 only the whole way runs every day."""
    for item in items:
        given = getattr(item, "callspec", None)
        if given is not None and given.params.get("place") == "5.1" and item.originalname != "test_the_whole_way":
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session", params=["5.1", "5.2"])
def place(request: pytest.FixtureRequest) -> Place:
    """Where a Krita runs: 5.1 on this machine, 5.2 in the folder with Debian 13."""
    return _place(str(request.param))


@pytest.fixture(scope="session")
def engine_home(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the engine, shared by all tests of one Krita; the plug-in itself starts the engine."""
    folder = tmp_path_factory.mktemp("engine" + place.name.replace(".", ""))
    yield from _engine_home(place, folder)


def _engine_home(place: Place, folder: Path, **how: Any) -> Iterator[Path]:
    home = folder / "home ü"
    home.mkdir(parents=True)
    install(place, home, **how)
    yield home
    end_engine(home)


def install(place: Place, home: Path, package: Path = ROOT / "engine", wrap: str = 'exec {python} "$@"') -> None:
    """Tell the plug-in which Python has the engine of this home.

    Args:
        package: where the engine's code lies.
        wrap: a line of a shell script that runs it.
    """
    script = home / "wrapped"
    line = wrap.format(python=shlex.quote(sys.executable), home=shlex.quote(str(home)))
    script.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    script.chmod(0o755)
    variables = {"PYTHONPATH": str(package), "UNDERDRAWING_WEIGHTS": os.environ["UNDERDRAWING_WEIGHTS"]}
    python = place.engine(script, home, variables)
    (home / "install.json").write_text(json.dumps({"python": str(python)}), encoding="utf-8")


# A disk of its own for the engine's pictures, seen by nobody else, with room for one of them.
FULL = """own=--mount; [ "$(id -u)" = 0 ] || own='--mount --map-root-user'
mkdir -p {home}/spool
exec unshare $own sh -c 'mount -t tmpfs -o size=64k tmpfs "$0/spool" && exec "$@"' {home} {python} "$@\""""


@pytest.fixture(scope="session")
def bad_homes(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Homes whose engines have something wrong with them: real ones, each in its way."""
    folder = tmp_path_factory.mktemp("bad" + place.name.replace(".", ""))
    later = folder / "later" / "underdrawing"
    shutil.copytree(ROOT / "engine" / "underdrawing", later, ignore=shutil.ignore_patterns("__pycache__", "_demo"))
    messages = later / "client" / "messages.py"
    text = messages.read_text(encoding="utf-8")
    assert "\nPROTOCOL = 1\n" in text
    messages.write_text(text.replace("\nPROTOCOL = 1\n", "\nPROTOCOL = 2\n"), encoding="utf-8")
    kinds: dict[str, dict[str, Any]] = {
        "later": {"package": later.parent},
        "not startable": {"wrap": "echo 'a library is missing' >&2; exit 3"},
        "full": {"wrap": FULL},
        "short of memory": {"wrap": 'exec {python} "$@" --memory 16'},
    }
    made: dict[str, str] = {}
    for name, how in kinds.items():
        home = folder / name / "home"
        home.mkdir(parents=True)
        install(place, home, **how)
        made[name] = str(home)
    yield made
    for home in made.values():
        end_engine(Path(home))


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
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # where a test started it, it stays until it is asked for
        time.sleep(0.05)


@pytest.fixture(scope="session")
def desk(place: Place, engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The Krita that serves the cases of one version, and closes by itself after the last of them."""
    folder = tmp_path_factory.mktemp("krita" + place.name.replace(".", ""))
    made = Desk(place, folder, engine_home, tmp_path_factory.getbasetemp())
    yield made
    try:
        made.close()
    finally:
        made.end()


@pytest.fixture
def krita(desk: Desk, tmp_path: Path) -> Krita:
    """A Krita for one test."""
    return Krita(desk, tmp_path)
