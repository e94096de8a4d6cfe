"""Segmentation of a second picture in the palette of a model."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.layout_transfer import segment_like
from underdrawing.picture.palette import distinct_colours


def scene(
    horizon: int, lake: tuple[int, int], seed: int, size: tuple[int, int] = (240, 160)
) -> tuple[Picture, np.ndarray]:
    """Sky, striped field and a lake of the sky's hue, noisy; and their classes."""
    width, height = size
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    classes = np.where(y < horizon, 0, 1).astype(np.uint8)
    classes[np.hypot((x - lake[0]) / 2, y - lake[1]) < 14] = 2
    colours = np.array([[150, 190, 240], [120, 130, 60], [60, 110, 170]], np.float32)
    rgb = colours[classes] + random.normal(0, 6, (height, width, 1))
    rgb += ((classes == 1) * 35 * np.sin(x * 1.1))[..., None]
    return Picture(np.clip(rgb, 0, 255).astype(np.uint8)), classes


def test_another_layout_of_the_same_things() -> None:
    model, classes = scene(70, (80, 120), 1)
    other, truth = scene(50, (170, 100), 2)
    found = segment_like(other, model, classes, distinct_colours(3))
    assert found.shape == truth.shape and found.dtype == np.uint8
    assert (found == truth).mean() > 0.97
    assert ((found == 2) & (truth == 2)).sum() > 0.85 * (truth == 2).sum()


def test_the_texture_tells_classes_of_one_colour_apart() -> None:
    y, x = np.mgrid[0:160, 0:160]
    stripes = np.where((x // 3) % 2 == 0, 60, 190)
    left = np.where(x < 80, stripes, 125)
    below = np.where(y >= 80, stripes, 125)
    model, other = (Picture(np.repeat(p.astype(np.uint8)[..., None], 3, axis=2)) for p in (left, below))
    found = segment_like(other, model, (x >= 80).astype(np.uint8), distinct_colours(2))
    assert (found == (y < 80)).mean() > 0.93


def test_a_photograph_mirrored_and_in_another_size_and_depth() -> None:
    rgb = data.astronaut()
    # The suit is orange, by a rule of thumb; the rest is not.
    classes = ((rgb[..., 0] > 150) & (rgb[..., 2] < 0.6 * rgb[..., 0]) & (np.arange(512)[:, None] > 250)).astype(
        np.uint8
    )
    mirrored = np.ascontiguousarray(rgb[::2, ::-2].astype(np.uint16) * 257)
    found = segment_like(Picture(mirrored), Picture(rgb), classes, distinct_colours(2))
    assert found.shape == (256, 256)
    agreement = (found == classes[::2, ::-2]).mean()
    assert agreement > 0.93
    again = segment_like(Picture(mirrored), Picture(rgb), classes, distinct_colours(2))
    assert np.array_equal(found, again)


def test_only_classes_of_the_model_come_out() -> None:
    model, classes = scene(70, (80, 120), 1)
    kept = np.array([4, 9, 11], np.uint8)[classes]
    found = segment_like(Picture(data.coffee()), model, kept, distinct_colours(12))
    assert set(np.unique(found)) <= {4, 9, 11}
    single = segment_like(Picture(data.coffee()), model, np.full_like(classes, 7), distinct_colours(12))
    assert (single == 7).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (9, 3), (12, 12)])
def test_tiny_and_flat_pictures(shape: tuple[int, int]) -> None:
    model, classes = scene(70, (80, 120), 1)
    flat = Picture(np.full((*shape, 1), 128, np.uint8))
    assert segment_like(flat, model, classes, distinct_colours(3)).shape == shape
    own = np.arange(shape[0] * shape[1]).reshape(shape) % 2
    assert segment_like(model, flat, own.astype(np.uint8), distinct_colours(2)).shape == classes.shape


def test_segments_that_do_not_fit() -> None:
    model, classes = scene(70, (80, 120), 1)
    with pytest.raises(PictureError, match="must be the same"):
        segment_like(model, model, classes[:, 1:], distinct_colours(3))
    with pytest.raises(PictureError, match="not in the palette"):
        segment_like(model, model, classes, distinct_colours(2))
