"""Rectangles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from underdrawing.picture.geometry import Bounds, scaled, unscaled

rectangles = st.builds(Bounds, *[st.integers(-30, 30)] * 2, *[st.integers(0, 30)] * 2)


def pixels(bounds: Bounds) -> set[tuple[int, int]]:
    return {(x, y) for x in range(bounds.x, bounds.right) for y in range(bounds.y, bounds.bottom)}


@given(rectangles, rectangles)
def test_intersection_holds_exactly_the_common_pixels(a: Bounds, b: Bounds) -> None:
    assert pixels(a.intersect(b)) == pixels(a) & pixels(b)


@given(rectangles, st.integers(0, 9))
def test_expanding_and_shrinking_go_back(a: Bounds, margin: int) -> None:
    assert a.expand(margin).expand(-margin) == a


def test_expanded_rectangles_stay_inside_the_picture() -> None:
    assert Bounds(2, 3, 4, 4).expand(5, (10, 8)) == Bounds(0, 0, 10, 8)
    assert Bounds(2, 3, 4, 4).expand(1, Bounds(3, 3, 2, 2)) == Bounds(3, 3, 2, 2)


def test_bounds_of_a_mask() -> None:
    mask = np.zeros((9, 12), bool)
    assert Bounds.of_mask(mask).is_empty
    mask[2, 3] = mask[7, 10] = True
    bounds = Bounds.of_mask(mask)
    assert bounds == Bounds(3, 2, 8, 6)
    assert mask[bounds.slices()].sum() == 2


def test_negative_corners_do_not_count_from_the_other_end() -> None:
    with pytest.raises(ValueError, match="begins outside"):
        Bounds(-2, 0, 4, 4).slices()
    with pytest.raises(ValueError, match="cannot be"):
        Bounds(0, 0, -1, 4)
    with pytest.raises(ValueError, match="begins outside"):
        Bounds(0, -1, 4, 4).slices()


def test_a_rectangle_in_a_smaller_picture_covers_every_pixel_that_it_touches() -> None:
    """The sides shrink by different ratios: 30 by 20 pixels become 10 by 8."""
    ratio = (10 / 30, 8 / 20)
    assert scaled(Bounds(4, 6, 9, 7), ratio, Bounds(0, 0, 10, 8)) == Bounds(1, 2, 4, 4)
    assert scaled(Bounds(25, 15, 20, 20), ratio, Bounds(0, 0, 10, 8)) == Bounds(8, 6, 2, 2)
    assert unscaled(Bounds(1, 2, 4, 4), ratio, (30, 20)) == Bounds(3, 5, 12, 10)
    assert unscaled(Bounds(8, 6, 2, 2), ratio, (29, 19)) == Bounds(24, 15, 5, 4)
