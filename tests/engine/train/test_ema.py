"""Averaged weights: over all steps, over the last part of them, or none at all."""

from __future__ import annotations

import pytest
from torch import nn

from underdrawing.train.ema import Average


def valued(value: float) -> nn.Linear:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, value)
    nn.init.constant_(network.bias, -value)
    return network


def averaged(horizon: float, average: Average | None = None, steps: range = range(100)) -> Average:
    average = average or Average(valued(-50))
    for step in steps:
        average.update(valued(step), horizon)
    return average


def value_of(average: Average) -> float:
    assert average.network.bias.item() == pytest.approx(-average.network.weight.item())
    return float(average.network.weight)


def test_an_average_spans_the_part_of_the_steps_that_is_asked_for() -> None:
    assert value_of(averaged(0.0)) == 99, "the last step"
    assert value_of(averaged(1.0)) == pytest.approx(49.5), "the mean of all"
    # Weights that fall as a power: step k of n has weight k ** (1 / horizon - 1), and so this mean.
    assert value_of(averaged(0.25)) == pytest.approx(99 * 4 / 5, abs=1)
    assert averaged(0.25).steps == 100


def test_an_average_goes_on_from_its_state() -> None:
    first, again = averaged(0.25, steps=range(60)), Average(valued(7))
    again.load(first.state())
    assert value_of(averaged(0.25, again, range(60, 100))) == value_of(averaged(0.25))
