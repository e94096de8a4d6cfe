"""Pixels packed for the document's notes, and unpacked again, a piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable
from typing import Any

from .client.frames import Frame
from .client.messages import EngineError

PIECE = 1 << 18  # bytes of one step


def pack(frames: Iterable[Frame]) -> Generator[None, None, bytes]:
    """The pixels of frames, one after the other."""
    packer, packed = zlib.compressobj(1), bytearray()
    for frame in frames:
        pixels = memoryview(frame.data).cast("B")
        for start in range(0, pixels.nbytes, PIECE):
            packed += packer.compress(pixels[start : start + PIECE])
            yield None
    return bytes(packed + packer.flush())


def unpack(note: Any) -> Generator[None, None, bytearray]:
    """What was packed.

    Raises:
        EngineError: "damaged".
    """
    unpacker, data, packed = zlib.decompressobj(), bytearray(), memoryview(bytes(note))
    try:
        for start in range(0, packed.nbytes, PIECE):
            data += unpacker.decompress(packed[start : start + PIECE])
            yield None
    except zlib.error:
        raise EngineError("damaged", "A note of Underdrawing is damaged in the document.") from None
    return data
