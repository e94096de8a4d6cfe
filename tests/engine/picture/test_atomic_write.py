"""Replacing files: what was there keeps its name, its link, its mode; what must not be replaced is refused."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture, PictureError

BLACK, WHITE = Picture(np.zeros((3, 4), np.uint8)), Picture(np.full((3, 4), 255, np.uint8))


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write_picture(tmp_path / "elsewhere" / "real.png", BLACK)
    (tmp_path / "link.png").symlink_to(tmp_path / "elsewhere" / "real.png")
    (tmp_path / "new.png").symlink_to(tmp_path / "elsewhere" / "not there yet.png")
    for name, real in (("link.png", "real.png"), ("new.png", "not there yet.png")):
        write_picture(tmp_path / name, WHITE)
        assert (tmp_path / name).is_symlink()
        assert read_picture(tmp_path / "elsewhere" / real).pixels.min() == 255


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.png"
    write_picture(path, BLACK)
    path.chmod(mode)
    write_picture(path, WHITE)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert read_picture(path).pixels.min() == 255


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only a superuser can own for others")
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, BLACK)
    os.chown(path, 12_345, 54_321)
    write_picture(path, WHITE)
    assert (path.stat().st_uid, path.stat().st_gid) == (12_345, 54_321)


def test_a_new_file_gets_the_mode_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_picture(tmp_path / "a.png", BLACK)
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_read_only_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, BLACK)
    path.chmod(0o444)
    with pytest.raises(PictureError, match="read-only"):
        write_picture(path, WHITE)
    assert read_picture(path).pixels.max() == 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_folders_and_special_files_are_no_targets(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="is a folder"):
        write_picture(tmp_path / "folder.png", BLACK)
    with pytest.raises(PictureError, match="no regular file"):
        write_picture(tmp_path / "pipe.png", BLACK)
    with pytest.raises(PictureError, match="no folder"):
        write_picture(tmp_path / "mistyped" / "a.png", BLACK)
    assert not (tmp_path / "mistyped").exists()
