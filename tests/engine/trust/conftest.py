"""Real engines that are harmed on purpose, and what must hold afterwards."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of
from underdrawing.store.manifest import MANIFEST_FILE, Manifest
from underdrawing.store.model_library import check_files

from ..client.conftest import Raw, kill, pid, wait_for
from ..end_to_end.conftest import PALETTE, QUICK_OPTIONS, end

__all__ = ["PALETTE", "QUICK_OPTIONS", "Raw", "end", "kill", "pid", "wait_for"]

WORKER, RENDERER = "underdrawing.train.worker", "underdrawing.render.worker"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """The home of an engine for one test alone."""
    place = tmp_path / "own ü"
    yield place
    end(place)


def picture(seed: int = 0, side: int = 64) -> tuple[Frame, Frame, Frame]:
    """A picture of two areas, its segments, and segments with the border elsewhere; (side, side) each."""
    noise = np.random.default_rng(seed)
    left = np.arange(side)[None, :] < side // 2 + np.zeros((side, 1), int)
    pixels = np.where(left[..., None], [200, 60, 40], [40, 90, 200]) + noise.integers(-20, 20, (side, side, 3))
    frames = [frame_of(Picture(pixels.clip(0, 255).astype(np.uint8)))]
    colours = np.array([entry["colour"] for entry in PALETTE], np.uint8)
    for border in (side // 2, side // 2 + 9):
        classes = np.where(np.arange(side)[None, :] < border + np.zeros((side, 1), int), 0, 1)
        frames.append(frame_of(Picture(colours[classes])))
    return frames[0], frames[1], frames[2]


def train(engine: Engine, name: str = "sun", seed: int = 0, **more: object) -> dict[str, str]:
    """Begin a training (of the draft, unless told otherwise)."""
    shown, segments, _ = picture(seed)
    options: dict[str, object] = {"method": "draft", "name": name, **more}
    return engine.train(shown, {"segments": segments}, palette=PALETTE[:2], **options)


def trained(engine: Engine, name: str = "sun", seed: int = 0) -> str:
    """A model's id."""
    begun = train(engine, name, seed)
    ended = engine.watch(begun["job"], deadline=120)
    assert ended["state"] == "done", ended["error"]
    return begun["model"]


def children(daemon: int, module: str = "") -> list[psutil.Process]:
    """The processes that an engine's daemon has begun now, or those that run one module."""
    try:
        found = psutil.Process(daemon).children(recursive=True)
        return [process for process in found if not module or module in process.cmdline()]
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    """Whether it still runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def library_is_whole(home: Path) -> int:
    """Every folder in the library is a model with all its files as they were made; how many there are."""
    count = 0
    for folder in (home / "models").iterdir():
        if folder.name.startswith("."):
            continue
        assert (folder / MANIFEST_FILE).is_file(), f"half a model: {sorted(p.name for p in folder.iterdir())}"
        check_files(folder, Manifest.load(folder))
        count += 1
    return count


class Chance:
    """Random moments that can be had again: the seed is printed when a test fails."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, random.Random(seed)
        print(f"moments of seed {seed}")

    def wait(self, most: float, meanwhile: Callable[[], object] | None = None) -> None:
        """Let up to `most` seconds pass."""
        until = time.monotonic() + self.random.uniform(0.0, most)
        while time.monotonic() < until:
            if meanwhile is not None:
                meanwhile()
            time.sleep(0.005)
