"""A folder of pictures that are trained on together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from underdrawing.picture.image import Picture, PictureError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
LONGEST_SENT = 512  # pixels: no recipe uses more of each picture of a folder
ON_THE_SHEET = 16


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, by name.

    Raises:
        PictureError: there is no such folder, or it holds fewer than two pictures.
    """
    if not folder.is_dir():
        raise PictureError(f"There is no folder {folder}.")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if len(found) < 2:
        raise PictureError(f"{folder} has {len(found)} pictures; two at least are needed. Name a folder of pictures.")
    return found


def reduced(picture: Picture) -> Picture:
    """A picture no larger than what a training uses of it, with 8 bits."""
    rgb = picture.to_bytes()
    scale = LONGEST_SENT / max(picture.size)
    if scale >= 1:
        return Picture(rgb)
    size = [max(1, round(side * scale)) for side in picture.size]
    return Picture(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def sheet_of(pictures: list[Picture]) -> Picture:
    """Small copies of the first pictures side by side: it stands for the folder in lists of models."""
    side = 96
    cells: list[Any] = []
    for picture in pictures[:ON_THE_SHEET]:
        rgb = picture.to_bytes()
        edge = min(picture.size)
        y, x = (rgb.shape[0] - edge) // 2, (rgb.shape[1] - edge) // 2
        square = np.ascontiguousarray(rgb[y : y + edge, x : x + edge])
        cells.append(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA))
    columns = int(np.ceil(len(cells) ** 0.5))
    rows = -(-len(cells) // columns)
    cells += [np.full((side, side, 3), 250, np.uint8)] * (rows * columns - len(cells))
    lines = [np.hstack(cells[k * columns : (k + 1) * columns]) for k in range(rows)]
    return Picture(np.vstack(lines))
