"""Other sizes by seams: what is flat gives way, and nothing is doubled twice."""

from __future__ import annotations

import numpy as np

from underdrawing.picture.seam_carving import carved


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3)).astype(np.float32)


def test_a_slanted_flat_band_gives_way_and_the_rest_stays() -> None:
    for step in (1, -1):
        picture = noise(24, 9)
        middles = 12 + step * (np.arange(9) - 4)
        for row, middle in enumerate(middles):
            picture[row, middle - 2 : middle + 3] = 0.5
        wanted = np.stack([np.delete(row, middle, axis=0) for row, middle in zip(picture, middles, strict=True)])
        assert np.array_equal(carved(picture, 23, 9), wanted)
        turned = carved(np.ascontiguousarray(picture.transpose(1, 0, 2)), 9, 23)
        assert np.array_equal(turned, wanted.transpose(1, 0, 2))


def test_a_wider_picture_doubles_other_seams_each_time() -> None:
    picture = noise(20, 6)
    picture[:, :8] = np.arange(8)[:, None] / 1000  # smooth: the cheapest seams are the columns here
    wide = carved(picture, 24, 6)
    assert wide.shape == (6, 24, 3)
    assert np.array_equal(wide[:, 12:], picture[:, 8:])
    columns, times = np.unique(wide[:, :12, 0], return_counts=True)
    assert len(columns) == 8
    assert (times <= 2 * 6).all()


def test_what_goes_along_is_carved_along_the_same_seams() -> None:
    picture = noise(16, 10)
    both = carved(np.dstack([picture, picture[..., :1] * 2]), 13, 12)
    assert both.shape == (12, 13, 4)
    assert np.array_equal(both[..., :3], carved(picture, 13, 12))
    assert np.array_equal(both[..., 3], both[..., 0] * 2)
