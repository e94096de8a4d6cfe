"""What a draft carries, on pictures whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import draft
from underdrawing.draft.membrane_blend import even_out
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive

HEIGHT, WIDTH = 120, 161  # no multiples of anything


def texture(seed: int) -> np.ndarray:
    """Smooth noise, (HEIGHT, WIDTH, 3) float32 in [-1, 1]."""
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return soft / np.abs(soft).max()


GROUND = np.float32([0.25, 0.45, 0.3]) + 0.12 * texture(1)
SPOTS = np.float32([0.85, 0.55, 0.15]) + 0.12 * texture(2)


def scene(*discs: tuple[int, int], radius: int = 18) -> tuple[np.ndarray, np.ndarray]:
    """A picture with textured discs on textured ground, and its classes; a disc brings its texture along."""
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y in discs:
        mask = np.zeros_like(classes)
        cv2.circle(mask, (x, y), radius, 1, -1)
        shift = np.float32([[1, 0, x - 60], [0, 1, y - 60]])
        moved = cv2.warpAffine(SPOTS, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        picture[mask > 0] = moved[mask > 0]
        classes |= mask
    return picture.clip(0, 1), classes


def primitive(classes: np.ndarray, edges: np.ndarray | None = None) -> Primitive:
    return Primitive(classes, distinct_colours(3), edges, None)


def error(made: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    return float(np.abs(made - truth)[mask].mean())


def test_an_unchanged_primitive_gives_the_picture() -> None:
    picture, classes = scene((60, 60))
    found = draft(picture, primitive(classes), primitive(classes))
    assert (found.picture == picture).all()
    assert (found.confidence == 1).all()
    assert (found.origin == Origin.UNCHANGED).all()


def test_pixels_that_are_left_alone_are_the_same_to_the_bit() -> None:
    picture, classes = scene((60, 60), radius=12)
    _, wanted = scene((63, 60), radius=12)
    found = draft(picture, primitive(classes), primitive(wanted))
    still = found.origin == Origin.UNCHANGED
    assert still.mean() > 0.3
    assert (found.picture[still] == picture[still]).all()


def test_a_disc_that_moves_takes_its_texture_along() -> None:
    picture, classes = scene((60, 60))
    truth, wanted = scene((70, 64))
    made = draft(picture, primitive(classes), primitive(wanted)).picture
    core = cv2.erode(wanted, np.ones((9, 9), np.uint8)) > 0
    assert error(made, truth, core) < 0.04 < error(picture, truth, core)


def test_a_new_disc_is_a_copy_of_the_one_that_is_there() -> None:
    picture, classes = scene((45, 60))
    truth, wanted = scene((45, 60), (120, 62))
    found = draft(picture, primitive(classes), primitive(wanted))
    new = (cv2.erode(wanted, np.ones((9, 9), np.uint8)) > 0) & (np.arange(WIDTH) > 80)
    assert error(found.picture, truth, new) < 0.05
    assert (found.origin[new] == Origin.OBJECT).mean() > 0.9
    # The one that was there stays.
    old = (classes > 0) & (np.arange(WIDTH) < 80)
    assert error(found.picture, picture, old) < 0.03


def test_a_disc_that_grows_is_stretched() -> None:
    picture, classes = scene((60, 60), radius=18)
    _, wanted = scene((60, 60), radius=24)
    made = draft(picture, primitive(classes), primitive(wanted)).picture
    ring = (wanted > 0) & (classes == 0)
    ring &= cv2.erode(wanted, np.ones((5, 5), np.uint8)) > 0
    # Yellow has more red than the ground.
    assert (made[ring][:, 0] > 0.55).mean() > 0.9


def test_outlines_alone_are_followed() -> None:
    picture, classes = scene((60, 60), radius=25)
    _, wanted = scene((66, 62), radius=25)

    def outline(mask: np.ndarray) -> np.ndarray:
        drawn = np.full(mask.shape, 255, np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, contours, -1, 0, 1)
        return drawn

    before, after = (Primitive(None, None, outline(mask), None) for mask in (classes, wanted))
    made = draft(picture, before, after).picture
    gained, lost = (wanted > 0) & (classes == 0), (wanted == 0) & (classes > 0)
    assert (made[gained][:, 0] > 0.55).mean() > 0.6
    assert (made[lost][:, 0] < 0.55).mean() > 0.6


def test_the_same_edit_gives_the_same_draft() -> None:
    picture, classes = scene((45, 60))
    _, wanted = scene((50, 60), (120, 62))
    first, second = (draft(picture, primitive(classes), primitive(wanted)) for _ in range(2))
    assert (first.picture == second.picture).all()
    assert (first.origin == second.origin).all()


@pytest.mark.parametrize(("height", "width"), [(17, 33), (64, 300), (301, 65), (8, 8)])
def test_every_size_works(height: int, width: int) -> None:
    picture = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    before, after = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    before[:, : width // 2] = 1
    after[:, : width // 2 + 2] = 1
    made = draft(picture, primitive(before), primitive(after)).picture
    assert made.shape == picture.shape
    assert np.isfinite(made).all()
    assert 0 <= made.min() <= made.max() <= 1


def test_classes_of_one_pixel_and_classes_that_were_never_there() -> None:
    picture, classes = scene((60, 60))
    wanted = classes.copy()
    wanted[5, 5] = 1
    wanted[100, 140] = 2  # nothing in the picture looks like it
    made = draft(picture, primitive(classes), primitive(wanted)).picture
    assert np.isfinite(made).all()
    assert np.abs(made - picture)[20:100, 20:120].mean() < 0.02


def test_many_classes_work() -> None:
    picture = np.random.default_rng(0).random((96, 96, 3)).astype(np.float32)
    tiles = np.add.outer(12 * (np.arange(96) // 8), np.arange(96) // 8).astype(np.uint8)
    before, after = (Primitive(t, distinct_colours(144), None, None) for t in (tiles, np.roll(tiles, 2, 1)))
    made = draft(picture, before, after).picture
    assert np.isfinite(made).all()


def test_a_flat_picture_stays_flat() -> None:
    _, classes = scene((60, 60))
    _, wanted = scene((90, 60))
    flat = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    assert np.abs(draft(flat, primitive(classes), primitive(wanted)).picture - 0.5).max() < 1e-3


def test_a_disc_that_goes_leaves_ground_with_its_texture() -> None:
    picture, classes = scene((60, 60), (120, 40), radius=14)
    truth, wanted = scene((120, 40), radius=14)
    found = draft(picture, primitive(classes), primitive(wanted))
    gone = (classes > 0) & (wanted == 0)
    inner = cv2.erode(gone.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (found.origin[inner] == Origin.FILLED).mean() > 0.9
    assert np.abs(found.picture[inner].mean(0) - truth[inner].mean(0)).max() < 0.04
    # Neither smeared nor noisier than the ground is.
    assert 0.5 < found.picture[inner].std(0).mean() / truth[inner].std(0).mean() < 1.5
    assert found.confidence[inner].mean() < 0.5
    assert found.confidence[:, 90:].mean() > 0.95


def test_another_seed_fills_the_ground_in_another_way_and_nothing_else() -> None:
    picture, before = scene((40, 60), (110, 80))
    _, after = scene((110, 80))
    made = [draft(picture, primitive(before), primitive(after), seed) for seed in (0, 1, 1)]
    filled = made[0].origin == Origin.FILLED
    assert np.abs(made[0].picture - made[1].picture)[filled].max() > 0.02
    far = np.ones(filled.shape, bool)
    far[:, :80] = False
    assert np.array_equal(made[0].picture[far], made[1].picture[far])
    assert np.array_equal(made[1].picture, made[2].picture)


def test_nothing_is_sure_where_a_class_was_never_seen() -> None:
    picture, classes = scene((60, 60))
    wanted = classes.copy()
    wanted[80:110, 110:150] = 2
    found = draft(picture, primitive(classes), primitive(wanted))
    assert found.confidence[85:105, 115:145].max() == 0


def test_a_mirrored_object_is_mirrored_with_its_texture() -> None:
    picture, classes = GROUND.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    corners = np.array([[40, 40], [100, 60], [40, 80]])
    cv2.fillPoly(classes, [corners], 1)
    picture[classes > 0] = SPOTS[classes > 0]
    # The same outline turned to the other side within the same box.
    span = slice(40, 101)
    wanted, truth = classes.copy(), picture.clip(0, 1)
    wanted[:, span] = classes[:, span][:, ::-1]
    truth[:, span] = truth[:, span][:, ::-1]
    found = draft(picture.clip(0, 1), primitive(classes), primitive(wanted))
    core = cv2.erode(wanted, np.ones((7, 7), np.uint8)) > 0
    assert error(found.picture, truth, core) < 0.05


def test_ground_that_is_smooth_all_around_is_filled_as_smoothly() -> None:
    """Patches of elsewhere are too light or too dark for a sky; in a meadow nobody would see it, and all is left."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = np.dstack([0.35 + 0.4 * y / HEIGHT, 0.5 + 0.3 * x / WIDTH, 0.9 - 0.3 * y / HEIGHT])
    sky = light + 0.004 * np.random.default_rng(5).standard_normal(light.shape).astype(np.float32)
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[40:100, 50:110] = True
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    patches = 0.07 * ((x // 15 + y // 15) % 2 * 2 - 1)[..., None] * hole[..., None]
    made = even_out(sky + patches, hole, ~hole, labels)
    beyond = cv2.dilate(hole.view(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert (made == sky)[beyond].all()
    off = cv2.GaussianBlur(made - light, (0, 0), 2)[hole]
    assert np.abs(off).max() < 0.035 and np.abs(off).mean() < 0.015
    grain = (made - cv2.GaussianBlur(made, (0, 0), 1))[hole].std()
    assert 0.0015 < grain < 0.01, "neither without any grain nor rough"
    meadow = light + 0.8 * texture(6)
    assert (even_out(meadow + patches, hole, ~hole, labels) == meadow + patches).all()


def test_filled_ground_is_led_over_to_the_light_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the picture is known below a disc, the fill is nearer to it than the patches alone."""
    truth = cv2.resize(data.coffee(), (192, 128), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    light = cv2.GaussianBlur(truth.mean(2), (0, 0), 4)
    wanted = np.digitize(light, np.percentile(light, [33, 66])).astype(np.uint8)
    disc = cv2.circle(np.zeros_like(wanted), (38, 64), 17, 1, -1) > 0
    picture, classes = truth.copy(), wanted.copy()
    picture[disc], classes[disc] = (1, 0, 0), 3
    palette = distinct_colours(4)

    def off() -> float:
        return error(draft(picture, Primitive(classes, palette), Primitive(wanted, palette)).picture, truth, disc)

    led = off()
    monkeypatch.setattr("underdrawing.draft.draft.lead_over", lambda layer, *_: layer)
    assert led < 0.97 * off()
