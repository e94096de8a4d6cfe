"""Picking: what is pointed at is found, on pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from underdrawing.picture.area_hierarchy import AreaHierarchy, build_hierarchy
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.pick import Point, nested, overlap, pick, refined

WIDTH, HEIGHT = 300, 200


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disc with a yellow spot on grainy green ground, and the masks of both."""
    rng = np.random.default_rng(3)
    disc = np.zeros((HEIGHT, WIDTH), np.uint8)
    spot = disc.copy()
    cv2.circle(disc, (90, 110), 40, 1, -1)
    cv2.circle(spot, (90, 110), 12, 1, -1)
    rgb = np.full((HEIGHT, WIDTH, 3), (60, 120, 70), np.float32)
    rgb[disc > 0] = (190, 40, 40)
    rgb[spot > 0] = (230, 210, 60)
    rgb += rng.normal(0, 4, rgb.shape)
    return rgb.clip(0, 255).astype(np.uint8), disc > 0, spot > 0


@pytest.fixture(scope="module")
def tree(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> AreaHierarchy:
    return build_hierarchy(scene[0])


def at_size(mask: np.ndarray, tree: AreaHierarchy) -> np.ndarray:
    height, width = tree.order.shape
    return cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT) > 0


def test_a_thing_is_among_the_steps_around_the_first(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], tree: AreaHierarchy
) -> None:
    rgb, disc, spot = scene
    for point, truth in (((65, 110), disc & ~spot), ((90, 110), spot)):
        found = pick(rgb, tree, [point])
        assert max(overlap(one.mask, at_size(truth, tree)) for one in found) > 0.85
        shares = [one.share for one in nested(found)]
        assert shares == sorted(shares)
    whole = pick(rgb, tree, [(65, 110), (90, 110)])
    assert max(overlap(one.mask, at_size(disc, tree)) for one in whole) > 0.9


def test_what_does_not_belong_is_left_out(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], tree: AreaHierarchy
) -> None:
    rgb, _, spot = scene
    found = pick(rgb, tree, [(65, 110)], [(90, 110), (250, 30)])
    assert found
    assert not any(one.mask[at_size(spot, tree)].mean() > 0.5 for one in found)


def test_a_box_means_what_fits_it_best(scene: tuple[np.ndarray, np.ndarray, np.ndarray], tree: AreaHierarchy) -> None:
    rgb, disc, _ = scene
    box = np.zeros((HEIGHT, WIDTH), bool)
    box[68:152, 48:132] = True
    assert overlap(pick(rgb, tree, [], rough=box)[0].mask, at_size(disc, tree)) > 0.85


def test_a_box_does_not_mean_what_lies_mostly_outside(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], tree: AreaHierarchy
) -> None:
    box = np.zeros((HEIGHT, WIDTH), bool)
    box[20:60, 180:240] = True  # on the plain ground
    found = pick(scene[0], tree, [], rough=box)
    assert found
    assert all(one.mask[at_size(box, tree)].sum() >= 0.5 * one.mask.sum() for one in found)


def test_a_subject_apart_from_its_window_comes_first(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], tree: AreaHierarchy
) -> None:
    rgb, disc, _ = scene

    def red(part: np.ndarray) -> np.ndarray:
        return (part[..., 0] > 150).astype(np.float32)

    first = pick(rgb, tree, [(65, 110)], subject=red)[0]
    assert first.source == "subject"
    assert overlap(first.mask, at_size(disc, tree)) > 0.9


def test_a_prompted_network_s_masks_are_candidates_unless_they_miss_what_was_pointed_at(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], tree: AreaHierarchy
) -> None:
    rgb, disc, spot = scene
    ring, upper = disc & ~spot, disc & (np.arange(HEIGHT)[:, None] < 116)
    asked: list[tuple[tuple[int, ...], tuple[Point, ...], Bounds | None]] = []

    def network(picture: np.ndarray, points: Sequence[Point], box: Bounds | None) -> list[tuple[np.ndarray, float]]:
        asked.append((picture.shape, tuple(points), box))
        return [(spot, 0.95), (disc, 0.94), (upper, 0.93), (ring, 0.92), (np.ones_like(disc), 0.99)]

    def prompted(inside: list[Point], outside: list[Point], rough: np.ndarray | None = None) -> list[np.ndarray]:
        found = pick(rgb, tree, inside, outside, rough, prompted=network)
        return [one.mask for one in found if one.source == "prompted"]

    first, second = prompted([(65, 110)], [])
    assert overlap(first, at_size(disc, tree)) > 0.95 and overlap(second, at_size(upper, tree)) > 0.95
    (only,) = prompted([(65, 110)], [(90, 110)])
    assert overlap(only, at_size(ring, tree)) > 0.95
    assert all(overlap(one, at_size(spot, tree)) > 0.9 for one in prompted([], [], spot)), (
        "the rest lies mostly outside"
    )
    assert asked[0] == (rgb.shape, ((65, 110),), None)
    assert asked[-1] == (rgb.shape, (), Bounds(78, 98, 25, 25))


def test_a_border_is_led_to_the_picture_s_own(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    rgb, disc, _ = scene
    rough = cv2.dilate(disc.astype(np.uint8), np.ones((5, 5))) > 0
    soft = refined(rgb, rough)
    assert soft.shape == disc.shape
    assert overlap(soft > 0.5, disc) > overlap(rough, disc)
    assert 0 <= soft.min() <= soft.max() <= 1
    assert ((soft > 0.05) & (soft < 0.95)).any()


@pytest.mark.parametrize(("inside", "text"), [([(400.0, 10.0)], "outside the picture"), ([], "Nothing was pointed at")])
def test_pointing_at_nothing_is_an_error(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray],
    tree: AreaHierarchy,
    inside: list[tuple[float, float]],
    text: str,
) -> None:
    with pytest.raises(PictureError, match=text):
        pick(scene[0], tree, inside)
