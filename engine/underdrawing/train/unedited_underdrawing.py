"""What a training takes for the truth: the underdrawing as it was made of the picture, and never an edit of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, read_primitive, write_primitive
from underdrawing.store import made_underdrawings

AGREES = 0.5  # of a plane: below it is a drawing of its own, and no edit of what was made
NEAR = 24  # of 255: colours that noise alone tells apart
INK = 128  # below it a line is dark
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
        made, planes = kept
        shape = (made.height, made.width, 3)
        palette = Palette.from_json(made.palette) if made.palette else None
        drawn = {name: np.frombuffer(plane, np.uint8).reshape(shape) for name, plane in planes.items()}
        return Primitive.from_planes(drawn, palette)[0]
    except PictureError:
        return None


def agreement(made: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray]) -> float:
    """How much of an underdrawing is as it was made, 0 to 1; 1 where nothing is given.

    It is the share of equal pixels of areas and paint; of lines alone the share of ink that is still there.
    """
    if any(name not in made or made[name].shape != plane.shape for name, plane in given.items()):
        return 0.0
    coloured = [_areas(made[name], plane) for name, plane in given.items() if name != "edges"]
    if coloured:
        return min(coloured)
    return _lines(made["edges"], given["edges"]) if given else 1.0


def _areas(made: np.ndarray, given: np.ndarray) -> float:
    return float((cv2.absdiff(made, given).max(axis=2) <= NEAR).mean())


def _lines(made: np.ndarray, given: np.ndarray) -> float:
    ink, now = made.min(axis=2) < INK, given.min(axis=2) < INK
    near = cv2.dilate(now.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float((ink & near).sum() / max(1, ink.sum()))
