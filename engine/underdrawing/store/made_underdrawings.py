"""Underdrawings as they were made, before anybody painted on them: what later trainings of a picture start from.

`HOME/underdrawings/PICTURE_HASH/ID/primitive*.png`. A model keeps its own, too, in its folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from underdrawing.store.manifest import Manifest, ManifestError

MOST_OF_ONE = 4  # kept of one picture: the newest
MOST_PICTURES = 256  # whose underdrawings are kept: the newest
HASH = re.compile(r"[0-9a-f]{64}\Z")


def keep(home: Path, picture_hash: str, identity: str, write: Callable[[Path], object]) -> None:
    """Keep one that was just made of a picture.

    Args:
        picture_hash: of the picture's colours, see `Picture.hash`.
        identity: the same for the same planes; one that is there already becomes the newest.
        write: writes its files into a folder.
    """
    root = home / "underdrawings"
    folder = root / picture_hash / identity
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir():
        os.utime(folder)
    else:
        partial = folder.with_name(f"{uuid.uuid4().hex}.partial")
        try:
            partial.mkdir()
            write(partial)
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    os.utime(folder.parent)
    for group, most in ((folder.parent, MOST_OF_ONE), (root, MOST_PICTURES)):
        for old in _newest_first(group)[most:]:
            shutil.rmtree(old, ignore_errors=True)


def of_picture(home: Path, picture_hash: str) -> list[Path]:
    """Folders that hold underdrawings as they were made of a picture, the newest first, then those of its models."""
    if not HASH.match(picture_hash):
        return []
    made = [one for one in _newest_first(home / "underdrawings" / picture_hash) if one.suffix != ".partial"]
    models = [one for one in _newest_first(home / "models") if _is_model_of(one, picture_hash)]
    return [*made, *models]


def _is_model_of(folder: Path, picture_hash: str) -> bool:
    try:
        model = Manifest.load(folder)
    except ManifestError:
        return False
    return model.picture.hash == picture_hash and any(name.startswith("primitive") for name in model.files)


def _newest_first(folder: Path) -> list[Path]:
    found = []
    with contextlib.suppress(OSError):
        for one in folder.iterdir():
            with contextlib.suppress(OSError):  # another process took it away meanwhile
                found.append((one.stat().st_mtime_ns, one))
    return [one for _, one in sorted(found, reverse=True)]
