"""Areas merged and split by hand."""

from __future__ import annotations

import numpy as np
import pytest

from underdrawing.picture.area_edits import merge, split
from underdrawing.picture.area_hierarchy import AreaHierarchy, build_hierarchy
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive

HEIGHT, WIDTH = 120, 180


def block(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top:bottom, left:right] = True
    return mask


LEFT, RIGHT = block(30, 90, 40, 90), block(30, 90, 90, 140)


@pytest.fixture(scope="module")
def tree() -> AreaHierarchy:
    """Of a picture with two blocks side by side on the ground."""
    rgb = np.full((HEIGHT, WIDTH, 3), (60, 120, 70), np.float32)
    rgb[LEFT], rgb[RIGHT] = (200, 60, 50), (60, 70, 200)
    rgb += np.random.default_rng(1).normal(0, 3, rgb.shape)
    return build_hierarchy(rgb.clip(0, 255).astype(np.uint8))


def drawn(*areas: np.ndarray) -> Primitive:
    """Ground and these areas, with lines around them."""
    segments = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, area in enumerate(areas):
        segments[area] = number + 1
    lines = np.full((HEIGHT, WIDTH), 255, np.uint8)
    lines[:, :-1][segments[:, :-1] != segments[:, 1:]] = 0
    return Primitive(segments, distinct_colours(len(areas) + 1), lines)


def test_merged_areas_are_one_without_a_line_between() -> None:
    before = drawn(LEFT, RIGHT)
    edit = merge(before, LEFT, RIGHT)
    assert edit.primitive.segments is not None and edit.primitive.edges is not None
    assert (edit.primitive.segments[LEFT | RIGHT] == 2).all()
    assert (edit.primitive.segments[~(LEFT | RIGHT)] == 0).all()
    assert (edit.primitive.edges[40:80, 80:100] == 255).all()
    assert before.edges is not None
    assert np.array_equal(edit.primitive.edges[~edit.mask], before.edges[~edit.mask])
    assert (edit.primitive.edges[40:80, 39] == 0).all(), "the line around them stays"


def test_a_split_area_falls_apart_where_the_picture_does(tree: AreaHierarchy) -> None:
    edit = split(drawn(LEFT | RIGHT), LEFT | RIGHT, tree)
    segments = edit.primitive.segments
    assert segments is not None and edit.primitive.edges is not None and edit.primitive.palette is not None
    assert len(edit.primitive.palette) == 3
    parts = segments[60, 60], segments[60, 120]
    assert parts[0] != parts[1]
    for part, area in zip(parts, (LEFT, RIGHT), strict=True):
        assert (segments[area] == part).mean() > 0.95
    assert (segments[~(LEFT | RIGHT)] == 0).all()
    assert (edit.primitive.edges[40:80, 86:94].min(1) == 0).all(), "a line between them"


def test_what_cannot_be_done_is_said(tree: AreaHierarchy) -> None:
    primitive = drawn(LEFT, RIGHT)
    with pytest.raises(PictureError, match="one area already"):
        merge(primitive, LEFT, LEFT)
    with pytest.raises(PictureError, match="empty"):
        merge(primitive, LEFT, block(0, 0, 0, 0))
    with pytest.raises(PictureError, match="no areas"):
        split(Primitive(edges=np.zeros((HEIGHT, WIDTH), np.uint8)), LEFT, tree)
