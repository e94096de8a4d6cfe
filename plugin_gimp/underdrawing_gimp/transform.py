"""Frames turned, cut and scaled by GIMP: between the picture as it is now and the one its model was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

from . import pixels
from .client.frames import Frame
from .gi import Gegl, Gimp
from .pixels import Rect

HARD = Gimp.InterpolationType.NONE  # areas keep their colours
SOFT = Gimp.InterpolationType.LINEAR
FINE = Gimp.InterpolationType.CUBIC
LEAST, STRONG = 0.5 / 255, 0.25  # differences of values in [0, 1]
THIN = 1  # pixels on each side of a border that scaling leaves unsure
NEARLY = 0.02  # two shapes are the same, as far as scaling goes, when their proportions differ by no more


@dataclass(frozen=True)
class Way:
    """What became of the picture of the training since: mirrored, turned, cropped and scaled, in this order.

    Attributes:
        trained: width and height that the model knows.
        now: width and height that are left of it today.
        cut: what is left after mirroring and turning, before scaling.
        mirrored: left and right were exchanged.
        turns: quarter turns to the right, 0 to 3.
        manner: GIMP's number of the interpolation with which it was scaled; -1 where that is not known.
    """

    trained: tuple[int, int]
    now: tuple[int, int]
    cut: Rect
    mirrored: bool = False
    turns: int = 0
    manner: int = -1

    @classmethod
    def scaled(cls, trained: tuple[int, int], now: tuple[int, int]) -> Way | None:
        """The picture was scaled as a whole; None where its proportions are others."""
        if abs(now[0] * trained[1] / (now[1] * trained[0]) - 1) > NEARLY:
            return None
        return cls(trained, now, Rect(0, 0, *trained))

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Way:
        """From what `dataclasses.asdict` makes of one."""
        return cls(**{**raw, "trained": tuple(raw["trained"]), "now": tuple(raw["now"]), "cut": Rect(**raw["cut"])})

    @property
    def turned(self) -> tuple[int, int]:
        """Width and height after turning."""
        return (self.trained[1], self.trained[0]) if self.turns % 2 else self.trained

    @property
    def cropped(self) -> bool:
        """Whether a part of what the model was trained on is gone."""
        return (self.cut.width, self.cut.height) != self.turned

    @property
    def resized(self) -> bool:
        """Whether it was scaled."""
        return (self.cut.width, self.cut.height) != self.now

    def plane(self, frame: Frame, trained: Frame, how: Gimp.InterpolationType) -> Frame:
        """A plane of today's size as it would have been when the model was trained.

        Scaling mixes colours at every border. So what is as scaling left it comes from the plane of the training, and
        only what was painted is scaled back.

        Args:
            frame: `RGBA`, or `LA` in grey pictures.
            trained: the plane as the model was trained on it, `RGBA`.
            how: to scale back what was painted.
        """
        if not self.resized:
            return self.back(frame, how, trained)
        manner = Gimp.InterpolationType(self.manner) if self.manner >= 0 else SOFT
        before = self.forth(trained, manner, Rect(0, 0, *self.trained))
        painted = different(before[0], frame, exact=self.manner >= 0) if before is not None else None
        if painted is None:
            return trained
        width, height = self.trained
        mask = self.back(painted, HARD, Frame(width, height, "L", "u8", bytes(width * height)))
        with sheet(trained) as image:
            over = _layer(image, self.back(frame, how, trained))
            image.insert_layer(over, None, 0)
            fresh = over.create_mask(Gimp.AddMaskType.BLACK)
            over.add_mask(fresh)
            pixels.write_mask(fresh, mask, 0, 0)
            image.flatten()
            return _whole(image, trained)

    def back(self, frame: Frame, how: Gimp.InterpolationType, ground: Frame | None = None) -> Frame:
        """A frame of today's size as it would have been when the model was trained.

        Args:
            ground: of the size of the training: what is where the picture was cropped since. Needed where it was.
        """
        frame = scaled(frame, (self.cut.width, self.cut.height), how)
        if self.cropped and ground is not None:
            with sheet(ground) as image:
                turn(image, self.mirrored, self.turns)
                pixels.write(image.get_layers()[0], frame, self.cut.x, self.cut.y)
                unturn(image, self.mirrored, self.turns)
                return _whole(image, ground)
        if not self.mirrored and not self.turns:
            return frame
        with sheet(frame) as image:
            unturn(image, self.mirrored, self.turns)
            return _whole(image, frame)

    def forth(self, frame: Frame, how: Gimp.InterpolationType, at: Rect) -> tuple[Frame, Rect] | None:
        """A part of the picture of the training as it lies now: its pixels and its place; None where nothing is left.

        Args:
            at: where the frame lies in the picture of the training.
        """
        place = self._turned(at)
        left = place.intersect(self.cut)
        if left.empty:
            return None
        with sheet(frame) as image:
            turn(image, self.mirrored, self.turns)
            if left != place:
                image.crop(left.width, left.height, left.x - place.x, left.y - place.y)
            frame = _whole(image, frame)
        left = left.moved(-self.cut.x, -self.cut.y)
        across, down = self.now[0] / self.cut.width, self.now[1] / self.cut.height
        x, y = floor(left.x * across), floor(left.y * down)
        right = min(self.now[0], ceil((left.x + left.width) * across))
        bottom = min(self.now[1], ceil((left.y + left.height) * down))
        there = Rect(x, y, right - x, bottom - y)
        return scaled(frame, (there.width, there.height), how), there

    def _turned(self, at: Rect) -> Rect:
        width, height = self.trained
        if self.mirrored:
            at = Rect(width - at.x - at.width, at.y, at.width, at.height)
        for _ in range(self.turns):
            at = Rect(height - at.y - at.height, at.x, at.height, at.width)
            width, height = height, width
        return at


@contextmanager
def sheet(frame: Frame) -> Iterator[Gimp.Image]:
    """A frame as a picture of its own with one layer, which nobody sees, for as long as it is needed."""
    curve = "LINEAR" if frame.linear else "NON_LINEAR"
    depth = {"u8": "U8", "u16": "U16", "f16": "HALF", "f32": "FLOAT"}[frame.depth]
    base = Gimp.ImageBaseType.GRAY if frame.order in ("L", "LA") else Gimp.ImageBaseType.RGB
    precision = getattr(Gimp.Precision, depth + "_" + curve)
    image = Gimp.Image.new_with_precision(frame.width, frame.height, base, precision)
    try:
        image.undo_disable()
        image.insert_layer(_layer(image, frame), None, 0)
        yield image
    finally:
        image.delete()


def _layer(image: Gimp.Image, frame: Frame) -> Gimp.Layer:
    """A layer with a frame's pixels, of the picture's own kind, not in it yet."""
    kind = {
        (False, False): Gimp.ImageType.RGB_IMAGE,
        (False, True): Gimp.ImageType.RGBA_IMAGE,
        (True, False): Gimp.ImageType.GRAY_IMAGE,
        (True, True): Gimp.ImageType.GRAYA_IMAGE,
    }[image.get_base_type() == Gimp.ImageBaseType.GRAY, frame.order.endswith("A")]
    layer = Gimp.Layer.new(image, "", frame.width, frame.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    pixels.write(layer, frame)
    return layer


def different(one: Frame, other: Frame, exact: bool) -> Frame | None:
    """Where two frames of a size differ, as a mask `L`; None where they do not.

    Args:
        exact: every difference counts; else those that cannot come from another manner of scaling: strong ones that
            are more than a thin line.
    """
    area = Rect(0, 0, one.width, one.height)
    with sheet(one) as image:
        over = _layer(image, other)
        over.set_mode(Gimp.LayerMode.DIFFERENCE)
        image.insert_layer(over, None, 0)
        flat = image.flatten()
        flat.threshold(Gimp.HistogramChannel.VALUE, LEAST if exact else STRONG, 1.0)
        Gimp.context_push()
        try:
            Gimp.context_set_defaults()
            Gimp.context_set_antialias(False)
            Gimp.context_set_sample_threshold(0.0)
            image.select_color(Gimp.ChannelOps.REPLACE, flat, Gegl.Color.new("white"))
        finally:
            Gimp.context_pop()
        if not exact and not Gimp.Selection.is_empty(image):
            Gimp.Selection.shrink(image, THIN)
            Gimp.Selection.grow(image, THIN + 1)
        return pixels.selection_frame(image, area)


def turn(image: Gimp.Image, mirrored: bool, turns: int) -> None:
    """Mirror a picture, then turn it to the right by quarters."""
    if mirrored:
        image.flip(Gimp.OrientationType.HORIZONTAL)
    for _ in range(turns):
        image.rotate(Gimp.RotationType.DEGREES90)


def unturn(image: Gimp.Image, mirrored: bool, turns: int) -> None:
    """Take `turn` back."""
    turn(image, False, -turns % 4)
    turn(image, mirrored, 0)


def scaled(frame: Frame, size: tuple[int, int], how: Gimp.InterpolationType) -> Frame:
    """A frame at another size."""
    if size == (frame.width, frame.height):
        return frame
    with sheet(frame) as image:
        scale(image, size, how)
        return _whole(image, frame)


def scale(image: Gimp.Image, size: tuple[int, int], how: Gimp.InterpolationType) -> None:
    """Scale a picture with everything in it."""
    Gimp.context_push()
    try:
        Gimp.context_set_interpolation(how)
        image.scale(*size)
    finally:
        Gimp.context_pop()


def _whole(image: Gimp.Image, like: Frame) -> Frame:
    layer = image.get_layers()[0]
    area = Rect(0, 0, layer.get_width(), layer.get_height())
    return replace(pixels.read(layer, area, alpha=like.order.endswith("A")), profile=like.profile)
