"""Pictures in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, PictureError, srgb_decode, srgb_encode, white_of


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_integer_value_comes_back_from_floats(dtype: type, channels: int) -> None:
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1)
    picture = Picture(np.repeat(values[..., None], channels, axis=2))
    again = Picture.from_float(picture.to_float(), picture)
    assert again.depth == picture.depth
    assert np.array_equal(again.pixels, picture.pixels)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("white", [1.0, 4.0])
def test_floats_come_back_within_their_precision(dtype: type, linear: bool, white: float) -> None:
    pixels = (np.random.default_rng(0).random((9, 8, 3)) * white).astype(dtype)
    picture = Picture(pixels, linear=linear)
    again = Picture.from_float(picture.to_float(white), picture, white)
    assert again.linear == linear and again.depth == picture.depth
    np.testing.assert_allclose(again.pixels.astype(float), pixels.astype(float), rtol=2e-3, atol=1e-5)


@given(hnp.arrays(np.float32, (4, 5, 3), elements=st.floats(width=32)), st.booleans())
def test_any_float_becomes_a_value_from_0_to_1(pixels: np.ndarray, linear: bool) -> None:
    values = Picture(pixels, linear=linear).to_float()
    assert np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1


def test_values_that_are_no_numbers_become_black_and_infinite_light_white() -> None:
    pixels = np.array([[[np.nan], [np.inf], [-np.inf], [0.5]]], np.float32)
    assert Picture(pixels).to_float()[0, :, 0].tolist() == [0.0, 1.0, 0.0, 0.5]


def test_colour_becomes_grey_by_the_luminance_of_red_green_and_blue() -> None:
    rgb = np.eye(3, dtype=np.float32)[None]
    grey = Picture.from_float(rgb, Picture(np.zeros((1, 1), np.float32))).pixels
    np.testing.assert_allclose(grey[0, :, 0], [0.2126, 0.7152, 0.0722], atol=1e-6)


def test_white_of_a_float_picture_is_its_brightest_light_without_single_sparks() -> None:
    pixels = np.full((100, 100, 1), 0.5, np.float32)
    pixels[:2] = 4.0
    pixels[99, 99] = 1000.0
    pixels[98, 98] = np.nan
    assert white_of(Picture(pixels)) == 4.0
    assert white_of(Picture(pixels / 8)) == 1.0
    assert white_of(Picture(np.full((2, 2), 65535, np.uint16))) == 1.0


def test_sizes_that_are_no_square_and_white_that_clips() -> None:
    pixels = np.zeros((5, 7, 1), np.float32)
    pixels[1, 2] = 3.0
    picture = Picture(pixels)
    assert picture.size == (7, 5) and picture.channels == 1
    values = picture.to_float(2.0)
    assert values.shape == (5, 7, 3) and values[1, 2].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("channels", [1, 3])
def test_eight_bits_of_sixteen_are_rounded(channels: int) -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(channels, axis=2)
    expected = np.rint(np.arange(65536) / 65535 * 255).astype(np.uint8).reshape(256, 256)
    shown = Picture(every).to_bytes()
    assert shown.shape == (256, 256, 3) and all(np.array_equal(shown[..., c], expected) for c in range(3))


def test_transparent_pixels_show_white_paper() -> None:
    pixels = np.full((1, 3, 3), (200, 100, 0), np.uint8)
    made = Picture(pixels, np.array([[0, 51, 255]], np.uint8)).on_paper()  # 51 is a fifth
    assert made.tolist() == [[[255, 255, 255], [244, 224, 204], [200, 100, 0]]]
    assert np.array_equal(Picture(pixels).on_paper(), pixels)


def test_srgb_curve_against_known_values() -> None:
    encoded = np.array([0.0, 0.04045, 0.5, 1.0], np.float32)
    np.testing.assert_allclose(srgb_decode(encoded), [0.0, 0.0031308, 0.2140411, 1.0], atol=1e-6)
    np.testing.assert_allclose(srgb_encode(srgb_decode(encoded)), encoded, atol=1e-6)


def test_hash_depends_on_shape_depth_and_pixels_alone() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    one = Picture(pixels)
    assert one.hash == Picture(pixels.copy(), np.zeros((2, 4), np.uint8), b"profile").hash
    assert one.hash == Picture(np.asfortranarray(pixels)).hash
    assert one.hash != Picture(pixels.reshape(4, 2, 3)).hash
    assert one.hash != Picture(pixels.astype(np.uint16)).hash
    assert one.hash != Picture(pixels[::-1]).hash


def test_crop_takes_alpha_along_and_refuses_outside() -> None:
    picture = Picture(np.zeros((6, 8, 3), np.uint8), np.arange(48, dtype=np.uint8).reshape(6, 8), b"p")
    part = picture.crop(Bounds(5, 4, 10, 10))
    assert part.size == (3, 2) and part.profile == b"p"
    assert part.alpha is not None and part.alpha.tolist() == [[37, 38, 39], [45, 46, 47]]
    with pytest.raises(PictureError, match="outside"):
        picture.crop(Bounds(8, 0, 3, 3))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.int32),
        np.zeros((4, 4, 3), np.float64),
        np.zeros(4, np.uint8),
    ],
)
def test_unusable_arrays_are_refused_with_a_reason(pixels: np.ndarray) -> None:
    with pytest.raises(PictureError):
        Picture(pixels)


def test_alpha_must_fit() -> None:
    with pytest.raises(PictureError, match="alpha"):
        Picture(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8))
    with pytest.raises(PictureError, match="linear"):
        Picture(np.zeros((4, 4, 3), np.uint8), linear=True)
