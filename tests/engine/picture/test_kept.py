"""What each format keeps, as the table in docs/pictures.md says: written by us, read by Pillow and tifffile alone."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.metadata import Metadata

PICTURES = Path(__file__).parents[3] / "docs" / "pictures.md"
FORMATS = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "WebP": ".webp"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>a person wrote this</rdf:RDF></x:xmpmeta>'
IPTC = b"\x1c\x02\x78\x00\x05Coast\x1c\x02\x50\x00\x05Maria"


def exif() -> bytes:
    made = Image.Exif()
    made[271] = "A camera"
    made[33432] = "Maria"
    made.get_ifd(0x8769)[36867] = "2024:05:06 07:08:09"
    made.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.5), 3: "E", 4: (13.0, 24.0, 2.25)})
    return made.tobytes().removeprefix(b"Exif\0\0")


FULL = Metadata(
    exif=exif(),
    xmp=XMP,
    iptc=IPTC,
    comment=b"seen from the pier",
    resolution=(300.0, 300.0),
    chunks=(
        (b"tEXt", b"Title\0The coast"),
        (b"tIME", struct.pack(">H5B", 2024, 5, 6, 7, 8, 9)),
        (b"gAMA", struct.pack(">I", 100_000)),
    ),
)


def table() -> dict[tuple[str, str], str]:
    """The cells under "What each format keeps", by row and format."""
    text = PICTURES.read_text(encoding="utf-8").split("### What each format keeps", 1)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    head, _, *body = rows[: next((i for i, row in enumerate(rows) if len(row) != len(rows[0])), len(rows))]
    return {(row[0], kind): cell for row in body for kind, cell in zip(head[1:], row[1:], strict=True)}


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def all_exif(path: Path) -> Image.Exif:
    return opened(path).getexif()


def texts(path: Path) -> dict[str, str]:
    return getattr(opened(path), "text", {})


def iptc(path: Path) -> bytes:
    image = opened(path)
    if image.format == "PNG":
        return bytes.fromhex("".join(texts(path).get("Raw profile type iptc", "").split()[2:]))
    if image.format == "TIFF":
        return bytes(image.tag_v2.get(33723, b""))  # type: ignore[attr-defined]
    return bytes(image.info.get("photoshop", {}).get(0x0404, b""))


def comment(path: Path) -> str:
    image = opened(path)
    return str(image.info.get("comment", b"").decode() if image.format == "JPEG" else image.info.get("Comment", ""))


def resolution(path: Path) -> bool:
    image, found = opened(path), all_exif(path)
    dpi = image.info.get("dpi") or (found.get(282), found.get(283))
    return all(value is not None and abs(float(value) - 300) < 0.01 for value in dpi)


def alpha(path: Path) -> bool:
    return opened(path).mode == "RGBA" and int(np.array(opened(path))[0, 0, 3]) == 77


def pixels(path: Path) -> bool:
    return bool(np.array_equal(np.array(opened(path))[..., :3], PIXELS))


def deep(path: Path) -> bool:
    if path.suffix == ".tif":
        return bool(tifffile.imread(path).dtype == np.uint16)
    return path.read_bytes()[24] == 16 and path.suffix == ".png"


def floats(path: Path) -> bool:
    return path.suffix == ".tif" and tifffile.imread(path).dtype == np.float32 and tifffile.imread(path).max() > 1


def colour(path: Path) -> bool:
    image = opened(path)
    return image.info.get("gamma") == 1.0 or "From the colour chunks" in _described(image.info.get("icc_profile"))


def _described(profile: bytes | None) -> str:
    return "" if profile is None else profile.decode("latin-1")


PIXELS = np.random.default_rng(4).integers(0, 255, (24, 32, 3), dtype=np.uint8)
ALPHA = np.full((24, 32), 77, np.uint8)
ROWS: dict[str, tuple[Callable[[Path], bool], Picture]] = {
    "8 bits, the same bits": (pixels, Picture(PIXELS, profile=SRGB)),
    "16 bits": (deep, Picture(PIXELS.astype(np.uint16) * 257)),
    "floats, values above 1": (floats, Picture(PIXELS.astype(np.float32) / 100)),
    "transparency": (alpha, Picture(PIXELS, ALPHA)),
    "colour profile (ICC)": (lambda p: opened(p).info.get("icc_profile") == SRGB, Picture(PIXELS, profile=SRGB)),
    "EXIF": (lambda p: all_exif(p).get(271) == "A camera", Picture(PIXELS, metadata=FULL)),
    "time and place in EXIF": (
        lambda p: (
            all_exif(p).get_ifd(0x8769).get(36867) == "2024:05:06 07:08:09"
            and [float(v) for v in all_exif(p).get_ifd(0x8825).get(4, ())] == [13.0, 24.0, 2.25]
        ),
        Picture(PIXELS, metadata=FULL),
    ),
    "XMP": (lambda p: _xmp(p) == XMP, Picture(PIXELS, metadata=FULL)),
    "IPTC": (lambda p: IPTC in iptc(p), Picture(PIXELS, metadata=FULL)),
    "resolution": (resolution, Picture(PIXELS, metadata=Metadata(resolution=(300.0, 300.0)))),
    "texts of PNG": (lambda p: texts(p).get("Title") == "The coast", Picture(PIXELS, metadata=FULL)),
    "time of PNG (tIME)": (
        lambda p: b"tIME\x07\xe8\x05\x06\x07\x08\x09" in p.read_bytes(),
        Picture(PIXELS, metadata=FULL),
    ),
    "comment of JPEG": (lambda p: comment(p) == "seen from the pier", Picture(PIXELS, metadata=FULL)),
}


def _xmp(path: Path) -> bytes:
    found = opened(path).info.get("xmp") or texts(path).get("XML:com.adobe.xmp", "")
    if path.suffix == ".tif":
        found = opened(path).tag_v2.get(700, b"")  # type: ignore[attr-defined]
    return found.encode() if isinstance(found, str) else bytes(found)


def test_the_table_has_every_row_and_format() -> None:
    assert set(table()) == {(row, kind) for row in ROWS for kind in FORMATS}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("row", ROWS)
def test_a_format_keeps_what_the_table_says(tmp_path: Path, row: str, kind: str) -> None:
    keeps, picture = ROWS[row]
    path = tmp_path / f"a{FORMATS[kind]}"
    losses = write_picture(path, picture, quality=100 if kind == "WebP" else 95)
    said = table()[row, kind]
    assert said.split(",")[0] in ("yes", "no")
    assert keeps(path) == said.startswith("yes")
    if said.startswith("no"):
        assert losses, "what is lost must be in the answer"


@pytest.mark.parametrize("kind", FORMATS)
def test_colours_told_by_chunks_keep_their_meaning(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "linear.png"
    Image.fromarray(PIXELS).save(source)
    data = source.read_bytes()
    body = b"gAMA" + struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    source.write_bytes(data[:33] + chunk + data[33:])
    path = tmp_path / f"a{FORMATS[kind]}"
    write_picture(path, read_picture(source), quality=100 if kind == "WebP" else 95)
    assert colour(path)
    with Image.open(path) as image:
        profile = image.info.get("icc_profile")
    if profile is not None:
        # Little CMS finds mid grey of linear light where sRGB has 188.
        made = ImageCms.profileToProfile(
            Image.new("RGB", (1, 1), (128, 128, 128)),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
        )
        assert made is not None and abs(made.getpixel((0, 0))[0] - 188) <= 1
