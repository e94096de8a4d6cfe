"""Training, colour spaces, tools, layers of all kinds, and trouble: in real Kritas, by the docker's buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.end_to_end.conftest import QUICK_OPTIONS
from tests.engine.end_to_end.test_analogy import TINY
from tests.krita.conftest import Kind, Krita
from tests.krita.test_way import STROKE, still_life
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture

THING = (15, 18, 38, 42)  # around the red thing
FIGURES = {"deepsim": QUICK_OPTIONS, "sia": TINY}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Stillleben mit Äpfeln 静物.png"
    write_picture(path, still_life())
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "anderes Bild.png"
    write_picture(path, Picture(still_life(120, 64).pixels[:, ::-1].copy()))
    return path


@pytest.mark.parametrize("analogy", [False, pytest.param(True, marks=pytest.mark.long)])
def test_training_is_seen_paused_finished_and_cancelled(krita: Krita, picture: Path, analogy: bool) -> None:
    seen = krita.run("train", picture=str(picture), stroke=STROKE, figures=FIGURES, analogy=analogy)["seen"]
    assert 0 < seen["bar"] <= 1000
    assert "Training" in seen["state"]
    assert seen["paused"] == ["TRAINING", "Go on", "Paused. Nothing that was trained is lost."]
    assert seen["editable"]
    message, methods = seen["ready"]
    assert "Trained in" in message
    assert methods == ["deepsim"]
    assert seen["applied"][0], seen["applied"]
    assert seen["again"] == "DRAWN"
    assert seen["cancelled"] == ["Training was cancelled.", 1]
    text, title = seen["listed"]
    assert text.startswith(f"{picture.stem}: Training · on the "), text
    assert title == "Trainings (1)"
    assert seen["cancelled_there"] == ["Training was cancelled.", 1]
    if analogy:
        message, bad, method, shown = seen["analogy"]
        assert not bad, message
        assert method == "sia"
        assert "new layouts" in shown
    message, bad = seen["unseen"]
    assert bad
    assert "palette" in message


SPACES = [
    ("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc"),
    ("RGBA", "F16", "sRGB-elle-V2-g10.icc"),
    ("RGBA", "F32", "sRGB-elle-V2-g10.icc"),
    ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc"),
    ("GRAYA", "U16", "Gray-D50-elle-V2-srgbtrc.icc"),
    ("CMYKA", "U8", "Chemical proof"),
    ("LABA", "U16", "Lab identity built-in"),
]


@pytest.mark.parametrize(
    "space",
    [
        pytest.param(space, id="-".join(space[:2]), marks=[] if space is SPACES[0] else pytest.mark.long)
        for space in SPACES
    ],
)
def test_outside_the_edit_every_depth_is_as_it_was(krita: Krita, picture: Path, space: tuple[str, str, str]) -> None:
    seen = krita.run("depths", picture=str(picture), space=space, stroke=STROKE)["seen"]
    assert "refused" not in seen, seen["refused"]
    assert seen["space"][:2] == list(space[:2])
    assert seen["areas"] == ["RGBA", "U8"]
    assert seen["undo_after_make"].endswith("Add Layer")
    message, bad = seen["message"]
    assert not bad, message
    converted = space[0] in ("CMYKA", "LABA")
    assert seen["result"][:2] == (["RGBA", space[1]] if converted else list(space[:2]))
    assert seen["untouched"]
    assert seen["picture_seen"]
    assert seen["changed"] > 0
    assert seen["changed_outside"] == 0
    assert seen["live"]
    # Rounding alone; sRGB holds fewer colours than Lab and other ones than CMYK.
    assert seen["shift"] <= (12 if converted else 1), seen["shift"]


@pytest.mark.long
def test_what_was_painted_or_moved_before_is_an_edit(krita: Krita, picture: Path) -> None:
    seen = krita.run("truth", picture=str(picture), thing=THING, stroke=STROKE, dx=30)["seen"]
    assert seen["painted"]
    message, bad, made = seen["applied"]
    assert not bad, message
    assert made
    message, dropped = seen["moved"]
    assert message.startswith("Moved in the underdrawing. Press Apply to paint it.")
    assert dropped, "the selection of the old place would limit the edit"
    right, message, bad = seen["right"]
    assert not bad, message
    assert right >= THING[0] + THING[2], "nothing was painted at the destination"
    assert "Limited to the selection." in seen["limited"]


@pytest.mark.long
def test_tools_change_the_underdrawing(krita: Krita, picture: Path, other: Path) -> None:
    seen = krita.run("tools", picture=str(picture), other=str(other), thing=THING)["seen"]
    assert seen["too_early"] == ["Make an underdrawing first.", True]
    assert seen["nothing"][1]
    assert "Nothing is edited" in seen["nothing"][0]
    assert seen["no_selection"][1]
    assert "Select the area first" in seen["no_selection"][0]
    assert seen["moved"][1:] == [True, 1], seen["moved"]
    assert seen["move_undone"] == [True, 1]
    assert seen["move_redone"] == [True, 1]
    for operation in ("copy", "scale", "mirror", "flip"):
        assert seen["region_" + operation][0], operation
    _, right, message = seen["limited"]
    assert right < 48, message
    assert not seen["layout"][1], seen["layout"]
    assert seen["layout_applied"][:2] == [96, 80], seen["layout_applied"]
    assert seen["documents"] == 1
    assert not seen["layout_open"][1], seen["layout_open"]
    count, found, whole = seen["parts"]
    assert count > 1
    assert found.endswith("(as found)")
    assert whole
    assert not seen["matched"][1], seen["matched"]
    assert seen["matched"][2]
    assert seen["as_found"]
    message, animated, names = seen["frames"]
    assert animated == [True], message
    assert names == ["Result frames"]
    # The third of the frames is held; nothing is seen before the first, nor behind the last.
    assert seen["keys"] == [[[0, 1, 2, 3, 4]], [[False, True, True, True, False]], True]
    assert seen["frames_undone"]


@pytest.mark.long
def test_pictures_of_all_kinds_in_two_documents(krita: Krita, picture: Path, other: Path) -> None:
    seen = krita.run("layers", picture=str(picture), other=str(other), stroke=STROKE)["seen"]
    assert seen["group"][0] == "DRAWN", seen["group"]
    assert seen["second"] == ["EMPTY", True]
    assert "Result" in seen["first_applied"]
    assert seen["second_untouched"] == ["Background"]
    assert seen["own"][0] == "DRAWN", seen["own"]
    assert seen["own_palette"] == 2
    assert not seen["first_again"][1], seen["first_again"]
    assert seen["hidden"][1]
    assert "hidden" in seen["hidden"][0]


PIXEL = (60, 20)
SCRIPTS = (
    "pick bigger smaller lift remove start "
    "make train use_known draft meanwhile pause cancel live apply others paint_on_segments paint_on_edges "
    "view_underdrawing view_both view_picture region_move region_copy region_scale region_mirror region_flip "
    "layout_file frames alone_show_harmonize alone_show_blend alone_show_repaint alone_show_vary "
    "alone_show_resize alone_show_animate alone_show_enlarge alone_show_between"
)


@pytest.mark.long
def test_layers_of_all_kinds_single_pixels_soft_selections_and_two_windows(
    krita: Krita, picture: Path, other: Path
) -> None:
    given: dict[str, Any] = {"picture": str(picture), "linked": str(picture), "pixel": PIXEL, "stroke": STROKE}
    given["scripts"] = SCRIPTS.split()
    seen = krita.run("kinds", selected=(30, 40, 10, 18), **given)["seen"]
    assert seen["file"][:2] == ["filelayer", "DRAWN"], seen["file"]
    assert seen["pixel"] == [*PIXEL, 1, 1]
    assert seen["pixel_changed"] in ([], [list(PIXEL)])
    assert seen["soft"] > 10
    assert seen["soft_changed"], "the edit is seen inside of the selection"
    assert min(seen["soft_changed"]) > 0, "and nowhere else"
    most, between = seen["soft_mask"]
    assert most > 50
    assert between > 20
    assert seen["soft_over"] <= 1, "nothing counts for more than it is selected"
    assert seen["vector"][0] == "DRAWN", seen["vector"]
    message, bad, colours = seen["vector_applied"]
    assert not bad, message
    assert colours == 2
    assert seen["scripts"] == [], "commands without a menu entry"
    assert not seen["by_menu"][1], seen["by_menu"]
    in_menu, for_keys = seen["offered"]
    assert for_keys == in_menu
    assert not seen["by_key"][1], seen["by_key"]
    header, message, bad, same = seen["second"]
    assert header == "Paint on the underdrawing"
    assert not bad, message
    assert same, "the result took the place of the last one"
    assert not seen["first"][1], seen["first"]


@pytest.mark.long
def test_a_picture_is_recognised_and_results_are_chosen_from(krita: Krita, picture: Path) -> None:
    seen = krita.run("again", picture=str(picture), thing=THING)["seen"]
    text, one_or_list = seen["told"]
    assert "There is a model of this picture" in text or "There are models" in text
    assert one_or_list
    message, bad, layers = seen["changed"]
    assert bad
    assert "changed since" in message
    assert layers == ["Background"]
    stage, same_model, same_areas, message = seen["used"]
    assert stage == "READY", message
    assert same_model
    assert same_areas
    assert seen["job"], "nothing is trained again"
    message, bad, no_layer = seen["others"]
    assert not bad, message
    assert no_layer
    count, different = seen["history"]
    assert count == different >= 3, seen
    assert seen["back"] == [True, True]
    assert seen["once"][0] == count, seen["once"]
    assert "no other result" in seen["once"][1]


def test_trouble_is_told_and_survived(krita: Krita, picture: Path) -> None:
    seen = krita.run("trouble", picture=str(picture), stroke=STROKE)["seen"]
    applied, message, another = seen["killed"]
    assert applied, message
    assert another
    message, bad, same = seen["not_installed"]
    assert bad
    assert "not installed" in message
    assert same
    assert not seen["back"][1], seen["back"]
    assert seen["no_picture"][1]
    assert "not in the document any more" in seen["no_picture"][0]
    assert str(krita.home) not in seen["diagnostics"]
    secret = (krita.engine_home / "keys" / "client.secret").read_text(encoding="ascii").split()
    assert not any(line in seen["diagnostics"] for line in secret)


ERRORS = {
    "later": "speaks protocol 2, this program 1",
    "not startable": "a library is missing",
    "full": "No space left on device",
    "short of memory": "needs more memory than the engine may use (16 MiB)",
}


@pytest.mark.long
def test_what_is_wrong_with_an_engine_is_told(
    krita: Krita, bad_homes: dict[str, str], picture: Path, tmp_path: Path
) -> None:
    seen = krita.run("errors", picture=str(picture), stroke=STROKE, homes=bad_homes)["seen"]
    for name, words in ERRORS.items():
        message, bad, unchanged, stage = seen[name]
        assert words in message, (name, message)
        assert bad
        assert unchanged
        assert stage == "EMPTY"
    assert "Bridge" in seen["bridge"][0]
    assert seen["applied"], seen["bridge"]


@pytest.mark.parametrize(
    ("seconds", "kind"), [(9, Kind()), pytest.param(30, Kind("Krita bright", 2), marks=pytest.mark.long)]
)
def test_krita_is_closed_while_it_trains_and_finds_it_again(
    krita: Krita, picture: Path, seconds: int, kind: Kind
) -> None:
    """For half a minute, Live paints anew what has become better meanwhile, and the next Krita has another screen."""
    file = krita.folder / "mitten im Lernen.kra"
    given = {"picture": str(picture), "file": str(file), "seconds": seconds, "stroke": STROKE}
    seen = krita.run("begin", leave=True, **given)["seen"]
    assert seen["methods"] == ["refine", "deepsim", "sia"]
    devices, told = seen["devices"]
    assert devices[:2] == ["auto", "cpu"]
    assert ("cuda" in devices) == told.startswith("Graphics card: ")
    assert "cuda" in devices or told.startswith("No graphics card")
    if seconds == 30:
        text, button, alive = seen["meanwhile"]
        assert text.startswith("Training")
        assert button == "Show"
        assert alive
    assert seen["saved"]
    seen = krita.run("find", kind=kind, file=str(file), stroke=STROKE)["seen"]
    assert seen["dense"] == kind.scale
    assert seen["found"] in ("TRAINING", "READY")
    assert seen["applied"][0], seen["applied"]
