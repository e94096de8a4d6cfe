"""Folders of measurement data: a pair to train on, and frames or edits to make.

DATA/train/image.png + primitive.png (or labels.png)
DATA/test/image/*.png + primitive/*.png (or labels/*.png)     true pictures are known
DATA/edits/*.png                                              edited primitives, nobody knows the truth

JPEG files (.jpg) are read as well; what compression did to a primitive's colours is snapped back to its palette.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from underdrawing.client.messages import EngineError
from underdrawing.picture.files import read_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.layout_transfer import segment_like
from underdrawing.picture.palette import Palette, distinct_colours, palette_of, snap

DRAWN = ("primitive", "labels")
LARGE = 0.02  # part of a picture from which on a class is no detail
SUFFIXES = (".png", ".jpg")


@dataclass(frozen=True)
class LabelledFrame:
    """Something to make: classes (H, W) uint8, and the true picture (H, W, 3) float32 in [0, 1] where it is known.

    foreign: it is the layout of another picture.
    """

    name: str
    classes: np.ndarray
    truth: np.ndarray | None
    foreign: bool = False


@dataclass(frozen=True)
class Set:
    """One folder, scaled.

    Attributes:
        picture: (H, W, 3) float32 in [0, 1], what is trained on.
        classes: (H, W) uint8, its segments.
        palette: their colours.
        frames: what is to be made.
        video: the frames show the same thing as the picture, at other moments.
    """

    name: str
    picture: np.ndarray
    classes: np.ndarray
    palette: Palette
    frames: tuple[LabelledFrame, ...]
    video: bool


def read_set(folder: Path, shorter: int) -> Set:
    """Read a folder at the size in which the shorter side has so many pixels.

    Raises:
        EngineError: it is not laid out so.
    """
    drawn = next((found for name in DRAWN if (found := _file(folder / "train", name)) is not None), None)
    trained = _file(folder / "train", "image")
    if drawn is None or trained is None:
        text = f"{folder} has no train/image.png with train/primitive.png or train/labels.png beside it."
        raise EngineError("no_data", text, "Name a folder that is laid out so.")
    picture = _picture(trained, shorter)
    size = (picture.shape[1], picture.shape[0])
    rgb = read_picture(drawn).to_bytes()
    grey = rgb.ndim == 2 or bool((rgb == rgb[..., :1]).all())
    if grey and len(np.unique(rgb)) <= 64:
        known = np.unique(rgb)
        palette = distinct_colours(len(known))

        def read(path: Path) -> np.ndarray:
            # A level that the training pair lacks counts as the nearest that it has: levels are grouped by meaning.
            levels = read_picture(path).to_bytes()
            levels = levels if levels.ndim == 2 else levels[..., 0]
            table = np.abs(np.arange(256)[:, None] - known[None].astype(int)).argmin(1).astype(np.uint8)
            return _resized(table[levels], size)
    else:
        palette = palette_of(rgb)

        def read(path: Path) -> np.ndarray:
            colours = read_picture(path).to_bytes()
            return _resized(snap(colours, palette).indices, size)

    frames, video = [], False
    for name in DRAWN:
        for path in _files(folder / "test" / name):
            truth = _file(folder / "test" / "image", path.stem)
            video = True
            frames.append(LabelledFrame(path.stem, read(path), None if truth is None else _picture(truth, shorter)))
    for path in _files(folder / "edits"):
        if not path.stem.startswith("mask"):
            frames.append(LabelledFrame(path.stem, read(path), None))
    if not frames:
        raise EngineError("no_data", f"{folder} has neither test nor edits.", "Name a folder that is laid out so.")
    return Set(folder.name, picture, read(drawn), palette, tuple(frames), video)


def crossed(data: Set, others: Sequence[Set]) -> Set:
    """The set with the layouts of other sets' pictures as further frames, `like NAME`; nobody knows the truth of them.

    Which class of the other picture is which of this one is decided by what they look like
    (`picture/layout_transfer.py`); two
    large ones are the same only where there are not enough.
    """
    frames = list(data.frames)
    height, width = data.classes.shape
    for other in others:
        if other.name != data.name:
            trained, layout = Picture(_bytes(data.picture)), Picture(_bytes(other.picture))
            seen = segment_like(layout, trained, data.classes, data.palette)
            votes = np.zeros((int(other.classes.max()) + 1, len(data.palette)))
            np.add.at(votes, (other.classes.ravel(), seen.ravel()), 1)
            large = np.flatnonzero(np.bincount(data.classes.ravel(), minlength=votes.shape[1]) > LARGE * seen.size)
            table = large[votes[:, large].argmax(1)].astype(np.uint8)
            theirs = np.flatnonzero(votes.sum(1) > LARGE * seen.size)
            one, two = linear_sum_assignment(np.sqrt(votes[np.ix_(theirs, large)]), maximize=True)
            table[theirs[one]] = large[two]
            frames.append(
                LabelledFrame(f"like {other.name}", _resized(table[other.classes], (width, height)), None, foreign=True)
            )
    return replace(data, frames=tuple(frames))


def _bytes(picture: np.ndarray) -> np.ndarray:
    return (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _file(folder: Path, name: str) -> Path | None:
    """The picture of this name, whatever its kind of file."""
    return next((path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None)


def _files(folder: Path) -> list[Path]:
    """All pictures of a folder, by name."""
    return sorted(path for suffix in SUFFIXES for path in folder.glob(f"*{suffix}"))


def _picture(path: Path, shorter: int) -> np.ndarray:
    rgb = read_picture(path).to_float()
    scale = shorter / min(rgb.shape[:2])
    if scale == 1:
        return rgb
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).clip(0, 1)


def _resized(classes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(classes.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)
