"""Mirror, scale and turn a layer with transparency, as a paint program does."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from underdrawing.picture.image import Picture


@dataclass(frozen=True)
class LayerTransform:
    """What is done with a layer, in this order.

    Attributes:
        mirror: "horizontal" exchanges left and right, "vertical" top and bottom, "" neither.
        factor: horizontal and vertical scale, above 0.
        angle: degrees, counter-clockwise.
        foot: the middle of the layer's lower edge stays where it is, instead of its centre.
    """

    mirror: str = ""
    factor: tuple[float, float] = (1.0, 1.0)
    angle: float = 0.0
    foot: bool = False

    def of(self, layer: Picture, at: tuple[int, int]) -> tuple[Picture, tuple[int, int]]:
        """The layer afterwards, and the upper left corner that keeps its centre (or foot) in place.

        Args:
            at: its upper left corner before.
        """
        if self.mirror:
            axis = 1 if self.mirror == "horizontal" else 0
            alpha = None if layer.alpha is None else np.flip(layer.alpha, axis)
            layer = replace(layer, pixels=np.flip(layer.pixels, axis), alpha=alpha)
        if self.factor == (1.0, 1.0) and not self.angle:
            return layer, at
        width, height = layer.size
        pivot = np.array((width / 2, float(height) if self.foot else height / 2))
        size = max(1, round(width * self.factor[0])), max(1, round(height * self.factor[1]))
        values = _premultiplied(layer)
        if size != layer.size:
            smaller = size[0] * size[1] < width * height
            values = cv2.resize(values, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
        turned = math.radians(self.angle)
        rotation = np.array(((math.cos(turned), math.sin(turned)), (-math.sin(turned), math.cos(turned))))
        corners = rotation @ np.array(((0, size[0], 0, size[0]), (0, 0, size[1], size[1])), float)
        low = np.floor(corners.min(1) + 1e-6)
        if self.angle:
            high = np.ceil(corners.max(1) - 1e-6)
            # Pixel centres lie half a pixel inside of the border.
            shift = rotation @ (0.5, 0.5) - low - 0.5
            matrix = np.hstack([rotation, shift[:, None]])
            wanted = int(high[0] - low[0]), int(high[1] - low[1])
            values = cv2.warpAffine(values, matrix, wanted, flags=cv2.INTER_CUBIC, borderValue=(0, 0, 0, 0))
        now = rotation @ (pivot * np.array(size) / (width, height)) - low
        corner = np.rint(np.array(at) + pivot - now).astype(int)
        return _straight(values, layer), (int(corner[0]), int(corner[1]))


def _premultiplied(layer: Picture) -> np.ndarray:
    """(H, W, channels + 1) float32: values times opacity, and opacity."""
    cover = layer.opacity()[..., None]
    return np.concatenate([layer.pixels.astype(np.float32) * cover, cover], axis=2)


def _straight(values: np.ndarray, like: Picture) -> Picture:
    """The way back from `_premultiplied`."""
    cover = values[..., -1].clip(0, 1)
    colours = values[..., :-1] / np.maximum(cover, 1e-4)[..., None]
    if like.pixels.dtype.kind != "f":
        colours = np.rint(colours).clip(0, np.iinfo(like.pixels.dtype).max)
    pixels = np.where(cover[..., None] > 1e-4, colours, 0).astype(like.pixels.dtype)
    return replace(like, pixels=pixels, alpha=None).with_opacity(np.where(cover > 1e-3, cover, 0))
