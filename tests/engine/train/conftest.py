"""A small real picture with real planes, and a small run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from underdrawing.store.manifest import PlaneKind
from underdrawing.train.data import Pair, TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Run
from underdrawing.train.methods import find

PALETTE = np.array([[230, 60, 60], [60, 60, 230], [60, 230, 60]], np.uint8)
CPU = Device("CPU", torch.device("cpu"), bfloat16=False)
SMALL: Mapping[str, Any] = {"filters": 8, "halvings": 3, "blocks": 1, "crop": 64, "discriminator_filters": 8}


@pytest.fixture(scope="session")
def pair() -> Pair:
    """The coffee cup at 108 x 76 pixels (no multiples of anything), brightness classes and outlines."""
    picture = cv2.resize(data.coffee(), (108, 76), interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    classes = np.digitize(grey, [80, 150]).astype(np.uint8)
    edges = 255 - cv2.Canny(picture, 100, 200)
    planes = {"segments": (PlaneKind.CLASSES, classes), "edges": (PlaneKind.LINES, edges)}
    return make_pair(picture.astype(np.float32) / 255, planes, PALETTE, 16)


@pytest.fixture
def begin(pair: Pair) -> Callable[..., Run]:
    """A function that begins a small run: recipe name and figures that differ."""

    def start(recipe: str = "quick", seed: int = 0, **options: Any) -> Run:
        method = find("deepsim")
        training = TrainingData((pair,), 1.0, (0, 0, 108, 76), {})
        chosen = method.recipes[recipe].with_options({**SMALL, **options})
        return method.begin(training, chosen, CPU, seed)

    return start
