"""What a file is, by its first bytes: formats that are read, and those that are recognised by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A format: its name, and what to do with a file that is not read here (empty: it is read)."""

    name: str
    advice: str = ""


EXPORT = "export it as PNG from the program that made it"
CONVERT = "open it in an image editor and export it as PNG"
PNG, TIFF, JPEG, WEBP = Kind("PNG"), Kind("TIFF"), Kind("JPEG"), Kind("WebP")
HEIC, AVIF = Kind("HEIC"), Kind("AVIF")
# Begins with these bytes: ordered, the longer ones first where one contains another.
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8", JPEG),
    (b"gimp xcf", Kind("GIMP (XCF)", EXPORT)),
    (b"8BPS", Kind("Photoshop (PSD)", EXPORT)),
    (b"GIF8", Kind("GIF", CONVERT)),
    (b"BM", Kind("BMP", CONVERT)),
    (b"\xff\x0a", Kind("JPEG XL", CONVERT)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind("JPEG XL", CONVERT)),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind("JPEG 2000", CONVERT)),
    (b"\xff\x4f\xff\x51", Kind("JPEG 2000", CONVERT)),
    (b"\x76\x2f\x31\x01", Kind("OpenEXR", "export it as a 32-bit float TIFF")),
    (b"#?RADIANCE", Kind("Radiance HDR", "export it as a 32-bit float TIFF")),
    (b"IIRO", Kind("camera raw (ORF)", "develop it and export a 16-bit TIFF")),
    (b"IIU\0", Kind("camera raw (RW2)", "develop it and export a 16-bit TIFF")),
    (b"FUJIFILMCCD-RAW", Kind("camera raw (RAF)", "develop it and export a 16-bit TIFF")),
    (b"%PDF", Kind("PDF", EXPORT)),
    (b"qoif", Kind("QOI", CONVERT)),
    (b"\0\0\x01\0", Kind("icon (ICO)", CONVERT)),
    (b"SIMPLE  =", Kind("FITS", "export it as TIFF")),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BRANDS = {
    b"avif": AVIF,
    b"avis": AVIF,
    b"crx ": Kind("camera raw (CR3)", "develop it and export a 16-bit TIFF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
}
_ARCHIVES = {
    b"application/x-krita": Kind("Krita (KRA)", EXPORT),
    b"image/openraster": Kind("OpenRaster (ORA)", EXPORT),
}


def kind_of(data: bytes) -> Kind | None:
    """The format of a file by its beginning; None where it is not known."""
    if data[:4] in _TIFF:
        if data[8:10] == b"CR":
            return Kind("camera raw (CR2)", "develop it and export a 16-bit TIFF")
        return TIFF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        return _by_brands(data)
    if data[:4] == b"PK\x03\x04":
        found = [kind for name, kind in _ARCHIVES.items() if name in data[:200]]
        return found[0] if found else Kind("archive (ZIP)", "unpack it first")
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if b"<svg" in data[:1000]:
        return Kind("SVG", EXPORT)
    return None


def _by_brands(data: bytes) -> Kind:
    """A file of the ISO base media format, by its major brand, then by those that it is compatible with."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    if AVIF in known:
        return AVIF
    return known[0] if known else Kind("film", "give a picture of it; `animate` takes films")
