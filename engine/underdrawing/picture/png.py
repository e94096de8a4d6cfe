"""PNG below the level of Pillow: chunks, what they say, 16-bit writing (PNG specification, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from underdrawing.picture import colourspace
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.metadata import COLOUR, INCH, Metadata, iptc_of, resources_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOURED, INDEXED, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
MOST_UNPACKED = 64 << 20  # bytes, of a profile or a text
XMP_KEY = b"XML:com.adobe.xmp"
OWN_KEY = b"underdrawing"  # our own note on what a primitive's file holds; no part of a picture
CUT_OFF = "The PNG file is cut off; get a complete copy of it."


@dataclass(frozen=True)
class Header:
    """The first chunk of a PNG file."""

    width: int
    height: int
    bits: int
    kind: int  # GREY, COLOURED, INDEXED, GREY_ALPHA or COLOUR_ALPHA


@dataclass(frozen=True)
class Parsed:
    """A PNG file taken apart.

    Attributes:
        pixels: a complete PNG file with nothing but what decoding needs.
        transparent: whether it has a tRNS chunk.
    """

    pixels: bytes
    transparent: bool
    profile: bytes | None
    metadata: Metadata


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


def parse(data: bytes, note: Callable[[str], None]) -> Parsed:
    """Take a file apart. Damage that leaves the pixels whole is reported; what is damaged is left out.

    Raises:
        PictureError: the pixels are damaged or cut off.
    """
    kept, others = _chunks(data, note)
    pixels = b"".join([SIGNATURE, *(_chunk(name, contents) for name, contents in kept), _chunk(b"IEND", b"")])
    profile, metadata = _facts(others)
    if profile is None:
        profile = colourspace.profile_of(dict(metadata.chunks), header(data).kind in (GREY, GREY_ALPHA))
    return Parsed(pixels, any(name == b"tRNS" for name, _ in kept), profile, metadata)


def _chunks(data: bytes, note: Callable[[str], None]) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    """The chunks that decoding needs, and the others; name and contents."""
    kept: list[tuple[bytes, bytes]] = []
    others: list[tuple[bytes, bytes]] = []
    place, name = len(SIGNATURE), b""
    while name != b"IEND" and place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 8 + length
        contents = data[place + 8 : end]
        needed = name in PIXELS
        if end + 4 > len(data):
            if needed:
                raise PictureError(CUT_OFF)
            break
        if zlib.crc32(data[place + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            if needed or not name.isalpha():
                raise PictureError("The PNG file is damaged (a checksum is wrong); get another copy of it.")
            note(f"A damaged part ({name.decode('ascii')}) that is not needed for the pixels was left out.")
        else:
            (kept if needed else others).append((name, contents))
        place = end + 4
    if name != b"IEND":
        _check_complete([contents for found, contents in kept if found == b"IDAT"])
        note("The file has no end mark, but its pixels are complete.")
    if not any(found == b"IDAT" for found, _ in kept):
        raise PictureError(CUT_OFF)
    return kept, others


def _check_complete(packed: list[bytes]) -> None:
    """Refuse compressed pixels that do not reach their own end."""
    unpacker = zlib.decompressobj()
    try:
        for part in packed:
            unpacker.decompress(part, 1 << 20)
            while unpacker.unconsumed_tail and not unpacker.eof:
                unpacker.decompress(unpacker.unconsumed_tail, 1 << 20)
    except zlib.error:
        raise PictureError("The PNG file is damaged; get another copy of it.") from None
    if not unpacker.eof:
        raise PictureError(CUT_OFF)


def _facts(others: list[tuple[bytes, bytes]]) -> tuple[bytes | None, Metadata]:
    """The colour profile, and everything else that is said beside the pixels."""
    found, profile = Metadata(), None
    chunks: list[tuple[bytes, bytes]] = []
    left_out: list[str] = []
    for name, contents in others:
        key = contents.split(b"\0", 1)[0]
        if name == b"iCCP":
            profile = _unpacked(contents[len(key) + 2 :]) or None
        elif name == b"eXIf":
            found = replace(found, exif=contents.removeprefix(b"Exif\0\0"))
        elif name == b"pHYs" and len(contents) == 9 and contents[8] == 1:
            x, y = struct.unpack_from(">II", contents)
            found = replace(found, resolution=(x * INCH, y * INCH) if x and y else None)
        elif name == b"iTXt" and key == XMP_KEY:
            found = replace(found, xmp=_international(contents))
        elif name in TEXTS and key.startswith(b"Raw profile type ") and (raw := _raw(name, contents)):
            if key.endswith((b"exif", b"APP1")) and raw.startswith(b"Exif\0\0"):
                found = replace(found, exif=found.exif or raw[6:])
            elif key.endswith((b"iptc", b"8bim")):
                found = replace(found, iptc=iptc_of(raw))
            else:
                chunks.append((name, contents))
        elif name in TEXTS and key == OWN_KEY:
            continue
        elif name in (*TEXTS, *COLOUR, b"tIME") or (name != b"IEND" and name[3:].islower() and name != b"fdAT"):
            chunks.append((name, contents))  # the last letter says that it may be copied although the pixels change
        elif name == b"acTL" and len(contents) >= 4:
            frames = struct.unpack_from(">I", contents)[0]
            found = replace(found, lost=(*found.lost, f"Of the {frames} frames only the first is in the result."))
        elif name not in (b"IEND", b"fcTL", b"fdAT"):
            left_out.append(name.decode("latin-1"))
    if left_out:
        text = f"PNG chunks that no longer fit were left out: {', '.join(dict.fromkeys(left_out))}."
        found = replace(found, lost=(*found.lost, text))
    return profile, replace(found, chunks=tuple(chunks))


def _unpacked(data: bytes) -> bytes:
    """Deflated bytes unpacked, up to a limit; nothing where they are damaged."""
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, MOST_UNPACKED)
    except zlib.error:
        return b""
    return found if unpacker.eof else b""


def _international(contents: bytes) -> bytes:
    """The text of an iTXt chunk, in UTF-8."""
    rest = contents.partition(b"\0")[2]
    parts = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(parts) != 3:
        return b""
    return _unpacked(parts[2]) if rest[0] else parts[2]


def _raw(name: bytes, contents: bytes) -> bytes:
    """What a "Raw profile type …" text holds: a name, a length and hexadecimal digits, as ImageMagick writes them."""
    text = contents.split(b"\0", 1)[1]
    text = _unpacked(text[1:]) if name == b"zTXt" else _international(contents) if name == b"iTXt" else text
    try:
        return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
    except ValueError:
        return b""


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


def text_keys(metadata: Metadata) -> list[str]:
    """What the texts of PNG chunks are called."""
    return [data.split(b"\0", 1)[0].decode("latin-1") for name, data in metadata.chunks if name in TEXTS]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _text_chunk(key: str, text: str) -> bytes:
    """A tEXt chunk; both in Latin-1, the key of 1 to 79 characters."""
    return _chunk(b"tEXt", key.encode("latin-1")[:79] + b"\0" + text.encode("latin-1", "replace"))


def _facts_written(picture: Picture, text: dict[str, str]) -> bytes:
    """Everything but the pixels, as chunks before them."""
    about, parts = picture.metadata, []
    grey = picture.channels == 1
    if picture.profile and picture.profile != colourspace.profile_of(dict(about.chunks), grey):
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(picture.profile)))
    if about.resolution is not None:
        x, y = (min(round(value / INCH), (1 << 31) - 1) for value in about.resolution)
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    if about.exif:
        parts.append(_chunk(b"eXIf", about.exif))
    if about.xmp:
        parts.append(_chunk(b"iTXt", XMP_KEY + b"\0\0\0\0\0" + about.xmp))
    if about.iptc:
        raw = resources_of(about.iptc)
        digits = b"\niptc\n%8d\n%s\n" % (len(raw), raw.hex().encode("ascii"))
        parts.append(_chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(digits)))
    if about.comment:
        parts.append(_chunk(b"tEXt", b"Comment\0" + about.comment.replace(b"\0", b" ")))
    parts += [_chunk(name, data) for name, data in about.chunks]
    parts += [_text_chunk(key, value) for key, value in text.items()]
    return b"".join(parts)


def with_facts(data: bytes, picture: Picture, text: dict[str, str]) -> bytes:
    """A PNG file of pixels alone with everything else of the picture put behind its header, where it is found early."""
    return data[:33] + _facts_written(picture, text) + data[33:]


def encode16(samples: np.ndarray) -> bytes:
    """A 16-bit PNG file, which Pillow does not write for colour.

    Args:
        samples: (H, W, 1 to 4) uint16: grey, grey and alpha, RGB, or RGB and alpha.
    """
    height, width, channels = samples.shape
    kind = {1: GREY, 2: GREY_ALPHA, 3: COLOURED, 4: COLOUR_ALPHA}[channels]
    raw = np.ascontiguousarray(samples.astype(">u2")).view(np.uint8).reshape(height, -1)
    lines = np.empty((height, raw.shape[1] + 1), np.uint8)
    lines[:, 0] = 2  # filter "up": the difference to the line above
    lines[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=lines[1:, 1:])
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))]
    packed = zlib.compress(lines.data, 4)
    parts += [_chunk(b"IDAT", packed[at : at + (1 << 24)]) for at in range(0, len(packed), 1 << 24)]
    return b"".join([*parts, _chunk(b"IEND", b"")])
