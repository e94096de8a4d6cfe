"""Something new in a picture gets the picture's brushwork and the light of its place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree
from skimage import data

from tests.engine.picture.test_light_transfer import lit
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.patch_texture import (
    Hand,
    TextureLevel,
    brushed,
    painted,
    raised,
    repainted,
    stroked,
)
from underdrawing.picture.resize import reduced


@pytest.fixture(scope="module")
def hatched() -> np.ndarray:
    """A drawing: hatching in two grey levels, (96, 120, 3) in [0, 1]."""
    y, x = np.mgrid[:96, :120]
    lines = ((x + y) % 6 < 2) & (y > 40)
    random = np.random.default_rng(0).normal(0, 0.02, (96, 120))
    grey = np.where(lines, 0.1, 0.9) + random
    return np.repeat(grey.clip(0, 1)[..., None], 3, 2).astype(np.float32)


def soft(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 1.5)


def test_soft_strokes_become_the_pictures_own(hatched: np.ndarray) -> None:
    where = np.zeros(hatched.shape[:2], bool)
    where[10:30, 30:80] = True
    ground = soft(hatched)
    given = ground.copy()
    given[10:30, 30:80] = 0.9 * ground[60:80, 41:91] + 0.05
    made = brushed(TextureLevel.of(ground, hatched), given, where)
    assert np.array_equal(made[~where], given[~where])
    inner, truth = made[14:26, 34:76], hatched[64:76, 45:87]
    assert given[where].std() < 0.7 * hatched[60:90].std()
    # As sharp as the drawing's, and where they were seen from afar.
    assert inner.std() > 0.9 * truth.std()
    assert np.abs(inner - truth).mean() < 0.3 * np.abs(given[14:26, 34:76] - truth).mean()


def test_colours_that_the_picture_lacks_are_drawn_in_its_own(hatched: np.ndarray) -> None:
    where = np.zeros(hatched.shape[:2], bool)
    where[50:80, 20:70] = True
    given = soft(hatched)
    given[where] += np.array([0.2, 0.0, -0.1], np.float32)
    made = brushed(TextureLevel.of(soft(hatched), hatched), given, where)
    tint = [np.ptp(picture[where], axis=1).mean() for picture in (given, made)]
    assert tint[1] < 0.6 * tint[0]


def test_nothing_to_paint(hatched: np.ndarray) -> None:
    given = soft(hatched)
    assert brushed(TextureLevel.of(given, hatched), given, np.zeros(hatched.shape[:2], bool)) is given


def test_smooth_things_get_broad_strokes(hatched: np.ndarray) -> None:
    made, share = hatched.copy(), np.zeros(hatched.shape[:2], np.float32)
    share[50:80, 20:70] = 1
    made[50:80, 20:70] = soft(hatched)[50:80, 20:70]
    done = stroked(hatched, made, share)
    assert np.array_equal(done[share == 0], made[share == 0])
    assert done[55:75, 25:65].std() > 1.2 * made[55:75, 25:65].std()


def test_large_areas_are_painted_smaller_and_get_their_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    full = cv2.resize(data.coffee(), (320, 240), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mirrored = np.ascontiguousarray(cv2.resize(full, (80, 60), interpolation=cv2.INTER_AREA)[:, ::-1])
    monkeypatch.setattr("underdrawing.picture.patch_texture.MOST_PAINTED", 6_000)
    where = np.zeros((240, 320), bool)
    where[60:180, 80:240] = True
    wanted = Bounds(100, 80, 120, 80)
    made = painted(full, (80, 60), mirrored, where, wanted)
    assert made.shape == (80, 120, 3)
    plain = cv2.resize(mirrored, (320, 240), interpolation=cv2.INTER_CUBIC)[wanted.slices()]
    sharp = [cv2.Laplacian(p.mean(2), cv2.CV_32F).std() for p in (made, plain)]
    assert sharp[0] > 1.2 * sharp[1]
    # Seen from afar, it is what the network made.
    assert np.abs(cv2.GaussianBlur(made, (0, 0), 4) - cv2.GaussianBlur(plain, (0, 0), 4)).mean() < 0.04


def test_a_small_layout_is_raised_step_by_step() -> None:
    """The picture mirrored, from an eighth of its pixels: as sharp as the picture, and where the layout has things."""
    full = cv2.resize(data.coffee(), (180, 120), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mirrored = np.ascontiguousarray(cv2.resize(full, (63, 42), interpolation=cv2.INTER_AREA)[:, ::-1])
    levels: dict[float, TextureLevel] = {}
    made = raised([Hand(full, levels=levels)], mirrored, (180, 120))
    assert made.shape == full.shape
    assert len(levels) == 3
    plain = cv2.resize(mirrored, (180, 120), interpolation=cv2.INTER_CUBIC)
    sharp = [cv2.Laplacian(np.ascontiguousarray(p.mean(2)), cv2.CV_32F).std() for p in (made, plain, full)]
    assert sharp[0] > 1.5 * sharp[1]
    assert sharp[0] < 1.3 * sharp[2]
    assert np.abs(cv2.GaussianBlur(made, (0, 0), 4) - cv2.GaussianBlur(plain, (0, 0), 4)).mean() < 0.04
    assert np.array_equal(raised([Hand(full, levels=levels)], mirrored, (180, 120)), made)
    assert raised([Hand(full)], mirrored[:, :40].copy(), (114, 120)).shape == (120, 114, 3)


def test_the_light_of_a_place() -> None:
    blue = np.zeros((60, 80, 3), np.float32) + np.array([0.1, 0.3, 0.8], np.float32)
    blue += np.random.default_rng(0).normal(0, 0.03, blue.shape).astype(np.float32)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    blue[mask] = np.array([0.9, 0.5, 0.1], np.float32)
    middle = (30, 40)
    steps = [lit(blue.clip(0, 1), mask, amount)[middle][2] for amount in (0.0, 0.5, 1.0)]
    assert steps[0] < steps[1] < steps[2]
    done = lit(blue.clip(0, 1), mask, 1.0)
    assert np.array_equal(done[:10], blue.clip(0, 1)[:10])
    assert lit(blue, np.zeros_like(mask), 0.5) is blue
    assert lit(blue, np.ones_like(mask), 0.5) is blue


def test_a_drawing_takes_the_colour_out() -> None:
    grey = np.repeat(np.random.default_rng(0).random((60, 80, 1), np.float32), 3, 2)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    grey[mask] = np.random.default_rng(1).random((400, 3), np.float32)
    before, after = (np.ptp(picture[22:38, 32:48], axis=2).mean() for picture in (grey, lit(grey, mask, 1.0)))
    assert after < 0.1 * before


@pytest.fixture(scope="module")
def painting() -> tuple[np.ndarray, np.ndarray]:
    """Gravel under a flat sky, and flat colours: a hill of the gravel's mean under the sky."""
    random = np.random.default_rng(1)
    stones = cv2.GaussianBlur(random.normal(0, 1, (120, 160)).astype(np.float32), (0, 0), 2)[..., None]
    picture = np.empty((120, 160, 3), np.float32)
    picture[:60] = (0.5, 0.7, 0.9)
    picture[60:] = (np.float32([0.5, 0.4, 0.3]) + 0.8 * stones[60:]).clip(0, 1)
    rough = np.empty_like(picture)
    rough[:] = picture[0, 0]
    y, x = np.mgrid[:120, :160]
    rough[y > 30 + np.abs(x - 80)] = picture[60:].reshape(-1, 3).mean(0)
    return picture, rough


