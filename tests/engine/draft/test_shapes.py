"""What a draft does with areas that are pressed together, drawn out, or built of straight lines."""

from __future__ import annotations

import cv2
import numpy as np

from tests.engine.draft.test_draft import GROUND, HEIGHT, WIDTH, primitive
from underdrawing.draft.canvas import Canvas, Origin
from underdrawing.draft.draft import draft
from underdrawing.draft.flow_ops import places
from underdrawing.draft.line_rigidity import built
from underdrawing.draft.membrane_blend import lead_over
from underdrawing.draft.patchmatch import Sides, fill_ground

UPPER, LOWER = np.float32([0.9, 0.9, 0.85]), np.float32([0.3, 0.05, 0.1])  # teeth, and the dark below


def mouth(height: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture with an ellipse, white above and dark below, and its classes."""
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(classes, (80, 60), (30, height), 0, 0, 360, 1, -1)
    rows = np.arange(HEIGHT)[:, None, None]
    inside = np.where(rows < 60, UPPER, LOWER)
    return np.where(classes[..., None] > 0, inside, GROUND).clip(0, 1).astype(np.float32), classes


def test_a_mouth_that_closes_keeps_its_teeth_above_the_dark() -> None:
    picture, classes = mouth(20)
    _, wanted = mouth(4)
    found = draft(picture, primitive(classes), primitive(wanted))
    middle = (slice(None), slice(70, 91))
    inside = cv2.erode(wanted, np.ones((3, 3), np.uint8))[middle] > 0
    assert (found.origin[middle][inside] != Origin.FILLED).mean() > 0.9
    light = found.picture[middle].mean(2)
    rows = np.nonzero(inside.any(1))[0]
    assert light[rows[0]].mean() > light[rows[-1]].mean() + 0.3


def test_what_is_pressed_together_is_read_at_more_than_one_point() -> None:
    picture = np.zeros((128, 128, 3), np.float32)
    picture[::2] = 1  # one row black, one white
    before, after = np.zeros((128, 128), np.uint8), np.zeros((128, 128), np.uint8)
    before[24:104], after[40:88] = 1, 1
    found = draft(picture, primitive(before), primitive(after))
    pressed = found.picture[56:72, 20:-20]
    # Every second row alone would be black or white; both together are grey.
    assert np.abs(pressed - 0.5).mean() < 0.2
    sure = found.confidence[56:72, 20:-20]
    assert sure.min() > 0.7 and sure.max() < 0.95, "what is bent is less sure than what is only moved"


def scaled_flow(across: float, down: float) -> np.ndarray:
    """(30, 40, 2) about the middle: what is read moves by so much for a step of one cell."""
    x, y = np.meshgrid(np.arange(40) - 19.5, np.arange(30) - 14.5)
    return np.dstack([x * (across - 1), y * (down - 1)]).astype(np.float32)


def test_streaks_are_a_hole_even_where_the_area_stays_the_same_and_what_is_pressed_is_none() -> None:
    picture, classes = mouth(20)
    one = primitive(np.zeros_like(classes))
    middle = (slice(50, 70), slice(70, 90))
    streaks = Canvas(picture, one, one, scaled_flow(3.0, 1 / 3))
    assert streaks.hole()[middle].all()
    pressed = Canvas(picture, one, one, scaled_flow(1.0, 4.0))
    assert not pressed.hole()[middle].any()
    larger = Canvas(picture, one, one, scaled_flow(0.6, 0.6))
    assert not larger.hole()[middle].any()


def house(roof: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A house full of upright and level lines below a roof line (a row for every column), and its classes."""
    height, width = 192, 256
    classes = (np.arange(height)[:, None] >= roof[None, :]).astype(np.uint8)
    wall = np.full((height, width, 3), 0.6, np.float32)
    for row in range(0, height, 16):
        wall[row : row + 6] = 0.25
    for column in range(0, width, 32):
        wall[:, column : column + 6] = 0.8
    return np.where(classes[..., None] > 0, wall, np.float32([0.5, 0.7, 0.95])), classes


def test_a_wavy_roof_line_does_not_bend_the_house() -> None:
    picture, classes = house(np.full(256, 60.0))
    _, wanted = house(50 + 8 * np.sin(np.arange(256) / 9))
    found = draft(picture, primitive(classes), primitive(wanted))
    below = (slice(66, 90), slice(40, 216))
    bend = np.abs(np.diff(found.came[below][..., 1], 2, axis=1)).mean()
    assert bend < 0.0025
    assert (found.origin[below] != Origin.FILLED).all()


def test_hair_and_stripes_are_not_taken_for_buildings() -> None:
    random = np.random.default_rng(3)
    hair = np.full((192, 256, 3), 0.4, np.float32)
    for _ in range(300):
        start, angle = random.integers(0, (256, 192)), random.uniform(0, np.pi)
        end = start + 40 * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(hair, start.tolist(), np.rint(end).astype(int).tolist(), random.random(3).tolist(), 2)
    one = np.zeros((192, 256), np.uint8)
    assert built(hair, one).max() == 0
    walls, classes = house(np.full(256, 60.0))
    held = built(walls, classes)
    assert held[classes > 0].mean() > 0.8
    assert held[classes == 0].max() == 0


def test_a_dark_layer_on_a_darker_ground_is_no_silhouette() -> None:
    layer, base = np.full((40, 40, 3), 0.15, np.float32), np.full((40, 40, 3), 0.02, np.float32)
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    led = lead_over(layer, base, mask, np.ones_like(mask), None)
    assert 0.07 < led[mask].min() < 0.12


def test_a_mouth_that_closes_to_nothing_becomes_lips() -> None:
    lips = np.float32([0.75, 0.25, 0.3])
    picture, inside = mouth(16)
    before, after = np.zeros_like(inside), np.zeros_like(inside)
    cv2.ellipse(before, (80, 60), (38, 26), 0, 0, 360, 2, -1)
    picture[(before == 2) & (inside == 0)] = lips
    before[inside > 0] = 1
    cv2.ellipse(after, (80, 62), (36, 9), 0, 0, 360, 2, -1)
    found = draft(picture, primitive(before), primitive(after))
    middle = cv2.erode(after, np.ones((5, 5), np.uint8)) > 0
    assert np.abs(found.picture[middle] - lips).mean() < 0.06
    assert (found.origin[middle] != Origin.OBJECT).all()


def test_large_filled_ground_is_as_varied_as_what_it_is_filled_from() -> None:
    height, width = 96, 144
    one, guide, came = (
        np.zeros((height, width), np.uint8),
        np.ones((height, width, 1), np.float32),
        places((height, width)),
    )
    came[..., 0] += 90  # from outside of the picture
    hole = np.zeros((height, width), bool)
    hole[:, 70:] = True
    kept = []
    for seed in range(4):
        noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), 1.2)
        picture = (0.5 + 0.15 * soft / soft.std()).clip(0, 1)
        sides = Sides(picture.copy(), hole, picture, ~hole, guide, guide, came, one, one, ~hole)
        filled = fill_ground(sides)[0]
        kept.append(filled[:, 75:].std() / picture[:, :65].std())
    # The same few patches over and over would have less; there is always a little less, as patches are averaged.
    assert np.mean(kept) > 0.88


