"""A picked thing becomes an area of its own, and takes along the rest of areas that lie mostly in it."""

from __future__ import annotations

import numpy as np
import pytest

from underdrawing.picture import colour_names
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.thing_area import widened, with_area, with_remains


def areas() -> np.ndarray:
    """Ground (0) with a block (1) of 20 x 20 pixels and a bar (2) far away."""
    segments = np.zeros((100, 150), np.uint8)
    segments[40:60, 50:70] = 1
    segments[10:15, 100:140] = 2
    return segments


def block(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((100, 150), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_area_is_new_and_the_others_stay() -> None:
    segments, mask = areas(), block(30, 50, 90, 120)
    made = with_area(Primitive(segments, distinct_colours(3)), mask, "thing")
    assert made.segments is not None and made.palette is not None
    assert (made.segments[mask] == 3).all()
    assert np.array_equal(made.segments[~mask], segments[~mask])
    assert made.palette.names[3] == "thing"
    lab = colour_names.to_lab(made.palette.colours)
    assert np.linalg.norm(lab[:3] - lab[3], axis=1).min() > 20


def test_the_rest_of_an_area_stays_where_it_is_larger_than_the_thing() -> None:
    half = block(40, 60, 50, 59)  # 180 of the block's 400 pixels
    assert np.array_equal(with_remains(half, areas()), half)


def test_the_rest_of_an_area_that_is_mostly_picked_goes_with_it() -> None:
    picked = block(42, 60, 50, 69)  # 18 x 19 of the block's 20 x 20
    grown = with_remains(picked, areas())
    assert np.array_equal(grown, block(40, 60, 50, 70) | picked)


def test_an_area_of_which_a_corner_is_picked_stays() -> None:
    picked = block(55, 80, 65, 90)
    assert np.array_equal(with_remains(picked, areas()), picked)


def test_a_mask_is_widened_by_six_pixels_at_fifteen_hundred() -> None:
    mask = np.zeros((1000, 1500), np.float32)
    mask[500, 700] = 1
    rows, columns = np.nonzero(widened(mask))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (494, 506, 694, 706)


def test_an_empty_mask_or_one_of_another_size_is_refused() -> None:
    primitive = Primitive(areas(), distinct_colours(3))
    for mask in (np.zeros((100, 150), bool), np.ones((5, 5), bool)):
        with pytest.raises(PictureError, match="empty, or not of the picture's size"):
            with_area(primitive, mask)
    with pytest.raises(PictureError, match="no areas"):
        with_area(Primitive(edges=np.zeros((100, 150), np.uint8)), block(1, 9, 1, 9))
