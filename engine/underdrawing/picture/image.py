"""A picture in memory: pixels at their own depth, alpha and colour profile beside them."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.metadata import NOTHING, Metadata

DEPTHS = {
    "u8": np.dtype(np.uint8),
    "u16": np.dtype(np.uint16),
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
}
NAMES = {dtype: name for name, dtype in DEPTHS.items()}
LIMIT = 500_000_000  # pixels; files that claim more are taken for bombs
LARGE, MOST_FLAT = 150_000_000, 300  # pixels from which a file needs a byte for so many pixels
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. ITU-R BT.709


class PictureError(ValueError):
    """A picture or a file that cannot be used; the text says why and what to do."""


def srgb_encode(linear: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1] as sRGB values in [0, 1] (IEC 61966-2-1)."""
    curve = 1.055 * np.power(np.maximum(linear, 0.0031308), np.float32(1 / 2.4)) - 0.055
    return np.where(linear <= 0.0031308, linear * np.float32(12.92), curve).astype(np.float32)


def srgb_decode(encoded: np.ndarray) -> np.ndarray:
    """sRGB values in [0, 1] as linear light in [0, 1] (IEC 61966-2-1)."""
    curve = np.power((np.maximum(encoded, 0.04045) + 0.055) / 1.055, np.float32(2.4))
    return np.where(encoded <= 0.04045, encoded / np.float32(12.92), curve).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Picture:
    """A grey or colour picture.

    Attributes:
        pixels: (H, W, 1 or 3) uint8, uint16, float16 or float32; an (H, W) array is taken as grey. Not premultiplied.
        alpha: (H, W) of the same type, or None. Integers span the type's range, floats [0, 1].
        profile: ICC profile, or None (then the values are taken as sRGB).
        linear: float pixels in linear light, with 1 as white; integers are never linear.
        metadata: what its file says beside the pixels.

    Raises:
        PictureError: a shape, type or combination that is none of these.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    linear: bool = False
    metadata: Metadata = NOTHING

    def __post_init__(self) -> None:
        pixels = self.pixels[..., None] if self.pixels.ndim == 2 else self.pixels
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
            raise PictureError(f"Pixels of shape {self.pixels.shape} are not grey or colour; pass alpha on its own.")
        if 0 in pixels.shape:
            raise PictureError("The picture is empty; it needs at least one pixel.")
        if pixels.dtype not in NAMES:
            raise PictureError(f"Pixels of type {pixels.dtype} are not supported; use 8 or 16 bit, or float.")
        if self.alpha is not None and (self.alpha.shape != pixels.shape[:2] or self.alpha.dtype != pixels.dtype):
            raise PictureError("The alpha channel must have the picture's size and depth.")
        if self.linear and pixels.dtype.kind != "f":
            raise PictureError("Only float pictures can be in linear light.")
        object.__setattr__(self, "pixels", pixels)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    @property
    def bounds(self) -> Bounds:
        """The whole picture as a rectangle."""
        return Bounds.of_size(self.size)

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (colour), without alpha."""
        return int(self.pixels.shape[2])

    @property
    def depth(self) -> str:
        """One of "u8", "u16", "f16", "f32"."""
        return NAMES[self.pixels.dtype]

    @cached_property
    def hash(self) -> str:
        """sha256 (hexadecimal) of shape, depth and pixels; alpha and profile do not count."""
        digest = hashlib.sha256(f"{self.pixels.shape} {self.depth} {self.linear}\n".encode())
        pixels = np.ascontiguousarray(self.pixels)
        digest.update((pixels if sys.byteorder == "little" else pixels.byteswap()).data)
        return digest.hexdigest()

    def crop(self, bounds: Bounds) -> Picture:
        """A part, as a view; what lies outside of the picture is left out."""
        part = bounds.intersect(self.bounds)
        if part.is_empty:
            raise PictureError(f"{bounds} lies outside of the picture of {self.size[0]} by {self.size[1]} pixels.")
        alpha = None if self.alpha is None else self.alpha[part.slices()]
        return replace(self, pixels=self.pixels[part.slices()], alpha=alpha)

    def samples(self) -> np.ndarray:
        """(H, W, 1 to 4): pixels and alpha in one array."""
        return self.pixels if self.alpha is None else np.concatenate([self.pixels, self.alpha[..., None]], axis=2)

    def opacity(self) -> np.ndarray:
        """The alpha channel as (H, W) float32 in [0, 1]; 1 everywhere where there is none."""
        if self.alpha is None:
            return np.ones(self.pixels.shape[:2], np.float32)
        full = 1.0 if self.alpha.dtype.kind == "f" else float(np.iinfo(self.alpha.dtype).max)
        return np.nan_to_num(self.alpha.astype(np.float32) / np.float32(full)).clip(0, 1)

    def with_opacity(self, opacity: np.ndarray) -> Picture:
        """With an alpha channel (H, W) of values from 0 to 1; what is not 0 stays so at any depth."""
        dtype = self.pixels.dtype
        if dtype.kind == "f":
            return replace(self, alpha=opacity.astype(dtype))
        full = int(np.iinfo(dtype).max)
        alpha = np.where(opacity > 0, np.maximum(1, np.rint(opacity * full)), 0)
        return replace(self, alpha=alpha.astype(dtype))

    def to_float(self, white: float = 1.0) -> np.ndarray:
        """Encoded colour for the networks.

        Args:
            white: the value that becomes 1, in units of the full range (integers) or of 1.0 (floats).

        Returns:
            (H, W, 3) float32 in [0, 1], sRGB-encoded; grey repeated, linear light encoded, NaN taken as 0,
            values over white clipped.
        """
        scale = 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)
        values = self.pixels.astype(np.float32)
        values /= np.float32(scale * white)
        if self.pixels.dtype.kind == "f":
            np.nan_to_num(values, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
        np.clip(values, 0.0, 1.0, out=values)
        if self.linear:
            values = srgb_encode(values)
        return np.repeat(values, 3, axis=2) if self.channels == 1 else values

    def to_bytes(self) -> np.ndarray:
        """Encoded colour as (H, W, 3) uint8, for the tools that look at pictures in 8 bits."""
        if self.depth == "u8":
            return np.repeat(self.pixels, 3, axis=2) if self.channels == 1 else np.ascontiguousarray(self.pixels)
        if self.depth == "u16":  # 65535 / 255 is 257: rounded without floats
            values = ((self.pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
            return np.repeat(values, 3, axis=2) if self.channels == 1 else values
        return np.rint(self.to_float() * 255).astype(np.uint8)

    def on_paper(self) -> np.ndarray:
        """A drawing: (H, W, 3) uint8, transparent pixels white, as paper is.

        Raises:
            PictureError: values that are no numbers; they would all count as black lines.
        """
        if self.pixels.dtype.kind == "f" and not np.isfinite(self.pixels).all():
            raise PictureError("A plane has values that are not numbers (NaN or infinity). Export it again.")
        rgb = self.to_bytes()
        if self.alpha is None:
            return rgb
        cover = self.opacity()[..., None]
        return np.rint(rgb * cover + 255 * (1 - cover)).astype(np.uint8)

    @classmethod
    def from_float(cls, rgb: np.ndarray, like: Picture, white: float = 1.0) -> Picture:
        """The way back from `to_float`.

        Args:
            rgb: (H, W, 3) float in [0, 1], sRGB-encoded; values outside are clipped.
            like: whose depth, channels, linearity and profile the result takes; its size and alpha do not count.
            white: as given to `to_float`.
        """
        values = np.clip(np.nan_to_num(rgb.astype(np.float32)), 0.0, 1.0)
        if like.channels == 1:
            values = values @ LUMA[:, None]
        if like.linear:
            values = srgb_decode(values)
        dtype = like.pixels.dtype
        if dtype.kind == "f":
            pixels = (values * np.float32(white)).astype(dtype)
        else:
            full = np.iinfo(dtype).max
            pixels = np.rint(np.clip(values * np.float32(white), 0, 1).astype(np.float64) * full).astype(dtype)
        return cls(pixels, None, like.profile, like.linear)


def white_of(picture: Picture) -> float:
    """The value that counts as 1: above 1 only where a float picture holds brighter light than white."""
    if picture.depth not in ("f16", "f32"):
        return 1.0
    values = picture.pixels[np.isfinite(picture.pixels)].astype(np.float32)
    return max(1.0, float(np.quantile(values, 0.999))) if values.size else 1.0


def check_size(width: int, height: int, packed: int | None = None) -> None:
    """Refuse what claims to be larger than any picture that can be worked with.

    Args:
        packed: bytes of the file; a large picture in a few bytes is blank, or made to fill the memory.

    Raises:
        PictureError: no pixels, more than 500 megapixels, or far more than the file can show.
    """
    if width < 1 or height < 1:
        raise PictureError("The picture is empty; it needs at least one pixel.")
    pixels = width * height
    if pixels > LIMIT:
        raise PictureError(f"{width} by {height} pixels are more than the limit of {LIMIT // 10**6} megapixels.")
    if packed is not None and pixels > LARGE and pixels > MOST_FLAT * packed:
        text = f"{pixels // 10**6} megapixels in {max(1, packed // 1000)} kB are blank or made to fill the memory"
        raise PictureError(f"{text}; use a smaller picture.")
