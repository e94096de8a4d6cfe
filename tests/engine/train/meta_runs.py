"""Small trainings of a hypernetwork."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Progress
from underdrawing.train.methods import find
from underdrawing.train.methods.meta.run import HyperRun

CPU = Device("CPU", torch.device("cpu"), bfloat16=False)
SMALL = {
    "width": 4,
    "embedding": 8,
    "side": 32,
    "filters": 4,
    "layers": 1,
    "stages": 3,
    "smallest": 18,
    "batch": 2,
    "crop": 20,
}
SIZE = (40, 30)
Begin = Callable[..., HyperRun]


def picture(number: int) -> np.ndarray:
    """Three pictures that differ: two real ones and a mirrored one, (30, 40, 3) in [0, 1]."""
    source = (data.coffee(), data.astronaut(), data.coffee()[:, ::-1])[number]
    return cv2.resize(source, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def training(count: int) -> TrainingData:
    pairs = tuple(make_pair(picture(k), {}, None, 1, minimum=12) for k in range(count))
    return TrainingData(pairs, 1.0, (0, 0, *SIZE), {})


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Without oneDNN: that of torch 2.13 writes beside its memory in backbones of 4 channels (one thread, AVX2)."""
    before, torch.backends.mkldnn.enabled = torch.backends.mkldnn.enabled, False
    yield
    torch.backends.mkldnn.enabled = before


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Begin:
    # A shallower backbone, so that steps and exports take a moment; its published depth has a test of its own.
    monkeypatch.setattr("underdrawing.train.methods.meta.networks.BLOCKS", (1, 1, 1, 1))

    def start(count: int = 3, recipe: str = "meta", seed: int = 0, **options: Any) -> HyperRun:
        method = find("meta")
        run = method.begin(training(count), method.recipes[recipe].with_options({**SMALL, **options}), CPU, seed)
        assert isinstance(run, HyperRun)
        return run

    return start


def train(run: HyperRun, first: int, last: int, total: int) -> list[dict[str, float]]:
    losses = []
    for number in range(first, last):
        run.enter(number * len(run.stages) // total)
        losses.append(run.step(Progress(number, number / total)))
    return losses
