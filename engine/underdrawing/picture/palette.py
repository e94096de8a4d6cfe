"""Palettes: which colours the classes of a drawn map have, and every pixel's class, anti-aliased borders included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from underdrawing.picture import antialias, colour_names, palette_assignment
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError

MOST = 255  # class 255 would mean "unknown" while snapping
UNKNOWN = antialias.UNKNOWN


@dataclass(frozen=True, eq=False)
class Palette:
    """The classes of a map of segments.

    Attributes:
        colours: (C, 3) uint8, all different; C is 1 to 255.
        names: one a colour; made from the colours where they are not given.
    """

    colours: np.ndarray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        table = np.asarray(self.colours)
        if table.ndim != 2 or table.shape[1] != 3 or not 1 <= len(table) <= MOST:
            raise PictureError(f"A palette holds 1 to {MOST} colours of three values each.")
        if table.dtype != np.uint8:
            raise PictureError("The colours of a palette are 8-bit values.")
        if len(np.unique(table, axis=0)) != len(table):
            raise PictureError("The palette holds a colour twice; two classes would look the same.")
        names = tuple(self.names) or tuple(unique_names(colour_names.colour_name(c) for c in table))
        if len(names) != len(table):
            raise PictureError(f"The palette has {len(table)} colours but {len(names)} names.")
        object.__setattr__(self, "colours", np.ascontiguousarray(table))
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        return len(self.colours)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Palette):
            return NotImplemented
        return self.names == other.names and np.array_equal(self.colours, other.colours)

    def __hash__(self) -> int:
        return hash((self.names, self.colours.tobytes()))

    def index_of(self, name: str) -> int:
        """The class of this name (upper and lower case alike).

        Raises:
            PictureError: no class has the name.
        """
        wanted = name.strip().casefold()
        for index, own in enumerate(self.names):
            if own.casefold() == wanted:
                return index
        raise PictureError(f"No class is named {name!r}; there are: {', '.join(self.names)}.")

    def render(self, indices: np.ndarray) -> np.ndarray:
        """(H, W) class indices as (H, W, 3) uint8 colours."""
        if indices.size and int(indices.max()) >= len(self):
            raise PictureError(f"Class {int(indices.max())} is not in the palette of {len(self)} colours.")
        table = np.zeros((256, 1, 3), np.uint8)
        table[: len(self), 0] = self.colours
        return cv2.applyColorMap(indices.astype(np.uint8, copy=False), table)  # indexing takes ten times as long

    def to_json(self) -> list[dict[str, Any]]:
        """As in a model's manifest: [{"colour": [r, g, b], "name": "..."}]."""
        return [
            {"colour": [int(v) for v in colour], "name": name}
            for colour, name in zip(self.colours, self.names, strict=True)
        ]

    @classmethod
    def from_json(cls, entries: Sequence[dict[str, Any]]) -> Palette:
        """The way back.

        Raises:
            PictureError: not such a list.
        """
        try:
            table = [[int(value) for value in entry["colour"]] for entry in entries]
            if any(not 0 <= value <= 255 for row in table for value in row):
                raise ValueError("a value is not in 0 to 255")
            return cls(np.array(table, np.uint8), tuple(str(entry["name"]) for entry in entries))
        except PictureError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise PictureError(f"The palette is damaged: {error}") from None


@dataclass(frozen=True)
class Unseen:
    """A colour in a drawn map that the palette lacks, and what was made of it."""

    colour: tuple[int, int, int]
    name: str  # plain English
    nearest_name: str  # the class that its pixels were given
    pixels: int
    bounds: Bounds

    def __str__(self) -> str:
        place = f"at {self.bounds.x}, {self.bounds.y} ({self.bounds.width} by {self.bounds.height} pixels)"
        return (
            f"The colour {self.name} {self.colour} {place} is not in the palette; it was taken as {self.nearest_name}."
        )


@dataclass(frozen=True, eq=False)
class Snapped:
    """A map whose pixels all have a class: (H, W) uint8, and the colours that had to be replaced."""

    indices: np.ndarray
    unseen: tuple[Unseen, ...] = ()


def unique_names(names: Iterable[str]) -> list[str]:
    """The same names, the second and later of a kind numbered: "green", "green 2"."""
    counts: dict[str, int] = {}
    result = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        result.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return result


def distinct_colours(count: int) -> Palette:
    """A palette of `count` colours that are easy to tell apart (1 to 255)."""
    if not 1 <= count <= MOST:
        raise PictureError(f"A palette holds 1 to {MOST} colours, not {count}.")
    return Palette(colour_names.distinct(count))


def palette_of(rgb: np.ndarray, most: int = 64) -> Palette:
    """The colours of the flat areas of a drawn map, largest area first; mixtures along borders do not count.

    Args:
        rgb: (H, W, 3) uint8.
        most: at most this many; where there are more, the largest areas win.
    """
    table = antialias.flat_colours(_checked(rgb), antialias.noise_of(rgb), min(most, MOST))
    return Palette(table)


def snap(rgb: np.ndarray, palette: Palette) -> Snapped:
    """Every pixel of a drawn map as a class of the palette.

    Pixels on anti-aliased borders get one of the two classes that meet there, never a third one whose colour happens
    to lie in between. Areas and strokes in colours that the palette lacks are reported and take the nearest class.

    Args:
        rgb: (H, W, 3) uint8.
        palette: the classes.
    """
    rgb = _checked(rgb)
    noise = antialias.noise_of(rgb)
    known = antialias.exact_classes(rgb, palette.colours, noise)
    if not (known == UNKNOWN).any():
        return Snapped(known)
    table = palette.colours
    room = MOST - len(table)
    foreign = palette_assignment.foreign_colours(rgb, known, table, noise, room) if room else table[:0]
    extended = np.concatenate([table, foreign])
    if len(foreign):
        known = antialias.exact_classes(rgb, extended, noise)
    indices = palette_assignment.resolve(rgb, known, extended)
    if not len(foreign):
        return Snapped(indices)
    unseen, nearest = _report(indices, palette, foreign, noise.shift)
    lookup = np.concatenate([np.arange(len(table)), nearest]).astype(np.uint8)
    return Snapped(lookup[indices], unseen)


def _checked(rgb: np.ndarray) -> np.ndarray:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise PictureError(f"A drawn map is an 8-bit RGB picture, not an array of {rgb.dtype} with shape {rgb.shape}.")
    return np.ascontiguousarray(rgb)


def _report(
    indices: np.ndarray, palette: Palette, foreign: np.ndarray, shift: float
) -> tuple[tuple[Unseen, ...], np.ndarray]:
    lab, own = colour_names.to_lab(foreign), colour_names.to_lab(palette.colours)
    nearest = np.array([int(np.linalg.norm(own - colour, axis=1).argmin()) for colour in lab])
    found = []
    for number, colour in enumerate(foreign):
        if np.linalg.norm(palette.colours.astype(np.float32) - colour, axis=1).min() <= shift:
            continue
        mask = indices == len(palette) + number
        pixels = int(cv2.countNonZero(mask.view(np.uint8)))
        if pixels:
            red, green, blue = (int(v) for v in colour)
            name = colour_names.colour_name((red, green, blue))
            found.append(Unseen((red, green, blue), name, palette.names[nearest[number]], pixels, Bounds.of_mask(mask)))
    return tuple(sorted(found, key=lambda one: -one.pixels)), nearest
