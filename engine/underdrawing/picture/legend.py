"""A picture with the outlines, numbers and names of its areas, for a person to read."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from underdrawing.picture.image import PictureError
from underdrawing.picture.primitive import Primitive

LIGHT, DARK = (255, 255, 255), (20, 20, 20)
LEAST = 720  # pixels of the longer side: smaller pictures are enlarged, so that numbers can be read
ROW = 26


def legend(rgb: np.ndarray, primitive: Primitive) -> np.ndarray:
    """The picture with its areas' outlines and numbers, and below it each number with its colour and name.

    Args:
        rgb: (H, W, 3) uint8.
        primitive: its underdrawing, with segments, of the same size.

    Returns:
        (H', W', 3) uint8.

    Raises:
        PictureError: there are no segments, or sizes differ.
    """
    if primitive.segments is None or primitive.palette is None:
        raise PictureError("A legend names areas, and this underdrawing has none.")
    if primitive.segments.shape != rgb.shape[:2]:
        raise PictureError("The underdrawing is not of the picture's size.")
    height, width = rgb.shape[:2]
    factor = max(1.0, LEAST / max(height, width))
    size = round(width * factor), round(height * factor)
    areas = cv2.resize(primitive.segments, size, interpolation=cv2.INTER_NEAREST_EXACT)
    shown = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)
    cross = np.ones((3, 3), np.uint8)
    border = cv2.dilate(areas, cross) != cv2.erode(areas, cross)
    shown[cv2.dilate(border.astype(np.uint8), cross) > 0] = DARK
    shown[border] = LIGHT
    present = [int(index) for index in np.unique(areas)]
    columns = max(1, size[0] // 340)
    rows = -(-len(present) // columns)
    canvas = Image.new("RGB", (size[0], size[1] + rows * ROW + 12), LIGHT)
    canvas.paste(Image.fromarray(shown))
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(15)
    for place, index in enumerate(present):
        number = str(place + 1)
        depth = cv2.distanceTransform(np.pad((areas == index).astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        middle = np.unravel_index(int(depth.argmax()), depth.shape)
        draw.text((int(middle[1]), int(middle[0])), number, LIGHT, font, "mm", stroke_width=2, stroke_fill=DARK)
        x, y = 8 + place % columns * 340, size[1] + 8 + place // columns * ROW
        colour = tuple(int(value) for value in primitive.palette.colours[index])
        draw.rectangle((x, y, x + 18, y + 18), colour, DARK)
        draw.text((x + 26, y), f"{number}  {primitive.palette.names[index]}", DARK, font)
    return np.asarray(canvas)
