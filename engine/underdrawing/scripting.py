"""Underdrawing in Python: pick a thing in a picture, act on it, and the picture follows.

    import underdrawing as ud

    picture = ud.open("photo.jpg")
    thing = ud.pick(picture, (245, 312))
    ud.save(thing.move(40, 0).follow(), "moved.png")

The engine does the work; it is started when it is first needed, as by the command line and by the plug-ins.
`ud.Engine` has everything else that it can do, training among it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from underdrawing.client.engine import Engine, LiftedThing, Reply
from underdrawing.client.frames import Frame
from underdrawing.picture.composite import composite
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.layer_transform import LayerTransform
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive
from underdrawing.store.frame_codec import frame_of, picture_of

__all__ = ["Engine", "Picture", "PictureError", "Thing", "ThingEdit", "areas", "follow", "open", "pick", "save"]

Point = tuple[float, float]


def open(path: str | Path) -> Picture:
    """Read a picture: PNG, TIFF, JPEG, WebP, AVIF, HEIC; its depth, transparency and metadata are kept.

    Raises:
        PictureError: the file cannot be read.
    """
    return read_picture(Path(path))


def save(picture: Picture, path: str | Path, quality: int = 95) -> list[str]:
    """Write a picture; the ending says the format.

    Args:
        quality: of JPEG and WebP, 1 to 100.

    Returns:
        one sentence for everything that the format cannot hold.

    Raises:
        PictureError: the file cannot be written.
    """
    return write_picture(Path(path), picture, quality)


def areas(picture: Picture, count: int | None = None) -> Primitive:
    """A picture's automatic underdrawing: areas, which `follow` takes when they are changed.

    Args:
        count: how many, at most; None: as many as suit the picture.
    """
    options: dict[str, Any] = {} if count is None else {"regions": count}
    with Engine.connect() as engine:
        reply = engine.make_primitive(frame_of(picture), "segments", **options)
        planes = {p["name"]: _received(engine, reply, p["hash"]).to_bytes() for p in reply.body["planes"]}
    return Primitive.from_planes(planes, Palette.from_json(reply.body["palette"]))[0]


def pick(picture: Picture, *points: Point, outside: tuple[Point, ...] = (), mask: np.ndarray | None = None) -> Thing:
    """The thing that a person means who points at a picture.

    Args:
        points: x and y of pixels of the thing.
        outside: x and y of pixels that do not belong to it.
        mask: (H, W), a rough selection, 0 to 1 or bool.

    Raises:
        EngineError: nothing was pointed at, or a point lies outside of the picture.
    """
    frame = frame_of(picture)
    rough = None if mask is None else _mask_frame(mask)
    with Engine.connect() as engine:
        reply = engine.pick(frame, points, outside, rough)
        found = [_received(engine, reply, one["mask"]).to_float()[..., 0] for one in reply.body["candidates"]]
    order = sorted(range(len(found)), key=lambda number: float(found[number].sum()))
    return Thing(picture, tuple(found[number] for number in order), order.index(0))


@dataclass(frozen=True, eq=False)
class Thing:
    """A thing in a picture.

    Attributes:
        candidates: masks of what may be meant, (H, W) float32 in [0, 1], the smallest first.
        chosen: the one that is meant.
    """

    picture: Picture
    candidates: tuple[np.ndarray, ...] = field(repr=False)
    chosen: int = 0

    @property
    def mask(self) -> np.ndarray:
        """(H, W) float32 in [0, 1]."""
        return self.candidates[self.chosen]

    def bigger(self) -> Thing:
        """The next bigger thing that may be meant; itself where there is none."""
        return replace(self, chosen=min(self.chosen + 1, len(self.candidates) - 1))

    def smaller(self) -> Thing:
        """The next smaller thing that may be meant; itself where there is none."""
        return replace(self, chosen=max(self.chosen - 1, 0))

    def move(self, dx: int, dy: int) -> ThingEdit:
        """Somewhere else: so many pixels to the right and down."""
        return ThingEdit(self, LayerTransform(), (dx, dy))

    def copy(self, dx: int, dy: int) -> ThingEdit:
        """A second one, so many pixels to the right and down."""
        return ThingEdit(self, LayerTransform(), (dx, dy), stays=True)

    def scale(self, factor: float) -> ThingEdit:
        """Larger (above 1) or smaller, about its centre."""
        return ThingEdit(self, LayerTransform(factor=(factor, factor)))

    def rotate(self, angle: float) -> ThingEdit:
        """Turned counter-clockwise by degrees, about its centre."""
        return ThingEdit(self, LayerTransform(angle=angle))

    def mirror(self, axis: str = "horizontal") -> ThingEdit:
        """Left and right exchanged, or top and bottom ("vertical")."""
        return ThingEdit(self, LayerTransform(mirror=axis))

    def remove(self) -> ThingEdit:
        """Gone; what is around it fills its place."""
        return ThingEdit(self, None)


@dataclass(frozen=True, eq=False)
class ThingEdit:
    """What is to happen to a thing.

    Attributes:
        transform: None: it is removed.
        shift: pixels to the right and down.
        stays: it stays where it is, too.
    """

    thing: Thing
    transform: LayerTransform | None
    shift: tuple[int, int] = (0, 0)
    stays: bool = False

    def follow(self) -> Picture:
        """The picture afterwards. Outside of the thing's old and new place and its shadow no pixel changes."""
        picture = self.thing.picture
        frame = frame_of(picture)
        with Engine.connect() as engine:
            lifted = engine.lift(frame, _mask_frame(self.thing.mask))
            was = None if self.stays else engine.result(lifted, lifted.body["mask"])
            changed = LiftedThing(None, was=was)
            if self.transform is not None:
                layer = _received(engine, lifted, lifted.body["layer"])
                layer, (x, y) = self.transform.of(layer, (int(lifted.body["x"]), int(lifted.body["y"])))
                changed = LiftedThing(frame_of(layer), x + self.shift[0], y + self.shift[1], was)
            return _composed(engine, engine.apply(None, {}, frame, lifted=[changed]), picture)


def follow(picture: Picture, made: Primitive, edited: Primitive) -> Picture:
    """The picture that follows from an edited underdrawing, by a draft that is not kept.

    Args:
        made: the underdrawing of the picture, as `areas` gives it.
        edited: the same, changed.

    Raises:
        EngineError: nothing is edited, or the underdrawing is not of the picture's size.
    """
    frame = frame_of(picture)
    palette = None if made.palette is None else made.palette.to_json()
    with Engine.connect() as engine:
        started = engine.train(frame, _frames(made), palette=palette, method="draft", name="script")
        try:
            engine.watch(str(started["job"]))
            return _composed(engine, engine.apply(str(started["model"]), _frames(edited), frame), picture)
        finally:
            engine.delete(str(started["model"]))


def _composed(engine: Engine, reply: Reply, picture: Picture) -> Picture:
    result = _received(engine, reply, reply.body["picture"])
    alpha = _received(engine, reply, reply.body["mask"]).to_float()[..., 0]
    return composite(picture, result, (int(reply.body["x"]), int(reply.body["y"])), alpha, opacity=True)


def _received(engine: Engine, reply: Reply, key: str) -> Picture:
    return picture_of(engine.result(reply, key))


def _frames(primitive: Primitive) -> dict[str, Frame]:
    return {name: frame_of(Picture(values)) for name, values in primitive.planes().items()}


def _mask_frame(mask: np.ndarray) -> Frame:
    return frame_of(Picture(np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)[..., None]))
