"""Things: picked, lifted, moved with Krita's own tools, removed; with mouse and keys in a real Krita."""

from __future__ import annotations

from pathlib import Path

from tests.krita.conftest import Krita
from tests.krita.test_way import still_life
from underdrawing.picture.files import write_picture

SIZE = 384, 320
THING, TO = (276, 160), (330, 60)  # in the blue box; where it is dragged to
BOX = (238, 81, 77, 159)  # of the blue thing
STROKES = (40, 30, 46, 34), (40, 250, 60, 40)  # painted on the wall and on the table
ROUGH = (60, 85, 150, 150)  # around the red thing, with what lies beside it


def blue(colour: list[int]) -> bool:
    red, _, blue = colour
    return blue > red + 30


def red(colour: list[int]) -> bool:
    red, green, _ = colour
    return red > green + 80


def test_from_a_picture_to_a_moved_and_a_removed_thing(krita: Krita, tmp_path: Path) -> None:
    path = tmp_path / "Dinge.png"
    write_picture(path, still_life(*SIZE))
    seen = krita.run("things", 900.0, picture=str(path), thing=THING, to=TO, box=BOX, rough=ROUGH)["seen"]
    (right, found, count), message, untouched = seen["picked"]
    assert right > 0.9, message
    assert found > 0.9
    assert untouched, "a click that picks does not paint"
    assert seen["bigger"][0][2] >= count
    assert seen["smaller"][2] <= seen["bigger"][0][2]
    there, message, bad, active = seen["lifted"]
    assert there, message
    assert not bad, message
    assert active == "Thing 1", "it is what Krita's tools act on"
    moved = seen["moved"]
    assert abs(moved[0] - (TO[0] - THING[0])) < 8, moved
    assert abs(moved[1] - (TO[1] - THING[1])) < 8, moved
    assert seen["entries"][0] == 1
    assert sum(seen["entries"]) == 3, "lift, move and Apply are one entry each; Krita notes a move with what comes next"
    assert seen["entries_start"] == 1
    message, bad, untouched = seen["applied"]
    assert not bad, message
    assert untouched
    assert not blue(seen["places"][0]), "what it uncovered is filled"
    assert blue(seen["places"][1])
    assert seen["undone_result"] == [["Background", ["Things", ["Thing 1"]]], False]
    assert seen["undone_move"] == [["Background", ["Things", ["Thing 1"]]], True]
    assert seen["undone_lift"] == [["Background"], False]
    assert seen["nothing_left"], "a lift that was undone is no removal"
    assert seen["redone"] == [True, True]
    message, bad, was, now = seen["deleted"]
    assert not bad, message
    assert not blue(was)
    assert not blue(now)
    message, bad, middle, dropped = seen["removed"]
    assert not bad, message
    assert not red(middle)
    assert dropped
    middle, _, entries = seen["removal_undone"]
    assert red(middle)
    assert entries == 2
    assert not red(seen["removal_redone"])
    assert seen["active"] == ["Areas", "Areas", "Areas"]
    assert seen["preview"] == [False, False]
    message, bad = seen["live"]
    assert not bad, message
    for name in ("kept", "opened"):
        message, bad, thing, middle = seen[name]
        assert not bad, message
        assert not blue(thing), name
        assert not red(middle), name


def test_edits_are_listed_and_taken_back_one_by_one(krita: Krita, tmp_path: Path) -> None:
    path = tmp_path / "Änderungen.png"
    write_picture(path, still_life(*SIZE))
    seen = krita.run("edits", 900.0, picture=str(path), strokes=STROKES, box=BOX)["seen"]
    message, bad, changed = seen["applied"]
    assert not bad, message
    assert changed == [True, True, False]
    titles, enabled, changed = seen["listed"]
    assert [title.rsplit(" painted ")[-1] for title in titles] == ["(bottom left)", "(top left)", "Thing 1 removed"]
    assert not enabled, "nothing is chosen yet"
    assert changed == [True, True, True]
    message, bad, changed, areas = seen["painted"]
    assert not bad, message
    assert changed == [False, True, True], "one is as the original, the others are still edited"
    assert areas
    names, entries = seen["names"]
    assert [name if isinstance(name, str) else name[0] for name in names] == ["Background", "Result", "Underdrawing"]
    assert entries == 4, "underdrawing and result, each added and its forerunner removed, which undo joins"
    message, bad, changed = seen["removed"]
    assert not bad, message
    assert changed == [False, True, False]
    assert seen["removal_undo"] == [False, True, True]
    assert seen["removal_redo"] == [False, True, False]
    title, changed = seen["lifted"]
    assert title == "Thing 2 lifted"
    assert changed == [False, True, True]
    message, bad, changed, names = seen["lift_taken_back"]
    assert not bad, message
    assert changed == [False, True, False]
    assert "Things" not in [name if isinstance(name, str) else name[0] for name in names]
    message, bad, as_it_was, names = seen["last"]
    assert not bad, message
    assert as_it_was
    assert [name if isinstance(name, str) else name[0] for name in names] == ["Background", "Underdrawing"]
    changed, names = seen["undone"]
    assert changed == [False, True, False]


def test_the_docker_opens_beside_the_layers_with_the_first_picture(krita: Krita, tmp_path: Path) -> None:
    path = tmp_path / "erstes.png"
    write_picture(path, still_life())
    krita.desk.close()  # Krita arranges its dockers once
    krita.desk.end()
    seen = krita.run("first", picture=str(path))["seen"]
    assert "KisLayerBox" in seen["beside"]
    assert seen["share"] > 0.35
