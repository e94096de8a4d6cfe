"""What is moved, turned, mirrored or made larger as one piece arrives as one piece."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.engine.draft.test_draft import GROUND, HEIGHT, WIDTH, primitive
from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import draft
from underdrawing.draft.flow_ops import places
from underdrawing.draft.rigid_groups import find_figures
from underdrawing.draft.rigid_regions import find_objects, follow
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive

BODY, WINDOW = np.float32([0.3, 0.0, 0.0]), np.float32([0.0, 0.6, 0.2])


def cart(height: int = HEIGHT, width: int = WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a thing of two classes, no side of which is like another, and its classes."""
    classes = np.zeros((height, width), np.uint8)
    cv2.fillPoly(classes, [np.array([[30, 90], [30, 50], [55, 30], [80, 30], [85, 55], [130, 60], [130, 90]])], 1)
    cv2.fillPoly(classes, [np.array([[42, 50], [57, 36], [74, 36], [74, 50]])], 2)
    picture = GROUND.copy()
    # Every place of it has a colour of its own: an error of 0.01 is about a pixel.
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    places = np.dstack([0.3 + x / width / 2, 0.1 + 0 * x, 0.3 + y / height / 2])
    picture[classes == 1] = (BODY / 2 + places)[classes == 1]
    picture[classes == 2] = (WINDOW / 2 + places)[classes == 2]
    return picture.clip(0, 1).astype(np.float32), classes


def laid(array: np.ndarray, matrix: np.ndarray, how: int) -> np.ndarray:
    return np.asarray(cv2.warpAffine(array, matrix, (WIDTH, HEIGHT), flags=how))


def about(scale: tuple[float, float], turn: float, shift: tuple[float, float]) -> np.ndarray:
    """(2, 3): about the middle of the thing."""
    cos, sin = np.cos(turn), np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag(scale)
    at = np.array([80.0, 62.0])
    return np.hstack([linear, (at + shift - linear @ at)[:, None]])


