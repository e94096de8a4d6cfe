"""GIMP 3 in its folder, a profile with the plug-in, an engine of the tests' own, and cases that run inside of GIMP."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.hosts import debian, inside
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture

from .folder_model import train_folder

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "installer"))
import ud_plugins  # noqa: E402

PRELUDE = (Path(__file__).parent / "prelude.py").read_text(encoding="utf-8")
LONGEST = 600.0  # seconds for a case; on a machine with nothing else to do none takes a tenth of it
GIMPRC = '(config-version "3.0.4")\n(show-welcome-dialog no)\n(check-updates no)\n'


def test_picture(width: int = 96, height: int = 64) -> np.ndarray:
    """A sun over a hill beside a house, with grain: (height, width, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width] / height
    picture = np.empty((height, width, 3))
    picture[:] = np.array([120, 170, 220]) - 60 * y[..., None]
    picture[(x - 1.1) ** 2 + (y - 0.25) ** 2 < 0.03] = (250, 220, 90)
    picture[y > 0.65 + 0.08 * np.sin(5 * x)] = (70, 130, 50)
    picture[(abs(x - 0.4) < 0.2) & (abs(y - 0.6) < 0.2)] = (170, 70, 50)
    grain = np.random.default_rng(0).normal(0, 8, (height, width, 1))
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


test_picture.__test__ = False  # type: ignore[attr-defined]


@dataclass
class Host:
    """GIMP with a profile and an engine's home; everything of it lies in one folder that GIMP sees too."""

    root: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    first: ClassVar[Path | None] = None  # the profile of the first one, whose GIMP has asked all plug-ins what they do

    @property
    def home(self) -> Path:
        """The engine's."""
        return self.folder / "home ü"

    @property
    def profile(self) -> Path:
        """GIMP's."""
        return self.folder / "profile"

    def prepare(self) -> None:
        """Put the plug-in into the profile and write down where the engine's Python is."""
        self.home.mkdir(mode=0o700)
        ud_plugins.lay_out("gimp", self.profile / "plug-ins")
        (self.profile / "gimprc").write_text(GIMPRC, encoding="utf-8")
        if Host.first is None:
            Host.first = self.profile
        elif (Host.first / "pluginrc").is_file():
            # GIMP then asks none but ours, which is new at this place.
            shutil.copyfile(Host.first / "pluginrc", self.profile / "pluginrc")
        write_picture(self.folder / "picture.png", Picture(test_picture()))
        own = {name: os.environ[name] for name in ("HOME", "PATH", "UNDERDRAWING_WEIGHTS") if name in os.environ}
        own.update(PYTHONPATH=str(ROOT / "engine"), UNDERDRAWING_HOME=str(self.home))
        python = inside.outside(Path(sys.executable), self.folder, own)
        (self.home / "install.json").write_text(json.dumps({"python": str(python)}), encoding="utf-8")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """GIMP's variables."""
        return {
            "HOME": str(self.folder),
            "GIMP3_DIRECTORY": str(self.profile),
            "UNDERDRAWING_HOME": str(self.home),
            **self.variables,
            **(more or {}),
        }

    def case(self, body: str, more: Mapping[str, str] | None = None, **given: Any) -> dict[str, Any]:
        """Run Python inside of GIMP, without windows: what it told.

        Args:
            body: uses what prelude.py defines; `tell(name=value)` answers.
            more: variables of the environment.
            given: values that the body finds in `GIVEN`.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            script, told = Path(place) / "case.py", Path(place) / "answer.json"
            closing = f"\nwith open({str(told)!r}, 'w') as file:\n    json.dump(ANSWER, file)\n"
            script.write_text(PRELUDE + "\n" + body + closing, encoding="utf-8")
            words = ["gimp-console-3.0", "-i", "-d", "-f", "--batch-interpreter", "python-fu-eval"]
            words += ["-b", f"exec(compile(open({str(script)!r}).read(), 'case.py', 'exec'))", "--quit"]
            values = {"picture": str(self.folder / "picture.png"), "folder": str(self.folder), **given}
            variables = self.environment({"CASE_GIVEN": json.dumps(values), **(more or {})})
            done = inside.run(self.root, [self.folder], variables, words, LONGEST)
            assert done.returncode == 0, done.stdout
            assert told.is_file(), done.stdout
            answer: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
            return {**answer, "output": done.stdout}

    def engine(self) -> Engine:
        """A client of the engine that GIMP talks to."""
        return Engine.connect(home=self.home)

    def has_card(self) -> bool:
        """Whether the engine can train on a graphics card here."""
        with self.engine() as engine:
            return any(device["kind"] == "cuda" for device in engine.methods()["devices"])

    def end(self) -> None:
        """End the engine."""
        try:
            with Engine.connect(start=False, home=self.home) as engine:
                engine.shutdown()
                assert engine.wait_for_end()
        except EngineError as error:
            if error.code != "not_running":
                raise


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder with GIMP; without it there is nothing to test, and the summary says why."""
    try:
        return debian.ensure()
    except debian.HostsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shared_host(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One GIMP profile and one engine for all tests that can share them."""
    host = Host(root, tmp_path_factory.mktemp("gimp tests"))
    host.prepare()
    yield host
    host.end()


@pytest.fixture(scope="session")
def folder_model_file(shared_host: Host, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A folder's model: its id in the shared engine, and the file from which other engines take it."""
    file = tmp_path_factory.mktemp("folder") / "lakes.underdrawing"
    with shared_host.engine() as engine:
        model = train_folder(engine, test_picture(60, 44))
        engine.export_model(model, file)
    return model, file


@pytest.fixture
def gimp(shared_host: Host) -> Host:
    """The shared one."""
    return shared_host


@pytest.fixture
def own_gimp(root: Path, tmp_path: Path) -> Iterator[Host]:
    """A profile and an engine for one test alone."""
    host = Host(root, tmp_path / "alone")
    host.folder.mkdir()
    host.prepare()
    yield host
    host.end()
