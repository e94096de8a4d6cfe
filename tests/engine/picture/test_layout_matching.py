"""Areas of another picture, matched with a model's classes by looks, by colour and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.picture.test_layout_transfer import scene
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.layout_matching import areas_of, matched
from underdrawing.picture.layout_transfer import segment_like
from underdrawing.picture.palette import Palette, distinct_colours

NAMES = ("sky", "field", "lake")
PALETTE = Palette(distinct_colours(3).colours, NAMES)


def test_parts_of_a_photograph_are_told_largest_first_and_changed_by_hand() -> None:
    model, classes = scene(70, (80, 120), 1)
    other, truth = scene(50, (170, 100), 2)
    found = segment_like(other, model, classes, PALETTE)
    labels, kept, areas = areas_of(other, found, PALETTE, 6)
    assert np.array_equal(kept, found)
    assert 2 <= len(areas) <= 6
    assert [a.share for a in areas] == sorted((a.share for a in areas), reverse=True)
    assert sum(a.share for a in areas) == pytest.approx(1)
    for number, area in enumerate(areas):
        inside = labels == number
        assert inside.mean() == pytest.approx(area.share)
        assert (found[inside] == area.found).mean() == pytest.approx(area.agreed)
    sky = int(np.bincount(labels[truth == 0]).argmax())
    assert areas[sky].found == 0
    changed = matched(labels, kept, areas, PALETTE, {sky: "Lake"})
    assert (changed[labels == sky] == 2).all()
    assert np.array_equal(changed[labels != sky], found[labels != sky])
    again = areas_of(other, found, PALETTE, 6)
    assert np.array_equal(again[0], labels) and again[2] == areas


def test_a_drawn_map_counts_by_its_own_colours() -> None:
    model, classes = scene(70, (80, 120), 1)
    _, truth = scene(50, (170, 100), 2)
    # Two colours are the palette's, in other places than looks would say; the third is unknown to it.
    drawn = np.array([PALETTE.colours[2], PALETTE.colours[0], (128, 128, 128)], np.uint8)
    other = Picture(drawn[truth])
    found = segment_like(other, model, classes, PALETTE)
    labels, made, areas = areas_of(other, found, PALETTE, 12)
    assert len(areas) == 3
    assert (made[truth == 0] == 2).all() and (made[truth == 1] == 0).all()
    by_looks = np.bincount(found[truth == 2]).argmax()
    assert (made[truth == 2] == by_looks).all(), "an unknown colour becomes the class that most of it looks like"
    assert sorted(a.colour for a in areas) == sorted(tuple(int(v) for v in colour) for colour in drawn)
    grey = next(k for k, a in enumerate(areas) if a.colour == (128, 128, 128))
    assert (matched(labels, made, areas, PALETTE, {grey: "lake"})[truth == 2] == 2).all()


@pytest.mark.parametrize("match", [{9: "sky"}, {-1: "sky"}, {0: "castle"}])
def test_what_does_not_exist_is_refused(match: dict[int, str]) -> None:
    model, classes = scene(70, (80, 120), 1)
    labels, made, areas = areas_of(model, classes, PALETTE, 4)
    with pytest.raises(PictureError):
        matched(labels, made, areas, PALETTE, match)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (9, 3)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    flat = Picture(np.full((*shape, 1), 128, np.uint8))
    labels, made, areas = areas_of(flat, np.zeros(shape, np.uint8), PALETTE, 12)
    assert labels.shape == made.shape == shape
    assert sum(a.share for a in areas) == pytest.approx(1)
