"""Underdrawings as they were made, before anybody painted on them: what later trainings of a picture start from.

`HOME/underdrawings/PICTURE_HASH/ID/`: `planes.json`, and each plane's bytes, packed quickly: flat colours pack well at
any level. A model keeps its own in its folder, as pictures.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import uuid
import zlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from underdrawing.store.manifest import Manifest, ManifestError

MOST_OF_ONE = 4  # kept of one picture: the newest
MOST_PICTURES = 256  # whose underdrawings are kept: the newest
DESCRIPTION = "planes.json"
HASH = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class MadeUnderdrawing:
    """One as it was made.

    Attributes:
        names: of its planes.
        palette: as `Palette.to_json` gives it; empty without segments.
    """

    width: int
    height: int
    names: tuple[str, ...]
    palette: list[dict[str, Any]]


def keep(home: Path, picture_hash: str, identity: str, made: MadeUnderdrawing, planes: Mapping[str, Any]) -> None:
    """Keep one that was just made of a picture.

    Args:
        picture_hash: of the picture's colours, see `Picture.hash`.
        identity: the same for the same planes; one that is there already becomes the newest.
        planes: by name the bytes of (height, width) or (height, width, 3) values of 8 bits.
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
            for name, plane in planes.items():
                (partial / f"{name}.z").write_bytes(zlib.compress(plane, 1))
            (partial / DESCRIPTION).write_text(json.dumps(asdict(made)), encoding="utf-8")
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    os.utime(folder.parent)
    for group, most in ((folder.parent, MOST_OF_ONE), (root, MOST_PICTURES)):
        for old in _newest_first(group)[most:]:
            shutil.rmtree(old, ignore_errors=True)


def read(folder: Path) -> tuple[MadeUnderdrawing, dict[str, bytes]] | None:
    """One that was kept, and its planes; None where the folder holds none, or a damaged one."""
    try:
        raw = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        made = MadeUnderdrawing(raw["width"], raw["height"], tuple(raw["names"]), raw["palette"])
        planes = {name: zlib.decompress((folder / f"{name}.z").read_bytes()) for name in made.names}
    except (OSError, ValueError, KeyError, TypeError, zlib.error):
        return None
    whole = all(len(plane) in (made.width * made.height, made.width * made.height * 3) for plane in planes.values())
    return (made, planes) if whole else None


def of_picture(home: Path, picture_hash: str, planes: Collection[str] = ()) -> list[Path]:
    """Folders that hold underdrawings as they were made of a picture, the newest first, then those of its models.

    Args:
        planes: names of those that they must have.
    """
    if not HASH.match(picture_hash):
        return []
    made = [one for one in _newest_first(home / "underdrawings" / picture_hash) if one.suffix != ".partial"]
    models = [one for one in _newest_first(home / "models") if _is_model_of(one, picture_hash)]
    return [one for one in (*made, *models) if set(planes) <= _planes_of(one)]


def _planes_of(folder: Path) -> set[str]:
    try:
        return set(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["names"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        return {plane.name for plane in Manifest.load(folder).planes}
    except ManifestError:
        return set()


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
