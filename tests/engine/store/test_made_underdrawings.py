"""Underdrawings as they were made: kept, found again by the picture, and not without end."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.handmade_model import write_model
from underdrawing.store import made_underdrawings
from underdrawing.store.made_underdrawings import MOST_OF_ONE, MadeUnderdrawing, keep, of_picture, read
from underdrawing.store.manifest import MANIFEST_FILE

MADE = MadeUnderdrawing(3, 2, ("paint",), [])
ONE, OTHER = "a" * 64, "b" * 64


def made(home: Path, picture: str, identity: str) -> None:
    keep(home, picture, identity, MADE, {"paint": b"\7" * 18})


def names(home: Path, picture: str) -> list[str]:
    return [folder.name for folder in of_picture(home, picture)]


def test_they_are_found_by_their_picture_the_newest_first(tmp_path: Path) -> None:
    for number, identity in enumerate(("first", "second")):
        made(tmp_path, ONE, identity)
        os.utime(tmp_path / "underdrawings" / ONE / identity, (number, number))
    made(tmp_path, OTHER, "else")
    assert names(tmp_path, ONE) == ["second", "first"]
    made(tmp_path, ONE, "first")
    assert names(tmp_path, ONE) == ["first", "second"], "made again"
    assert of_picture(tmp_path, ONE, ["segments"]) == [], "one of paint alone is none of areas"
    assert len(of_picture(tmp_path, ONE, ["paint"])) == 2
    assert names(tmp_path, "c" * 64) == names(tmp_path, "../" + ONE) == []


def test_they_are_read_as_they_were_kept_or_not_at_all(tmp_path: Path) -> None:
    made(tmp_path, ONE, "x")
    (folder,) = of_picture(tmp_path, ONE)
    assert read(folder) == (MADE, {"paint": b"\7" * 18})
    packed = (folder / "paint.z").read_bytes()
    for damaged in (packed[:-3], b"", packed.replace(packed[4:6], b"\0\0"), zlib.compress(b"\7" * 17)):
        (folder / "paint.z").write_bytes(damaged)
        assert read(folder) is None


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MOST_OF_ONE + 2):
        made(tmp_path, ONE, str(number))
        os.utime(tmp_path / "underdrawings" / ONE / str(number), (number, number))
    assert names(tmp_path, ONE) == [str(number) for number in range(MOST_OF_ONE + 1, 1, -1)]
    monkeypatch.setattr(made_underdrawings, "MOST_PICTURES", 1)
    os.utime(tmp_path / "underdrawings" / ONE, (1, 1))
    made(tmp_path, OTHER, "x")
    assert names(tmp_path, ONE) == []


def test_one_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(made_underdrawings.json, "dumps", full)
    with pytest.raises(OSError, match="No space"):
        made(tmp_path, ONE, "x")
    assert names(tmp_path, ONE) == []


def test_models_keep_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "0123456789ab"
    plain = write_model(folder)
    files = {**plain.files, "primitive.png": "0" * 64}
    drawn = replace(plain, files=files, picture=replace(plain.picture, hash=ONE))
    (folder / MANIFEST_FILE).write_text(drawn.to_json(), encoding="utf-8")
    (tmp_path / "models" / "damaged").mkdir()
    assert names(tmp_path, ONE) == ["0123456789ab"]
