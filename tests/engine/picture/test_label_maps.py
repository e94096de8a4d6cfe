"""Maps of numbered areas: specks go to their neighbours, borders stay where they are at another size."""

from __future__ import annotations

import numpy as np

from underdrawing.picture.label_maps import enlarge, tidy


def test_specks_go_to_the_area_next_to_them_but_no_class_vanishes() -> None:
    labels = np.zeros((9, 14), np.uint8)
    labels[:, 10:] = 7
    labels[4, 3] = 7  # a speck of a class that has more
    labels[1, 1:4], labels[7, 1:3] = 5, 5  # a class of specks alone: its largest stays
    tidied = tidy(labels, 6)
    wanted = np.zeros((9, 14), np.uint8)
    wanted[:, 10:], wanted[1, 1:4] = 2, 1
    assert np.array_equal(tidied, wanted)


def test_borders_lie_at_the_same_part_of_a_larger_map() -> None:
    labels = np.zeros((6, 8), np.uint8)
    labels[:, 3:], labels[4:] = 1, 2
    large = enlarge(labels, (40, 48))
    assert large.shape == (48, 40)
    wanted = labels.repeat(8, axis=0).repeat(5, axis=1)
    assert (large == wanted).mean() > 0.97
    assert large[2, 12:].tolist() == wanted[2, 12:].tolist()
