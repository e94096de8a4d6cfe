"""PNG below the level of Pillow: chunks with their checks, texts, 16-bit writing (PNG specification, 3rd edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from underdrawing.picture.image import PictureError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, INDEXED, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6


@dataclass(frozen=True)
class Header:
    """The first chunk of a PNG file."""

    width: int
    height: int
    bits: int
    kind: int  # GREY, COLOUR, INDEXED, GREY_ALPHA or COLOUR_ALPHA


def chunks(data: bytes | memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """All chunks of a file, name and contents, with their checksums verified.

    Raises:
        PictureError: damaged or cut off.
    """
    view = memoryview(data)
    place = len(SIGNATURE)
    name = b""
    while name != b"IEND":
        if place + 12 > len(view):
            raise PictureError("The PNG file is cut off; get a complete copy of it.")
        length, name = struct.unpack_from(">I4s", view, place)
        end = place + 8 + length
        if end + 4 > len(view):
            raise PictureError("The PNG file is cut off; get a complete copy of it.")
        if zlib.crc32(view[place + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise PictureError("The PNG file is damaged (a checksum is wrong); get another copy of it.")
        yield name, view[place + 8 : end]
        place = end + 4


def header(data: bytes | memoryview) -> Header:
    """Size, bits a channel and kind.

    Raises:
        PictureError: no PNG file, or its first chunk is damaged.
    """
    if bytes(data[:8]) != SIGNATURE or len(data) < 33:
        raise PictureError("The PNG file is cut off or damaged; get a complete copy of it.")
    name, length = bytes(data[12:16]), struct.unpack_from(">I", data, 8)[0]
    if name != b"IHDR" or length != 13:
        raise PictureError("The PNG file does not begin as one; get another copy of it.")
    return Header(*struct.unpack_from(">IIBB", data, 16))


def texts(path: Path) -> dict[str, str]:
    """The plain texts (tEXt) before the pixels; nothing for other files, damaged ones included."""
    found: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            if file.read(8) != SIGNATURE:
                return {}
            while len(head := file.read(8)) == 8:
                length, name = struct.unpack(">I4s", head)
                if name in (b"IDAT", b"IEND") or length > 1 << 24:
                    break
                data = file.read(length)
                file.read(4)
                if name == b"tEXt" and b"\0" in data:
                    key, text = data.split(b"\0", 1)
                    found[key.decode("latin-1")] = text.decode("latin-1")
    except OSError as error:
        raise PictureError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def text_chunk(key: str, text: str) -> bytes:
    """A tEXt chunk; both in Latin-1, the key of 1 to 79 characters."""
    return _chunk(b"tEXt", key.encode("latin-1")[:79] + b"\0" + text.encode("latin-1", "replace"))


def encode16(samples: np.ndarray, profile: bytes | None, text: dict[str, str]) -> bytes:
    """A 16-bit PNG file, which Pillow does not write for colour.

    Args:
        samples: (H, W, 1 to 4) uint16: grey, grey and alpha, RGB, or RGB and alpha.
        profile: ICC profile or None.
        text: put in as tEXt.
    """
    height, width, channels = samples.shape
    kind = {1: GREY, 2: GREY_ALPHA, 3: COLOUR, 4: COLOUR_ALPHA}[channels]
    raw = np.ascontiguousarray(samples.astype(">u2")).view(np.uint8).reshape(height, -1)
    lines = np.empty((height, raw.shape[1] + 1), np.uint8)
    lines[:, 0] = 2  # filter "up": the difference to the line above
    lines[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=lines[1:, 1:])
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))]
    if profile:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    parts += [text_chunk(key, value) for key, value in text.items()]
    packed = zlib.compress(lines.data, 4)
    parts += [_chunk(b"IDAT", packed[at : at + (1 << 24)]) for at in range(0, len(packed), 1 << 24)]
    return b"".join([*parts, _chunk(b"IEND", b"")])