def test_flat_colours_become_the_pictures_textures_in_the_paintings_forms(
    painting: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, rough = painting
    where = np.ones(picture.shape[:2], bool)
    made = repainted(picture, rough, where, 0.0, np.random.default_rng(0))
    assert made.shape == picture.shape
    assert made.dtype == np.float32
    inside, sky = made[85:115, 65:95], made[5:30, 5:40]
    assert inside.std((0, 1)).mean() > 0.35 * picture[60:].std((0, 1)).mean()
    assert sky.std((0, 1)).mean() < 0.25 * inside.std((0, 1)).mean()
    seen, wanted = (cv2.resize(p, (16, 12), interpolation=cv2.INTER_AREA) for p in (made, rough))
    assert np.abs(seen - wanted).mean() < 0.08
    freely = repainted(picture, rough, where, 1.0, np.random.default_rng(0))
    looser = cv2.resize(freely, (16, 12), interpolation=cv2.INTER_AREA)
    assert np.abs(looser - wanted).mean() > np.abs(seen - wanted).mean()
    again = repainted(picture, rough, where, 0.0, np.random.default_rng(0))
    other = repainted(picture, rough, where, 0.0, np.random.default_rng(5))
    assert np.array_equal(again, made)
    assert not np.array_equal(other, made)
    monkeypatch.setattr("underdrawing.picture.patch_texture.GRAIN", 0.0)
    flat = repainted(picture, rough, where, 0.0, np.random.default_rng(0))
    assert flat[85:115, 65:95].std((0, 1)).mean() < 0.2 * inside.std((0, 1)).mean()


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (40, 30)])
def test_small_places_are_repainted_too(painting: tuple[np.ndarray, np.ndarray], size: tuple[int, int]) -> None:
    picture, rough = painting
    where = np.zeros(picture.shape[:2], bool)
    where[70 : 70 + size[1], 60 : 60 + size[0]] = True
    made = repainted(picture, rough, where, 0.3, np.random.default_rng(0))
    assert np.isfinite(made).all()
    assert made.min() >= 0
    assert made.max() <= 1
    # What is made is the picture's, no noise that was strewn in.
    assert cKDTree(picture.reshape(-1, 3)).query(made[where])[0].mean() < 0.05


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_picture_stays_flat(value: float) -> None:
    flat = np.full((60, 80, 3), value, np.float32)
    made = repainted(flat, 1 - flat, np.ones((60, 80), bool), 0.3, np.random.default_rng(0))
    assert np.abs(made - flat).max() < 0.2


