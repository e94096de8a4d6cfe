"""The areas of another picture, each matched with a class of a model: by looks, by a drawn map's colour, or by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from underdrawing.picture import colour_names
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.palette import Palette, palette_of, snap
from underdrawing.picture.primitive import Plane, guess_kind
from underdrawing.picture.segmentation import segment

ALIKE = 12.0  # of Lab: a drawn map's colour and the palette's are the same one


@dataclass(frozen=True)
class Area:
    """An area of another picture.

    Attributes:
        colour: what it looks like there, (red, green, blue).
        name: by colour and place, or the drawn map's colour.
        share: of that picture, 0 to 1.
        found: the class that most of it was given by looks or colour.
        agreed: how much of it that is, 0 to 1.
    """

    colour: tuple[int, int, int]
    name: str
    share: float
    found: int
    agreed: float

    def to_json(self, palette: Palette) -> dict[str, Any]:
        """For an answer; the class by its name."""
        shares = {"share": round(self.share, 4), "agreed": round(self.agreed, 4)}
        return {"colour": list(self.colour), "name": self.name, "class": palette.names[self.found], **shares}


def areas_of(
    picture: Picture, found: np.ndarray, palette: Palette, most: int
) -> tuple[np.ndarray, np.ndarray, list[Area]]:
    """Divide another picture into areas that a person can match with classes.

    A drawn map of flat colours has these as its areas; where the palette has such a colour, that decides.

    Args:
        picture: the other picture.
        found: (H, W) uint8, the classes by looks.
        palette: the model's.
        most: areas, 1 to 255.

    Returns:
        (H, W) uint8 numbers of the areas; (H, W) uint8 classes, by looks or by a map's own colours; the areas.
    """
    rgb = picture.to_bytes()
    if guess_kind(rgb) == Plane.SEGMENTS:
        drawn = palette_of(rgb, most)
        labels, names, shown = snap(rgb, drawn).indices, drawn.names, list(drawn.colours)
        found = _by_colour(labels, found, drawn, palette)
    else:
        made = segment(rgb, most)
        labels, names = made.indices, made.palette.names
        shown = [np.median(rgb[labels == k], axis=0) if (labels == k).any() else (0, 0, 0) for k in range(len(names))]
    counts = np.bincount(labels.ravel(), minlength=len(names))
    order = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]  # the largest first
    areas = []
    for number in order:
        votes = np.bincount(found[labels == number], minlength=len(palette))
        red, green, blue = (int(v) for v in shown[number])
        best, count = int(votes.argmax()), int(counts[number])
        areas.append(Area((red, green, blue), names[number], count / labels.size, best, float(votes[best]) / count))
    table = np.zeros(len(names), np.uint8)
    table[order] = np.arange(len(order))
    return table[labels], found, areas


def _by_colour(labels: np.ndarray, found: np.ndarray, drawn: Palette, palette: Palette) -> np.ndarray:
    """Classes of a drawn map: the palette's where it has the colour, else what most of the area was taken for."""
    own, theirs = colour_names.to_lab(palette.colours), colour_names.to_lab(drawn.colours)
    result = found.copy()
    for number, colour in enumerate(theirs):
        inside = labels == number
        if inside.any():
            apart = np.linalg.norm(own - colour, axis=1)
            near = int(apart.argmin())
            result[inside] = near if apart[near] < ALIKE else np.bincount(found[inside]).argmax()
    return result


def matched(
    labels: np.ndarray, found: np.ndarray, areas: Sequence[Area], palette: Palette, match: Mapping[int, str]
) -> np.ndarray:
    """The classes as they were found, but those areas' that a person matched.

    Args:
        match: names of classes by the areas' numbers.

    Returns:
        (H, W) uint8 classes.

    Raises:
        PictureError: an area or a class that does not exist.
    """
    result = found.copy()
    for area, name in match.items():
        if not 0 <= area < len(areas):
            raise PictureError(f"There is no area {area}; they are numbered 0 to {len(areas) - 1}.")
        result[labels == area] = palette.index_of(name)
    return result