MOVES = {
    "half as large": about((0.6, 0.6), 0, (0, 0)),
    "mirrored": about((-1, 1), 0, (0, 0)),
    "mirrored and smaller": about((-0.7, 0.7), 0, (20, -5)),
    "turned": about((0.8, 0.8), 0.9, (0, 0)),
    "upside down": about((0.8, -0.8), 0, (0, 0)),
    "partly outside": about((1, 1), 0, (-70, 5)),
    "squeezed": about((0.65, 1), 0, (0, 0)),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_thing_of_two_classes_arrives_whole(name: str) -> None:
    picture, classes = cart()
    wanted = laid(classes, MOVES[name], cv2.INTER_NEAREST)
    truth = laid(picture, MOVES[name], cv2.INTER_AREA)
    found = draft(picture, primitive(classes), primitive(wanted))
    inside = cv2.erode((wanted > 0).view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(found.picture - truth)[inside].mean() < 0.01
    left = cv2.dilate(((classes > 0) | (wanted > 0)).view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.abs(found.picture - picture)[~left].mean() < 0.02, "the ground stays where it was"
    assert found.picture.max(axis=2).min() > 0.3, "no dark outlines"
    bare = (classes > 0) & (cv2.dilate((wanted > 0).view(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    red = found.picture[..., 0] - found.picture[..., 2]
    assert (red[bare] > 0.35).mean() < 0.01, "nothing of it is left in its old place"


def test_what_is_drawn_much_larger_is_not_made_of_patches() -> None:
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(classes, [np.array([[70, 40], [94, 40], [94, 60], [82, 60], [82, 52], [70, 52]])], 1)
    stripes = np.where((np.arange(WIDTH) // 3 % 2)[None, :, None] == 0, BODY, WINDOW)
    picture[classes > 0] = np.broadcast_to(0.2 + stripes, picture.shape)[classes > 0]
    matrix = np.array([[3.0, 0, -160.0], [0, 3.0, -90.0]])
    wanted = laid(classes, matrix, cv2.INTER_NEAREST)
    found = draft(picture.clip(0, 1), primitive(classes), primitive(wanted))
    inside = cv2.erode(wanted, np.ones((7, 7), np.uint8)) > 0
    assert np.abs(found.picture - laid(picture, matrix, cv2.INTER_LINEAR))[inside].mean() < 0.12
    assert (found.origin[inside] == Origin.OBJECT).mean() > 0.95


def test_a_copy_leaves_the_first_one_where_it_is() -> None:
    picture, classes = cart()
    matrix = np.array([[0.4, 0, 95.0], [0, 0.4, -8.0]])
    second = laid(classes, matrix, cv2.INTER_NEAREST)
    wanted = np.where(second > 0, second, classes)
    found = draft(picture, primitive(classes), primitive(wanted))
    inside = cv2.erode((second > 0).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert np.abs(found.picture - laid(picture, matrix, cv2.INTER_AREA))[inside].mean() < 0.06
    first = cv2.erode((classes > 0).view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.abs(found.picture - picture)[first].mean() < 0.02


def test_what_registration_brings_is_no_figure() -> None:
    _, classes = cart()
    still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert not find_figures(classes, classes, still).carried
    moved = np.roll(classes, 25, axis=1)
    brought = np.zeros_like(still)
    brought[..., 0] = -25
    assert find_figures(classes, moved, still).carried
    assert not find_figures(classes, moved, brought).carried


def test_a_part_that_moves_leaves_the_rest_in_place() -> None:
    _, classes = cart()
    moved = classes.copy()
    moved[classes == 2] = 1
    window = np.roll(classes == 2, (22, 30), axis=(0, 1))
    moved[window] = 2
    found = find_figures(classes, moved, np.zeros((HEIGHT, WIDTH, 2), np.float32))
    assert [one.labels for one in found.carried] == [(2,)]


def test_the_ground_that_comes_along_takes_on_the_light_of_its_new_place() -> None:
    ramp = np.linspace(0.25, 0.75, WIDTH, dtype=np.float32)[None, :, None] * np.ones((HEIGHT, 1, 3), np.float32)
    picture, classes, wanted = ramp.copy(), np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(classes, (35, 60), (16, 26), 20, 0, 360, 1, -1)
    cv2.ellipse(wanted, (125, 60), (16, 26), 20, 0, 360, 1, -1)
    picture[classes > 0] = BODY + 0.4
    found = draft(picture, primitive(classes), primitive(np.maximum(classes, wanted)))
    inside = cv2.erode(wanted, np.ones((5, 5), np.uint8)) > 0
    assert np.abs(found.picture[inside] - (BODY + 0.4)).max() < 0.02, "it keeps its own colours"
    near = cv2.dilate(wanted, np.ones((9, 9), np.uint8)) - cv2.dilate(wanted, np.ones((3, 3), np.uint8)) > 0
    assert (found.origin[near] == Origin.OBJECT).mean() > 0.2
    assert np.abs(found.picture - ramp)[near].mean() < 0.02


def test_what_stands_between_the_legs_of_what_goes_stays() -> None:
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    classes[25:95, 50:110] = 1
    classes[38:95, 62:98] = 0
    picture[classes > 0] = BODY + 0.4
    picture[40:95, 62:68] -= 0.2  # the shadow of a leg
    ball = cv2.circle(np.zeros_like(classes), (80, 76), 9, 1, -1) > 0
    classes[ball], picture[ball] = 2, WINDOW
    wanted = np.where(classes == 1, 0, classes).astype(np.uint8)
    found = draft(picture.clip(0, 1), primitive(classes), primitive(wanted))
    core = cv2.erode(ball.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (found.origin[core] != Origin.FILLED).all()
    assert np.abs(found.picture - picture)[core].mean() < 0.05
    assert np.abs(found.picture - GROUND)[45:90, 63:67].mean() < 0.1, "but its shadow goes"


@pytest.mark.parametrize("which", [0, 1])
def test_of_two_that_are_alike_the_one_in_its_place_is_resized(which: int) -> None:
    centres, colours = ((45, 60), (115, 60)), (BODY + 0.5, WINDOW + 0.2)
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    for centre, colour in zip(centres, colours, strict=True):
        cv2.circle(classes, centre, 28, 1, -1)
        cv2.circle(picture, centre, 28, colour.tolist(), -1)
    wanted = np.zeros_like(classes)
    for number, centre in enumerate(centres):
        cv2.circle(wanted, centre, 15 if number == which else 28, 1, -1)
    found = draft(picture.clip(0, 1), primitive(classes), primitive(wanted))
    assert np.abs(found.picture[60, centres[which][0]] - colours[which]).max() < 0.05


def test_others_of_its_kind_and_much_that_stays_do_not_hide_a_thing() -> None:
    _, classes = cart()
    classes[5:20] = np.where(np.arange(WIDTH) // 20 % 2, 1, 0)
    wanted = classes.copy()
    wanted[25:100] = laid(classes, MOVES["mirrored"], cv2.INTER_NEAREST)[25:100]
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert [one.labels for one in find_figures(classes, wanted, flow).carried] == [(1, 2)]


def test_a_class_whose_only_thing_is_gone_still_has_its_colours() -> None:
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(classes, (30, 30), 14, 2, -1)
    picture[classes > 0] = WINDOW + 0.2
    wanted = np.zeros_like(classes)
    cv2.fillPoly(wanted, [np.array([[70, 40], [150, 50], [140, 110], [100, 70], [75, 110]])], 2)
    found = draft(picture.clip(0, 1), primitive(classes), primitive(wanted))
    inside = cv2.erode(wanted, np.ones((9, 9), np.uint8)) > 0
    assert np.abs(found.picture[inside] - (WINDOW + 0.2)).mean() < 0.05


def test_what_the_frame_cuts_off_lends_nothing_to_what_is_seen_whole() -> None:
    """Half a disc at the border is no half disc."""
    classes = cv2.circle(np.zeros((90, 120), np.uint8), (0, 40), 20, 1, -1)
    still = np.zeros((90, 120, 2), np.float32)
    whole = cv2.ellipse(classes.copy(), (60, 50), (20, 20), 0, -90, 90, 1, -1)
    assert find_objects(classes, whole, still).carried == ()
    also_cut = cv2.circle(classes.copy(), (119, 50), 20, 1, -1)
    assert len(find_objects(classes, also_cut, still).carried) == 1


def test_a_thing_that_is_carried_by_does_not_bend_what_stays() -> None:
    """Another edit far below has the whole picture registered; the bar beside the carried disc must not notice."""
    colours = (GROUND, 0.9 - GROUND, GROUND[::-1] / 2, GROUND / 3 + 0.5)
    bar = cv2.rectangle(np.zeros((HEIGHT, WIDTH), np.uint8), (20, 56), (150, 60), 1, -1) > 0
    before, after = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    for classes, x, horizon in ((before, 45, 100), (after, 75, 104)):
        classes[horizon:], classes[bar] = 2, 3
        cv2.circle(classes, (x, 36), 12, 1, -1)
    picture = np.choose(before[..., None], colours).clip(0, 1).astype(np.float32)
    palette = distinct_colours(4)
    found = draft(picture, Primitive(before, palette), Primitive(after, palette))
    away = np.abs(found.came - places((HEIGHT, WIDTH))).max(2)
    assert (found.origin[after == 1] == Origin.OBJECT).mean() > 0.9
    assert away[bar].max() < 0.5


def test_a_grid_is_read_where_a_flow_ends_and_at_its_border_beyond() -> None:
    grid = np.arange(35).reshape(5, 7)
    flow = np.broadcast_to(np.float32([2, -1]), (5, 7, 2))
    rows, columns = np.mgrid[:5, :7]
    assert np.array_equal(follow(grid, flow), grid[(rows - 1).clip(0), (columns + 2).clip(max=6)])
