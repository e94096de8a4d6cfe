"""Palettes, and maps snapped to them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underdrawing.picture.colour_names import colour_name
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import Palette, distinct_colours, palette_of, snap

TABLE = np.array([[255, 255, 255], [220, 30, 20], [30, 60, 220], [140, 140, 140], [0, 0, 0]], np.uint8)
PALETTE = Palette(TABLE, ("paper", "roof", "water", "stone", "ink"))
SCALE = 8


def scene(size: int = SCALE) -> np.ndarray:
    """Class indices: discs, a slanted band and a triangle, drawn `size` times larger than the map."""
    labels = np.zeros((120 * size, 160 * size), np.uint8)
    cv2.circle(labels, (50 * size, 50 * size), 33 * size, 1, -1)
    cv2.fillPoly(labels, [np.array([[90, 10], [150, 40], [100, 110]]) * size], 2)
    cv2.line(labels, (5 * size, 110 * size), (155 * size, 80 * size), 3, 9 * size)
    cv2.circle(labels, (50 * size, 50 * size), 12 * size, 4, -1)
    return labels


def smooth_map(palette: Palette = PALETTE) -> np.ndarray:
    """The scene as a drawing program leaves it: anti-aliased."""
    return cv2.resize(palette.render(scene()), (160, 120), interpolation=cv2.INTER_AREA)


def near_border(labels: np.ndarray) -> np.ndarray:
    kernel = np.ones((3, 3), np.uint8)
    return cv2.dilate(labels, kernel) != cv2.erode(labels, kernel)


def test_hard_maps_come_back_exactly() -> None:
    labels = scene(1)
    snapped = snap(PALETTE.render(labels), PALETTE)
    assert np.array_equal(snapped.indices, labels) and snapped.unseen == ()


def test_borders_go_to_one_of_the_two_classes_that_meet() -> None:
    drawn = smooth_map()
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 100
    snapped = snap(drawn, PALETTE)
    assert snapped.unseen == ()
    # White meets black and red: many mixtures look like the grey class, which lies elsewhere.
    inner = snapped.indices[30:70, 30:70]
    assert set(np.unique(inner)) <= {1, 4}
    exact = scene()[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE]
    wrong = snapped.indices != exact
    assert not (wrong & ~near_border(exact)).any()
    assert wrong.mean() < 0.01


def test_grey_between_white_and_black_is_not_found_along_their_border() -> None:
    table = Palette(np.array([[255, 255, 255], [0, 0, 0], [128, 128, 128]], np.uint8), ("white", "black", "grey"))
    large = np.zeros((800, 800), np.uint8)
    cv2.circle(large, (400, 400), 300, 1, -1)
    drawn = cv2.resize(table.render(large), (100, 100), interpolation=cv2.INTER_AREA)
    assert (np.abs(drawn.astype(int) - 128).max(axis=2) < 4).any()
    assert set(np.unique(snap(drawn, table).indices)) == {0, 1}


def test_thin_lines_of_a_known_class_stay() -> None:
    labels = np.zeros((60, 80), np.uint8)
    labels[30, 5:75] = 3  # one pixel wide, and grey lies between paper and ink
    labels[5:20, 40] = 4
    drawn = PALETTE.render(labels)
    drawn[50, 10] = (250, 250, 249)  # so that the map counts as smoothed
    assert np.array_equal(snap(drawn, PALETTE).indices, labels)


@pytest.mark.parametrize("quality", [75, 92])
def test_lossy_maps(quality: int) -> None:
    labels = cv2.resize(scene(1), (640, 480), interpolation=cv2.INTER_NEAREST)
    good, data = cv2.imencode(".jpg", PALETTE.render(labels)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert good
    drawn = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    snapped = snap(drawn, PALETTE)
    wrong = snapped.indices != labels
    assert snapped.unseen == () and wrong.mean() < 0.01
    found = palette_of(drawn)
    assert len(found) == len(PALETTE)
    distance = np.abs(found.colours[:, None].astype(int) - TABLE.astype(int)).max(2).min(0)
    assert distance.max() <= 8


def test_palette_of_a_smooth_map_holds_its_classes_alone() -> None:
    found = palette_of(smooth_map())
    assert {tuple(c) for c in found.colours.tolist()} == {tuple(c) for c in TABLE.tolist()}
    assert found.colours[0].tolist() == [255, 255, 255], "the largest area comes first"


def test_palette_of_keeps_close_greys_of_a_hard_map() -> None:
    greys = np.array([54, 60, 66, 176, 182, 195, 200, 255], np.uint8)
    drawn = np.repeat(np.repeat(greys, 12)[None, :, None], 20, axis=0).repeat(3, axis=2)
    assert sorted(palette_of(drawn).colours[:, 0].tolist()) == greys.tolist()


def test_palette_of_limits_the_number() -> None:
    colours = distinct_colours(40)
    labels = np.arange(40, dtype=np.uint8).repeat(5)[:, None].repeat(60, 1)
    labels[:60] = 3
    found = palette_of(colours.render(labels), most=8)
    assert len(found) == 8 and found.colours[0].tolist() == colours.colours[3].tolist()


def test_an_area_in_a_new_colour_is_reported_with_its_place() -> None:
    drawn = smooth_map()
    drawn[10:20, 100:130] = (60, 200, 90)
    snapped = snap(drawn, PALETTE)
    (unseen,) = snapped.unseen
    assert unseen.colour == (60, 200, 90) and "green" in unseen.name
    assert unseen.bounds == Bounds(100, 10, 30, 10) and unseen.pixels == 300
    assert unseen.nearest_name in PALETTE.names
    assert set(np.unique(snapped.indices[10:20, 100:130])) == {PALETTE.index_of(unseen.nearest_name)}
    assert "100, 10" in str(unseen) and unseen.nearest_name in str(unseen)


def test_a_thin_smooth_stroke_in_a_new_colour_is_reported() -> None:
    large = PALETTE.render(np.zeros((800, 800), np.uint8))
    cv2.line(large, (80, 700), (700, 150), (255, 0, 255), 14)
    drawn = cv2.resize(large, (100, 100), interpolation=cv2.INTER_AREA)
    unseen = snap(drawn, PALETTE).unseen
    assert len(unseen) == 1 and unseen[0].pixels > 60
    assert unseen[0].name in ("magenta", "pink", "hot pink")


def test_a_grey_stroke_far_from_black_is_no_mixture() -> None:
    table = Palette(np.array([[255, 255, 255], [0, 0, 0]], np.uint8), ("white", "black"))
    labels = np.zeros((80, 100), np.uint8)
    labels[60:] = 1
    drawn = cv2.GaussianBlur(table.render(labels), (3, 3), 0.7)
    drawn[20:22, 10:60] = 120
    (unseen,) = snap(drawn, table).unseen
    assert unseen.colour == (120, 120, 120) and unseen.pixels == 100


def test_a_colour_that_another_program_shifted_a_little_is_the_same_class() -> None:
    labels = scene(1)
    drawn = np.clip(PALETTE.render(labels).astype(int) - 4, 0, 255).astype(np.uint8)
    snapped = snap(drawn, PALETTE)
    assert snapped.unseen == () and np.array_equal(snapped.indices, labels)


def test_a_photograph_is_not_taken_silently() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    snapped = snap(noise, PALETTE)
    assert snapped.unseen and int(snapped.indices.max()) < len(PALETTE)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 2**32 - 1), st.booleans())
def test_any_small_map_gets_classes_of_the_palette(height: int, width: int, seed: int, smooth: bool) -> None:
    random = np.random.default_rng(seed)
    drawn = PALETTE.render(random.integers(0, 5, (height, width)).astype(np.uint8))
    if smooth:
        drawn = cv2.GaussianBlur(drawn, (3, 3), 0.8)
    snapped = snap(drawn, PALETTE)
    assert snapped.indices.shape == (height, width) and int(snapped.indices.max()) < len(PALETTE)
    assert len(palette_of(drawn)) >= 1
    if not smooth:
        assert np.array_equal(PALETTE.render(snapped.indices), drawn)


def test_json_goes_there_and_back_and_damage_is_refused() -> None:
    assert Palette.from_json(PALETTE.to_json()) == PALETTE
    for damaged in (
        [{"colour": [1, 2], "name": "a"}],
        [{"colour": [1, 2, 300], "name": "a"}],
        [{"name": "a"}],
        [{"colour": [1, 2, 3], "name": "a"}] * 2,
        [],
    ):
        with pytest.raises(PictureError):
            Palette.from_json(damaged)


def test_classes_are_found_by_name() -> None:
    assert PALETTE.index_of(" Water ") == 2
    with pytest.raises(PictureError, match="paper, roof"):
        PALETTE.index_of("sky")


def test_names_are_made_and_numbered() -> None:
    names = Palette(np.array([[250, 0, 0], [248, 2, 1], [20, 170, 40]], np.uint8)).names
    assert names == ("red", "red 2", "green")


@pytest.mark.parametrize("count", [1, 2, 12, 20, 64, 255])
def test_distinct_colours_are_distinct(count: int) -> None:
    table = distinct_colours(count).colours.astype(int)
    assert table.shape == (count, 3)
    apart = np.sqrt(((table[:, None] - table) ** 2).sum(2)) + 999 * np.eye(count)
    assert apart.min() > (50 if count <= 20 else 12)
    assert not ((table == 0).all(1) | (table == 255).all(1)).any(), "lines and paper are black and white"


@pytest.mark.parametrize(
    ("colour", "word"),
    [
        ((135, 200, 240), "blue"),
        ((128, 128, 128), "grey"),
        ((20, 20, 20), "black"),
        ((110, 70, 40), "brown"),
        ((250, 240, 30), "yellow"),
        ((60, 140, 50), "green"),
        ((240, 240, 240), "white"),
        # A tint of grey is a grey, and a dark hue is no grey.
        ((234, 223, 215), "light grey"),
        ((79, 40, 63), "dark purple"),
    ],
)
def test_colours_have_plain_names(colour: tuple[int, int, int], word: str) -> None:
    assert word in colour_name(colour)


def test_wrong_arrays_are_refused() -> None:
    with pytest.raises(PictureError, match="8-bit RGB"):
        snap(np.zeros((4, 4), np.uint8), PALETTE)
    with pytest.raises(PictureError, match="not in the palette"):
        PALETTE.render(np.full((2, 2), 9, np.uint8))
