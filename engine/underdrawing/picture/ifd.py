"""EXIF blocks and TIFF directories below the level of libraries: read, cleaned, moved from one kind of file to another.

An EXIF block is a small TIFF file without pixels (CIPA DC-008, 4.5), so one code serves both.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SUB = (0x8769, 0x8825, 0xA005)  # EXIF, GPS and interoperability: directories of their own
BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
XMP, IPTC = 700, 33723
MOST_ENTRIES = 4096
# What says how and where the pixels are stored, beside what has a field of its own in `Metadata`.
STRUCTURE = {*range(254, 260), *range(262, 267), 273, 274, *range(277, 282), 284, *range(288, 294), 297, 317}
STRUCTURE |= {*range(320, 326), 330, 332, 333, 334, 336, *range(338, 343), 347, *range(512, 522), *range(529, 533)}
STRUCTURE |= {XMP, IPTC, 34377, 34675, 37724, 50838, 50839}


@dataclass(frozen=True)
class TagEntry:
    """A field of a directory: its type, how many values, their bytes; or the directory that it points to."""

    kind: int
    count: int
    data: bytes
    place: int = 0  # where the bytes lie in what was read
    below: Directory | None = None


Directory = dict[int, TagEntry]


@dataclass(frozen=True)
class TagLayout:
    """How a TIFF file writes numbers: "<" or ">", and whether it is a BigTIFF."""

    order: str
    big: bool

    def unpack(self, form: str, data: bytes | bytearray | memoryview, at: int) -> int:
        """One number.

        Raises:
            ValueError: it lies outside.
        """
        if not 0 <= at <= len(data) - struct.calcsize(form):
            raise ValueError("A field lies outside of its block.")
        return int(struct.unpack_from(self.order + form, data, at)[0])


def layout_of(data: bytes | bytearray | memoryview) -> tuple[TagLayout, int]:
    """The layout of a TIFF file or an EXIF block, and where its first directory begins.

    Raises:
        ValueError: it is none.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        raise ValueError("It does not begin as TIFF or EXIF.")
    version = TagLayout(order, False).unpack("H", data, 2)
    if version not in (42, 43):
        raise ValueError("It is neither TIFF nor EXIF.")
    layout = TagLayout(order, version == 43)
    return layout, layout.unpack("Q" if layout.big else "I", data, 8 if layout.big else 4)


def read(data: bytes | bytearray | memoryview, layout: TagLayout, at: int, deep: int = 2) -> tuple[Directory, int]:
    """A directory with those below it, and where the number lies that points to the next one.

    Raises:
        ValueError: damaged.
    """
    head, each, form = (8, 20, "Q") if layout.big else (2, 12, "I")
    count = layout.unpack("Q" if layout.big else "H", data, at)
    if count > MOST_ENTRIES:
        raise ValueError("A directory has too many fields.")
    found: Directory = {}
    for place in range(at + head, at + head + count * each, each):
        tag, kind = layout.unpack("H", data, place), layout.unpack("H", data, place + 2)
        number = layout.unpack(form, data, place + 4)
        size = number * SIZES.get(kind, 0)
        value = place + each - (8 if layout.big else 4)
        if size > (8 if layout.big else 4):
            value = layout.unpack(form, data, value)
        if not size or size > len(data) - value:
            continue  # a field of an unknown kind, or cut off
        below = None
        if tag in SUB:
            pointer = layout.unpack("Q" if size == 8 else "I", data, value)
            below = read(data, layout, pointer, deep - 1)[0] if deep else {}
        found[tag] = TagEntry(kind, number, bytes(data[value : value + size]), value, below)
    return found, at + head + count * each


def number_of(entry: TagEntry | None, order: str) -> float | None:
    """The first value of a field of whole numbers or fractions; None where there is none."""
    if entry is None or entry.kind not in (SHORT, LONG, RATIONAL):
        return None
    if entry.kind == RATIONAL:
        above, below = struct.unpack_from(order + "II", entry.data)
        return float(above / below) if below else None
    return float(struct.unpack_from(order + ("H" if entry.kind == SHORT else "I"), entry.data)[0])


def written(directory: Directory, order: str, at: int) -> bytes:
    """A directory with those below it, as it lies in a plain TIFF file or EXIF block from the place `at` on."""
    head = 2 + 12 * len(directory) + 4
    entries, values = [struct.pack(order + "H", len(directory))], b""
    for tag, entry in sorted(directory.items()):
        kind, count, data = entry.kind, entry.count, entry.data
        place = at + head + len(values)
        if entry.below is not None:
            kind, count, data = LONG, 1, struct.pack(order + "I", place)
            below = written(entry.below, order, place)
            values += below + b"\0" * (len(below) % 2)
        elif len(data) > 4:
            values += data + b"\0" * (len(data) % 2)
            data = struct.pack(order + "I", place)
        entries.append(struct.pack(order + "HHI", tag, kind, count) + data.ljust(4, b"\0"))
    return b"".join([*entries, b"\0\0\0\0", values])


def block(directory: Directory, order: str) -> bytes:
    """An EXIF block."""
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8) + written(directory, order, 8)


def fraction(value: float, order: str) -> TagEntry:
    """A positive fraction, such as a resolution."""
    whole = round(value * 10_000)
    below = 10_000
    while below > 1 and whole % 10 == 0:
        whole, below = whole // 10, below // 10
    return TagEntry(RATIONAL, 1, struct.pack(order + "II", min(whole, (1 << 32) - 1), below))


def cleaned(exif: bytes, size: tuple[int, int]) -> bytes:
    """An EXIF block for pixels that stand upright: orientation 1, the new size, no thumbnail of the picture as it was.

    Changed in place: what a camera's maker wrote holds places of its own, which stay right.

    Raises:
        ValueError: damaged.
    """
    data = bytearray(exif)
    layout, first = layout_of(data)
    top, pointer = read(data, layout, first)
    below = top[SUB[0]].below if SUB[0] in top else None
    news = {ORIENTATION: 1, 256: size[0], 257: size[1], 0xA002: size[0], 0xA003: size[1]}
    for directory in (top, below or {}):
        for tag, value in news.items():
            entry = directory.get(tag)
            if entry is not None and entry.kind in (SHORT, LONG) and entry.count == 1:
                form = "H" if entry.kind == SHORT and value < 1 << 16 else "I" if entry.kind == LONG else ""
                if form:
                    struct.pack_into(layout.order + form, data, entry.place, value)
    form = "Q" if layout.big else "I"
    second = layout.unpack(form, data, pointer)
    if second:
        small, _ = read(data, layout, second)
        place, length = (number_of(small.get(tag), layout.order) for tag in (513, 514))
        struct.pack_into(layout.order + form, data, pointer, 0)
        if place is not None and length is not None and 8 < place <= len(data):
            end = min(len(data), int(place + length))
            data[int(place) : end] = bytes(end - int(place))
            if end == len(data):
                del data[int(place) :]
    return bytes(data)


_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation\s*(?:=\s*["\']|>)\s*)([1-8])')


def xmp_orientation(xmp: bytes) -> int:
    """The orientation that XMP says; 1 where it says none."""
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[2]) if found else 1


def upright_xmp(xmp: bytes) -> bytes:
    """XMP for pixels that stand upright: orientation 1, no thumbnails."""
    xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    return re.sub(rb"<(xmp|xap):Thumbnails>.*?</\1:Thumbnails>", b"", xmp, flags=re.DOTALL)
