"""Edit masks and feathers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.mask import combine, difference, dilate, edit_mask, feather
from underdrawing.picture.palette import Palette, distinct_colours
from underdrawing.picture.primitive import Primitive

PALETTE = distinct_colours(3)


def primitive(changed: list[tuple[int, int]] = (), size: tuple[int, int] = (80, 60)) -> Primitive:  # type: ignore[assignment]
    segments = np.zeros((size[1], size[0]), np.uint8)
    for x, y in changed:
        segments[y, x] = 1
    return Primitive(segments, PALETTE)


def test_nothing_edited_gives_an_empty_mask() -> None:
    assert not edit_mask(primitive(), primitive()).any()


def test_a_single_pixel_counts_when_it_is_the_only_edit() -> None:
    mask = edit_mask(primitive(), primitive([(40, 30)]), grow=4)
    assert Bounds.of_mask(mask) == Bounds(36, 26, 9, 9)
    assert np.array_equal(edit_mask(primitive(), primitive([(40, 30)]), grow=0), primitive([(40, 30)]).segments == 1)


def test_specks_beside_a_real_edit_and_specks_all_over_are_noise() -> None:
    block = [(x, y) for x in range(30, 40) for y in range(20, 30)]
    mask = edit_mask(primitive(), primitive([*block, (5, 5), (70, 50)]), grow=2)
    assert Bounds.of_mask(mask) == Bounds(28, 18, 14, 14)
    scattered = [(x, y) for x in range(3, 80, 9) for y in range(3, 60, 9)]
    assert not edit_mask(primitive(), primitive(scattered)).any()


def test_twelve_connected_pixels_are_an_edit_and_eleven_are_noise() -> None:
    twelve = [(x, y) for x in range(10, 14) for y in range(20, 23)]
    eleven = [(x + 30, y) for x, y in twelve[1:]]
    mask = edit_mask(primitive(), primitive([*twelve, *eleven]), grow=0)
    assert Bounds.of_mask(mask) == Bounds(10, 20, 4, 3)


def test_all_planes_count_and_soft_changes_do_not() -> None:
    lines = np.full((60, 80), 255, np.uint8)
    paint = np.full((60, 80, 3), 100, np.uint8)
    before = Primitive(primitive().segments, PALETTE, lines, paint)
    moved, tinted, rough = lines.copy(), paint.copy(), lines.copy()
    moved[10, 10:40] = 0
    tinted[40:50, 40:50, 2] = 180
    rough[:] = 235
    assert difference(before, before.with_planes(edges=moved)).sum() == 30
    assert difference(before, before.with_planes(paint=tinted)).sum() == 100
    assert not difference(before, before.with_planes(edges=rough, paint=paint + 8)).any()
    assert difference(before, Primitive(edges=moved)).sum() == 30, "planes that one of the two lacks are ignored"


def test_other_palettes_are_compared_by_colour() -> None:
    turned = Palette(PALETTE.colours[::-1], ("a", "b", "c"))
    before = primitive([(x, 5) for x in range(20)])
    assert before.segments is not None
    after = Primitive((2 - before.segments).astype(np.uint8), turned)
    assert not difference(before, after).any()


def test_sizes_and_planes_must_fit() -> None:
    with pytest.raises(PictureError, match="differ in size"):
        edit_mask(primitive(), primitive(size=(81, 60)))
    with pytest.raises(PictureError, match="no plane in common"):
        edit_mask(primitive(), Primitive(edges=np.zeros((60, 80), np.uint8)))


def test_combining() -> None:
    first, second = np.eye(4, dtype=bool), np.ones((4, 4), bool)
    second[0] = False
    assert combine(first, second, "limit").sum() == 3
    assert combine(first, second, "only").sum() == 12
    assert combine(first, second, "add").sum() == 13
    assert combine(first, None) is first
    with pytest.raises(PictureError, match="Only the given mask"):
        combine(first, None, "only")
    with pytest.raises(PictureError, match="same"):
        combine(first, second[:3])


def test_dilate_is_a_disk() -> None:
    mask = np.zeros((21, 21), bool)
    mask[10, 10] = True
    grown = dilate(mask, 5)
    rows, columns = np.mgrid[-10:11, -10:11]
    assert np.array_equal(grown, np.hypot(rows, columns) <= 5.25)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 20))), st.floats(0, 12))
def test_feathers_stay_inside_and_above_zero(mask: np.ndarray, radius: float) -> None:
    soft = feather(mask, radius)
    assert soft.dtype == np.float32 and soft.shape == mask.shape
    assert not soft[~mask].any()
    assert (soft[mask] > 0).all() and soft.max(initial=0) <= 1


def test_feather_rises_to_one_inside() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    row = feather(mask, 6)[30]
    assert row[9] == 0 and 0 < row[10] < 0.1 and (np.diff(row[9:20]) >= 0).all()
    assert (row[17:43] == 1).all()
    assert np.array_equal(feather(mask, 0), mask.astype(np.float32))


def test_thin_pieces_reach_one_all_the_same() -> None:
    mask = np.zeros((60, 60), bool)
    mask[30:33, 5:55] = True
    mask[5:25, 5:55] = True
    soft = feather(mask, 8)
    assert soft[31, 30] == 1 and soft[14, 30] == 1


def test_masks_at_the_pictures_edge_are_not_feathered_there() -> None:
    mask = np.zeros((40, 40), bool)
    mask[:, :20] = True
    soft = feather(mask, 5)
    assert (soft[:, 0] == 1).all() and soft[0, 10] == 1 and soft[20, 19] < 0.1
    part = feather(mask, 5, Bounds(10, 0, 10, 40))
    assert np.array_equal(part, soft[:, 10:20]), "a part is feathered as a part of the whole"
    assert (feather(np.ones((5, 5), bool), 3) == 1).all()
