"""Contact sheets: pictures side by side, each with its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 12  # pixels
TITLE = 30
BACKGROUND, INK = (250, 250, 248), (40, 40, 40)


def sheet(rows: Sequence[Sequence[tuple[str, np.ndarray]]], height: int = 260) -> np.ndarray:
    """Rows of named pictures, all scaled to one height.

    Args:
        rows: (name, (H, W) or (H, W, 3) uint8 or bool) pairs.
        height: of each picture in pixels.

    Returns:
        (H, W, 3) uint8.
    """
    scaled = [[(name, _fit(picture, height)) for name, picture in row] for row in rows]
    width = max(sum(p.width + GAP for _, p in row) + GAP for row in scaled)
    canvas = Image.new("RGB", (width, len(rows) * (height + TITLE + GAP) + GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(17)
    y = GAP
    for row in scaled:
        x = GAP
        for name, picture in row:
            draw.text((x, y), name, INK, font)
            canvas.paste(picture, (x, y + TITLE))
            x += picture.width + GAP
        y += height + TITLE + GAP
    return np.asarray(canvas)


def _fit(picture: np.ndarray, height: int) -> Image.Image:
    values = picture.astype(np.uint8) * 255 if picture.dtype == bool else picture
    image = Image.fromarray(values).convert("RGB")
    how = Image.Resampling.LANCZOS if image.height > height else Image.Resampling.BICUBIC
    return image.resize((max(1, round(image.width * height / image.height)), height), how)
