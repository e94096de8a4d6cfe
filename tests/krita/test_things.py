"""Things: picked, lifted, moved with Krita's own tools, removed; with mouse and keys in a real Krita."""

from __future__ import annotations

from pathlib import Path

from tests.krita.conftest import Krita
from tests.krita.test_way import still_life
from underdrawing.picture.files import write_picture

SIZE = 384, 320
THING, TO = (276, 160), (330, 60)  # in the blue box; where it is dragged to
BOX = (238, 81, 77, 159)  # of the blue thing
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
    assert seen["entries"] == [1, 1, 1], "lift, move and Apply are one entry each"
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
    message, bad = seen["live"]
    assert not bad, message
    for name in ("kept", "opened"):
        message, bad, thing, middle = seen[name]
        assert not bad, message
        assert not blue(thing), name
        assert not red(middle), name
