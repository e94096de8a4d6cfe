"""What a network made softly becomes a picture at full size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from bench.metrics import patch_distance
from underdrawing.picture.resize import reduced
from underdrawing.render.generate import Walk, _at_full_size, mixed


@pytest.fixture(scope="module")
def full() -> np.ndarray:
    return cv2.resize(data.coffee(), (210, 140), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def blotched(full: np.ndarray) -> np.ndarray:
    """The picture's left and right exchanged at half the size, soft, with coloured blotches."""
    small = np.roll(reduced(full, 0.5), 50, 1)
    noise = np.random.default_rng(0).normal(0, 1, small.shape).astype(np.float32)
    return (cv2.GaussianBlur(small, (0, 0), 1.5) + 0.5 * cv2.GaussianBlur(noise, (0, 0), 1.5)).clip(0, 1)


def test_seen_from_afar_blotches_become_the_pictures_own_stuff(full: np.ndarray) -> None:
    small = blotched(full)
    near, far = (_at_full_size(full, reduced(full, 0.5), small, None, (210, 140), 1.0, afar, {}) for afar in (1.0, 0.3))
    assert near.shape == far.shape == full.shape
    assert patch_distance(far, full) < 0.8 * patch_distance(near, full)
    # The layout is the network's.
    wanted = np.roll(full, 100, 1)
    apart = [np.abs(cv2.resize(far, (14, 10)) - cv2.resize(one, (14, 10))).mean() for one in (wanted, full)]
    assert apart[0] < 0.5 * apart[1]


def test_with_little_freedom_colours_that_the_network_gets_wrong_stay_out(full: np.ndarray) -> None:
    own = reduced(full, 0.5)
    tint = np.float32([-0.2, 0.1, 0.2])
    same = own + tint
    small = same.copy()
    small[10:40, 60:90] = np.roll(same, 40, 1)[10:40, 60:90]  # another part of the picture
    wanted = np.roll(full, 80, 1)[24:76, 126:174]
    made = [_at_full_size(full, own, small, same, (210, 140), free, 1.0, {})[24:76, 126:174] for free in (0.1, 1.0)]
    apart = [np.abs((one - wanted).mean((0, 1))).mean() for one in made]
    assert apart[0] < 0.5 * apart[1]


@pytest.mark.parametrize("afar", [1.0, 0.3])
def test_what_the_network_left_alone_stays_as_it_is(full: np.ndarray, afar: float) -> None:
    own = reduced(full, 0.5)
    same = cv2.GaussianBlur(own, (0, 0), 1.5)
    small = same.copy()
    small[10:30, 60:90] = 1 - small[10:30, 60:90]
    made = _at_full_size(full, own, small, same, (210, 140), 1.0, afar, {})
    assert np.array_equal(made[90:], full[90:])
    assert np.array_equal(made[:, :80], full[:, :80])
    assert np.abs(made[24:56, 126:174] - full[24:56, 126:174]).mean() > 0.1


def test_variation_goes_from_the_picture_to_noise_and_loses_no_strength() -> None:
    own, noise = np.random.default_rng(1).standard_normal((2, 1, 3, 64, 64)).astype(np.float32)
    assert np.array_equal(mixed(own, noise, 0.0), own)
    np.testing.assert_allclose(mixed(own, noise, 1.0), noise, atol=1e-6)
    half = mixed(own, noise, 0.5)
    assert half.std() == pytest.approx(1, abs=0.02)
    assert np.abs(half - own).mean() < np.abs(half - noise).mean()


def test_a_walk_ends_where_it_begins_and_is_noise_on_the_way() -> None:
    walk = Walk((1, 3, 64, 64), np.random.default_rng(2))
    np.testing.assert_allclose(walk.at(1.0), walk.at(0.0), atol=1e-5)
    assert [walk.at(moment).std() for moment in (0.0, 0.3, 0.7)] == pytest.approx([1, 1, 1], abs=0.03)
    assert np.abs(walk.at(0.5) - walk.at(0.0)).mean() > 0.5
