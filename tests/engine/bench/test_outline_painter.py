"""The experiment with outlines as a channel of their own: its samples, its start, and that it trains."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import outline_painter
from bench.datasets import LabelledFrame, Set
from bench.outline_painter import SIGMA, OutlinePainter, curve, sample
from underdrawing.draft.refiner_input import CHANNELS
from underdrawing.picture.edges import canny_edges
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive


def scene(x: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (48, 64, 3) float32 and its classes: a square in front of a striped wall."""
    classes = np.zeros((48, 64), np.uint8)
    classes[16:36, x : x + 16] = 1
    picture = np.full((48, 64, 3), 0.3, np.float32)
    picture[:, ::8] = 0.7
    picture[classes == 1] = (0.9, 0.2, 0.2)
    return picture, classes


@pytest.mark.parametrize("back", [True, False])
def test_outlines_of_a_sample_are_those_of_its_truth(back: bool) -> None:
    picture, classes = scene(10)
    own = Primitive(classes, distinct_colours(2), canny_edges(picture, SIGMA), None)
    one = sample(picture, own, np.random.default_rng(3), back)
    truth = one.truth.transpose(1, 2, 0).astype(np.float32) / 2 + 0.5
    assert one.hints.shape == (CHANNELS + 1, 48, 64)
    agree = (one.hints[CHANNELS] > 0) == (canny_edges(truth, SIGMA) < 128)
    assert agree.mean() > 0.97, "float16 moves a line here and there"
    if back:
        assert np.abs(truth - picture).max() < 2e-3


def test_training_begins_with_the_draft() -> None:
    given = torch.rand(1, CHANNELS + 1, 32, 48) * 2 - 1
    assert (OutlinePainter()(given) - given[:, :3]).abs().max() < 0.1


def test_the_curve_is_bounded_by_the_unchanged_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline_painter, "HELD_OUT", 1)
    frames = tuple(LabelledFrame(str(x), *reversed(scene(x))) for x in (20, 30))
    picture, classes = scene(10)
    data = Set("moving square", picture, classes, distinct_colours(2), frames, True)
    unchanged, drafted, painted = curve(
        data, Path(os.environ["UNDERDRAWING_WEIGHTS"]), 2, [1 / 600], 0, lambda text: None
    )
    assert drafted.lpips < unchanged.lpips
    assert drafted.outlines > unchanged.outlines
    assert painted.iterations >= 1
    assert painted.lpips < unchanged.lpips
