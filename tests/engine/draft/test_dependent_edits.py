"""What is taken from a draft beside what was painted on."""

from __future__ import annotations

import cv2
import numpy as np

from tests.engine.draft.test_draft import GROUND, HEIGHT, WIDTH, primitive, scene, texture
from underdrawing.draft.dependent_edits import along
from underdrawing.draft.draft import draft


def taken(picture: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    one, two = primitive(before), primitive(after)
    return along(draft(picture, one, two), one, two)


def test_a_thing_that_is_bent_comes_whole_and_the_ground_around_it_stays() -> None:
    picture, classes = scene((80, 60), radius=30)
    wanted = np.zeros_like(classes)
    cv2.ellipse(wanted, (86, 58), (34, 27), 10, 0, 360, 1, -1)
    rest = taken(picture, classes, wanted)
    assert rest[cv2.erode(wanted & classes, np.ones((5, 5), np.uint8)) > 0].mean() > 0.8
    near = cv2.dilate(classes | wanted, np.ones((15, 15), np.uint8)) > 0
    assert rest[~near].mean() < 0.02


def test_two_areas_at_the_border_move_together() -> None:
    rows = np.arange(HEIGHT)[:, None] * np.ones((1, WIDTH), int)
    skyline = 60 + (np.arange(WIDTH) // 23 % 3) * 9
    classes = (rows > skyline).astype(np.uint8)
    picture = np.where(classes[..., None] > 0, GROUND, 0.7 + 0.12 * texture(8)).clip(0, 1).astype(np.float32)
    rest = taken(picture, classes, (rows > skyline - 14).astype(np.uint8))
    assert rest[20:40].mean() > 0.8 and rest[80:95].mean() > 0.8


def test_nothing_comes_along_far_from_a_small_edit() -> None:
    picture, classes = scene((50, 60), (120, 60))
    wanted = classes.copy()
    cv2.circle(wanted, (50, 60), 22, 1, -1)
    rest = taken(picture, classes, wanted)
    assert not rest[:, 95:].any()


def test_outlines_alone_take_along_what_moves() -> None:
    picture, classes = scene((70, 60))
    edges = [np.full(classes.shape, 255, np.uint8) for _ in range(2)]
    for plane, x in zip(edges, (70, 80), strict=True):
        cv2.circle(plane, (x, 60), 18, 0, 2)
    before, after = (primitive(None, plane) for plane in edges)
    rest = along(draft(picture, before, after), before, after)
    assert rest[50:70, 70:90].mean() > 0.5
