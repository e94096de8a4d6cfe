"""Rectangles of whole pixels, with the algebra that crops, tiles and masks need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, order=True)
class Bounds:
    """A rectangle: left, top, width and height in pixels. Nothing is inside when a side is 0."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 0 or self.height < 0:
            raise ValueError(f"A rectangle cannot be {self.width} by {self.height} pixels.")

    @classmethod
    def of_size(cls, size: tuple[int, int]) -> Bounds:
        """All of a picture of this (width, height)."""
        return cls(0, 0, size[0], size[1])

    @classmethod
    def of_edges(cls, left: int, top: int, right: int, bottom: int) -> Bounds:
        """From edges; right and bottom lie outside. Empty where they cross."""
        return cls(left, top, max(0, right - left), max(0, bottom - top))

    @classmethod
    def of_mask(cls, mask: np.ndarray) -> Bounds:
        """The smallest rectangle around all true (or nonzero) pixels of an (H, W) mask; empty where there is none."""
        rows = np.flatnonzero(mask.any(axis=1))
        if rows.size == 0:
            return cls(0, 0, 0, 0)
        columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
        return cls.of_edges(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

    @property
    def right(self) -> int:
        """First column to the right of the rectangle."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the rectangle."""
        return self.y + self.height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def is_empty(self) -> bool:
        """Whether there is no pixel inside."""
        return self.area == 0

    def intersect(self, other: Bounds) -> Bounds:
        """What both hold."""
        return Bounds.of_edges(
            max(self.x, other.x),
            max(self.y, other.y),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def expand(self, margin: int, inside: Bounds | tuple[int, int] | None = None) -> Bounds:
        """Grown on all sides (shrunk by a negative margin), cut to `inside`: a rectangle or a (width, height)."""
        grown = Bounds.of_edges(self.x - margin, self.y - margin, self.right + margin, self.bottom + margin)
        if inside is None:
            return grown
        return grown.intersect(inside if isinstance(inside, Bounds) else Bounds.of_size(inside))

    def translate(self, dx: int, dy: int) -> Bounds:
        """Moved to the right and down."""
        return Bounds(self.x + dx, self.y + dy, self.width, self.height)

    def slices(self) -> tuple[slice, slice]:
        """Rows and columns for `array[bounds.slices()]`.

        Raises:
            ValueError: a negative corner, which NumPy would count from the other end.
        """
        if self.x < 0 or self.y < 0:
            raise ValueError(f"{self} begins outside of the picture; intersect it with the picture first.")
        return slice(self.y, self.bottom), slice(self.x, self.right)


def scaled(bounds: Bounds, ratio: tuple[float, float], limit: Bounds) -> Bounds:
    """Bounds in the smaller picture that cover these."""
    x0, y0 = int(bounds.x * ratio[0]), int(bounds.y * ratio[1])
    x1 = int(np.ceil((bounds.x + bounds.width) * ratio[0]))
    y1 = int(np.ceil((bounds.y + bounds.height) * ratio[1]))
    return Bounds(x0, y0, x1 - x0, y1 - y0).intersect(limit)


def unscaled(bounds: Bounds, ratio: tuple[float, float], size: tuple[int, int]) -> Bounds:
    """The pixels of the larger picture that these stand for."""
    x0, y0 = round(bounds.x / ratio[0]), round(bounds.y / ratio[1])
    x1, y1 = round((bounds.x + bounds.width) / ratio[0]), round((bounds.y + bounds.height) / ratio[1])
    return Bounds(x0, y0, x1 - x0, y1 - y0).intersect(Bounds(0, 0, *size))
