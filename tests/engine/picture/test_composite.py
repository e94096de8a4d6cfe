"""Compositing and the gradient domain."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from underdrawing.picture.composite import composite, membrane, poisson
from underdrawing.picture.image import Picture, PictureError

DTYPES = [np.uint8, np.uint16, np.float16, np.float32]


def picture(dtype: type, size: tuple[int, int], seed: int, channels: int = 3) -> Picture:
    random = np.random.default_rng(seed)
    shape = (size[1], size[0], channels)
    if np.dtype(dtype).kind == "f":
        return Picture((random.random(shape) * 4 - 1).astype(dtype), random.random(shape[:2]).astype(dtype), b"icc")
    full = np.iinfo(dtype).max
    pixels, alpha = (random.integers(0, full, s, dtype, endpoint=True) for s in (shape, shape[:2]))
    return Picture(pixels, alpha, b"icc")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_outside_of_the_mask_every_bit_stays(dtype: type, channels: int) -> None:
    original, result = picture(dtype, (40, 30), 1, channels), picture(dtype, (20, 10), 2, channels)
    if np.dtype(dtype).kind == "f":
        original.pixels[0, 0] = np.nan
        original.pixels[12, 11] = -0.0
    alpha = np.zeros((10, 20), np.float32)
    alpha[3:8, 4:15] = 1
    alpha[3, 4:15] = 0.5
    after = composite(original, result, (10, 12), alpha)
    touched = np.zeros((30, 40), bool)
    touched[12:22, 10:30] = alpha > 0
    assert after.pixels[~touched].tobytes() == original.pixels[~touched].tobytes()
    full = np.zeros((30, 40), bool)
    full[12:22, 10:30] = alpha == 1
    assert after.pixels[full].tobytes() == result.pixels[alpha == 1].tobytes()
    middle = (original.pixels[15, 14].astype(float) + result.pixels[3, 4].astype(float)) / 2
    np.testing.assert_allclose(after.pixels[15, 14].astype(float), middle, rtol=2e-3, atol=0.51)
    assert after.depth == original.depth and after.profile == original.profile and after.alpha is original.alpha


def test_a_soft_mask_takes_its_share_of_the_result_and_rounds() -> None:
    original = Picture(np.array([[[100, 7, 255], [10, 20, 30]]], np.uint8))
    result = Picture(np.array([[[201, 10, 0], [30, 20, 10]]], np.uint8))
    after = composite(original, result, (0, 0), np.array([[0.25, 0.75]], np.float32))
    # 125.25, 7.75 and 191.25; then 25, 20 and 15.
    assert after.pixels.tolist() == [[[125, 8, 191], [25, 20, 15]]]


@settings(max_examples=50, deadline=None)
@given(st.integers(-12, 22), st.integers(-12, 22), st.sampled_from(DTYPES))
def test_any_place_even_outside(x: int, y: int, dtype: type) -> None:
    original, result = picture(dtype, (17, 13), 3), picture(dtype, (9, 7), 4)
    after = composite(original, result, (x, y), np.ones((7, 9), np.float32))
    for row in range(13):
        for column in range(17):
            inside = 0 <= row - y < 7 and 0 <= column - x < 9
            expected = result.pixels[row - y, column - x] if inside else original.pixels[row, column]
            assert after.pixels[row, column].tobytes() == expected.tobytes()


def test_a_result_of_another_depth_is_converted() -> None:
    original = picture(np.uint16, (8, 6), 5, 1)
    result = Picture(np.full((6, 8, 3), 255, np.uint8))
    after = composite(original, result, (0, 0), np.ones((6, 8), np.float32))
    assert after.depth == "u16" and (after.pixels == 65535).all()


def test_masks_must_fit() -> None:
    with pytest.raises(PictureError, match="mask"):
        composite(picture(np.uint8, (8, 6), 0), picture(np.uint8, (4, 4), 0), (0, 0), np.ones((4, 5), np.float32))


def exact(values: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Laplace's equation solved directly, as the reference."""
    height, width = free.shape
    number = np.cumsum(free).reshape(free.shape) - 1
    matrix = scipy.sparse.lil_matrix((free.sum(), free.sum()))
    right = np.zeros((free.sum(), values.shape[2]))
    for y, x in np.argwhere(free):
        for v, u in ((y, x + 1), (y + 1, x), (y, x - 1), (y - 1, x)):
            if 0 <= v < height and 0 <= u < width:
                matrix[number[y, x], number[y, x]] += 1
                if free[v, u]:
                    matrix[number[y, x], number[v, u]] -= 1
                else:
                    right[number[y, x]] += values[v, u]
    return scipy.sparse.linalg.spsolve(matrix.tocsc(), right)


def test_the_membrane_is_harmonic() -> None:
    rows, columns = np.mgrid[:60, :83]
    values = np.stack([np.sin(columns / 30), rows / 60, np.cos(rows / 20)], -1).astype(np.float32)
    disk = (rows - 30) ** 2 + (columns - 40) ** 2 < 27**2
    for free in (disk, disk & (np.abs(rows - columns) > 3), (rows > 10) & (columns > 20)):
        found = membrane(values, free)
        assert np.array_equal(found[~free], values[~free])
        assert np.abs(found[free] - exact(values, free)).max() < 0.02


def test_a_constant_shift_is_taken_out() -> None:
    random = np.random.default_rng(0)
    original = random.random((50, 70, 3)).astype(np.float32)
    mask = np.zeros((50, 70), bool)
    mask[10:40, 15:60] = True
    blended = poisson(original, original * 0.0 + original + 0.2, mask)
    assert np.array_equal(blended[~mask], original[~mask])
    np.testing.assert_allclose(blended, original, atol=0.01)


def test_masks_without_a_border_and_empty_ones() -> None:
    original, result = np.zeros((6, 7, 3), np.float32), np.ones((6, 7, 3), np.float32)
    assert np.array_equal(poisson(original, result, np.ones((6, 7), bool)), result)
    assert np.array_equal(poisson(original, result, np.zeros((6, 7), bool)), original)
