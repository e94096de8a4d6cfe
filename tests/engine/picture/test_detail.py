"""Detail that is brought back to a reduced result."""

import cv2
import numpy as np
import pytest
from skimage import data

from underdrawing.picture.detail import restore_detail


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
