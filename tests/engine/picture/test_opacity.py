"""Transparency after edits: untouched outside, with the areas inside."""

import numpy as np
import pytest

from underdrawing.picture.composite import flattened
from underdrawing.picture.image import Picture
from underdrawing.picture.opacity import edited_opacity, generated_opacity

THING = (slice(2, 6), slice(2, 6))
MOVED = (slice(2, 6), slice(10, 14))


def sticker(dtype: type) -> tuple[Picture, np.ndarray, np.ndarray]:
    """A thing on transparent ground, the classes of its areas, and those with the thing moved."""
    full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    before, after = np.zeros((8, 16), np.uint8), np.zeros((8, 16), np.uint8)
    before[THING], after[MOVED] = 1, 1
    alpha = (before.astype(dtype) * full).astype(dtype)
    alpha[2, 2] = full * 0.5  # an edge that is drawn softly
    alpha[0, 15] = full * 0.01
    return Picture(np.zeros((8, 16, 3), dtype), alpha), before, after


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_a_moved_thing_is_opaque_and_the_ground_it_leaves_is_transparent(dtype: type) -> None:
    picture, before, after = sticker(dtype)
    mask = np.zeros((8, 16), np.float32)
    mask[1:7, 1:15] = 1
    found = edited_opacity(picture, before, after, mask)
    opacity = found.opacity()
    assert (opacity[MOVED] == 1).all()
    assert (opacity[THING] == 0).all()
    assert picture.alpha is not None and found.alpha is not None
    same = after == before
    assert found.alpha[same].tobytes() == picture.alpha[same].tobytes()


def test_nothing_changes_outside_the_mask_and_little_where_it_is_soft() -> None:
    picture, before, after = sticker(np.uint8)
    mask = np.zeros((8, 16), np.float32)
    mask[2:6, 10:12] = 0.5
    found = edited_opacity(picture, before, after, mask)
    assert picture.alpha is not None and found.alpha is not None
    assert np.array_equal(found.alpha[mask == 0], picture.alpha[mask == 0])
    assert set(found.alpha[2:6, 10:12].ravel().tolist()) == {128}


def test_areas_that_are_transparent_in_part_keep_their_alpha() -> None:
    picture, before, after = sticker(np.uint8)
    half = Picture(picture.pixels, np.full((8, 16), 120, np.uint8))
    assert edited_opacity(half, before, after, np.ones((8, 16), np.float32)).opacity().max() == np.float32(120 / 255)


def test_generated_pictures_keep_the_alpha_of_their_shape() -> None:
    picture, _, _ = sticker(np.uint16)
    same = generated_opacity(Picture(np.ones((8, 16, 3), np.uint16)), picture)
    assert same.alpha is picture.alpha
    larger = generated_opacity(Picture(np.ones((16, 32, 3), np.uint16)), picture).opacity()
    assert larger[7:10, 7:10].min() == 1
    assert larger[4:, 16:].max() == 0
    shallow = generated_opacity(Picture(np.ones((8, 16, 3), np.uint8)), picture).alpha
    assert shallow is not None
    assert shallow.tolist() == np.rint(picture.opacity() * 255).astype(int).tolist()


def test_a_paste_over_transparent_ground_is_seen() -> None:
    picture, _, after = sticker(np.uint8)
    paste = Picture(np.full((8, 16, 3), 200, np.uint8), after * 255)
    laid = flattened(picture, paste)
    assert laid.pixels[MOVED].min() == 200
    assert laid.pixels[THING].max() == 0
    opacity = laid.opacity()
    assert opacity[MOVED].min() == 1
    assert opacity[3, 3] == 1
    assert opacity[7, 0] == 0


def test_a_new_version_of_a_transparent_picture_is_no_layer() -> None:
    picture, _, _ = sticker(np.uint8)
    version = Picture(picture.pixels + 7, picture.alpha)
    assert flattened(picture, version) is version
