"""Enlarged pictures stay true to the picture."""

import cv2
import numpy as np
import pytest
from skimage import data

from underdrawing.picture.super_resolution import consistent, textured


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return data.coffee()[100:260, 200:400].astype(np.float32) / 255


def reduced(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (100, 80), interpolation=cv2.INTER_AREA)


def test_reduced_again_it_is_the_picture(truth: np.ndarray) -> None:
    small = reduced(truth)
    mud = np.clip(cv2.GaussianBlur(truth, (0, 0), 3) * 0.8 + 0.1, 0, 1)
    made = consistent(mud, small)
    assert np.abs(reduced(made) - small).mean() < 0.01
    assert np.abs(made - truth).mean() < 0.5 * np.abs(mud - truth).mean()


def test_texture_makes_it_sharper_and_not_less_true(truth: np.ndarray) -> None:
    small = reduced(truth)
    plain = consistent(cv2.resize(small, (200, 160), interpolation=cv2.INTER_CUBIC), small)
    made = consistent(textured(plain, small), small)
    sharp = [cv2.Laplacian(np.ascontiguousarray(p.mean(2)), cv2.CV_32F).std() for p in (plain, made)]
    assert sharp[1] > 1.02 * sharp[0]
    assert np.abs(made - truth).mean() < 1.3 * np.abs(plain - truth).mean()


def test_very_large_pictures_are_left_as_they_were_made(monkeypatch: pytest.MonkeyPatch, truth: np.ndarray) -> None:
    monkeypatch.setattr("underdrawing.picture.super_resolution.MOST_TEXTURED", 100)
    assert textured(truth, reduced(truth)) is truth
