"""Region tools: what moves, what is left behind, and what stays as it was."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underdrawing.picture import regions
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive

SKY, GROUND, BALL, SPOT = range(4)
PALETTE = Palette(
    np.array([[80, 160, 240], [40, 120, 40], [220, 40, 40], [250, 230, 40]], np.uint8),
    ("sky", "ground", "ball", "spot"),
)
HORIZON = 60


def scene(width: int = 160, height: int = 120, centre: tuple[int, int] = (50, 60), radius: int = 20) -> Primitive:
    """A ball with a spot in it before a horizon, outlined, with upright blades of grass on the ground."""
    y, x = np.mgrid[0:height, 0:width]
    segments = np.where(y < HORIZON, SKY, GROUND).astype(np.uint8)
    edges = np.full((height, width), 255, np.uint8)
    edges[HORIZON - 1] = 0
    edges[HORIZON + 10 : height - 10, ::8] = 0
    away = np.hypot(x - centre[0], y - centre[1])
    segments[away <= radius] = BALL
    segments[away <= 5] = SPOT
    edges[away <= radius] = 255
    shape = (away <= radius).astype(np.uint8)
    edges[(cv2.dilate(shape, np.ones((3, 3), np.uint8)) > shape)] = 0
    return Primitive(segments, PALETTE, edges, PALETTE.render(segments))


def ball(primitive: Primitive) -> np.ndarray:
    return regions.region_at(primitive, 50, 48)


def planes_equal(first: Primitive, second: Primitive, where: np.ndarray) -> bool:
    pairs = zip((first.segments, first.edges, first.paint), (second.segments, second.edges, second.paint), strict=True)
    return all(np.array_equal(a[where], b[where]) for a, b in pairs if a is not None and b is not None)


def test_a_pointed_region_takes_its_islands_along() -> None:
    primitive = scene()
    whole = ball(primitive)
    ring = regions.region_at(primitive, 50, 48, islands=False)
    assert whole[60, 50] and not ring[60, 50]
    assert whole.sum() == np.isin(primitive.segments, (BALL, SPOT)).sum()


def test_regions_without_segments() -> None:
    full = scene()
    in_paint = regions.region_at(Primitive(paint=full.paint), 50, 48)
    assert np.array_equal(in_paint, ball(full))
    in_lines = regions.region_at(Primitive(edges=full.edges), 50, 48)
    assert in_lines[48, 50] and not in_lines[10, 10]
    assert (full.edges[in_lines] == 0).any(), "the outline belongs to what it encloses"


def test_a_region_by_the_name_of_its_class() -> None:
    primitive = scene()
    assert np.array_equal(regions.region_of_class(primitive, "Spot"), primitive.segments == SPOT)
    with pytest.raises(PictureError, match="No class is named"):
        regions.region_of_class(primitive, "moon")
    with pytest.raises(PictureError, match="segments only"):
        regions.region_of_class(Primitive(edges=primitive.edges), "ball")


def test_removing_lets_the_horizon_go_on() -> None:
    primitive = scene()
    edit = regions.remove(primitive, ball(primitive))
    assert set(np.unique(edit.primitive.segments)) == {SKY, GROUND}
    first_ground = (edit.primitive.segments == GROUND).argmax(axis=0)
    assert np.abs(first_ground - HORIZON).max() <= 2
    assert set(map(tuple, edit.primitive.paint.reshape(-1, 3))) == {tuple(c) for c in PALETTE.colours[:2]}
    # The outline of the ball is gone, the horizon's line goes through, and grass was borrowed for the ground.
    lines = edit.primitive.edges == 0
    assert not lines[38:54, 28:72].any()
    assert lines[HORIZON - 4 : HORIZON + 3, 30:70].any(axis=0).mean() > 0.9
    assert lines[70:76, 36:64].any(axis=0).sum() >= 2


def test_the_fill_does_not_come_from_what_was_removed() -> None:
    primitive = scene()
    region = ball(primitive)
    random = np.random.default_rng(0)
    other = Primitive(
        np.where(region, random.integers(0, 4, region.shape), primitive.segments).astype(np.uint8),
        PALETTE,
        np.where(region, random.integers(0, 256, region.shape), primitive.edges).astype(np.uint8),
        np.where(region[..., None], random.integers(0, 256, primitive.paint.shape), primitive.paint).astype(np.uint8),
    )
    first, second = regions.remove(primitive, region), regions.remove(other, region)
    assert planes_equal(first.primitive, second.primitive, np.ones_like(region))
    nothing = Primitive(segments=np.full((20, 20), SKY, np.uint8), palette=PALETTE)
    with pytest.raises(PictureError, match="whole picture"):
        regions.remove(nothing, np.ones((20, 20), bool))


def test_moving_keeps_the_shape_and_fills_behind() -> None:
    primitive, region = scene(), None
    region = ball(primitive)
    edit = regions.move(primitive, region, 70, -8)
    moved = np.roll(region, (-8, 70), axis=(0, 1))
    assert np.array_equal(np.isin(edit.primitive.segments, (BALL, SPOT)), moved)
    assert (edit.primitive.segments[52, 120], edit.primitive.paint[52, 120].tolist()) == (SPOT, [250, 230, 40])
    assert edit.mask[region].all() and edit.mask[moved].all()
    assert planes_equal(primitive, edit.primitive, ~edit.mask)
    assert (edit.primitive.edges[42:62, 140:142] == 0).any(), "the outline moved along"


def test_copying_leaves_the_first() -> None:
    primitive = scene()
    region = ball(primitive)
    edit = regions.copy(primitive, region, 60, 10)
    assert planes_equal(primitive, edit.primitive, region)
    assert np.isin(edit.primitive.segments, (BALL, SPOT)).sum() == 2 * region.sum()
    assert not edit.mask[region].any()


def test_scaling_keeps_thin_closed_outlines() -> None:
    primitive = scene()
    region = ball(primitive)
    edit = regions.scale(primitive, region, 1.8)
    now = np.isin(edit.primitive.segments, (BALL, SPOT))
    assert now.sum() == pytest.approx(region.sum() * 1.8**2, rel=0.04)
    around = Primitive(edges=np.where(edit.mask, edit.primitive.edges, np.uint8(255)))
    inside = regions.region_at(around, 50, 48)
    assert inside.sum() < 1.2 * now.sum(), "the outline is still closed"
    lines = edit.primitive.edges == 0
    squares = lines[:-1, :-1] & lines[1:, :-1] & lines[:-1, 1:] & lines[1:, 1:]
    assert squares[20:50].sum() < 10, "and still thin"
    grass = lines[HORIZON + 10 : 110] & (np.arange(160) % 8 == 0)
    assert not (lines[105:110] & ~grass[35:40]).any(), "lines that only met the region stay where they were"
    small = regions.scale(primitive, region, (0.5, 1.0), centre=(50, 80))
    box = np.isin(small.primitive.segments, (BALL, SPOT))
    assert np.ptp(np.flatnonzero(box.any(axis=0))) == pytest.approx(20, abs=2)
    assert np.ptp(np.flatnonzero(box.any(axis=1))) == pytest.approx(40, abs=2)


def test_a_pixel_survives_any_shrinking() -> None:
    primitive = scene()
    edit = regions.scale(primitive, ball(primitive), 0.001)
    assert np.isin(edit.primitive.segments, (BALL, SPOT)).sum() >= 1


def test_mirroring_twice_gives_the_region_back() -> None:
    primitive = scene()
    region = np.zeros((120, 160), bool)
    region[30:75, 20:60] = True
    region[40:50, 20:30] = False
    turned = regions.mirror(primitive, region, "horizontal")
    other = np.zeros_like(region)
    other[:, 20:60] = region[:, 20:60][:, ::-1]
    assert np.array_equal(
        turned.primitive.segments[other], primitive.segments[:, 79 - np.arange(80)][:, :80][other[:, :80]]
    )
    back = regions.mirror(turned.primitive, other, regions.Axis.HORIZONTAL)
    assert planes_equal(primitive, back.primitive, region)
    upside = regions.mirror(primitive, region, "vertical")
    assert (upside.primitive.segments[32:40, 22:26] == GROUND).all()


@settings(max_examples=25, deadline=None)
@given(dx=st.integers(-60, 100), dy=st.integers(-70, 70), planes=st.sampled_from(["s", "e", "p", "se", "sep"]))
def test_nothing_outside_the_mask_changes(dx: int, dy: int, planes: str) -> None:
    full = scene()
    primitive = Primitive(
        full.segments if "s" in planes else None,
        PALETTE if "s" in planes else None,
        full.edges if "e" in planes else None,
        full.paint if "p" in planes else None,
    )
    for edit in (regions.move(primitive, ball(full), dx, dy), regions.copy(primitive, ball(full), dx, dy)):
        assert planes_equal(primitive, edit.primitive, ~edit.mask)
        assert edit.primitive.names == primitive.names


def test_tiny_pictures() -> None:
    segments = np.array([[SKY, BALL]], np.uint8)
    edit = regions.remove(Primitive(segments, PALETTE, np.full((1, 2), 255, np.uint8)), segments == BALL)
    assert edit.primitive.segments.tolist() == [[SKY, SKY]]


def test_operations_by_name() -> None:
    primitive = scene()
    region = ball(primitive)
    same = regions.change(primitive, "move", region, {"dx": 5, "dy": 3})
    assert planes_equal(same.primitive, regions.move(primitive, region, 5, 3).primitive, np.ones_like(region))
    wide = regions.change(primitive, "scale", region, {"factor": [2, 1]})
    assert planes_equal(wide.primitive, regions.scale(primitive, region, (2.0, 1.0)).primitive, np.ones_like(region))
    # A mask of a file holds 0 and 255.
    gone = regions.change(primitive, "remove", region.astype(np.uint8) * 255, {})
    assert not np.isin(gone.primitive.segments, (BALL, SPOT)).any()


@pytest.mark.parametrize(
    ("operation", "values", "text"),
    [
        ("melt", {}, "no region tool"),
        ("scale", {}, "needs a factor"),
        ("scale", {"factor": 0}, "above 0"),
        ("scale", {"factor": float("nan")}, "pair of numbers"),
        ("scale", {"factor": 1e9}, "far larger"),
        ("scale", {"factor": [1, 2, 3]}, "pair of numbers"),
        ("scale", {"factor": "wide"}, "pair of numbers"),
        ("scale", {"factor": 1, "centre": [3]}, "pair of numbers"),
        ("move", {"dx": "far"}, "pair of numbers"),
        ("move", {"dx": float("inf")}, "pair of numbers"),
        ("move", {"dx": 5000}, "remain inside"),
        ("copy", {"dy": -5000}, "remain inside"),
        ("mirror", {"axis": "diagonal"}, "no axis"),
    ],
)
def test_unusable_requests(operation: str, values: dict[str, object], text: str) -> None:
    primitive = scene()
    with pytest.raises(PictureError, match=text):
        regions.change(primitive, operation, ball(primitive), values)


def test_a_region_may_become_four_times_as_wide_or_high_as_the_picture() -> None:
    wide, high = np.zeros((2, 120, 160), bool)
    wide[58:60, 5:155] = True  # 150 of 160 pixels
    high[10:110, 80:82] = True  # 100 of 120 pixels
    primitive = Primitive(scene().segments, PALETTE)
    regions.scale(primitive, wide, (4.2, 1))
    regions.scale(primitive, high, (1, 4.7))
    for region, factor in ((wide, (4.3, 1)), (high, (1, 4.9))):
        with pytest.raises(PictureError, match="far larger"):
            regions.scale(primitive, region, factor)


def test_unusable_regions() -> None:
    primitive = scene()
    with pytest.raises(PictureError, match="empty"):
        regions.remove(primitive, np.zeros((120, 160), bool))
    with pytest.raises(PictureError, match="must be the same"):
        regions.remove(primitive, np.ones((160, 120), bool))
    with pytest.raises(PictureError, match="outside"):
        regions.region_at(primitive, 160, 0)
    with pytest.raises(PictureError, match="line at"):
        regions.region_at(Primitive(edges=primitive.edges), 3, HORIZON - 1)