def test_the_rim_of_what_is_painted_away_goes_too_though_its_class_is_gone() -> None:
    before = np.zeros((HEIGHT, WIDTH), np.uint8)
    before[:, 80:] = 2
    after, picture = before.copy(), GROUND.clip(0, 1).copy()
    picture[:, 80:] = (picture[:, 80:] + np.float32([0.4, 0.1, -0.2])).clip(0, 1)
    clean = picture.copy()
    # A spoon lies over both, its bowl on the right.
    for image, thicker, colour in ((before, 0, 1), (picture, 2, (0.05, 0.05, 0.1))):  # a shadow lies around it
        cv2.circle(image, (108, 60), 18 + thicker, colour, -1)
        cv2.rectangle(image, (52, 57 - thicker), (92, 62 + thicker), colour, -1)
    made = draft(picture, primitive(before), primitive(after)).picture
    bowl = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(bowl, (108, 60), 21, 1, -1)
    assert (made[bowl > 0].mean(1) < 0.6 * clean[bowl > 0].mean(1)).mean() < 0.03


def test_a_large_gap_between_two_towers_is_filled_and_not_one_rigid_piece() -> None:
    x = np.arange(256)
    picture, classes = house(np.where((x > 40) & (x < 220), 40.0, 110.0) + 8 * np.sin(x / 7))
    classes[130:] = 2
    picture[130:] = np.float32([0.1, 0.2, 0.3]) + 0.1 * np.sin(np.arange(62) / 2)[:, None, None]
    wanted = classes.copy()
    wanted[:130, 115:150] = 0
    found = draft(picture.clip(0, 1).astype(np.float32), primitive(classes), primitive(wanted))
    gap = found.origin[60:125, 120:145]
    assert (gap == Origin.OBJECT).mean() < 0.1
