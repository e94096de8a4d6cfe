"""The list of painted edits: what belongs together, what each is called, and the underdrawing without some."""

from __future__ import annotations

import numpy as np

from underdrawing.picture import edit_list
from underdrawing.picture.edit_list import OTHERS, PaintedEdit, without
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive

MOST = 32
PALETTE = Palette(np.array([[90, 150, 90], [200, 40, 40], [40, 60, 200]], np.uint8), ("meadow", "car", "pond"))


def edits(before: Primitive, after: Primitive) -> list[PaintedEdit]:
    return edit_list.edits(before, after, MOST)


def scene() -> Primitive:
    """A meadow with a car at 20,20 and a pond at 80,60."""
    segments = np.zeros((120, 160), np.uint8)
    segments[20:36, 20:50] = 1
    segments[60:90, 80:120] = 2
    return Primitive(segments, PALETTE, np.full((120, 160), 255, np.uint8))


def painted(before: Primitive, *boxes: tuple[slice, slice, int]) -> Primitive:
    assert before.segments is not None
    segments = before.segments.copy()
    for rows, columns, label in boxes:
        segments[rows, columns] = label
    return before.with_planes(segments=segments)


MOVE = (slice(20, 36), slice(20, 50), 0), (slice(80, 96), slice(20, 50), 1)


def test_nothing_painted_is_an_empty_list() -> None:
    assert edits(scene(), scene()) == []


def test_a_moved_area_is_one_edit_with_both_places() -> None:
    before = scene()
    (edit,) = edits(before, painted(before, *MOVE))
    assert edit.title == "“car” moved"
    assert edit.mask[25, 30] and edit.mask[85, 30] and not edit.mask[70, 100]


def test_what_was_done_is_named() -> None:
    before = scene()
    removed = painted(before, (slice(20, 36), slice(20, 50), 0))
    added = painted(before, (slice(100, 110), slice(100, 140), 1))
    pushed = painted(before, (slice(60, 90), slice(80, 120), 0), (slice(66, 100), slice(84, 114), 2))
    lines = before.edges.copy()  # type: ignore[union-attr]
    lines[50, 20:120] = 0
    drawn = before.with_planes(edges=lines)
    titles = [[edit.title for edit in edits(before, after)] for after in (removed, added, pushed, drawn)]
    assert titles == [["“car” removed"], ["“car” painted"], ["“pond” reshaped"], ["Outlines drawn"]]
    assert edits(drawn, before)[0].title == "Outlines erased"


def test_one_edit_is_taken_back_and_the_others_stay() -> None:
    before = scene()
    after = painted(before, *MOVE, (slice(60, 90), slice(80, 120), 0))
    found = edits(before, after)
    assert [edit.title for edit in found] == ["“pond” removed", "“car” moved"]
    rest = without(before, after, found[:1])
    assert np.array_equal(rest.segments, painted(before, *MOVE).segments)  # type: ignore[arg-type]
    assert np.array_equal(without(before, after, found).segments, before.segments)  # type: ignore[arg-type]


def test_outlines_go_with_their_areas() -> None:
    before = scene()
    lines = before.edges.copy()  # type: ignore[union-attr]
    lines[19:37, 50] = 0
    after = painted(before, (slice(20, 36), slice(20, 50), 0)).with_planes(edges=lines)
    found = edits(before, after)
    assert [edit.title for edit in found] == ["“car” removed"]
    assert (without(before, after, found).edges == 255).all()


def test_more_edits_than_a_list_holds_are_one_entry() -> None:
    before = Primitive(np.zeros((200, 200), np.uint8), PALETTE)
    boxes = [(slice(y, y + 8), slice(x, x + 8), 1) for y in range(4, 196, 20) for x in range(4, 196, 20)]
    found = edits(before, painted(before, *boxes))
    assert len(found) == MOST and found[-1].title == OTHERS
    assert (without(before, painted(before, *boxes), found).segments == 0).all()
