"""Files that are damaged a little, made to fill the memory, or not what their name says."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture, PictureError

PIXELS = np.random.default_rng(4).integers(0, 255, (60, 80, 3), dtype=np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def read(path: Path, data: bytes) -> tuple[Picture, list[str]]:
    path.write_bytes(data)
    notes: list[str] = []
    return read_picture(path, notes.append), notes


@pytest.mark.parametrize("bits", [8, 16])
def test_a_png_without_its_end_is_read_and_noted(tmp_path: Path, bits: int) -> None:
    source = Picture(PIXELS if bits == 8 else PIXELS.astype(np.uint16) * 257)
    write_picture(tmp_path / "a.png", source)
    whole = (tmp_path / "a.png").read_bytes()
    for cut in (12, 8, 4, 2):
        made, notes = read(tmp_path / "a.png", whole[:-cut])
        assert np.array_equal(made.pixels, source.pixels)
        assert [("no end mark" in note) for note in notes] == [True] * (cut > 4)
    for cut in (14, 20, 1000):
        with pytest.raises(PictureError, match="cut off"):
            read(tmp_path / "a.png", whole[:-cut])


def test_a_damaged_text_in_a_png_is_left_out_and_noted(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(PIXELS), text={"Title": "The coast", "Author": "Maria"})
    data = (tmp_path / "a.png").read_bytes().replace(b"The coast", b"The Coast")
    made, notes = read(tmp_path / "a.png", data)
    assert np.array_equal(made.pixels, PIXELS)
    assert len(notes) == 1 and "tEXt" in notes[0]
    assert made.metadata.chunks == ((b"tEXt", b"Author\0Maria"),)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_is_read_and_noted(tmp_path: Path, progressive: bool) -> None:
    data = encoded("JPEG", quality=90, progressive=progressive)
    assert data.endswith(b"\xff\xd9")
    whole, _ = read(tmp_path / "a.jpg", data)
    made, notes = read(tmp_path / "a.jpg", data[:-2])
    assert np.array_equal(made.pixels, whole.pixels)
    assert len(notes) == 1 and "no end mark" in notes[0]
    for cut in (40, 200, len(data) // 2):
        with pytest.raises(PictureError, match="cut off or damaged"):
            read(tmp_path / "a.jpg", data[:-cut])


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def blank_png(side: int) -> bytes:
    """A black picture of one bit a pixel, packed as tightly as deflate can."""
    row = (side + 7) // 8 + 1
    packer, parts = zlib.compressobj(9), []
    for _ in range(side):
        parts.append(packer.compress(bytes(row)))
    parts.append(packer.flush())
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"".join(parts)) + chunk(b"IEND", b"")


def test_a_blank_picture_of_hundreds_of_megapixels_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = blank_png(22_000)
    assert len(data) < 100_000

    def never(*_: object) -> None:
        raise AssertionError("it must not be unpacked")

    monkeypatch.setattr(zlib, "decompressobj", never)
    monkeypatch.setattr(Image.Image, "load", never)
    with pytest.raises(PictureError, match=r"484 megapixels in 5. kB"):
        read(tmp_path / "a.png", data)


def test_a_deflated_tiff_of_hundreds_of_megapixels_is_refused_unopened(tmp_path: Path) -> None:
    strip = zlib.compress(bytes(20_000 * 200), 9)
    entries = [(256, 4, 1, 20_000), (257, 4, 1, 20_000), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    offsets = struct.pack("<100I", *(8 + 1024 + i * len(strip) for i in range(100)))
    sizes = struct.pack("<100I", *[len(strip)] * 100)
    start = 8 + 1024 + 100 * len(strip)
    entries += [(273, 4, 100, start), (277, 3, 1, 1), (278, 4, 1, 200), (279, 4, 100, start + 400)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = struct.pack("<2sHI", b"II", 42, start + 800) + bytes(1024)
    data = head + strip * 100 + offsets + sizes + directory + bytes(4)
    with pytest.raises(PictureError, match="400 megapixels"):
        read(tmp_path / "a.tif", data)


def archive(kind: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("mimetype", kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.kra", archive(b"application/x-krita"), "Krita .* PNG"),
        ("a.ora", archive(b"image/openraster"), "OpenRaster .* PNG"),
        ("a.zip", archive(b"text/plain"), "ZIP"),
        ("a.xcf", b"gimp xcf v011\0" + bytes(40), "GIMP .* PNG"),
        ("a.psd", b"8BPS\0\x01" + bytes(40), "Photoshop .* PNG"),
        ("a.gif", b"GIF89a" + bytes(40), "GIF .* PNG"),
        ("a.bmp", b"BM" + bytes(40), "BMP .* PNG"),
        ("a.jxl", b"\xff\x0a" + bytes(40), "JPEG XL .* PNG"),
        ("a.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL .* PNG"),
        ("a.cr3", b"\0\0\0\x18ftypcrx " + bytes(40), "raw .* TIFF"),
        ("a.mov", b"\0\0\0\x14ftypqt  " + bytes(40), "film"),
        ("renamed.png", b"8BPS\0\x01" + bytes(40), "Photoshop"),
        ("words.jpg", b"not a picture", "no PNG, TIFF, JPEG or WebP"),
    ],
)
def test_other_formats_are_called_by_name(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    with pytest.raises(PictureError, match=said):
        read(tmp_path / name, data)


def test_avif_is_read(tmp_path: Path) -> None:
    flat = Image.new("RGBA", (40, 30), (200, 100, 50, 128))
    flat.save(tmp_path / "a.avif", quality=100)
    made = read_picture(tmp_path / "a.avif")
    assert made.size == (40, 30)
    assert np.abs(made.pixels[10, 10].astype(int) - (200, 100, 50)).max() <= 3
    assert made.alpha is not None and abs(int(made.alpha[10, 10]) - 128) <= 1


@pytest.mark.parametrize("special", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_an_error(tmp_path: Path, special: Callable[[Path], None]) -> None:
    special(tmp_path / "a.png")
    with pytest.raises(PictureError, match=r"is a folder|a pipe"):
        read_picture(tmp_path / "a.png")


def test_the_picture_of_a_tiff_is_taken_and_not_its_thumbnail(tmp_path: Path) -> None:
    small = PIXELS[::4, ::4].copy()
    for options in ({"subfiletype": 1}, {}):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            file.write(small, photometric="rgb", metadata=None, **options)  # type: ignore[arg-type]
            file.write(PIXELS, photometric="rgb", metadata=None)
        made = read_picture(tmp_path / "a.tif")
        assert np.array_equal(made.pixels, PIXELS)
        assert made.metadata.lost == ()
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(small, photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        file.write(PIXELS, photometric="rgb", metadata=None)
    assert np.array_equal(read_picture(tmp_path / "a.tif").pixels, PIXELS)


def test_a_small_first_page_of_another_shape_is_no_thumbnail(tmp_path: Path) -> None:
    small = PIXELS[::4, :].copy()
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(small, photometric="rgb", metadata=None)
        file.write(PIXELS.repeat(2, axis=0).repeat(2, axis=1), photometric="rgb", metadata=None)
    made = read_picture(tmp_path / "a.tif")
    assert np.array_equal(made.pixels, small)
    assert "Of the 2 pages" in made.metadata.lost[0]


def several(path: Path) -> None:
    """Three pages or frames."""
    frames = [Image.fromarray(np.roll(PIXELS, shift, 0)) for shift in (0, 9, 20)]
    kind = {".tif": "TIFF", ".webp": "WEBP", ".png": "PNG"}[path.suffix]
    frames[0].save(
        path, kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )


@pytest.mark.parametrize("name", ["a.tif", "a.webp", "a.png"])
def test_files_of_several_pages_are_not_replaced_and_the_others_are_called_lost(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    several(path)
    before = path.read_bytes()
    made = read_picture(path)
    assert np.array_equal(made.pixels, PIXELS)
    with pytest.raises(PictureError, match=r"holds 3 (pages|frames)"):
        write_picture(path, made)
    assert path.read_bytes() == before
    (loss,) = write_picture(tmp_path / f"other{path.suffix}", made, quality=100)
    assert "Of the 3" in loss


def test_zstandard_in_tiff_is_read(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", compression="zstd")
    assert np.array_equal(read_picture(tmp_path / "a.tif").pixels, PIXELS)


def test_a_compression_without_its_library_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine without imagecodecs: neither tifffile nor Pillow's libtiff knows WebP.
    def missing(_: object) -> None:
        raise ValueError("<COMPRESSION.WEBP: 50001> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", missing)
    monkeypatch.setattr("underdrawing.picture.tiff.importlib.util.find_spec", lambda _: None)
    strip = b"anything"
    entries = [(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 1, 8), (259, 3, 1, 50_001), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(277, 3, 1, 1), (278, 3, 1, 4), (279, 4, 1, len(strip))]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = struct.pack("<2sHI", b"II", 42, 16) + strip + directory + bytes(4)
    with pytest.raises(PictureError, match=r"WEBP, needs the library imagecodecs.*codecs.*PNG"):
        read(tmp_path / "a.tif", data)
