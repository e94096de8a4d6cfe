"""Edits as people ask for them, done by clicks and lifts: a sheet for each, to be looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.areas import STEPS
from underdrawing.picture.area_hierarchy import Network, build_hierarchy
from underdrawing.picture.composite import composite
from underdrawing.picture.contact_sheet import sheet
from underdrawing.picture.extract import make_primitive
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.layer_transform import LayerTransform
from underdrawing.picture.matting import Layer, lift
from underdrawing.picture.pick import Candidate, nested, pick, refined
from underdrawing.render.lifted import Lifted, put_back


@dataclass(frozen=True)
class Wish:
    """One edit, by clicks.

    Attributes:
        picture: "skimage:NAME", or a path below the folder of pictures.
        wish: in words.
        at, outside: points of the thing, and points that do not belong to it.
        box: around the thing: x, y, width, height.
        steps: "bigger" so many times, or "smaller" where negative.
        operation: "move", "copy" or "remove".
        dx, dy, factor, angle, mirror, foot: see `LayerTransform`.
    """

    picture: str
    wish: str
    at: list[tuple[int, int]] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)
    box: tuple[int, int, int, int] | None = None
    steps: int = 0
    operation: str = "move"
    dx: int = 0
    dy: int = 0
    factor: float = 1.0
    angle: float = 0.0
    mirror: str = ""
    foot: bool = False

    @property
    def clicks(self) -> int:
        """How many clicks it takes: a box is drawn by one drag."""
        return len(self.at) + len(self.outside) + (self.box is not None) + abs(self.steps)


def read_wishes(edits: Path, clicks: Path) -> list[Wish]:
    """Wishes in words, with the clicks for each.

    Args:
        edits: JSON with "edits": [{"picture", "wish"}].
        clicks: JSON list of the other fields of `Wish`, in the same order.

    Raises:
        ValueError: the two have different lengths.
    """
    words, done = json.loads(edits.read_text("utf-8"))["edits"], json.loads(clicks.read_text("utf-8"))
    return [Wish(**said, **how) for said, how in zip(words, done, strict=True)]


def picture_of(name: str, folder: Path) -> Picture:
    """The picture that a wish names."""
    if not name.startswith("skimage:"):
        return read_picture(folder / name)
    from skimage import data

    return Picture(np.ascontiguousarray(getattr(data, name.removeprefix("skimage:"))()))


def picked(rgb: np.ndarray, wish: Wish, outlines: Network | None, saliency: Network | None) -> Candidate:
    """The thing that a wish's clicks mean."""
    rough = None
    if wish.box is not None:
        x, y, width, height = wish.box
        rough = np.zeros(rgb.shape[:2], bool)
        rough[y : y + height, x : x + width] = True
    found = pick(rgb, build_hierarchy(rgb, outlines), wish.at, wish.outside, rough, saliency)
    ladder = nested(found)
    place = next(i for i, candidate in enumerate(ladder) if candidate is found[0])
    return ladder[max(0, min(len(ladder) - 1, place + max(-STEPS, min(STEPS, wish.steps))))]


def fulfilled(
    picture: Picture, wish: Wish, outlines: Network | None, saliency: Network | None
) -> tuple[Picture, Layer]:
    """The picture as it was wished, and the thing that was lifted for it."""
    rgb = picture.to_bytes()
    layer = lift(picture, refined(rgb, picked(rgb, wish, outlines, saliency).mask))
    thing = Lifted(None, (0, 0), layer.mask)
    if wish.operation != "remove":
        transform = LayerTransform(wish.mirror, (wish.factor, wish.factor), wish.angle, wish.foot)
        made, (x, y) = transform.of(layer.picture, (layer.bounds.x, layer.bounds.y))
        thing = Lifted(made, (x + wish.dx, y + wish.dy), None if wish.operation == "copy" else layer.mask)
    areas = make_primitive(picture, "segments", outlines=outlines, saliency=saliency)
    result = put_back(picture, [thing], areas, 0)
    after = composite(picture, result.picture, (result.bounds.x, result.bounds.y), result.mask, opacity=True)
    return after, layer


def write_sheets(
    wishes: dict[int, Wish], folder: Path, out: Path, outlines: Network | None, saliency: Network | None
) -> list[dict[str, Any]]:
    """Before, the lifted thing on green, and after, as one picture a wish; what each took."""
    out.mkdir(parents=True, exist_ok=True)
    said = []
    for number, wish in wishes.items():
        picture = picture_of(wish.picture, folder)
        after, layer = fulfilled(picture, wish, outlines, saliency)
        shown = layer.mask[..., None] * picture.to_bytes() + (1 - layer.mask[..., None]) * (0, 160, 0)
        tiles = [("before", picture.to_bytes()), ("lifted", shown.astype(np.uint8)), (wish.wish, after.to_bytes())]
        path = out / f"{number:02}.png"
        write_picture(path, Picture(sheet([tiles], picture.size[1])))
        said.append({"file": str(path), "wish": wish.wish, "clicks": wish.clicks, "share": float(layer.mask.mean())})
    return said