def test_one_pixel_of_a_large_mask_is_not_lost(painting: tuple[np.ndarray, np.ndarray]) -> None:
    picture, rough = painting
    where = np.zeros(picture.shape[:2], bool)
    where[30:110, 10:150] = True
    where[2, 2] = True
    made = repainted(picture, np.where(where[..., None], rough, picture), where, 1.0, np.random.default_rng(0))
    assert np.abs(made[2, 2] - picture[2, 2]).max() < 0.05


def test_several_pictures_agree_at_every_step(painting: tuple[np.ndarray, np.ndarray]) -> None:
    picture, _ = painting
    other = np.ascontiguousarray(picture[::-1])
    small = reduced(picture, 0.25)
    alone = raised([Hand(picture)], small, (160, 120))
    both = raised([Hand(picture, 0.5, {}), Hand(other, 0.5, {})], small, (160, 120))
    apart = (alone + raised([Hand(other)], small, (160, 120))) / 2
    # What is faded into each other at the end alone is softer.
    assert both[65:].std((0, 1)).mean() > apart[65:].std((0, 1)).mean()


def test_large_pictures_are_repainted_smaller(
    painting: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, rough = painting
    monkeypatch.setattr("underdrawing.picture.patch_texture.MOST_PAINTED", 2_000)
    monkeypatch.setattr("underdrawing.picture.patch_texture.MOST_KNOWN", 3_000)
    where = np.zeros(picture.shape[:2], bool)
    where[80:110, 60:100] = True
    made = repainted(picture, rough, where, 0.3, np.random.default_rng(0))
    assert made.shape == picture.shape
    # The painting is flat there.
    assert made[where].std(0).mean() > 0.1 * picture[60:].std((0, 1)).mean()
