"""What a training takes for the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underdrawing.picture.primitive import Primitive
from underdrawing.store.made_underdrawings import MadeUnderdrawing, keep
from underdrawing.train.unedited_underdrawing import underdrawing_as_made

HASH = "a" * 64
RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves(at: int) -> np.ndarray:
    segments = np.full((20, 40, 3), RED, np.uint8)
    segments[:, at:] = BLUE
    return segments


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for at in (10, 30):
        primitive, _ = Primitive.from_planes({"segments": halves(at)})
        palette = [] if primitive.palette is None else primitive.palette.to_json()
        made = MadeUnderdrawing(40, 20, primitive.names, palette)
        keep(tmp_path, HASH, str(at), made, primitive.planes())
    return tmp_path


def test_an_edit_is_traced_to_what_it_was_painted_on(home: Path, tmp_path: Path) -> None:
    for at in (10, 30):
        folder = tmp_path / f"training {at}"
        folder.mkdir()
        edit = halves(at)
        edit[:6, :6] = BLUE
        found = underdrawing_as_made(home, folder, HASH, {"segments": edit})
        assert found is not None
        assert np.array_equal(found.planes()["segments"], halves(at))
        # A training that is resumed starts from the same, whatever was made meanwhile.
        again = underdrawing_as_made(home, folder, HASH, {"segments": halves(40 - at)})
        assert again is not None
        assert np.array_equal(again.planes()["segments"], halves(at))


def test_a_drawing_of_ones_own_is_no_edit(home: Path, tmp_path: Path) -> None:
    own = np.full((20, 40, 3), (10, 240, 10), np.uint8)
    assert underdrawing_as_made(home, tmp_path, HASH, {"segments": own}) is None
    assert underdrawing_as_made(home, tmp_path, "b" * 64, {}) is None
