"""Colours as people speak of them: plain names, distances that match the eye, colours that are easy to tell apart."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np

NAMED = {
    "black": (0, 0, 0), "charcoal": (54, 54, 56), "dark grey": (88, 88, 88), "grey": (128, 128, 128),
    "light grey": (196, 196, 196), "white": (255, 255, 255), "cream": (250, 240, 215), "beige": (215, 195, 160),
    "red": (230, 20, 20), "dark red": (130, 15, 20), "crimson": (190, 20, 60), "coral": (250, 120, 95),
    "orange": (250, 140, 10), "peach": (250, 200, 165), "rust": (165, 75, 30), "brown": (115, 70, 35),
    "dark brown": (60, 38, 24), "tan": (190, 150, 110), "skin": (225, 175, 145), "gold": (215, 170, 40),
    "yellow": (250, 235, 20), "light yellow": (250, 245, 165), "mustard": (195, 155, 30), "olive": (125, 125, 30),
    "lime": (170, 235, 20), "green": (25, 175, 40), "dark green": (15, 80, 25), "light green": (150, 225, 150),
    "bright green": (0, 250, 0), "forest green": (45, 95, 50), "moss green": (100, 120, 70), "mint": (175, 240, 210),
    "teal": (0, 128, 128), "dark teal": (20, 75, 80), "turquoise": (60, 210, 200), "cyan": (0, 245, 250),
    "sky blue": (135, 195, 235), "light blue": (180, 215, 245), "blue": (20, 60, 235), "steel blue": (80, 125, 165),
    "slate blue": (90, 100, 130), "dark blue": (15, 20, 120), "navy": (15, 22, 60), "indigo": (75, 0, 190),
    "violet": (140, 70, 230), "purple": (145, 30, 150), "dark purple": (70, 20, 80), "lavender": (200, 180, 235),
    "mauve": (160, 120, 150), "magenta": (245, 0, 245), "pink": (250, 150, 190), "hot pink": (250, 60, 150),
    "light pink": (250, 215, 225), "rose": (200, 100, 115),
}  # fmt: skip


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """uint8 (or float in [0, 1]) sRGB colours of any shape (..., 3) as CIE L*a*b* float32, L in [0, 100]."""
    values = np.asarray(rgb)
    values = values.astype(np.float32) / np.float32(255) if values.dtype == np.uint8 else values.astype(np.float32)
    flat = np.ascontiguousarray(values).reshape(1, -1, 3) if values.ndim != 3 else np.ascontiguousarray(values)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2Lab).reshape(values.shape)


@cache
def _table() -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(NAMED), to_lab(np.array(list(NAMED.values()), np.uint8))


@lru_cache(maxsize=4096)
def _name(red: int, green: int, blue: int) -> str:
    names, table = _table()
    lab = to_lab(np.array([[red, green, blue]], np.uint8))[0]
    chroma = np.hypot(table[:, 1] - lab[1], table[:, 2] - lab[2])
    # Hue tells people more than lightness does; a grey must not be called by a hue and the other way round.
    distance = np.hypot(0.75 * (table[:, 0] - lab[0]), chroma)
    grey = np.hypot(table[:, 1], table[:, 2]) < 3.0
    distance = distance + np.where(grey == (np.hypot(lab[1], lab[2]) < 6.0), 0.0, 8.0)
    return names[int(distance.argmin())]


def colour_name(colour: np.ndarray | tuple[int, int, int]) -> str:
    """A plain English name of an 8-bit RGB colour: "sky blue", "dark green"."""
    red, green, blue = (int(value) for value in colour)
    return _name(red, green, blue)


# Chosen by hand: bright, nameable, no black or white (lines and paper are these), far from each other.
_FIRST = (
    (230, 25, 45), (60, 180, 75), (0, 110, 230), (255, 215, 25), (245, 130, 45), (145, 40, 180), (70, 225, 240),
    (240, 50, 230), (190, 240, 70), (0, 128, 128), (250, 190, 212), (154, 99, 36), (128, 0, 20), (170, 255, 195),
    (128, 128, 0), (0, 0, 117), (220, 190, 255), (145, 145, 150), (255, 250, 190), (10, 70, 40),
)  # fmt: skip


@cache
def _distinct(count: int) -> tuple[tuple[int, int, int], ...]:
    chosen = list(_FIRST[:count])
    if count <= len(_FIRST):
        return tuple(chosen)
    steps = np.linspace(0, 255, 16).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    lab = to_lab(grid)
    taken = np.concatenate(
        [to_lab(np.array(chosen, np.uint8)), to_lab(np.array([[0, 0, 0], [255, 255, 255]], np.uint8))]
    )
    distance = np.full(len(grid), np.inf, np.float32)
    for point in taken:
        np.minimum(distance, np.linalg.norm(lab - point, axis=1), out=distance)
    while len(chosen) < count:
        best = int(distance.argmax())
        chosen.append((int(grid[best, 0]), int(grid[best, 1]), int(grid[best, 2])))
        np.minimum(distance, np.linalg.norm(lab - lab[best], axis=1), out=distance)
    return tuple(chosen)


def distinct(count: int) -> np.ndarray:
    """(count, 3) uint8 colours that are easy to tell apart; the first ones are always the same."""
    return np.array(_distinct(count), np.uint8).reshape(count, 3)
