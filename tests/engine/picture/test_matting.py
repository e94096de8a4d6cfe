"""Lifting: a soft border's alpha and the thing's own colours are found, at every depth and with transparency."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from underdrawing.picture.composite import laid_over
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.matting import lift

WIDTH, HEIGHT = 240, 160
THING, GROUND = np.float32((0.85, 0.2, 0.15)), np.float32((0.2, 0.45, 0.6))


@pytest.fixture(scope="module")
def alpha() -> np.ndarray:
    """A disc whose border is soft over some five pixels."""
    disc = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(disc, (90, 80), 40, 1.0, -1)
    return cv2.GaussianBlur(disc, (0, 0), 1.2)


@pytest.fixture(scope="module")
def rgb(alpha: np.ndarray) -> np.ndarray:
    """The disc on its ground, with a little grain, (H, W, 3) float32."""
    mixed = alpha[..., None] * THING + (1 - alpha[..., None]) * GROUND
    grain = np.random.default_rng(7).normal(0, 0.01, mixed.shape)
    return (mixed + grain).clip(0, 1).astype(np.float32)


def rough(alpha: np.ndarray) -> np.ndarray:
    return cv2.dilate((alpha > 0.5).astype(np.float32), np.ones((3, 3)))


def test_alpha_and_colours_are_the_thing_s_own(rgb: np.ndarray, alpha: np.ndarray) -> None:
    layer = lift(Picture((rgb * 255).astype(np.uint8)), rough(alpha))
    assert np.abs(layer.mask - alpha).mean() < 0.01
    assert np.abs(layer.mask - alpha).max() < 0.35
    border = (layer.picture.opacity() > 0.1) & (layer.picture.opacity() < 0.9)
    assert border.sum() > 100
    own = layer.picture.to_float()[border]
    seen = rgb[layer.bounds.slices()][border]
    assert np.abs(own - THING).mean() < 0.3 * np.abs(seen - THING).mean()


@pytest.mark.parametrize("kind", ["u8", "u16", "f32"])
def test_opaque_pixels_are_the_picture_s(rgb: np.ndarray, alpha: np.ndarray, kind: str) -> None:
    full = {"u8": (np.uint8, 255), "u16": (np.uint16, 65535), "f32": (np.float32, 1)}[kind]
    picture = Picture((rgb * full[1]).astype(full[0]))
    layer = lift(picture, rough(alpha))
    assert layer.picture.depth == kind
    inside = layer.picture.opacity() == 1
    assert inside.sum() > 3000
    assert np.array_equal(layer.picture.pixels[inside], picture.pixels[layer.bounds.slices()][inside])
    laid = laid_over(picture, layer.picture, (layer.bounds.x, layer.bounds.y))
    assert np.array_equal(laid.pixels[layer.mask == 0], picture.pixels[layer.mask == 0])


def test_transparency_of_the_picture_stays(rgb: np.ndarray, alpha: np.ndarray) -> None:
    opacity = np.full(alpha.shape, 255, np.uint8)
    opacity[:, :90] = 102
    layer = lift(Picture((rgb * 255).astype(np.uint8), opacity), rough(alpha))
    left = layer.picture.opacity()[40, 90 - layer.bounds.x - 20]
    assert left == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (np.zeros((HEIGHT, WIDTH), np.float32), "empty"),
        (np.ones((5, 5), np.float32), "size"),
    ],
)
def test_a_mask_that_lifts_nothing_is_refused(rgb: np.ndarray, mask: np.ndarray, text: str) -> None:
    with pytest.raises(PictureError, match=text):
        lift(Picture((rgb * 255).astype(np.uint8)), mask)
