"""Multipart messages on a pipe, for the bridge. Big endian: the number of parts, then each with its length."""

from __future__ import annotations

import struct
from typing import Any, List, Optional, Sequence

from .messages import MOST_BYTES, MOST_PARTS


def write_parts(stream: Any, parts: Sequence[Any]) -> None:
    """Write a message to a binary stream.

    Raises:
        OSError, ValueError: the other end is gone.
    """
    stream.write(struct.pack(">I", len(parts)))
    for part in parts:
        view = memoryview(part).cast("B")
        stream.write(struct.pack(">Q", view.nbytes))
        stream.write(view)
    stream.flush()


def read_parts(stream: Any) -> Optional[List[bytes]]:
    """The next message of a binary stream; None at its end, or where what comes is not in this form."""
    try:
        (count,) = struct.unpack(">I", _exactly(stream, 4))
        if count > MOST_PARTS + 2:
            return None
        parts = []
        for _ in range(count):
            (size,) = struct.unpack(">Q", _exactly(stream, 8))
            if size > MOST_BYTES:
                return None
            parts.append(_exactly(stream, size))
        return parts
    except (EOFError, OSError, ValueError):
        return None


def _exactly(stream: Any, count: int) -> bytes:
    data = stream.read(count)
    if data is None or len(data) != count:
        raise EOFError
    return bytes(data)
