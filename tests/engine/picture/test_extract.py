"""Primitives made from pictures."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data
from skimage.color import rgb2gray
from skimage.feature import canny

from underdrawing.picture.edges import canny_edges
from underdrawing.picture.extract import make_primitive
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.label_maps import enlarge, tidy
from underdrawing.picture.segmentation import segment

BLOCKS = np.array([[200, 30, 30], [30, 160, 60], [40, 60, 200], [240, 220, 60]], np.uint8)


def blocks(size: tuple[int, int] = (240, 180), noise: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """A noisy picture of four areas, and their true labels."""
    labels = np.zeros((size[1], size[0]), np.uint8)
    labels[:, size[0] // 2 :] = 1
    labels[size[1] * 2 // 3 :] = 2
    cv2.circle(labels, (size[0] // 3, size[1] // 3), size[1] // 5, 3, -1)
    grain = np.random.default_rng(0).normal(0, noise, (*labels.shape, 3))
    return np.clip(BLOCKS[labels] + grain, 0, 255).astype(np.uint8), labels


def agreement(found: np.ndarray, true: np.ndarray) -> float:
    """Share of pixels whose area is mostly made of their own true label."""
    good = 0
    for index in np.unique(found):
        good += np.bincount(true[found == index]).max()
    return float(good) / true.size


@pytest.mark.parametrize("size", [(240, 180), (900, 700)])
def test_plain_areas_are_found(size: tuple[int, int]) -> None:
    rgb, true = blocks(size)
    result = segment(rgb, 4)
    assert result.indices.shape == true.shape and len(result.palette) == 4
    assert agreement(result.indices, true) > 0.985
    assert len({name.split(",")[0] for name in result.palette.names}) == 4


@pytest.mark.parametrize("regions", [2, 5, 12, 30])
@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_the_number_of_regions_is_as_asked_for(name: str, regions: int) -> None:
    result = segment(getattr(data, name)(), regions)
    assert regions - 2 <= len(result.palette) <= regions
    assert len(np.unique(result.indices)) == len(result.palette)
    for index in range(len(result.palette)):
        pieces = cv2.connectedComponents((result.indices == index).astype(np.uint8))[0] - 1
        assert pieces <= 12, "areas, not confetti"


def test_names_tell_colour_and_place() -> None:
    rgb = np.zeros((90, 120, 3), np.uint8)
    rgb[:45], rgb[45:] = (120, 190, 240), (30, 130, 40)
    names = segment(rgb, 2).palette.names
    assert any("blue, top" in name for name in names) and any("green, bottom" in name for name in names)


def test_no_area_crosses_the_subjects_outline() -> None:
    rgb = data.coffee()
    asked = []

    def network(shown: np.ndarray) -> np.ndarray:
        asked.append(shown.shape)
        height, width = shown.shape[:2]
        subject = np.zeros((height, width), np.float32)
        cv2.circle(subject, (width // 2, height // 2), height // 3, 1.0, -1)
        return subject

    result = segment(rgb, 10, network)
    assert len(asked) == 1
    subject = enlarge((network(np.zeros(asked[0], np.uint8)) > 0.5).astype(np.uint8), (rgb.shape[1], rgb.shape[0]))
    for index in range(len(result.palette)):
        share = float(subject[result.indices == index].mean())
        assert share < 0.05 or share > 0.95
    with pytest.raises(PictureError, match="subject network"):
        segment(rgb, 4, lambda shown: np.zeros((3, 3)))


@pytest.mark.parametrize("kind", ["edges", "segments", "super", "paint"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (40, 3), (17, 16)])
def test_any_size(kind: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    assert make_primitive(Picture(pixels), kind).size == size


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_depth_and_grey(dtype: type, channels: int) -> None:
    rgb, true = blocks()
    scale = 1 / 255 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max / 255
    pixels = (rgb[..., :channels] * scale).astype(dtype)
    primitive = make_primitive(Picture(pixels), "super", regions=4)
    assert primitive.names == ("segments", "edges") and primitive.segments is not None
    assert agreement(primitive.segments, true) > (0.6 if channels == 1 else 0.95)


def test_plain_pictures_have_one_area_and_no_lines() -> None:
    primitive = make_primitive(Picture(np.full((64, 48, 3), 90, np.uint8)), "super")
    assert primitive.segments is not None and primitive.edges is not None
    assert (primitive.edges == 255).all()


def test_the_same_picture_gives_the_same_primitive() -> None:
    picture = Picture(data.chelsea())
    for kind in ("super", "paint"):
        first, second = (make_primitive(picture, kind) for _ in range(2))
        for name in first.names:
            assert np.array_equal(getattr(first, name), getattr(second, name))


def test_canny_is_that_of_the_literature() -> None:
    rgb = data.astronaut()
    for kind, sigma in (("edges", 2.5), ("super", 0.5)):
        lines = make_primitive(Picture(rgb), kind).edges
        assert lines is not None and set(np.unique(lines)) == {0, 255}
        assert np.array_equal(lines == 0, canny(rgb2gray(rgb), sigma))
    assert (canny_edges(rgb, 5.0) == 0).sum() < (canny_edges(rgb, 1.0) == 0).sum()


def test_soft_outlines_come_from_the_network_that_is_given() -> None:
    rgb = cv2.resize(data.coffee(), (1500, 1000))
    shapes = []

    def network(shown: np.ndarray) -> np.ndarray:
        shapes.append(shown.shape)
        return np.linspace(0, 1, shown.shape[1])[None].repeat(shown.shape[0], 0)

    primitive = make_primitive(Picture(rgb), "edges", soft_edges=network)
    assert primitive.edges is not None and max(shapes[0]) <= 1024
    assert primitive.edges.shape == (1000, 1500)
    assert primitive.edges[5, 0] > 250 and primitive.edges[5, -1] < 5 and 110 < primitive.edges[5, 750] < 145
    with pytest.raises(PictureError, match="outline network"):
        make_primitive(Picture(rgb), "edges", soft_edges=lambda shown: np.zeros((2, 2)))


@pytest.mark.parametrize("colours", [2, 8])
def test_paint_has_few_colours_that_are_near_the_pictures(colours: int) -> None:
    rgb = data.astronaut()
    paint = make_primitive(Picture(rgb), "paint", colours=colours).paint
    assert paint is not None and len(np.unique(paint.reshape(-1, 3), axis=0)) <= colours
    error = float(np.abs(paint.astype(int) - rgb).mean())
    assert error < (45 if colours == 2 else 25)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "lines"},
        {"kind": "edges", "sigma": -1.0},
        {"kind": "segments", "regions": 0},
        {"kind": "segments", "regions": 256},
        {"kind": "paint", "colours": 1},
        {"kind": "paint", "strength": 2.0},
        {"kind": "edges", "low": 0.5, "high": 0.1},
    ],
)
def test_impossible_wishes_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(PictureError):
        make_primitive(Picture(np.zeros((20, 20, 3), np.uint8)), **options)  # type: ignore[arg-type]


def test_tidy_gives_specks_to_their_neighbours() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[20:] = 5
    labels[10, 10], labels[30:32, 5:7] = 5, 0
    assert np.array_equal(tidy(labels, 6), (np.arange(40)[:, None] >= 20).repeat(40, 1).astype(np.uint8))


def test_enlarged_borders_are_smooth() -> None:
    small = np.zeros((50, 50), np.uint8)
    cv2.circle(small, (25, 25), 15, 1, -1)
    large = enlarge(small, (500, 500))
    true = np.zeros((500, 500), np.uint8)
    cv2.circle(true, (255, 255), 154, 1, -1)
    assert (large != true).mean() < 0.02
    outline = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    assert cv2.arcLength(outline, True) < 1.12 * 2 * np.pi * 154, "no stairs"


REDUCED = 3266, 2449  # 8 megapixels


def test_a_large_picture_is_looked_at_reduced() -> None:
    small = cv2.resize(data.astronaut(), (800, 600), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    made = make_primitive(Picture(large), "super")
    assert made.segments is not None and made.edges is not None
    assert made.size == (4000, 3000)
    assert set(np.unique(made.edges)) == {0, 255}
    reduced = make_primitive(Picture(cv2.resize(large, REDUCED, interpolation=cv2.INTER_AREA)), "super")
    assert reduced.segments is not None
    same = cv2.resize(made.segments, REDUCED, interpolation=cv2.INTER_NEAREST_EXACT) == reduced.segments
    assert same.mean() > 0.99


def test_a_blank_picture_of_100_megapixels_stays_within_a_gigabyte(tmp_path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(tmp_path / "blank.png")
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from underdrawing.picture.extract import make_primitive\n"
        "from underdrawing.picture.files import read_picture\n"
        "made = make_primitive(read_picture(Path(sys.argv[1])), 'super')\n"
        "assert made.size == (10_000, 10_000) and made.planes()\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "blank.png")],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert int(done.stdout) < 1_000_000  # kilobytes
