"""Between two pictures: which scales change, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from underdrawing.render.interpolate import chosen_scales, mixed_rows


def test_each_group_is_a_third_of_the_scales() -> None:
    assert [chosen_scales(8, which) for which in ("coarse", "middle", "fine")] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert chosen_scales(3, "all") == [0, 1, 2]


@pytest.mark.parametrize(("part", "mixed"), [(0.0, [3.0, 4.0]), (0.25, [5.5, 6.5]), (1.0, [13.0, 14.0])])
def test_weights_go_from_the_first_picture_to_the_second_at_the_chosen_scales_alone(
    part: float, mixed: list[float]
) -> None:
    one = np.arange(1, 7, dtype=np.float32).reshape(1, 6, 1, 1)
    row = mixed_rows(one, one + 10, part, [1], 3)
    assert row.shape == one.shape
    assert row.ravel().tolist() == [1.0, 2.0, *mixed, 5.0, 6.0]
    assert one.ravel().tolist() == [1, 2, 3, 4, 5, 6], "the first picture's own weights stay"
