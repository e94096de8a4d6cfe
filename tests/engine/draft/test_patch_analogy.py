"""Analogies: what a network says has changed is put together from the picture's own patches of that class."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.draft import draft
from underdrawing.draft.patch_analogy import counterpart
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive

SIZE = (96, 128)
PALETTE = Palette(np.array([[90, 140, 200], [120, 90, 60]], np.uint8))


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Blue sky that is lighter below, over striped ground; (H, W, 3) in [0, 1] and classes."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    classes = (y > 60).astype(np.uint8)
    sky = np.dstack([0.2 + y / 300, 0.4 + y / 300, np.full(SIZE, 0.8)])
    stripes = 0.25 + 0.3 * ((x // 4 + y // 4) % 2)
    ground = np.dstack([stripes + 0.1, stripes, 0 * y])
    return np.where(classes[..., None] > 0, ground, sky).astype(np.float32), classes


def hill(classes: np.ndarray) -> np.ndarray:
    """The same classes with a hill of ground."""
    return np.asarray(cv2.circle(classes.copy(), (64, 70), 32, 1, -1))


def drawn(classes: np.ndarray) -> Primitive:
    return Primitive(segments=classes, palette=PALETTE, edges=None, paint=None)


def version(classes: np.ndarray) -> np.ndarray:
    """What a soft network would make of classes: their mean colours, blurred."""
    flat = np.where(classes[..., None] > 0, np.float32([0.5, 0.4, 0.0]), np.float32([0.35, 0.55, 0.8]))
    return np.asarray(cv2.GaussianBlur(flat, (0, 0), 2))


def test_an_unchanged_layout_is_the_picture_itself() -> None:
    picture, classes = scene()
    made = counterpart(picture, drawn(classes), drawn(classes), version(classes), version(classes))
    assert np.array_equal(made.picture, picture)
    assert (made.confidence == 1).all()


def test_new_ground_is_striped_and_the_rest_stays() -> None:
    picture, classes = scene()
    wanted = hill(classes)
    made = counterpart(picture, drawn(classes), drawn(wanted), version(classes), version(wanted))
    inner = cv2.erode(((wanted > 0) & (classes == 0)).view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert made.picture[inner][:, 2].mean() < 0.1, "no blue in the ground"
    assert made.picture[inner][:, 0].std() > 0.6 * picture[classes > 0][:, 0].std(), "its stripes came along"
    far = np.hypot(*(np.mgrid[0 : SIZE[0], 0 : SIZE[1]] - np.array([70, 64])[:, None, None])) > 45
    assert np.array_equal(made.picture[far], picture[far])
    assert (made.confidence[far] == 1).all()
    again = counterpart(picture, drawn(classes), drawn(wanted), version(classes), version(wanted))
    assert np.array_equal(again.picture, made.picture)


def test_the_network_decides_among_patches_of_a_class() -> None:
    """Half of the ground is dark: new ground is dark or light as the network's version says, not its place."""
    picture, classes = scene()
    picture[:, :64][classes[:, :64] > 0] *= 0.3
    own = version(classes)
    own[:, :64][classes[:, :64] > 0] *= 0.3
    wanted = hill(classes)
    inner = cv2.erode(((wanted > 0) & (classes == 0)).view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    light = {}
    for share in (0.3, 1.0):
        new = version(wanted)
        new[:, :64][classes[:, :64] > 0] *= 0.3
        new[(wanted > 0) & (classes == 0)] *= share
        made = counterpart(picture, drawn(classes), drawn(wanted), own, new)
        light[share] = float(made.picture[inner][:, :2].mean())
    assert light[0.3] < 0.65 * light[1.0]


def test_a_draft_stands_where_the_network_agrees() -> None:
    picture, classes = scene()
    wanted = np.roll(classes, -6, axis=0)
    wanted[-6:] = 1
    found = draft(picture, drawn(classes), drawn(wanted))
    agreed = counterpart(picture, drawn(classes), drawn(wanted), version(classes), version(wanted), found)
    sure = found.confidence >= 0.9
    assert sure.mean() > 0.5
    assert np.abs(agreed.picture - found.picture)[sure].mean() < 0.01
    # Where it does not, the draft is not believed.
    other = version(wanted)
    other[20:40, 40:90] = (0.5, 0.4, 0.0)
    doubted = counterpart(picture, drawn(classes), drawn(wanted), version(classes), other, found)
    assert not np.array_equal(doubted.picture[20:40, 40:90], found.picture[20:40, 40:90])


def test_outlines_alone_will_do() -> None:
    picture, classes = scene()
    one, two = (
        Primitive(
            segments=None,
            palette=None,
            paint=None,
            edges=np.where(cv2.dilate(c, np.ones((3, 3), np.uint8)) != c, 0, 255).astype(np.uint8),
        )
        for c in (classes, hill(classes))
    )
    made = counterpart(picture, one, two, version(classes), version(hill(classes)))
    assert np.isfinite(made.picture).all()
    top = (slice(46, 54), slice(60, 68))
    assert made.picture[top][..., 2].mean() < 0.5 * picture[top][..., 2].mean(), "ground where the network says ground"
