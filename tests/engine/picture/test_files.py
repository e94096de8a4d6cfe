"""Reading and writing pictures."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from underdrawing.picture.files import read_picture, read_text, write_picture
from underdrawing.picture.image import LIMIT, Picture, PictureError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RANDOM = np.random.default_rng(7)


def values(dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        return (RANDOM.random(shape) * 3 - 1).astype(dtype)
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def picture(dtype: type, channels: int, alpha: bool, size: tuple[int, int] = (13, 9)) -> Picture:
    shape = size[1], size[0]
    return Picture(values(dtype, (*shape, channels)), values(dtype, shape) if alpha else None, SRGB)


def assert_same(first: Picture, second: Picture) -> None:
    assert (first.depth, first.size, first.channels) == (second.depth, second.size, second.channels)
    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert (first.alpha is None) == (second.alpha is None)
    if first.alpha is not None and second.alpha is not None:
        assert first.alpha.tobytes() == second.alpha.tobytes()
    assert first.profile == second.profile and first.linear == second.linear


@pytest.mark.parametrize("size", [(13, 9), (1, 1), (1, 6), (300, 2)])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("ending", "dtype"),
    [
        (".png", np.uint8),
        (".png", np.uint16),
        (".tif", np.uint8),
        (".tiff", np.uint16),
        (".TIF", np.float16),
        (".tif", np.float32),
    ],
)
def test_lossless_files_give_the_same_bits_back(
    tmp_path: Path, ending: str, dtype: type, channels: int, alpha: bool, size: tuple[int, int]
) -> None:
    original = picture(dtype, channels, alpha, size)
    path = tmp_path / f"ein Bild mit Ümläuten 日本{ending}"
    assert write_picture(path, original) == []
    assert_same(read_picture(path), original)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_lossless_webp(tmp_path: Path) -> None:
    original = picture(np.uint8, 3, True)
    assert write_picture(tmp_path / "a.webp", original, quality=100) == []
    assert_same(read_picture(tmp_path / "a.webp"), original)


def test_a_grey_picture_in_webp_keeps_its_transparency(tmp_path: Path) -> None:
    original = picture(np.uint8, 1, True)
    assert any("grey" in sentence for sentence in write_picture(tmp_path / "a.webp", original, quality=100))
    again = read_picture(tmp_path / "a.webp")
    assert np.array_equal(again.pixels, original.pixels.repeat(3, axis=2))
    assert np.array_equal(again.alpha, original.alpha)


def test_linear_floats_are_known_again(tmp_path: Path) -> None:
    original = Picture(values(np.float32, (4, 5, 3)), linear=True)
    assert write_picture(tmp_path / "a.tif", original) == []
    assert_same(read_picture(tmp_path / "a.tif"), original)


def test_a_linear_profile_says_so_too(tmp_path: Path) -> None:
    curve = b"curv\0\0\0\0\0\0\0\0"
    profile = b"\0" * 128 + struct.pack(">I4sII", 1, b"rTRC", 144, len(curve)) + curve
    write_picture(tmp_path / "a.tif", Picture(values(np.float32, (4, 5, 3)), profile=profile))
    assert read_picture(tmp_path / "a.tif").linear
    write_picture(tmp_path / "b.tif", Picture(values(np.float32, (4, 5, 3)), profile=SRGB))
    assert not read_picture(tmp_path / "b.tif").linear


@pytest.mark.parametrize(
    ("name", "dtype", "channels", "alpha", "words"),
    [
        ("a.png", np.float32, 3, True, ["16 bits", "outside were clipped"]),
        ("a.jpg", np.uint16, 3, True, ["8 bits", "transparency", "lossy"]),
        ("a.jpeg", np.uint8, 1, False, ["lossy"]),
        ("a.webp", np.uint16, 1, False, ["8 bits", "grey", "lossy"]),
    ],
)
def test_what_is_lost_is_said(
    tmp_path: Path, name: str, dtype: type, channels: int, alpha: bool, words: list[str]
) -> None:
    losses = write_picture(tmp_path / name, picture(dtype, channels, alpha))
    assert len(losses) == len(words)
    for sentence, word in zip(losses, words, strict=True):
        assert word in sentence and sentence.endswith(".")
    assert read_picture(tmp_path / name).size == (13, 9)


def test_shallower_values_are_rounded_not_cut(tmp_path: Path) -> None:
    original = Picture(np.array([[[0], [128], [129], [65535]]], np.uint16))
    write_picture(tmp_path / "a.webp", Picture(np.repeat(original.pixels, 3, axis=2)), quality=100)
    assert read_picture(tmp_path / "a.webp").pixels[0, :, 0].tolist() == [0, 0, 1, 255]


def test_a_linear_picture_in_png_is_encoded_and_its_profile_left_out(tmp_path: Path) -> None:
    linear = Picture(np.full((2, 2, 3), 0.2140411, np.float32), profile=SRGB, linear=True)
    losses = write_picture(tmp_path / "a.png", linear)
    assert any("linear" in sentence for sentence in losses)
    again = read_picture(tmp_path / "a.png")
    assert again.profile is None and abs(int(again.pixels[0, 0, 0]) - 32768) < 5


def test_jpeg_stays_close(tmp_path: Path) -> None:
    smooth = np.stack(np.meshgrid(np.arange(64), np.arange(48)), -1).astype(np.uint8) * 3
    original = Picture(np.dstack([smooth, smooth[..., :1]]), profile=SRGB)
    write_picture(tmp_path / "a.jpg", original)
    again = read_picture(tmp_path / "a.jpg")
    assert again.profile == SRGB
    assert np.abs(again.pixels.astype(int) - original.pixels).max() < 12


def test_indexed_one_bit_and_transparent_palettes(tmp_path: Path) -> None:
    drawn = Image.fromarray(np.repeat(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), 3, axis=0))
    indexed = drawn.quantize(2)
    indexed.save(tmp_path / "p.png")
    assert np.array_equal(read_picture(tmp_path / "p.png").pixels, np.array(drawn))
    indexed.save(tmp_path / "t.png", transparency=int(np.array(indexed)[0, 1]))
    transparent = read_picture(tmp_path / "t.png")
    assert transparent.alpha is not None and transparent.alpha[0].tolist() == [255, 0]
    drawn.convert("1", dither=Image.Dither.NONE).save(tmp_path / "b.png")
    assert read_picture(tmp_path / "b.png").channels == 1
    indexed.save(tmp_path / "p.tif", compression="tiff_lzw")
    assert np.array_equal(read_picture(tmp_path / "p.tif").pixels, np.array(drawn))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "jpeg", "packbits"])
def test_tiff_compressions(tmp_path: Path, compression: str | None) -> None:
    original = Image.fromarray(np.full((20, 30, 3), (200, 100, 50), np.uint8))
    original.save(tmp_path / "a.tif", compression=compression)
    assert np.abs(read_picture(tmp_path / "a.tif").pixels.astype(int) - np.array(original)).max() <= 3


def test_premultiplied_alpha_is_divided_out(tmp_path: Path) -> None:
    samples = np.full((2, 3, 4), (100, 50, 0, 128), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", extrasamples=["assocalpha"])
    again = read_picture(tmp_path / "a.tif")
    assert again.pixels[0, 0].tolist() == [199, 100, 0]
    assert again.alpha is not None and again.alpha[0, 0] == 128


def test_planar_and_inverted_tiff(tmp_path: Path) -> None:
    planes = values(np.uint16, (3, 9, 11))
    tifffile.imwrite(tmp_path / "p.tif", planes, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_picture(tmp_path / "p.tif").pixels, np.moveaxis(planes, 0, -1))
    grey = values(np.uint8, (9, 11))
    tifffile.imwrite(tmp_path / "w.tif", grey, photometric="miniswhite")
    assert np.array_equal(read_picture(tmp_path / "w.tif").pixels[..., 0], 255 - grey)


def test_cmyk_is_converted(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    again = read_picture(tmp_path / "a.jpg")
    red, green, blue = (int(v) for v in again.pixels[4, 4])
    assert again.profile is None and red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("ending", "dtype"), [(".jpg", np.uint8), (".png", np.uint8), (".png", np.uint16), (".tif", np.uint16)]
)
def test_orientation_is_applied(tmp_path: Path, orientation: int, ending: str, dtype: type) -> None:
    # A picture that stands upright has its bright corner at the top left; each orientation is its own way to store it.
    upright = np.zeros((16, 32), np.uint8)
    upright[:8, :8] = 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    brightest = np.iinfo(dtype).max
    samples = np.where(np.ascontiguousarray(stored) > 0, brightest, 0).astype(dtype)
    Image.fromarray(samples).save(tmp_path / f"a{ending}", exif=exif, dpi=(72, 144))
    again = read_picture(tmp_path / f"a{ending}")
    assert again.size == (32, 16) and again.pixels.dtype == dtype
    assert np.array_equal(again.pixels[..., 0] > brightest // 2, upright > 128)
    assert again.metadata.orientation == 1
    assert again.metadata.resolution == pytest.approx((144, 72) if orientation >= 5 else (72, 144), abs=0.1)


def damaged_copies(data: bytes) -> list[bytes]:
    return [data[: len(data) * part // 16] for part in range(16)] + [data[:-40]]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("a.png", np.uint8),
        ("a.png", np.uint16),
        ("a.tif", np.uint8),
        ("a.tif", np.float32),
        ("a.jpg", np.uint8),
        ("a.webp", np.uint8),
    ],
)
def test_files_that_are_cut_off_are_refused(tmp_path: Path, name: str, dtype: type) -> None:
    write_picture(tmp_path / name, picture(dtype, 3, False, (120, 90)))
    for data in damaged_copies((tmp_path / name).read_bytes()):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PictureError, match=name):
            read_picture(tmp_path / name)


@pytest.mark.parametrize(("name", "dtype"), [("a.png", np.uint16), ("a.tif", np.uint16), ("a.jpg", np.uint8)])
def test_damaged_bytes_never_raise_anything_else(tmp_path: Path, name: str, dtype: type) -> None:
    write_picture(tmp_path / name, picture(dtype, 3, True, (20, 15)))
    good = (tmp_path / name).read_bytes()
    refused = 0
    for trial in range(150):
        data = bytearray(good)
        for _ in range(3):
            data[RANDOM.integers(0, min(len(data), 80 if trial % 2 else len(data)))] = RANDOM.integers(0, 256)
        (tmp_path / name).write_bytes(data)
        try:
            read_picture(tmp_path / name)
        except PictureError:
            refused += 1
    assert refused > 0


def png_claiming(width: int, height: int, bits: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    end = b"IEND"
    pixels = b"IDAT" + zlib.compress(b"\0" * 100)
    parts = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in (body, pixels, end)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    for bits in (8, 16):
        (tmp_path / "a.png").write_bytes(png_claiming(60_000, 60_000, bits))
        with pytest.raises(PictureError, match="500 megapixels"):
            read_picture(tmp_path / "a.png")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((4, 4), np.uint8))
    data = bytearray(buffer.getvalue())
    for tag in (256, 257):  # width and height: tag, type, count, value
        at = bytes(data).index(struct.pack("<HH", tag, 4) + struct.pack("<I", 1))
        data[at + 8 : at + 12] = struct.pack("<I", 65_000)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(PictureError, match="500 megapixels"):
        read_picture(tmp_path / "a.tif")
    assert LIMIT == 500_000_000


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"", "empty"),
        ("a.jpg", b"not a picture at all, only some text", "no PNG, TIFF, JPEG or WebP"),
        (
            "a.gif",
            b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
            "GIF files are not .* PNG",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PictureError, match=words):
        read_picture(tmp_path / name)


def test_missing_files_folders_and_endings(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(PictureError, match="does not end like a picture"):
        write_picture(tmp_path / "a.bmp", picture(np.uint8, 3, False))
    with pytest.raises(PictureError, match="cannot be written"):
        write_picture(tmp_path / "no folder" / "a.png", picture(np.uint8, 3, False))
    with pytest.raises(PictureError, match="at most 16383"):
        write_picture(tmp_path / "a.webp", Picture(np.zeros((1, 16_384, 3), np.uint8)))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    original = picture(np.uint8, 3, False)
    write_picture(path, original)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("underdrawing.picture.atomic_write.os.fsync", full)
    with pytest.raises(PictureError, match="No space left"):
        write_picture(path, picture(np.uint8, 3, False))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert_same(read_picture(path), original)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_texts_in_png(tmp_path: Path, dtype: type) -> None:
    write_picture(tmp_path / "a.png", picture(dtype, 3, False), text={"underdrawing": '{"a": 1}', "Author": "me"})
    assert read_text(tmp_path / "a.png") == {"underdrawing": '{"a": 1}', "Author": "me"}
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Author"] == "me"  # type: ignore[attr-defined]
    losses = write_picture(tmp_path / "a.tif", picture(dtype, 3, False), text={"Author": "me"})
    assert losses and "Author" in losses[0] and read_text(tmp_path / "a.tif") == {}
