"""Lifted things put back: moved, copied, deleted; exact outside, at every depth, with transparency."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from underdrawing.client.messages import EngineError
from underdrawing.picture.composite import composite
from underdrawing.picture.extract import make_primitive
from underdrawing.picture.image import Picture
from underdrawing.picture.matting import lift
from underdrawing.picture.primitive import Primitive
from underdrawing.render.apply import Applied
from underdrawing.render.lifted import Lifted, put_back

WIDTH, HEIGHT = 200, 140
LAWN = np.float32((0.25, 0.5, 0.3))


def scene(dtype: type = np.uint8) -> Picture:
    """A red ball on a lawn."""
    rgb = np.broadcast_to(LAWN, (HEIGHT, WIDTH, 3)).copy()
    ball = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(ball, (60, 70), 22, 1.0, -1)
    ball = cv2.GaussianBlur(ball, (0, 0), 0.8)[..., None]
    rgb = rgb * (1 - ball) + np.float32((0.8, 0.2, 0.2)) * ball
    rgb = (rgb + np.random.default_rng(2).normal(0, 0.012, rgb.shape)).clip(0, 1)
    return Picture((rgb * (1 if dtype is np.float32 else np.iinfo(dtype).max)).astype(dtype))


def disc(x: int, y: int, radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    return mask > 0


def areas(picture: Picture) -> Primitive:
    return make_primitive(picture, "segments", regions=3)


def whole(picture: Picture, result: Applied) -> Picture:
    return composite(picture, result.picture, (result.bounds.x, result.bounds.y), result.mask, opacity=True)


def lifted(picture: Picture, dx: int = 0, dy: int = 0, copied: bool = False) -> Lifted:
    layer = lift(picture, disc(60, 70, 22).astype(np.float32))
    return Lifted(layer.picture, (layer.bounds.x + dx, layer.bounds.y + dy), None if copied else layer.mask)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_moved_thing_is_there_its_place_is_ground_and_nothing_else_changes(dtype: type) -> None:
    picture = scene(dtype)
    result = put_back(picture, [lifted(picture, 80, 10)], areas(picture), 0)
    after = whole(picture, result)
    assert after.depth == picture.depth
    there, was = disc(140, 80, 18), disc(60, 70, 22)
    assert np.array_equal(after.pixels[there], picture.pixels[disc(60, 70, 18)])
    assert np.abs(after.to_float()[was] - LAWN).mean() < 0.05
    far = ~(disc(60, 70, 36) | disc(140, 80, 26))
    assert np.array_equal(after.pixels[far], picture.pixels[far])
    assert result.confidence is not None
    assert result.confidence[there[result.bounds.slices()]].min() == 1


def test_a_deleted_thing_is_removed() -> None:
    picture = scene()
    after = whole(picture, put_back(picture, [replace(lifted(picture), pixels=None)], areas(picture), 0))
    assert np.abs(after.to_float()[disc(60, 70, 26)] - LAWN).mean() < 0.05


def test_a_copy_uncovers_nothing() -> None:
    picture = scene()
    after = whole(picture, put_back(picture, [lifted(picture, 80, 0, copied=True)], areas(picture), 0))
    assert np.array_equal(after.pixels[disc(60, 70, 26)], picture.pixels[disc(60, 70, 26)])
    assert np.array_equal(after.pixels[disc(140, 70, 18)], picture.pixels[disc(60, 70, 18)])


def test_a_thing_that_stays_changes_nothing_and_others_still_count() -> None:
    picture = scene()
    with pytest.raises(EngineError) as caught:
        put_back(picture, [lifted(picture)], areas(picture), 0)
    assert caught.value.code == "nothing_edited"
    after = whole(picture, put_back(picture, [lifted(picture), lifted(picture, 80, 0, True)], areas(picture), 0))
    assert np.array_equal(after.pixels[disc(60, 70, 26)], picture.pixels[disc(60, 70, 26)])


def test_a_layer_beyond_the_picture_s_border_is_cut_off() -> None:
    picture = scene()
    after = whole(picture, put_back(picture, [lifted(picture, -50, -60)], areas(picture), 0))
    assert np.array_equal(after.pixels[5, 5], picture.pixels[65, 55])


def test_a_thing_on_transparent_ground_leaves_a_hole_and_is_opaque_where_it_goes() -> None:
    picture = scene()
    opacity = np.where(disc(60, 70, 22), 255, 0).astype(np.uint8)
    picture = replace(picture, alpha=opacity)
    after = whole(picture, put_back(picture, [lifted(picture, 80, 0)], areas(picture), 0))
    assert after.alpha is not None
    assert after.alpha[disc(60, 70, 15)].max() == 0
    assert after.alpha[disc(140, 70, 15)].min() == 255
    assert after.alpha[~(disc(60, 70, 36) | disc(140, 70, 30))].max() == 0


def test_both_an_edit_and_a_lifted_thing_count() -> None:
    picture = scene()
    painted = Picture(np.full((20, 30, 3), 10, np.uint8))
    edit = Applied(replace(picture.bounds, x=150, y=100, width=30, height=20), painted, np.ones((20, 30)), "GPU", 0, ())
    result = put_back(picture, [lifted(picture, 60, -20)], areas(picture), 0, edit)
    after = whole(picture, result)
    assert (after.pixels[105:115, 155:175] == 10).all()
    assert np.array_equal(after.pixels[disc(120, 50, 16)], picture.pixels[disc(60, 70, 16)])
    assert result.device == "GPU"
