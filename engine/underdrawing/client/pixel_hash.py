"""The hash by which a model finds its picture again: of the colours alone, without alpha and profile.

It is what `models.list` calls `picture_hash`, and what `Picture.hash` gives in the engine.
"""

from __future__ import annotations

import hashlib
from array import array
from typing import Generator

from .frames import CHANNELS, Frame

STEP = 1 << 18  # pixels that are hashed at one go
TYPES = {"u8": "B", "u16": "H", "f16": "H", "f32": "I"}  # of the bytes alone: nothing is calculated with them
COLOURS = {"L": (0,), "LA": (0,), "RGB": (0, 1, 2), "RGBA": (0, 1, 2), "BGRA": (2, 1, 0)}  # places, in RGB order


def pixel_hash_steps(frame: Frame) -> Generator[None, None, str]:
    """The hash in steps, between which a host can do other things."""
    places, values, kind = COLOURS[frame.order], CHANNELS[frame.order], TYPES[frame.depth]
    text = "(%d, %d, %d) %s %s\n" % (frame.height, frame.width, len(places), frame.depth, frame.linear)
    digest = hashlib.sha256(text.encode())
    data = memoryview(frame.data).cast("B")
    rows, used = max(1, STEP // frame.width), frame.width * values
    for top in range(0, frame.height, rows):
        for row in range(top, min(top + rows, frame.height)):
            start = row * frame.stride
            pixels = array(kind)
            pixels.frombytes(data[start : start + used * pixels.itemsize])
            if len(places) == values:
                digest.update(pixels)
                continue
            colours = array(kind, bytes(frame.width * len(places) * pixels.itemsize))
            for number, place in enumerate(places):
                colours[number :: len(places)] = pixels[place::values]
            digest.update(colours)
        yield None
    return digest.hexdigest()


def pixel_hash(frame: Frame) -> str:
    """The hash of a picture's colours, 64 hexadecimal digits."""
    steps = pixel_hash_steps(frame)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return str(end.value)
