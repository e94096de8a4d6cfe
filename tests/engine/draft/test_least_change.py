"""What an edit of a thing does not ask to change stays as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.engine.draft.test_draft import GROUND, HEIGHT, WIDTH, primitive
from tests.engine.draft.test_rigid_groups import MOVES, cart, laid
from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import draft


def around(*masks: np.ndarray) -> np.ndarray:
    """(H, W) bool: the masks with a border of a tenth of the picture's height."""
    return cv2.dilate(np.maximum.reduce(masks), np.ones((25, 25), np.uint8)) > 0


@pytest.mark.parametrize("name", ["half as large", "mirrored and smaller", "turned"])
def test_nothing_beyond_a_thing_and_its_surroundings_changes(name: str) -> None:
    picture, classes = cart()
    wanted = laid(classes, MOVES[name], cv2.INTER_NEAREST)
    made = draft(picture, primitive(classes), primitive(wanted)).picture
    assert (made == picture)[~around(classes, wanted)].all()


def test_a_thing_moved_beside_another_of_its_class_arrives_whole_and_the_other_one_stays() -> None:
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    wanted = classes.copy()
    for labels, x in ((classes, 30), (classes, 110), (wanted, 73), (wanted, 110)):
        cv2.rectangle(labels, (x, 40), (x + 36, 80), 1, -1)
    ramp = np.linspace(0, 0.5, 37, dtype=np.float32)[None, :, None] * np.float32([1, 0.2, 0])
    picture[40:81, 30:67], picture[40:81, 110:147] = 0.2 + ramp, 0.7 - ramp
    found = draft(picture.clip(0, 1), primitive(classes), primitive(wanted))
    assert np.abs(found.picture[44:77, 77:106] - picture[44:77, 34:63]).mean() < 0.03
    assert (found.origin[44:77, 114:143] == Origin.UNCHANGED).all()


def test_what_goes_takes_its_shadow_along_and_smooth_ground_beside_it_stays() -> None:
    picture, classes = np.full((HEIGHT, WIDTH, 3), 0.6, np.float32), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(classes, (80, 60), 22, 1, -1)
    shadow = cv2.circle(np.zeros_like(classes), (83, 62), 22, 1, -1) > 0
    clean = picture.copy()
    picture[shadow] = 0.4
    picture[classes > 0] = 0.9
    found = draft(picture, primitive(classes), primitive(np.zeros_like(classes)))
    assert np.abs(found.picture - clean).max() < 0.03
    left = np.zeros_like(shadow)
    left[50:70, 50:54] = True  # as near as the shadow, on the other side
    assert (found.origin[left] == Origin.UNCHANGED).all()


@pytest.mark.parametrize("soft", [1.0, 2.0])
def test_what_a_soft_brush_painted_leaves_no_ghost(soft: float) -> None:
    size = (256, 384)
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    clean = np.dstack([0.3 + rows / 800, 0.5 + columns / 1500, 0.7 - rows / 900])
    labels = cv2.ellipse(np.zeros(size, np.uint8), (190, 130), (60, 35), 20, 0, 360, 1, -1)
    alpha = cv2.GaussianBlur(labels.astype(np.float32), (0, 0), soft)[..., None]
    picture = clean + alpha * (np.float32([0.9, 0.1, 0.1]) - clean)
    made = draft(picture, primitive(labels), primitive(np.zeros_like(labels))).picture
    assert np.abs(made - clean).max() < 0.04
