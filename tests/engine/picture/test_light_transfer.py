"""The light of a place on what was put there."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.client.requests import GenerateRequest
from underdrawing.picture.light_transfer import light_at, recognisable

MASK = np.zeros((60, 80), bool)
MASK[20:40, 30:55] = True


def scene(colour: tuple[float, float, float]) -> np.ndarray:
    """A rough ground of a colour, and an orange thing on it."""
    random = np.random.default_rng(0)
    rgb = np.clip(np.array(colour) + random.normal(0, 0.04, (60, 80, 1)), 0, 1).astype(np.float32)
    rgb[MASK] = np.clip(np.array([0.9, 0.5, 0.2]) + random.normal(0, 0.04, (int(MASK.sum()), 1)), 0, 1)
    return rgb


def lit(rgb: np.ndarray, mask: np.ndarray, amount: float) -> np.ndarray:
    """The picture with the thing in the light of its surroundings."""
    light = light_at(rgb, mask, amount)
    return rgb if light is None else light.on(rgb, mask)


def chroma(rgb: np.ndarray) -> float:
    """Mean colourfulness of the thing."""
    lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    return float(np.hypot(lab[..., 1], lab[..., 2])[MASK].mean())


def test_more_of_it_leads_nearer_to_the_surroundings_and_nothing_else_changes() -> None:
    rgb = scene((0.2, 0.4, 0.7))
    ground = rgb[~MASK].mean(0)
    far = [float(np.abs(lit(rgb, MASK, amount)[MASK].mean(0) - ground).sum()) for amount in (0, 0.3, 0.6, 1)]
    assert far == sorted(far, reverse=True)
    assert far[-1] < 0.6 * far[0]
    away = cv2.dilate(MASK.astype(np.uint8), np.ones((11, 11))) == 0
    assert np.array_equal(lit(rgb, MASK, 0.8)[away], rgb[away])
    assert lit(rgb, MASK, 0) is rgb


def test_a_colourless_picture_counts_three_times_up_to_all_of_it() -> None:
    grey = scene((0.8, 0.8, 0.8))
    assert np.allclose(lit(grey, MASK, 0.34), lit(grey, MASK, 1), atol=3e-3)
    assert np.allclose(lit(grey, MASK, 0.8), lit(grey, MASK, 1), atol=2e-3)
    assert not np.allclose(lit(grey, MASK, 0.2), lit(grey, MASK, 1), atol=2e-2)
    assert chroma(lit(grey, MASK, 0.8)) < 0.1 * chroma(grey)
    blue = scene((0.2, 0.4, 0.7))
    assert not np.allclose(lit(blue, MASK, 0.5), lit(blue, MASK, 1), atol=2e-2)


def test_by_default_a_red_thing_on_green_stays_red_and_keeps_its_outlines() -> None:
    rgb = scene((0.25, 0.5, 0.2))
    rgb[MASK] = (0.8, 0.12, 0.1)
    rgb[28:32, 36:48] = (0.95, 0.9, 0.85)  # a white stripe on it
    made = lit(rgb, MASK, GenerateRequest.light)
    red, stripe = made[34, 40], made[30, 42]
    assert red[0] > 1.5 * max(red[1], red[2])
    before, after = (float(np.abs(one[30, 42] - one[34, 40]).sum()) for one in (rgb, made))
    assert after > 0.75 * before
    assert stripe.min() > red.min()


def test_a_thing_painted_in_colours_that_the_picture_lacks_is_recognisable() -> None:
    pasted = scene((0.4, 0.45, 0.5))
    pasted[MASK] = (0.8, 0.2, 0.1)
    pasted[28:32, 36:48] = (0.95, 0.9, 0.85)
    painted = scene((0.4, 0.45, 0.5))
    grain = np.random.default_rng(1).normal(0, 0.05, (60, 80, 1)).astype(np.float32)
    painted[MASK] = 0.5
    painted = np.clip(painted + grain, 0, 1)
    made = recognisable(painted, pasted, MASK)
    red, stripe = made[34:39, 33:52].mean((0, 1)), made[29:31, 38:46].mean((0, 1))
    assert red[0] > 1.7 * max(red[1], red[2])
    assert stripe.min() > red.max() - 0.1
    assert np.std(made[34:39, 33:52] - red) > 0.02, "its grain is that of the painting"
    away = cv2.dilate(MASK.astype(np.uint8), np.ones((13, 13))) == 0
    assert np.allclose(made[away], painted[away], atol=1e-4)
    near = painted.copy()
    assert np.allclose(recognisable(near, painted, MASK), near, atol=2e-3), "what is alike stays"
