"""A baked copy: the picture's layer once more, with the result in it, bit for bit the same outside of the mask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import pixels, record
from .gi import Babl, Gegl, Gimp

if TYPE_CHECKING:
    from .apply import Result
    from .client.frames import Frame

NAME = "Baked copy"
NOTHING = re.compile(b"\\0+")


def baked_copy(image: Gimp.Image, known: record.Record, result: Result) -> Gimp.Layer:
    """A hidden copy of the source layer with the result in it, not in the picture yet.

    The engine lays the result over. Pictures of 32-bit integers travel as floats, which hold 24 bits: what is outside
    of the mask is put back from the layer itself, so that it stays as it was at any depth.
    """
    source = record.source(image, known)
    layer = source.copy()
    layer.detach_parasite(record.SOURCE)  # nothing was made of the copy
    at = result.at.moved(known.region.x, known.region.y)
    native = str(Babl.get_name(layer.get_format()))
    before = bytes(layer.get_buffer().get(at.gegl(), 1.0, native, Gegl.AbyssPolicy.NONE))
    if result.merged is None:
        raise ValueError("the result was asked for without its merged area")
    pixels.write(layer, result.merged, at.x, at.y)
    after = bytearray(layer.get_buffer().get(at.gegl(), 1.0, native, Gegl.AbyssPolicy.NONE))
    keep_outside(before, after, result.mask)
    buffer = layer.get_buffer()
    buffer.set(at.gegl(), native, bytes(after))
    buffer.flush()
    layer.update(at.x, at.y, at.width, at.height)
    layer.set_name(NAME)
    layer.set_visible(False)
    return layer


def keep_outside(before: bytes, after: bytearray, mask: Frame) -> None:
    """Put back into `after` what `before` has where the mask is 0; all of one size, rows without gaps."""
    count = mask.width * mask.height
    wide = len(before) // count
    values = bytes(mask.data)
    if mask.depth == "u16":
        # 0 where both halves of a value are: the larger of the two says as much.
        values = bytes(map(max, values[0::2], values[1::2]))
    for run in NOTHING.finditer(values):
        first, last = run.start() * wide, run.end() * wide
        after[first:last] = before[first:last]
