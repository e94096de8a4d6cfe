"""Pictures by reference: patches in their places, masks by their lightness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.messages import EngineError
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.store.crop_placement import inside
from underdrawing.store.frame_codec import Inputs

WIDTH, HEIGHT = 9, 5


def values(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path / "spool")


def patched(inputs: Inputs, x: int, y: int, patch: Picture | None = None) -> np.ndarray:
    base, change = Picture(values(WIDTH, HEIGHT)), patch or Picture(values(3, 2, 1))
    patches = [{"hash": inputs.put(change), "x": x, "y": y}]
    return inputs.picture({"base": inputs.put(base), "patches": patches}).pixels


@pytest.mark.parametrize(("x", "y"), [(0, 0), (6, 3), (2, 1), (6, 0), (0, 3)])
def test_a_patch_is_laid_in_its_place_up_to_the_last_row_and_column(inputs: Inputs, x: int, y: int) -> None:
    wanted = values(WIDTH, HEIGHT)
    wanted[y : y + 2, x : x + 3] = values(3, 2, 1)
    assert np.array_equal(patched(inputs, x, y), wanted)


def test_a_patch_that_does_not_fit_is_refused(inputs: Inputs) -> None:
    deeper, grey = Picture(values(3, 2).astype(np.uint16)), Picture(values(3, 2)[..., :1])
    for x, y, patch in ((7, 0, None), (0, 4, None), (-1, 0, None), (0, -1, None), (0, 0, deeper), (0, 0, grey)):
        with pytest.raises(EngineError, match="does not fit"):
            patched(inputs, x, y, patch)


def test_values_that_are_no_numbers_are_no_lines(inputs: Inputs) -> None:
    lines = np.ones((6, 8, 1), np.float32)
    lines[2, 3] = np.nan
    reference = {"hash": inputs.put(Picture(lines))}
    for plane in (inputs.plane, lambda given: inputs.primitive({"edges": given}, None)):
        with pytest.raises(EngineError, match="not numbers"):
            plane(reference)
    assert inputs.weights(reference).tolist()[2][2:5] == [1, 0, 1], "in a mask they are not edited"


def test_a_mask_counts_by_its_lightness_or_where_it_has_one_colour_by_its_opacity(inputs: Inputs) -> None:
    light, opacity = np.array([[0, 51, 255]], np.uint8), np.array([[255, 102, 0]], np.uint8)
    colour = light[..., None] * np.array([1, 0, 0], np.uint8)
    for picture, wanted in (
        (Picture(light), [0, 0.2, 1]),
        (Picture(colour, opacity), [0, 0.2, 1]),
        (Picture(np.zeros((1, 3), np.uint8), opacity), [1, 0.4, 0]),
        (Picture(light.astype(np.uint16) * 257), [0, 0.2, 1]),
    ):
        weights = inputs.weights({"hash": inputs.put(picture)})
        np.testing.assert_allclose(weights, [wanted], atol=1e-6)


def test_what_is_sent_is_the_trained_region_or_the_whole_picture_and_nothing_else() -> None:
    region, whole = Bounds(3, 1, 9, 5), (20, 30)
    assert inside((9, 5), region, whole, "mask") == Bounds(0, 0, 9, 5)
    assert inside(whole, region, whole, "mask") == region
    with pytest.raises(EngineError, match=r"The mask is 5 x 9 pixels; .* 20 x 30 \(a region of 9 x 5\)"):
        inside((5, 9), region, whole, "mask")
