"""What a file is, by its first bytes: formats that are read, and those that are recognised by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileKind:
    """A format: its name, and what to do with a file that is not read here (empty: it is read)."""

    name: str
    advice: str = ""


EXPORT = "export it as PNG from the program that made it"
CONVERT = "open it in an image editor and export it as PNG"
PNG, TIFF, JPEG, WEBP = FileKind("PNG"), FileKind("TIFF"), FileKind("JPEG"), FileKind("WebP")
HEIC, AVIF = FileKind("HEIC"), FileKind("AVIF")
# Begins with these bytes: ordered, the longer ones first where one contains another.
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8", JPEG),
    (b"gimp xcf", FileKind("GIMP (XCF)", EXPORT)),
    (b"8BPS", FileKind("Photoshop (PSD)", EXPORT)),
    (b"GIF8", FileKind("GIF", CONVERT)),
    (b"BM", FileKind("BMP", CONVERT)),
    (b"\xff\x0a", FileKind("JPEG XL", CONVERT)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", FileKind("JPEG XL", CONVERT)),
    (b"\0\0\0\x0cjP  \r\n\x87\n", FileKind("JPEG 2000", CONVERT)),
    (b"\xff\x4f\xff\x51", FileKind("JPEG 2000", CONVERT)),
    (b"\x76\x2f\x31\x01", FileKind("OpenEXR", "export it as a 32-bit float TIFF")),
    (b"#?RADIANCE", FileKind("Radiance HDR", "export it as a 32-bit float TIFF")),
    (b"IIRO", FileKind("camera raw (ORF)", "develop it and export a 16-bit TIFF")),
    (b"IIU\0", FileKind("camera raw (RW2)", "develop it and export a 16-bit TIFF")),
    (b"FUJIFILMCCD-RAW", FileKind("camera raw (RAF)", "develop it and export a 16-bit TIFF")),
    (b"%PDF", FileKind("PDF", EXPORT)),
    (b"qoif", FileKind("QOI", CONVERT)),
    (b"\0\0\x01\0", FileKind("icon (ICO)", CONVERT)),
    (b"SIMPLE  =", FileKind("FITS", "export it as TIFF")),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BRANDS = {
    b"avif": AVIF,
    b"avis": AVIF,
    b"crx ": FileKind("camera raw (CR3)", "develop it and export a 16-bit TIFF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
}
_ARCHIVES = {
    b"application/x-krita": FileKind("Krita (KRA)", EXPORT),
    b"image/openraster": FileKind("OpenRaster (ORA)", EXPORT),
}


def kind_of(data: bytes) -> FileKind | None:
    """The format of a file by its beginning; None where it is not known."""
    if data[:4] in _TIFF:
        if data[8:10] == b"CR":
            return FileKind("camera raw (CR2)", "develop it and export a 16-bit TIFF")
        return TIFF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        return _by_brands(data)
    if data[:4] == b"PK\x03\x04":
        found = [kind for name, kind in _ARCHIVES.items() if name in data[:200]]
        return found[0] if found else FileKind("archive (ZIP)", "unpack it first")
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if b"<svg" in data[:1000]:
        return FileKind("SVG", EXPORT)
    return None


def _by_brands(data: bytes) -> FileKind:
    """A file of the ISO base media format, by its major brand, then by those that it is compatible with."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    if AVIF in known:
        return AVIF
    return known[0] if known else FileKind("film", "give a picture of it; `animate` takes films")
