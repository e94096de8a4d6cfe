"""Detail that is brought back to a reduced result."""

import cv2
import numpy as np
import pytest
from skimage import data

from underdrawing.picture.detail_transfer import restore_detail


@pytest.fixture(scope="module")
def full() -> np.ndarray:
    return data.astronaut()[:384, :256].astype(np.float32) / 255


def reduced(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (64, 96), interpolation=cv2.INTER_AREA)


def test_an_unchanged_result_is_the_picture_itself(full: np.ndarray) -> None:
    small = reduced(full)
    restored = restore_detail(full, small, small, np.zeros(small.shape[:2], bool))
    assert np.abs(restored - full).max() < 1e-5


def test_a_mirrored_result_gets_its_sharpness_back(full: np.ndarray) -> None:
    small = reduced(full)
    mirrored = np.ascontiguousarray(small[:, ::-1])
    truth = full[:, ::-1]
    restored = restore_detail(full, small, mirrored, np.ones(small.shape[:2], bool))
    plain = cv2.resize(mirrored, (256, 384), interpolation=cv2.INTER_CUBIC)
    sharpness = [cv2.Laplacian(p.mean(2), cv2.CV_32F).std() for p in (plain, restored, np.ascontiguousarray(truth))]
    assert sharpness[0] < 0.5 * sharpness[2]
    assert sharpness[1] > 0.7 * sharpness[2]
    # Detail from the wrong place would be worse than none: the colours must still be the result's own.
    assert np.abs(reduced(restored) - mirrored).mean() < 0.02


def test_a_single_cell(full: np.ndarray) -> None:
    restored = restore_detail(full[:1, :1], full[:1, :1], full[:1, :1], np.ones((1, 1), bool))
    assert restored.shape == (1, 1, 3)


def test_a_result_of_another_size_is_as_large_as_was_asked_for(full: np.ndarray) -> None:
    """The left half of the picture, as if it had been generated: its detail comes from where it is."""
    small = reduced(full)
    half = np.ascontiguousarray(small[:, :32])
    restored = restore_detail(full, small, half, size=(128, 384))
    assert restored.shape == (384, 128, 3)
    plain = cv2.resize(half, (128, 384), interpolation=cv2.INTER_CUBIC)
    apart = [np.abs(made - full[:, :128]).mean() for made in (restored, plain)]
    assert apart[0] < 0.6 * apart[1]


def test_where_nothing_differs_detail_stays_where_it_was(full: np.ndarray) -> None:
    small = reduced(full)
    other = small.copy()
    other[:20] = other[:20, ::-1]
    restored = restore_detail(full, small, other)
    assert np.abs(restored[200:] - full[200:]).max() < 1e-5
    assert np.abs(restored[:60] - full[:60]).max() > 0.1
