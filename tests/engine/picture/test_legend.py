"""The legend shows every area's number and colour, and leaves the picture readable."""

from __future__ import annotations

import numpy as np
import pytest

from underdrawing.picture.image import PictureError
from underdrawing.picture.legend import LEAST, legend
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive


def test_each_area_is_outlined_numbered_and_named_in_its_colour() -> None:
    rgb = np.full((90, 120, 3), (90, 140, 180), np.uint8)
    segments = np.zeros((90, 120), np.uint8)
    segments[:, 60:], segments[60:, 60:] = 1, 2
    primitive = Primitive(segments, distinct_colours(4))
    assert primitive.palette is not None
    made = legend(rgb, primitive)
    height = round(90 * LEAST / 120)
    assert made.shape[1] == LEAST and made.shape[0] > height
    key = made[height:].reshape(-1, 3)
    shown = [bool((key == colour).all(1).sum() > 200) for colour in primitive.palette.colours]
    assert shown == [True, True, True, False], "the fourth is nowhere"
    picture = made[:height]
    assert (picture[height // 2, LEAST // 2 - 6 : LEAST // 2 + 6] == 255).all(1).any(), "the border in the middle"
    assert (picture == rgb[0, 0]).all(2).mean() > 0.9


def test_without_areas_there_is_no_legend() -> None:
    rgb = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(PictureError, match="has none"):
        legend(rgb, Primitive(edges=np.zeros((9, 9), np.uint8)))
    with pytest.raises(PictureError, match="size"):
        legend(rgb, Primitive(np.zeros((8, 9), np.uint8), distinct_colours(1)))
