"""What a training takes for the truth: the underdrawing as it was made of the picture, and never an edit of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from underdrawing.client.ensure_model import AGREES
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, read_primitive, write_primitive
from underdrawing.picture.underdrawing_agreement import agreement
from underdrawing.store import made_underdrawings
from underdrawing.store.frame_codec import kept_planes

CHOSEN = "as_made"  # in the training's folder: what it started from, for when it is resumed


def underdrawing_as_made(
    home: Path, folder: Path, picture_hash: str, given: Mapping[str, np.ndarray], least: float = AGREES
) -> Primitive | None:
    """The underdrawing from which the given planes were painted; the newest where no planes are given.

    Args:
        folder: of the training.
        picture_hash: see `Picture.hash`.
        given: planes, (H, W, 3) uint8, as they are now.
        least: agreement from which on one counts, 0 to 1.

    Returns:
        None where none was made of this picture, or the planes agree with none.
    """
    kept = folder / CHOSEN / "primitive.png"
    if kept.parent.is_dir():
        return read_primitive(kept)
    found: list[tuple[float, Primitive]] = []
    for one in made_underdrawings.of_picture(home, picture_hash, given):
        primitive = _read(one)
        if primitive is None:  # pruned meanwhile, or damaged
            continue
        agreed = agreement(primitive.planes(), given)
        if agreed >= least:
            found.append((agreed, primitive))
        if found and not given:
            break
    if not found:
        return None
    best = max(found, key=lambda pair: pair[0])[1]
    kept.parent.mkdir()
    write_primitive(kept, best)
    return best


def _read(folder: Path) -> Primitive | None:
    kept = made_underdrawings.read(folder)
    try:
        if kept is None:
            return read_primitive(folder / "primitive.png")
        made, _ = kept
        palette = Palette.from_json(made.palette) if made.palette else None
        return Primitive.from_planes(kept_planes(*kept), palette)[0]
    except PictureError:
        return None
