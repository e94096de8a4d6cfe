"""What a file says about its picture beside the pixels: EXIF, XMP, IPTC, texts, resolution, colour chunks of PNG."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field, replace
from typing import Any

from underdrawing.picture import ifd

INCH = 0.0254  # metres
COLOUR = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi")  # chunks of PNG


@dataclass(frozen=True)
class Metadata:
    """What is carried from the file that is read to the file that is written.

    Attributes:
        exif: a block from its "II" or "MM" on, upright and without a thumbnail; GPS and all else as it was.
        xmp: a packet.
        iptc: IPTC-IIM records.
        comment: of JPEG.
        resolution: pixels per inch, horizontally and vertically; None where it is unknown.
        chunks: name and contents of PNG chunks that only PNG has: texts, times, colour.
        lost: sentences about what reading could not carry, such as further pages.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    comment: bytes = b""
    resolution: tuple[float, float] | None = None
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    lost: tuple[str, ...] = field(default=(), compare=False)

    @property
    def orientation(self) -> int:
        """1 to 8, as EXIF has it, or XMP where EXIF says nothing."""
        said = exif_facts(self.exif)[0]
        return said if said is not None else ifd.xmp_orientation(self.xmp)

    def for_size(self, size: tuple[int, int]) -> Metadata:
        """For upright pixels of this width and height."""
        try:
            exif = ifd.cleaned(self.exif, size) if self.exif else b""
        except ValueError:
            return replace(self, exif=b"", lost=(*self.lost, "The EXIF data are damaged and were left out.")).for_size(
                size
            )
        return replace(self, exif=exif, xmp=ifd.upright_xmp(self.xmp))

    def stripped(self) -> Metadata:
        """Only what the colours need."""
        return Metadata(chunks=tuple(c for c in self.chunks if c[0] in COLOUR), lost=self.lost)

    def with_resolution(self) -> bytes:
        """The EXIF block with the resolution in it, for formats that have no other place for one."""
        if self.resolution is None:
            return self.exif
        order, top = "<", ifd.Directory()
        if self.exif:
            layout, first = ifd.layout_of(self.exif)
            order, top = layout.order, ifd.read(self.exif, layout, first)[0]
        return (
            self.exif if ifd.X_RESOLUTION in top else ifd.block(top | resolution_fields(self.resolution, order), order)
        )

    def to_bytes(self) -> bytes:
        """For a frame on its way to the engine and back; empty where there is nothing."""
        if self == NOTHING:
            return b""
        parts: dict[str, Any] = {name: _text(getattr(self, name)) for name in ("exif", "xmp", "iptc", "comment")}
        parts["resolution"] = self.resolution
        parts["chunks"] = [[_text(name), _text(data)] for name, data in self.chunks]
        return json.dumps({key: value for key, value in parts.items() if value}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Metadata:
        """The way back; nothing where it is damaged."""
        try:
            parts = json.loads(data) if data else {}
            chunks = tuple((_bytes(name), _bytes(value)) for name, value in parts.pop("chunks", []))
            found = parts.pop("resolution", None)
            resolution = (float(found[0]), float(found[1])) if found else None
            named = {name: _bytes(parts[name]) for name in ("exif", "xmp", "iptc", "comment") if name in parts}
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
            return cls()
        if any(len(name) != 4 or not name.isalpha() for name, _ in chunks):
            return cls()
        return replace(cls(**named), resolution=resolution, chunks=chunks)  # type: ignore[arg-type]


NOTHING = Metadata()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def resolution_fields(resolution: tuple[float, float], order: str) -> ifd.Directory:
    """A resolution in pixels per inch as fields of TIFF and EXIF."""
    return {
        ifd.X_RESOLUTION: ifd.fraction(resolution[0], order),
        ifd.Y_RESOLUTION: ifd.fraction(resolution[1], order),
        ifd.RESOLUTION_UNIT: ifd.TagEntry(ifd.SHORT, 1, struct.pack(order + "H", 2)),
    }


def exif_facts(exif: bytes) -> tuple[int | None, tuple[float, float] | None]:
    """Orientation (1 to 8) and resolution in pixels per inch, as an EXIF block has them; None where it does not."""
    try:
        layout, first = ifd.layout_of(exif)
        top, _ = ifd.read(exif, layout, first, 0)
    except ValueError:
        return None, None
    return facts_of(top, layout.order)


def facts_of(top: ifd.Directory, order: str) -> tuple[int | None, tuple[float, float] | None]:
    """Orientation (1 to 8) and resolution in pixels per inch, as a first directory has them."""
    turned = ifd.number_of(top.get(ifd.ORIENTATION), order)
    x, y = (ifd.number_of(top.get(tag), order) for tag in (ifd.X_RESOLUTION, ifd.Y_RESOLUTION))
    unit = ifd.number_of(top.get(ifd.RESOLUTION_UNIT), order) or 2
    resolution = None
    if x and y and unit in (2, 3):
        resolution = (x, y) if unit == 2 else (x * 2.54, y * 2.54)
    return int(turned) if turned is not None and 1 <= turned <= 8 else None, resolution


def iptc_of(resources: bytes) -> bytes:
    """The IPTC records among Photoshop's image resources ("8BIM" blocks)."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        name = resources[at + 6] + 1
        start = at + 6 + name + name % 2
        if start + 4 > len(resources):
            break
        size = struct.unpack_from(">I", resources, start)[0]
        if resources[at + 4 : at + 6] == b"\x04\x04":
            return resources[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2
    return b""


def resources_of(iptc: bytes) -> bytes:
    """IPTC records as a Photoshop image resource."""
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
