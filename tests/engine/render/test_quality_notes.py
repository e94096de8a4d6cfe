"""What a person is told about a result that is guessed."""

from __future__ import annotations

import numpy as np

from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive
from underdrawing.render.quality_notes import confidence_notes

PALETTE = Palette(np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8), ("wall", "door", "lamp"))
WIDTH, HEIGHT = 40, 20


def areas(painted: int | None = None) -> Primitive:
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    classes[:, 30:] = 1
    if painted is not None:
        classes[4:10, 4:10] = painted
    return Primitive(classes, PALETTE)


def told(confidence: float, painted: int = 1, edit: tuple[slice, slice] = (slice(4, 10), slice(4, 10))) -> list[str]:
    sure, mask = np.ones((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), bool)
    mask[edit], sure[edit] = True, confidence
    return confidence_notes(sure, mask, areas(), areas(painted))


def test_a_sure_result_has_no_note() -> None:
    assert told(0.26) == []
    assert told(0.9) == []


def test_an_edit_that_is_mostly_guessed_is_said_to_be() -> None:
    (note,) = told(0.2)
    assert note.startswith("100% of this edit is guessed")


def test_an_area_that_the_picture_does_not_have_is_named_and_nothing_else_is_said() -> None:
    (note,) = told(0.0, painted=2)
    assert "how lamp should look" in note


def test_a_large_guessed_area_is_advised_against() -> None:
    notes = told(0.2, edit=(slice(0, 9), slice(0, 9)))  # 81 of 800 pixels
    assert len(notes) == 2
    assert "Several smaller edits" in notes[1]
    assert len(told(0.2, edit=(slice(0, 8), slice(0, 10)))) == 1  # 80 are no more than a tenth
