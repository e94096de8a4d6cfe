"""Picking things: order and nesting of candidates, points outside, boxes, windows, borders."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest

from underdrawing.picture.area_tree import TreeSettings, build_tree
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.pick import Source, overlap, pick, refine_border, smallest_first, soft_alpha


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disc with a yellow heart beside a blue bar; the masks of disc and heart."""
    rgb = np.full((160, 240, 3), (190, 195, 190), np.uint8)
    cv2.rectangle(rgb, (170, 20), (200, 140), (30, 60, 160), -1)
    disc, heart = np.zeros((160, 240), np.uint8), np.zeros((160, 240), np.uint8)
    cv2.circle(disc, (80, 80), 45, 1, -1)
    cv2.circle(heart, (80, 80), 15, 1, -1)
    rgb[disc > 0], rgb[heart > 0] = (180, 40, 40), (230, 200, 40)
    return rgb, disc > 0, heart > 0


RGB, DISC, HEART = scene()
TREE = build_tree(RGB, settings=TreeSettings(side=240, orders=4))


def test_candidates_hold_the_point_and_grow_from_part_to_whole() -> None:
    found = pick(RGB, TREE, [(80, 80)])
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    ladder = smallest_first(found)
    assert all(c.mask[80, 80] for c in ladder)
    for smaller, larger in pairwise(ladder):
        assert not (smaller.mask & ~larger.mask).any()
    assert max(overlap(c.mask, HEART) for c in found) > 0.85
    assert max(overlap(c.mask, DISC) for c in found) > 0.9


def test_points_outside_rule_larger_candidates_out() -> None:
    found = pick(RGB, TREE, [(80, 80)], [(80, 115)])
    assert overlap(found[0].mask, HEART) > 0.8 and not any(c.mask[115, 80] for c in found)


def test_two_points_take_what_holds_both() -> None:
    found = pick(RGB, TREE, [(80, 80), (80, 115)])
    assert all(c.mask[80, 80] and c.mask[115, 80] for c in found)
    assert overlap(found[0].mask, DISC) > 0.9


def test_a_box_or_a_rough_selection_finds_the_thing_in_it() -> None:
    assert overlap(pick(RGB, TREE, [], box=Bounds(33, 33, 95, 95))[0].mask, DISC) > 0.9
    rough = np.zeros((160, 240), bool)
    rough[30:125, 40:130] = True
    assert overlap(pick(RGB, TREE, [], rough=rough)[0].mask, DISC) > 0.9


def test_a_subject_within_its_window_comes_first_and_a_cut_one_is_left_out() -> None:
    def disc_of(shown: np.ndarray) -> np.ndarray:
        return (shown[..., 0] > shown[..., 2].astype(int) + 60).astype(np.float32)

    found = pick(RGB, TREE, [(80, 80)], saliency=disc_of)
    assert found[0].source is Source.SUBJECT and np.array_equal(found[0].mask, DISC)
    everything = pick(RGB, TREE, [(80, 80)], saliency=lambda shown: np.ones(shown.shape[:2], np.float32))
    assert all(c.source is Source.AREA for c in everything)


def test_a_segmenter_is_asked_with_points_and_box() -> None:
    asked = []

    def segmenter(
        rgb: np.ndarray, inside: Sequence[tuple[int, int]], outside: Sequence[tuple[int, int]], box: Bounds | None
    ) -> list[tuple[np.ndarray, float]]:
        asked.append((list(inside), list(outside), box))
        return [(DISC, 0.99)]

    found = pick(RGB, TREE, [(80, 80)], [(5, 5)], segmenter=segmenter)
    assert asked == [([(80, 80)], [(5, 5)], None)]
    assert found[0].source is Source.SEGMENTER and found[0].score == 0.99


def test_impossible_picks_are_refused_with_the_reason() -> None:
    with pytest.raises(PictureError, match="outside of the picture"):
        pick(RGB, TREE, [(240, 0)])
    with pytest.raises(PictureError, match="Point at the thing"):
        pick(RGB, TREE, [])
    with pytest.raises(PictureError, match="another size"):
        pick(RGB[:100], TREE, [(5, 5)])
    with pytest.raises(PictureError, match="No area holds"):
        pick(RGB, TREE, [(80, 80)], [(80, 80)])
    with pytest.raises(PictureError, match="rough selection"):
        pick(RGB, TREE, [], rough=np.zeros((160, 240), bool))


def test_a_coarse_mask_is_brought_to_the_things_border() -> None:
    coarse = cv2.dilate(DISC.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    grain = np.random.default_rng(0).normal(0, 6, RGB.shape)
    photo = np.clip(RGB + grain, 0, 255).astype(np.uint8)
    refined = refine_border(photo, coarse, 6)
    assert overlap(refined, DISC) > 0.95 and overlap(coarse, DISC) < 0.9
    assert np.array_equal(refine_border(photo, coarse, 6), refined)


def test_alpha_is_soft_at_a_soft_border_only() -> None:
    blurred = cv2.GaussianBlur(RGB, (0, 0), 3)
    alpha = soft_alpha(blurred, DISC)
    assert alpha.dtype == np.float32 and alpha[80, 100] == 1 and alpha[10, 10] == 0
    assert ((alpha > 0.1) & (alpha < 0.9)).sum() > 100
