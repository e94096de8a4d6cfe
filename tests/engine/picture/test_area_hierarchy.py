"""The area tree: cuts, nesting, networks, sizes; and the areas' colours."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage import data

from underdrawing.picture import colour_names
from underdrawing.picture.area_hierarchy import build_hierarchy
from underdrawing.picture.image import PictureError
from underdrawing.picture.segmentation import along_edges, area_colours, segment

TREE = build_hierarchy(data.coffee())


def discs(scale: float = 1.0) -> np.ndarray:
    """Three discs of different colours on a plain ground."""
    rgb = np.full((round(240 * scale), round(360 * scale), 3), (200, 200, 190), np.uint8)
    for x, y, radius, colour in (
        (80, 120, 50, (180, 40, 40)),
        (220, 80, 40, (40, 90, 170)),
        (280, 180, 35, (30, 130, 50)),
    ):
        cv2.circle(rgb, (round(x * scale), round(y * scale)), round(radius * scale), colour, -1)
    return rgb


@pytest.mark.parametrize("areas", [1, 2, 7, 12, 40, 255])
def test_a_cut_has_the_number_of_areas_that_was_asked_for(areas: int) -> None:
    labels = TREE.cut(areas)
    assert sorted(np.unique(labels)) == list(range(areas))
    assert TREE.labels(areas).shape == (400, 600)


def test_fewer_areas_are_unions_of_more() -> None:
    fine = TREE.cut(40)
    for areas in (30, 12, 5, 2):
        coarse = TREE.cut(areas)
        for label in range(40):
            assert len(np.unique(coarse[fine == label])) == 1


def test_a_path_leads_from_a_piece_to_the_whole_picture() -> None:
    rows, columns = TREE.order.shape
    nodes = TREE.containing(columns // 2, rows // 2)
    masks = [TREE.mask(node) for node in nodes]
    assert nodes[-1] == TREE.root and masks[-1].all()
    for smaller, larger in pairwise(masks):
        assert not (smaller & ~larger).any() and larger.sum() > smaller.sum()
    for node, mask in zip(nodes, masks, strict=True):
        assert TREE.shares[node] == mask.mean()


def test_a_thing_of_another_colour_has_the_strongest_border() -> None:
    tree = build_hierarchy(discs())
    rows, columns = tree.order.shape
    nodes = tree.containing(80 * columns // 360, 120 * rows // 240)
    strongest = max(nodes, key=lambda node: tree.borders[node])
    assert tree.borders[tree.root] == 0
    assert tree.shares[strongest] == pytest.approx(np.pi * 50**2 / (360 * 240), rel=0.05)


@pytest.mark.parametrize("scale", [0.5, 0.99, 1.01, 2.0])
def test_copies_of_other_sizes_have_the_same_areas(scale: float) -> None:
    first = segment(discs(), 4)
    again = segment(discs(scale), 4)
    shown = cv2.resize(again.palette.render(again.indices), (360, 240), interpolation=cv2.INTER_NEAREST_EXACT)
    apart = np.linalg.norm(
        colour_names.to_lab(shown) - colour_names.to_lab(first.palette.render(first.indices)), axis=2
    )
    assert float((apart < 6).mean()) > 0.97


def test_areas_follow_the_lines_of_the_outline_network() -> None:
    rgb = np.full((200, 300, 3), 120, np.uint8)
    shapes = []

    def network(shown: np.ndarray) -> np.ndarray:
        shapes.append(shown.shape)
        lines = np.zeros(shown.shape[:2], np.float32)
        middle = shown.shape[1] // 3
        lines[:, middle - 2 : middle + 3] = 1
        return lines

    rgb[:, 100:] += 2
    labels = segment(rgb, 2, outlines=network).indices
    assert len(shapes) == 2
    assert len(np.unique(labels[:, :92])) == 1 and len(np.unique(labels[:, 108:])) == 1
    assert labels[0, 0] != labels[0, -1]
    with pytest.raises(PictureError, match="outline network"):
        segment(rgb, 2, outlines=lambda shown: np.zeros((3, 3)))


@pytest.mark.parametrize("count", [2, 12, 30, 60])
def test_any_two_areas_colours_can_be_told_apart(count: int) -> None:
    random = np.random.default_rng(count)
    means, sizes = random.normal(110, 25, (count, 3)).clip(0, 255), random.integers(1, 1000, count)
    table = area_colours(means, sizes)
    lab = colour_names.to_lab(table)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)[~np.eye(count, dtype=bool)]
    assert apart.min() >= 19.9
    largest = int(sizes.argmax())
    assert np.array_equal(table[largest], np.rint(means[largest]))


def test_255_areas_have_255_colours() -> None:
    table = area_colours(np.full((255, 3), 128.0), np.ones(255))
    assert len(np.unique(table, axis=0)) == 255


def test_borders_come_to_lie_on_the_pictures_edges() -> None:
    rgb = np.zeros((100, 160, 3), np.uint8)
    rgb[:, 80:] = 200
    labels = np.zeros((100, 160), np.uint8)
    labels[:, 83:] = 1
    moved = along_edges(labels, rgb, 6)
    assert float((moved == (np.arange(160) >= 80)).mean()) > 0.985
