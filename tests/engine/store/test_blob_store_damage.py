"""Disks that are nearly full, files that a power cut left behind, folders that cannot be written to."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.daemon.server import as_error
from underdrawing.store.blob_store import SWEEP, Spool, Upload

PICTURE = Frame(10, 10, "RGB", "u8", bytes(range(100)) * 3)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def names(spool: Spool, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in spool.folder.glob(pattern))


class Slow:
    """A file that takes a few bytes at a time, as systems may."""

    def __init__(self, file: Any, full_after: int | None = None) -> None:
        self.file, self.left = file, full_after

    def write(self, view: memoryview) -> int:
        if self.left is not None and self.left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = int(self.file.write(view[:7]))
        if self.left is not None:
            self.left -= count
        return count

    def close(self) -> None:
        self.file.close()


def test_a_file_that_takes_little_at_a_time_gets_everything(spool: Spool) -> None:
    incoming = Upload(spool, PICTURE.header())
    incoming._file = Slow(incoming._file)  # type: ignore[assignment]
    assert incoming.add(0, PICTURE.blob())
    assert bytes(spool.open(PICTURE.hash)) == PICTURE.blob()


def test_a_disk_that_becomes_full_within_the_last_part_is_said(spool: Spool) -> None:
    """A short write raises nothing; only asking how much was written tells."""
    incoming = Upload(spool, PICTURE.header())
    incoming._file = Slow(incoming._file, full_after=150)  # type: ignore[assignment]
    with pytest.raises(EngineError) as caught:
        incoming.add(0, PICTURE.blob())
    assert caught.value.code == "disk_full"
    assert names(spool) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "[1]", "7", '"text"', "null", "[" * 100_000, "{}", '{"file": true}'])
def test_a_picture_whose_header_is_damaged_can_be_sent_again(spool: Spool, text: str) -> None:
    """Were it still said to be there, no client would ever send it again."""
    key = spool.put(PICTURE.header(), PICTURE.blob())
    (spool.folder / f"{key}.json").write_text(text, encoding="utf-8")
    assert not spool.has(key)
    assert spool.put(PICTURE.header(), PICTURE.blob()) == key
    assert spool.has(key) and spool.header(key)["width"] == 10


@pytest.mark.parametrize("text", ["", "[]", "[1]", "7", "null", "[" * 100_000])
def test_a_damaged_header_counts_as_none(spool: Spool, text: str) -> None:
    key = spool.put(PICTURE.header(), PICTURE.blob())
    (spool.folder / f"{key}.json").write_text(text, encoding="utf-8")
    with pytest.raises(EngineError) as caught:
        spool.header(key)
    assert caught.value.code == "unknown_picture"


@pytest.mark.parametrize("left", [0, 1, 299, 301])
def test_a_picture_of_another_length_can_be_sent_again(spool: Spool, left: int) -> None:
    key = spool.put(PICTURE.header(), PICTURE.blob())
    spool.path(key).write_bytes(bytes(left))
    assert not spool.has(key)
    spool.put(PICTURE.header(), PICTURE.blob())
    assert bytes(spool.open(key)) == PICTURE.blob()


def test_an_empty_file_is_a_missing_one(spool: Spool) -> None:
    key = spool.put(PICTURE.header(), PICTURE.blob())
    spool.path(key).write_bytes(b"")
    with pytest.raises(EngineError) as caught:
        spool.open(key)
    assert caught.value.code == "unknown_picture"


def test_somebody_who_reads_keeps_what_is_swept_or_sent_again(spool: Spool) -> None:
    key = spool.put(PICTURE.header(), PICTURE.blob())
    mapped = spool.open(key)
    spool.limit = 0
    spool.sweep()
    assert not spool.has(key)
    spool.limit = 1 << 20
    spool.put(PICTURE.header(), PICTURE.blob())
    assert bytes(mapped) == PICTURE.blob()


def test_bytes_without_a_header_are_swept_too(spool: Spool) -> None:
    """A full disk or a kill can come between the two files."""
    key = spool.put(PICTURE.header(), PICTURE.blob())
    (spool.folder / f"{key}.json").unlink()
    spool.limit = 0
    spool.sweep()
    assert names(spool) == []


def test_pins_are_counted(spool: Spool) -> None:
    key = spool.put(PICTURE.header(), PICTURE.blob())
    spool.limit = 0
    spool.pin(key, key)
    spool.unpin(key)
    spool.sweep()
    assert spool.has(key)
    spool.unpin(key)
    spool.unpin(key)  # once too often must not count against a later pin
    spool.pin(key)
    spool.sweep()
    assert spool.has(key)
    spool.unpin(key)
    spool.sweep()
    assert not spool.has(key)


def test_the_folder_is_looked_through_only_when_much_was_added(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(spool, "sweep", lambda room=0: looked.append(room))
    spool.limit = 300 * SWEEP * 2
    for shade in range(2):
        frame = Frame(10, 10, "RGB", "u8", bytes([shade]) * 300)
        spool.make_room(300)
        spool.put(frame.header(), frame.blob())
    assert looked == []
    spool.make_room(300)
    assert looked == [300]


def test_asking_for_a_picture_keeps_it_young(spool: Spool) -> None:
    frames = [Frame(10, 10, "RGB", "u8", bytes([shade]) * 300) for shade in range(3)]
    for age, frame in enumerate(frames):
        spool.put(frame.header(), frame.blob())
        os.utime(spool.path(frame.hash), (age, age))
    assert spool.has(frames[0].hash)
    spool.limit = 600
    spool.sweep()
    assert [spool.has(frame.hash) for frame in frames] == [True, False, True]


def test_a_picture_above_the_limit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=299)
    with pytest.raises(EngineError) as caught:
        Upload(spool, PICTURE.header())
    assert caught.value.code == "too_large"
    assert names(spool) == []


def test_a_disk_without_links_gets_copies(spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    key = spool.put(PICTURE.header(), PICTURE.blob())
    for _ in range(2):
        spool.link(key, tmp_path / "inputs")
    kept = Spool(tmp_path / "inputs")
    assert kept.has(key) and bytes(kept.open(key)) == PICTURE.blob()
    assert names(kept, "*.partial") == []


def test_adopted_files_are_blobs_and_no_pictures(spool: Spool) -> None:
    written = spool.folder / "made.tmp"
    written.write_bytes(b"a model")
    key = spool.adopt(written)
    assert not written.exists()
    assert spool.has(key) and spool.read(key, 2, 100) == b"model"
    assert json.loads((spool.folder / f"{key}.json").read_text()) == {"file": True, "size": 7, "hash": key}


@pytest.fixture
def locked(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """A spool whose folder cannot be written to any more; whoever may write everywhere is refused by hand."""
    spool.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(spool.folder, os.W_OK):
        opened = Path.open

        def refuse(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if self.parent == spool.folder and mode[0] in "xwa":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
            return opened(self, mode, *rest, **more)

        monkeypatch.setattr(Path, "open", refuse)
    yield spool
    spool.folder.chmod(stat.S_IRWXU)


def test_a_folder_that_cannot_be_written_to_is_said(locked: Spool) -> None:
    with pytest.raises(OSError, match="denied") as caught:
        locked.put(PICTURE.header(), PICTURE.blob())
    told = as_error(caught.value)
    assert told.code == "disk"
    assert "Permission denied" in told.message and told.hint
    assert str(locked.folder) not in told.message
