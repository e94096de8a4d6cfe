"""Pixels in and out of Krita, at most a quarter of a megapixel at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Callable

from .client.frames import Frame, start_hash
from .client.messages import EngineError
from .colour_space import Space

MOST = 1 << 18  # pixels of one step: Krita takes up to 20 ms for so many
Read = Callable[[int, int, int, int], Any]


@dataclass(frozen=True)
class Bounds:
    """A rectangle in pixels of the document."""

    x: int
    y: int
    width: int
    height: int


def bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """First row and number of rows of the pieces that a picture is read and written in."""
    rows = max(1, MOST // max(1, width))
    for y in range(0, height, rows):
        yield y, min(rows, height - y)


def read(source: Read, space: Space, width: int, height: int) -> Generator[None, None, Frame]:
    """A picture as a frame, read in steps.

    Args:
        source: called with x, y, width and height; a layer's `pixelData`, as a rule.
        space: what the bytes are.

    Raises:
        EngineError: "gone" where the layer or its document is no more.
    """
    stride = width * space.pixel
    data = bytearray(stride * height)
    frame = Frame(width, height, space.order, space.wire_depth, data, 0, space.linear)
    digest = start_hash(frame.description())
    for y, rows in bands(width, height):
        piece = memoryview(source(0, y, width, rows))
        if piece.nbytes != stride * rows:
            raise EngineError("gone", "The layer cannot be read any more.", "Was it deleted, or its document closed?")
        data[y * stride : (y + rows) * stride] = piece
        digest.update(piece)
        yield None
    # Known already, so that nothing of a large picture has to be hashed at one go.
    object.__setattr__(frame, "_hash", digest.hexdigest())
    return frame


def hashed(frame: Frame) -> Generator[None, None, Frame]:
    """The same frame, which knows its hash: found in steps, as a large picture would hold things up."""
    digest, pixels = start_hash(frame.description()), memoryview(frame.data).cast("B")
    for y, rows in bands(frame.width, frame.height):
        digest.update(pixels[y * frame.stride : (y + rows) * frame.stride])
        yield None
    object.__setattr__(frame, "_hash", digest.hexdigest())
    return frame


def write(node: Any, frame: Frame, x: int = 0, y: int = 0) -> Generator[None, None, None]:
    """A frame into a layer, in steps; its upper left corner at x, y. The layer's space must be the frame's."""
    pixels = memoryview(frame.data).cast("B")
    for top, rows in bands(frame.width, frame.height):
        piece = bytes(pixels[top * frame.stride : (top + rows) * frame.stride])
        node.setPixelData(piece, x, y + top, frame.width, rows)
        yield None


def clear(node: Any, space: Space, area: Bounds) -> Generator[None, None, None]:
    """Make an area of a layer transparent, in steps."""
    for top, rows in bands(area.width, area.height):
        node.setPixelData(bytes(space.pixel * area.width * rows), area.x, area.y + top, area.width, rows)
        yield None
