"""What changes beyond an edit, and how fills compare with the truth, on a picture made here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.draft_edits import Case, as_markdown, bench, changed_beyond, edits, pasted, things
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive
from underdrawing.weights.store import folder


@pytest.fixture
def case() -> Case:
    """A ring that encloses ground, a piece that the border cuts off, and a speck."""
    classes = np.zeros((120, 160), np.uint8)
    cv2.circle(classes, (80, 60), 20, 1, 6)
    classes[:30, :30] = 1
    classes[100:103, 100:103] = 2
    rows, columns = np.mgrid[0:120, 0:160].astype(np.float32)
    picture = np.dstack([0.3 + rows / 400, 0.5 + columns / 800, 0.5 - rows / 500])
    picture[classes > 0] += 0.2
    return Case("ring", picture, Primitive(classes, distinct_colours(3)))


def test_things_are_whole_areas_with_what_they_enclose(case: Case) -> None:
    segments = case.primitive.segments
    assert segments is not None
    thing = things(segments, 5)[0]
    assert thing[60, 80] and thing[60, 60] and not thing[10, 10]
    assert [name for name, _ in edits(case.primitive, thing)] == ["moved", "smaller", "larger", "removed"]


def test_only_changes_beyond_a_thing_and_its_border_count(case: Case) -> None:
    thing = np.zeros((120, 160), bool)
    thing[40:80, 60:100] = True
    near, far = case.picture.copy(), case.picture.copy()
    near[38:82, 58:102] += 0.1
    far[:10] += 0.1
    assert changed_beyond(case.picture, near, thing, thing) == 0
    assert 5 < changed_beyond(case.picture, far, thing, thing) < 15


def test_a_pasted_piece_is_a_class_of_its_own_and_soft_borders_reach_beyond_it(case: Case) -> None:
    piece = np.zeros((120, 160), bool)
    piece[45:75, 65:95] = True
    hard, soft = (pasted(case, piece, (40, 20), sigma) for sigma in (0, 2))
    assert hard.mask[65:95, 105:135].all() and hard.mask.sum() == 900
    assert (hard.picture == case.picture)[~hard.mask].all()
    assert not (soft.picture == case.picture)[~soft.mask].all()
    assert hard.primitive.segments is not None and (hard.primitive.segments[hard.mask] == 3).all()


def test_all_kinds_of_edits_are_in_the_table(case: Case) -> None:
    found, made = bench([case], 1, folder(), lambda _: None)
    assert found["removed"].public()["beyond"] < 2
    table = as_markdown(found)
    for kind in ("moved", "smaller", "larger", "removed", "pasted thing", "soft brush", "large piece"):
        assert f"| {kind} |" in table
    assert made is not None and made.shape[1] > 160


def test_without_weights_it_is_said(case: Case, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bench([case], 1, tmp_path, lambda _: None)
