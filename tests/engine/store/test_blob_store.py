"""Pictures on their way: complete or not there, the oldest go first, damage is an answer."""

from __future__ import annotations

import errno
import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError
from underdrawing.client.request_fields import checked_hash
from underdrawing.store.blob_store import Spool, Upload


def frame(number: int, side: int = 8) -> Frame:
    return Frame(side, side, "RGB", "u8", bytes([number % 256]) * (side * side * 3))


def put(spool: Spool, *frames: Frame) -> list[str]:
    for one in frames:
        spool.put(one.header(), one.blob())
    return [one.hash for one in frames]


def leftovers(spool: Spool) -> list[str]:
    return [p.name for p in spool.folder.iterdir() if p.suffix in (".partial", ".tmp")]


def test_what_is_put_comes_back(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path), frame(1)
    (key,) = put(spool, sent)
    assert spool.has(key)
    assert bytes(spool.open(key)) == bytes(sent.blob())
    assert spool.read(key, 3, 5) == b"\1" * 5
    assert Frame.parse(spool.header(key), spool.open(key)).hash == key


def test_chunks_arrive_in_order_or_not_at_all(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path), frame(2)
    blob = bytes(sent.blob())
    incoming = Upload(spool, sent.header())
    assert not incoming.add(0, blob[:50])
    assert not spool.has(sent.hash)
    with pytest.raises(EngineError, match="sent again"):
        incoming.add(100, blob[100:])
    assert not leftovers(spool)
    again = Upload(spool, sent.header())
    assert not again.add(0, blob[:50])
    assert again.add(50, blob[50:])
    assert spool.has(sent.hash)


@pytest.mark.parametrize("chunk", [b"", b"x" * 1000])
def test_too_little_or_too_much_is_refused(tmp_path: Path, chunk: bytes) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(EngineError) as caught:
        Upload(spool, frame(3).header()).add(0, chunk)
    assert caught.value.code == "bad_frame"
    assert not leftovers(spool)


def test_other_bytes_than_promised_are_refused(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path), frame(4)
    with pytest.raises(EngineError, match="hash"):
        Upload(spool, sent.header()).add(0, bytes(frame(5).blob()))
    assert not spool.has(sent.hash)
    assert not leftovers(spool)


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "8", 1 << 60, None])
def test_files_of_impossible_size_are_refused(tmp_path: Path, size: object) -> None:
    with pytest.raises(EngineError):
        Upload(Spool(tmp_path), {"file": True, "size": size, "hash": "0" * 64})


@pytest.mark.parametrize("value", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", 7, None])
def test_a_hash_never_leads_out_of_the_folder(value: object) -> None:
    with pytest.raises(EngineError):
        checked_hash(value)


def test_the_least_recently_used_go_first_and_pinned_ones_stay(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=20_000)
    frames = [frame(number, 50) for number in range(4)]  # 7,500 bytes each
    keys = []
    for number, one in enumerate(frames):
        keys += put(spool, one)
        os.utime(spool.path(one.hash), (number, number))
    spool.pin(keys[0])
    spool.sweep()
    assert spool.path(keys[0]).exists()
    assert not spool.path(keys[1]).exists()
    assert spool.path(keys[3]).exists()
    spool.unpin(keys[0])
    os.utime(spool.path(keys[0]), (0, 0))
    spool.sweep(7_500)
    assert not spool.has(keys[0])
    with pytest.raises(EngineError, match="any more"):
        spool.open(keys[0])


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, sent = Spool(tmp_path), frame(6)
    incoming = Upload(spool, sent.header())

    opened = incoming._file

    class Full:
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self) -> None:
            opened.close()

    monkeypatch.setattr(incoming, "_file", Full())
    with pytest.raises(EngineError, match="No space left") as caught:
        incoming.add(0, bytes(sent.blob()))
    assert caught.value.code == "disk_full"
    assert "Make room" in caught.value.hint
    assert not leftovers(spool)


def test_half_written_leftovers_of_a_killed_engine_go(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for name in ("a.partial", "b.tmp"):
        (tmp_path / name).write_bytes(b"half")
    (key,) = put(spool, frame(7))
    spool.clean()
    assert not leftovers(spool)
    assert spool.has(key)


def test_a_damaged_header_is_a_missing_picture(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    (key,) = put(spool, frame(8))
    (tmp_path / f"{key}.json").write_text("{", encoding="utf-8")
    with pytest.raises(EngineError) as caught:
        spool.header(key)
    assert caught.value.code == "unknown_picture"


def test_linked_inputs_outlive_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    (key,) = put(spool, frame(9))
    spool.link(key, tmp_path / "inputs")
    for path in spool.folder.iterdir():
        path.unlink()
    assert bytes(Spool(tmp_path / "inputs").open(key)) == bytes(frame(9).blob())


class SmallDisk:
    """A disk with little room: what the spool's files take is missing, and too much cannot be written."""

    def __init__(self, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.size = folder, size
        write = io.FileIO.write
        disk = self

        class Full(io.FileIO):
            def write(self, data: Any) -> int:
                if memoryview(data).nbytes > disk.free:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return write(self, data)

        usage = shutil.disk_usage(folder)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=self.free))
        plain = Path.open

        def opened(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
            return Full(path, "x") if mode == "xb" else plain(path, mode, *more, **options)

        monkeypatch.setattr(Path, "open", opened)

    @property
    def free(self) -> int:
        return self.size - sum(path.stat().st_size for path in self.folder.iterdir() if path.suffix != ".json")


def test_on_a_full_disk_the_least_used_goes_and_the_picture_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, sent = Spool(tmp_path, owner=True), [frame(number, 16) for number in range(9)]  # 768 bytes each
    disk = SmallDisk(tmp_path, 4000, monkeypatch)
    for number, one in enumerate(sent):
        Upload(spool, one.header()).add(0, one.blob())
        os.utime(spool.path(one.hash), (number, number))
    assert [spool.path(one.hash).exists() for one in sent] == [False] * 4 + [True] * 5
    assert disk.free >= 0
    spool.pin(*(one.hash for one in sent[4:]))
    with pytest.raises(EngineError) as caught:
        Upload(spool, sent[0].header()).add(0, sent[0].blob())
    assert caught.value.code == "disk_full"
    spool.unpin(sent[6].hash)
    assert Upload(spool, sent[0].header()).add(0, sent[0].blob())
    assert not spool.path(sent[6].hash).exists()


def test_the_limit_is_a_share_of_the_free_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, owner=True)
    keys = put(spool, *(frame(number, 16) for number in range(8)))
    for number, key in enumerate(keys):
        os.utime(spool.path(key), (number, number))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * 768))
    spool.make_room(768)
    assert [spool.has(key) for key in keys] == [False] * 4 + [True] * 4


def test_only_the_daemon_makes_room(tmp_path: Path) -> None:
    (key,) = put(Spool(tmp_path), frame(1))
    assert Spool(tmp_path).give_way(1 << 20) == 0
    assert Spool(tmp_path, owner=True).give_way(1 << 20) > 0
    assert not Spool(tmp_path).has(key)
