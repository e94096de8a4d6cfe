"""Curves: every known figure has a panel, every method its colour, and odd tables do no harm."""

from __future__ import annotations

import math

import numpy as np

from bench.curves import BACKGROUND, COLOURS, Line, curves

TRAINED = Line("trained", {15: {"lpips": 0.4}, 60: {"lpips": 0.3}, 300: {"lpips": 0.2, "sharpness": math.nan}})
STILL = Line("still", {0: {"lpips": 0.25}})


def pixels(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(axis=2)


def test_a_line_falls_with_its_metric_and_an_untrained_one_is_level() -> None:
    made = curves([TRAINED, STILL], ("lpips", "sharpness"))
    one, two = (pixels(made, colour)[:-40] for colour in COLOURS[:2])
    rows, columns = np.nonzero(one)
    order = np.argsort(columns)
    assert rows[order[:20]].mean() < rows[order[-20:]].mean() - 100
    rows, columns = np.nonzero(two)
    assert np.ptp(rows) <= 3
    assert np.ptp(columns) > 300


def test_figures_that_nobody_has_get_no_panel() -> None:
    one, two = curves([TRAINED], ("lpips",)), curves([TRAINED], ("lpips", "sharpness", "consistency"))
    assert one.shape == two.shape


def test_odd_tables_do_no_harm() -> None:
    for lines in ([], [STILL], [Line("once", {60: {"lpips": 0.0}})], [Line("nothing", {60: {}})]):
        made = curves(lines, ("lpips",))
        assert made.dtype == np.uint8
        assert pixels(made, BACKGROUND).any()
