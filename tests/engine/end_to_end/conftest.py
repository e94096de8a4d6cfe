"""A real engine of its own for these tests: daemon, worker and renderer as users have them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from skimage import data

from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

# Small enough for seconds, large enough for edits: nothing here is about quality.
QUICK_OPTIONS = {"filters": 8, "halvings": 1, "blocks": 1, "crop": 64, "perceptual": 0, "gan_from": 0.5}
PALETTE = [
    {"colour": [200, 40, 40], "name": "dark"},
    {"colour": [40, 200, 40], "name": "middle"},
    {"colour": [40, 40, 200], "name": "light"},
]


def end(folder: Path) -> None:
    """End every process of the engine in this home."""
    with contextlib.suppress(EngineError):
        Engine.connect(start=False, home=folder, timeout=3.0).shutdown()
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in (process.info["cmdline"] or []):
            with contextlib.suppress(psutil.Error):
                process.kill()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of the engine that most tests share."""
    place = tmp_path_factory.mktemp("shared home äöü")
    yield place
    end(place)


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    """A connection to it."""
    with Engine.connect(home=folder) as connected:
        yield connected


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """The home of an engine for one test alone."""
    yield tmp_path / "own"
    end(tmp_path / "own")


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    """The coffee cup, (134, 202, 3) uint8: no multiples of anything."""
    return cv2.resize(data.coffee(), (202, 134), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="session")
def classes(coffee: np.ndarray) -> np.ndarray:
    """Its three classes of brightness, (134, 202) uint8."""
    grey = cv2.GaussianBlur(cv2.cvtColor(coffee, cv2.COLOR_RGB2GRAY), (0, 0), 3)
    return np.digitize(grey, [70, 140]).astype(np.uint8)


def drawn(classes: np.ndarray) -> Frame:
    """Classes as the picture that a user paints on."""
    colours = np.array([c["colour"] for c in PALETTE], np.uint8)
    return frame_of(Picture(colours[classes]))


def edited(classes: np.ndarray) -> Frame:
    """The same with a square of another class."""
    changed = classes.copy()
    changed[50:80, 60:100] = 2 - changed[50, 60]
    return drawn(changed)


@pytest.fixture(scope="session")
def train() -> Callable[..., dict[str, str]]:
    """A function that begins a training of the given picture and classes."""

    def begin(engine: Engine, picture: np.ndarray, classes: np.ndarray, **more: object) -> dict[str, str]:
        given: dict[str, object] = {"method": "deepsim", "iterations": 6, "name": "coffee", **more}
        options = {**QUICK_OPTIONS, **given.pop("options", {})}  # type: ignore[dict-item]
        frame = frame_of(Picture(picture))
        return engine.train(frame, {"segments": drawn(classes)}, palette=PALETTE, options=options, **given)

    return begin


@pytest.fixture(scope="session")
def model(folder: Path, coffee: np.ndarray, classes: np.ndarray, train: Callable[..., dict[str, str]]) -> str:
    """A trained model in the shared engine."""
    with Engine.connect(home=folder) as connected:
        started = train(connected, coffee, classes, options={"halvings": 3})  # the picture is no multiple of eight
        ended = connected.watch(started["job"], deadline=120)
        assert ended["state"] == "done", ended["error"]
    return started["model"]


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)


def pid(engine: Engine) -> int:
    """The daemon's process."""
    connection = engine.connection
    assert connection is not None
    return connection.pid


def kill(process: int) -> None:
    """kill -9."""
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        os.kill(process, signal.SIGKILL)
        psutil.Process(process).wait(10)
