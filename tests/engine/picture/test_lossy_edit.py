"""Underdrawings that come back as JPEG or WebP, with holes, or that are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from underdrawing.picture.files import write_picture
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.lossy_edit import settled
from underdrawing.picture.mask import edit_mask
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, read_drawn, write_primitive

COLOURS = [(230, 25, 45), (60, 180, 75), (0, 110, 230), (255, 215, 25), (145, 40, 180), (70, 225, 240)]
PALETTE = Palette.from_json([{"colour": colour, "name": str(n)} for n, colour in enumerate(COLOURS)])


def map_of_areas() -> np.ndarray:
    """(160, 240) classes with round, straight and slanted borders."""
    classes = np.zeros((160, 240), np.uint8)
    classes[90:] = 1
    cv2.circle(classes, (60, 60), 34, 2, -1)
    cv2.fillPoly(classes, [np.array([[120, 20], [200, 60], [150, 130]], np.int32)], 3)
    cv2.ellipse(classes, (60, 125), (40, 16), 20, 0, 360, 4, -1)
    return classes


def edited(kind: str) -> np.ndarray:
    classes = map_of_areas()
    if kind == "square":
        classes[40:80, 190:230] = 5
    elif kind == "stroke":
        cv2.line(classes, (10, 8), (110, 8), 5, 3)
    return classes


def test_an_area_that_was_painted_over_leaves_no_rim() -> None:
    wanted = map_of_areas()
    wanted[wanted == 3] = 0
    before, after = Primitive(map_of_areas(), PALETTE), Primitive(wanted, PALETTE, lossy=True)
    assert np.array_equal(settled(before, after).segments, wanted)


@pytest.mark.parametrize("kind", ["square", "stroke"])
@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("jpg", {"quality": 95, "subsampling": 0}),
        ("jpg", {"quality": 90, "subsampling": 2}),
        ("jpg", {"quality": 60, "subsampling": 2}),
        ("webp", {"quality": 80}),
    ],
)
def test_the_noise_next_to_borders_is_no_edit(tmp_path: Path, kind: str, ending: str, options: dict[str, int]) -> None:
    before, wanted = Primitive(map_of_areas(), PALETTE), Primitive(edited(kind), PALETTE)
    Image.fromarray(PALETTE.render(edited(kind))).save(tmp_path / f"e.{ending}", **options)
    after, unseen = read_drawn(tmp_path / f"e.{ending}", PALETTE)
    assert after.lossy and unseen == []
    exact, found = Bounds.of_mask(edit_mask(before, wanted)), Bounds.of_mask(edit_mask(before, settled(before, after)))
    assert exact.expand(3).intersect(found) == found
    assert found.expand(4).intersect(exact) == exact  # the ends of a thin stroke blur


def test_nothing_is_edited_where_only_noise_is(tmp_path: Path) -> None:
    before = Primitive(map_of_areas(), PALETTE)
    Image.fromarray(PALETTE.render(map_of_areas())).save(tmp_path / "e.jpg", quality=80)
    after, _ = read_drawn(tmp_path / "e.jpg", PALETTE)
    assert not np.array_equal(after.segments, before.segments)
    assert not edit_mask(before, settled(before, after)).any()


def test_an_exact_edit_of_a_border_is_kept(tmp_path: Path) -> None:
    before, classes = Primitive(map_of_areas(), PALETTE), map_of_areas()
    classes[88:92] = 1  # the horizon, two pixels higher
    write_primitive(tmp_path / "e.png", Primitive(classes, PALETTE))
    after, _ = read_drawn(tmp_path / "e.png", PALETTE)
    assert settled(before, after) is after


def test_erased_places_are_named(tmp_path: Path) -> None:
    alpha = np.full((160, 240), 255, np.uint8)
    alpha[100:110, 20:50] = 0
    write_picture(tmp_path / "e.png", Picture(PALETTE.render(map_of_areas()), alpha))
    with pytest.raises(PictureError, match=r"erased .* 300 pixels at 20,100"):
        read_drawn(tmp_path / "e.png", PALETTE)


def test_lines_on_transparent_ground_are_lines_on_paper(tmp_path: Path) -> None:
    lines = np.zeros((160, 240), np.uint8)
    cv2.line(lines, (10, 10), (200, 120), 255, 2)
    write_picture(tmp_path / "e.png", Picture(np.zeros((160, 240, 3), np.uint8), lines))
    drawn, _ = read_drawn(tmp_path / "e.png", takes=("edges",))
    assert drawn.edges is not None and np.array_equal(drawn.edges, 255 - lines)


def test_a_photograph_is_no_underdrawing_of_areas(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    photo = cv2.GaussianBlur(random.integers(0, 255, (120, 160, 3), dtype=np.uint8), (0, 0), 2)
    write_picture(tmp_path / "photo.png", Picture(photo))
    with pytest.raises(PictureError, match=r"photograph .* underdrawing primitive photo.png"):
        read_drawn(tmp_path / "photo.png", takes=("segments", "edges"))
    assert read_drawn(tmp_path / "photo.png", takes=("paint",))[0].paint is not None
