"""What needs no underdrawing, in real Kritas, by the docker's buttons."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.krita.conftest import Krita
from tests.krita.test_way import still_life
from underdrawing.picture.files import write_picture

TINY = {"filters": 6, "smallest": 16, "stages": 2, "crop": 32}  # figures of the smallest training there is
PASTE = (50, 30, 14, 12)
LONGEST = 900.0  # seconds


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Stillleben mit Äpfeln 静物.png"
    write_picture(path, still_life())
    return path


@pytest.mark.long
def test_every_use_without_an_underdrawing(krita: Krita, picture: Path) -> None:
    seen = krita.run("alone", LONGEST, picture=str(picture), paste=PASTE, figures=TINY)["seen"]
    message, bad = seen["nothing_below"]
    assert bad
    assert "nothing is visible below" in message
    message, bad = seen["empty"]
    assert bad
    assert "has nothing inside the picture" in message
    assert seen["devices"][:2] == ["auto", "cpu"]
    assert seen["device"] == "cpu", "what was chosen is what trains"
    state, done = seen["training"]
    assert state.startswith("Training")
    assert "left" in state
    assert 0 <= done <= 1000
    assert seen["paused"] == ["Paused. Nothing that was trained is lost.", "Go on"]
    assert seen["found"] == "Paused. Nothing that was trained is lost."
    assert seen["cancelled"] == ["Training was cancelled.", False, True]

    message, bad, layers = seen["harmonized"]
    assert not bad, message
    assert layers == ["Background", "Eingefügt", "Harmonized"]
    assert seen["kept"] == [True, False], "the pasted layer is hidden, and is as it was"
    count, inside, width, height = seen["changed"]
    assert count > 0
    assert inside
    assert PASTE[2] <= width < 40
    assert PASTE[3] <= height < 40
    assert seen["undone"]
    assert seen["redone"]
    message, bad, layers = seen["card"]
    assert bad == ("cuda" not in seen["devices"])
    assert not bad or message.startswith("The graphics card cannot be used: ")
    assert layers == ["Background", "Eingefügt", "Harmonized"]
    message, bad, layers, models = seen["tuned"]
    assert not bad, message
    assert layers == ["Background", "Eingefügt", "Harmonized"], "the last result's place was taken"
    assert models == 1, "what was fine-tuned, and the picture not again"

    message, bad, layers = seen["varied"]
    assert not bad, message
    assert layers == [["Variation 2", False], ["Variation 1", True]]
    assert seen["different"] == 2
    for name, size, inside_of in (
        ("resized", [150, 60], [0]),
        ("animated", [96, 80], [0]),
        ("enlarged", [192, 160], [0]),
    ):
        found, layers, alpha, values, message = seen[name]
        assert found == size, message
        assert layers == inside_of
        assert alpha == 255
        assert values > 10
    assert "4 frames" in seen["animated"][-1]
    assert seen["animated_keys"] == [True, 4, 4]
    assert seen["trained_once"], "sizes and frames are made by the model that made the variations"
    message, bad, visible, count, inside = seen["blended"]
    assert not bad, message
    assert visible, "the edited layer is seen around what was blended"
    assert count > 0
    assert inside
    message, bad, visible, models = seen["repainted"]
    assert not bad, message
    assert not visible
    assert models == 0, "the picture is not trained again"
    assert seen["back"] == "Make an underdrawing"


SPACES = [
    ("RGBA", "F32", "sRGB-elle-V2-g10.icc"),
    ("GRAYA", "U16", "Gray-D50-elle-V2-srgbtrc.icc"),
    ("CMYKA", "U8", "Chemical proof"),
]


@pytest.mark.parametrize("spaces", [SPACES[:1], pytest.param(SPACES, marks=pytest.mark.long)], ids=["one", "three"])
def test_groups_selections_and_other_colour_spaces(
    krita: Krita, picture: Path, spaces: list[tuple[str, str, str]]
) -> None:
    seen = krita.run("alone_kinds", LONGEST, picture=str(picture), spaces=spaces, figures=TINY)["seen"]
    for number, (model, depth, _) in enumerate(spaces):
        found = seen[f"{model}-{depth}"]
        message, bad = found["message"]
        assert not bad, message
        selected = number % 2 == 1
        assert found["layers"][:4] == ["Background", "Gruppe", "Harmonized", "darüber"]
        assert found["paste"] == selected, "a part alone was harmonized: the rest of it is still seen"
        assert found["space"] == (["RGBA", "U8"] if model == "CMYKA" else [model, depth])
        left, top, right, bottom = found["box"]
        assert (left, right) == ((77, 92) if selected else (73, 95))
        assert (top, bottom) == ((7, 24) if selected else (5, 40))
        assert found["changed"] > 0
        assert found["outside"] == 0
