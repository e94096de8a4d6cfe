"""Primitives: planes, files, guessing."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from underdrawing.picture.edges import canny_edges
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, guess_kind, read_drawn, read_primitive, write_primitive

PALETTE = Palette(np.array([[200, 30, 30], [30, 160, 60], [40, 60, 200]], np.uint8), ("roof", "lawn", "water, left"))


def super_primitive() -> Primitive:
    segments = np.zeros((40, 60), np.uint8)
    segments[20:], segments[:, 45:] = 1, 2
    edges = np.full((40, 60), 255, np.uint8)
    edges[20], edges[:, 44], edges[5, 5:30] = 0, 0, 100
    return Primitive(segments, PALETTE, edges)


def assert_same(first: Primitive, second: Primitive) -> None:
    assert first.names == second.names and first.palette == second.palette
    for name in first.names:
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_two_planes_are_two_files_that_find_each_other(tmp_path: Path) -> None:
    original = super_primitive()
    files = write_primitive(tmp_path / "mein Bild ü.png", original)
    assert [f.name for f in files] == ["mein Bild ü.segments.png", "mein Bild ü.edges.png"]
    for path in (tmp_path / "mein Bild ü.png", *files):
        assert_same(read_primitive(path), original)
    with Image.open(files[0]) as image:
        note = json.loads(image.text["underdrawing"])  # type: ignore[attr-defined]
    assert note["kind"] == "segments" and note["palette"][2]["name"] == "water, left"


@pytest.mark.parametrize("plane", ["segments", "edges", "paint"])
def test_one_plane_is_one_file(tmp_path: Path, plane: str) -> None:
    whole = super_primitive()
    paint = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    original = {
        "segments": Primitive(whole.segments, whole.palette),
        "edges": Primitive(edges=whole.edges),
        "paint": Primitive(paint=paint),
    }[plane]
    assert write_primitive(tmp_path / "P.png", original) == [tmp_path / "P.png"]
    assert_same(read_primitive(tmp_path / "P.png"), original)


def test_a_names_ending_is_not_taken_for_a_plane(tmp_path: Path) -> None:
    original = super_primitive()
    files = write_primitive(tmp_path / "scene.v2", original)
    assert files[0].name == "scene.v2.segments.png"
    assert_same(read_primitive(tmp_path / "scene.v2"), original)


def test_pictures_drawn_by_anybody(tmp_path: Path) -> None:
    large = np.zeros((400, 600), np.uint8)
    cv2.circle(large, (300, 200), 120, 2, -1)
    drawn = cv2.resize(PALETTE.render(large), (150, 100), interpolation=cv2.INTER_AREA)
    Image.fromarray(drawn).save(tmp_path / "drawn.png")
    primitive, unseen = read_drawn(tmp_path / "drawn.png")
    assert primitive.names == ("segments",) and primitive.palette is not None and len(primitive.palette) == 2
    assert unseen == []
    drawn[:10, :10] = (255, 200, 0)
    Image.fromarray(drawn).save(tmp_path / "drawn.png")
    primitive, unseen = read_drawn(tmp_path / "drawn.png", PALETTE)
    assert primitive.palette == PALETTE and [u.bounds for u in unseen] == [Bounds(0, 0, 10, 10)]


def test_missing_and_foreign_notes(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no primitive"):
        read_primitive(tmp_path / "nothing.png")
    from underdrawing.picture.files import write_picture
    from underdrawing.picture.image import Picture

    plain = Picture(PALETTE.render(np.zeros((9, 9), np.uint8)))
    for text in ("{", "[1]", '{"kind": 7, "planes": "x", "palette": 3}', "[" * 100_000):
        write_picture(tmp_path / "a.png", plain, text={"underdrawing": text})
        assert read_primitive(tmp_path / "a.png").names == ("segments",)


def test_planes_as_they_are_shown_come_back() -> None:
    original = super_primitive()
    again, unseen = Primitive.from_planes(original.planes(), original.palette)
    assert_same(again, original)
    assert unseen == []


def test_planes_of_other_names_are_guessed_or_told() -> None:
    original = super_primitive()
    shown = original.planes()
    guessed, _ = Primitive.from_planes({"Layer 1": shown["segments"], "Layer 2": shown["edges"]}, PALETTE)
    assert_same(guessed, original)
    told, _ = Primitive.from_planes({"Layer 1": shown["segments"]}, kinds={"Layer 1": "paint"})
    assert told.names == ("paint",)
    with pytest.raises(PictureError, match="two planes of the kind"):
        Primitive.from_planes({"a": shown["edges"], "b": shown["edges"]}, kinds={"a": "edges", "b": "edges"})
    with pytest.raises(PictureError, match="no kind of plane"):
        Primitive.from_planes({"a": shown["edges"]}, kinds={"a": "lines"})


def test_white_lines_on_black_are_turned_round() -> None:
    lines = super_primitive().edges
    assert lines is not None
    again, _ = Primitive.from_planes({"edges": 255 - lines})
    assert again.edges is not None and np.abs(again.edges.astype(int) - lines).max() <= 1


def test_kinds_are_guessed() -> None:
    photograph = data.coffee()
    assert guess_kind(photograph) == "paint"
    lines = np.repeat(canny_edges(photograph, 2.0)[..., None], 3, axis=2)
    assert guess_kind(lines) == "edges"
    assert guess_kind(255 - lines) == "edges"
    assert guess_kind(cv2.GaussianBlur(lines, (5, 5), 1)) == "edges"
    assert guess_kind(super_primitive().planes()["segments"]) == "segments"
    black_disc = np.full((90, 90, 3), 255, np.uint8)
    cv2.circle(black_disc, (45, 45), 20, (0, 0, 0), -1, cv2.LINE_AA)
    assert guess_kind(black_disc) == "segments"
    assert guess_kind(np.full((1, 1, 3), 7, np.uint8)) == "segments"


def test_resized_classes_stay_classes() -> None:
    original = super_primitive()
    smaller = original.resized((31, 17))
    assert smaller.size == (31, 17) and smaller.segments is not None and smaller.edges is not None
    assert set(np.unique(smaller.segments)) == {0, 1, 2}
    assert original.resized(original.size) is original
    assert 0 < smaller.edges[8].min() < 255, "lines are averaged"
    back = original.resized((120, 80)).resized((60, 40))
    assert np.array_equal(back.segments, original.segments)


def test_crop() -> None:
    part = super_primitive().crop(Bounds(40, 10, 50, 15))
    assert part.size == (20, 15)
    assert part.segments is not None and part.segments[0, 0] == 0 and part.segments[-1, -1] == 2
    with pytest.raises(PictureError, match="outside"):
        super_primitive().crop(Bounds(60, 0, 5, 5))


def test_planes_that_do_not_fit_are_refused() -> None:
    segments, edges = np.zeros((4, 5), np.uint8), np.zeros((5, 5), np.uint8)
    for broken in (
        {},
        {"segments": segments},
        {"segments": segments + 3, "palette": PALETTE},
        {"segments": segments, "palette": PALETTE, "edges": edges},
        {"edges": edges.astype(float)},
        {"edges": edges[:0]},
        {"paint": np.zeros((4, 4, 4), np.uint8)},
    ):
        with pytest.raises(PictureError):
            Primitive(**broken)  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="8-bit"):
        Primitive.from_planes({"edges": np.zeros((4, 4), np.uint16)})
