"""Reading and writing pictures: PNG, TIFF, JPEG and WebP in the depths that each can hold (see docs/pictures.md)."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from underdrawing.picture import png, tiff
from underdrawing.picture.image import Picture, PictureError, srgb_encode
from underdrawing.picture.normalize import cmyk_to_rgb, upright
from underdrawing.picture.replacing import write_whole

LIMIT = 500_000_000  # pixels; files that claim more are taken for bombs
FORMATS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WebP"}
LARGEST_SIDE = {"JPEG": 65_535, "WebP": 16_383}
# Pillow's own limit is lower than ours; it warns above this and refuses above twice as much.
Image.MAX_IMAGE_PIXELS = LIMIT


def read_picture(path: Path) -> Picture:
    """Read a picture at its own depth, upright, with alpha and profile.

    Indexed pictures become RGB, 1-bit ones 8-bit grey, CMYK ones are converted to sRGB, premultiplied alpha is divided
    out. Of several pages or frames the first one is taken.

    Raises:
        PictureError: missing, damaged, cut off, of another format, or of more than 500 megapixels.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    if not data:
        raise PictureError(f"{path.name} is empty.")
    try:
        if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return tiff.decode(data, check_size)
        if data[:8] == png.SIGNATURE:
            return _decode_png(data)
        return _decode_other(data)
    except PictureError as error:
        raise PictureError(f"{path.name}: {error}") from None
    except cv2.error as error:
        raise PictureError(f"{path.name}: The file is damaged: {error.err}.") from None
    except MemoryError:
        raise PictureError(f"{path.name}: There is not enough memory for this picture; use a smaller one.") from None


def read_text(path: Path) -> dict[str, str]:
    """The texts in a PNG file; empty for other files."""
    return png.texts(Path(path))


def check_size(width: int, height: int) -> None:
    """Refuse what claims to be larger than any picture that can be worked with.

    Raises:
        PictureError: no pixels, or more than 500 megapixels.
    """
    if width < 1 or height < 1:
        raise PictureError("The picture is empty; it needs at least one pixel.")
    if width * height > LIMIT:
        raise PictureError(f"{width} by {height} pixels are more than the limit of {LIMIT // 10**6} megapixels.")


def _decode_png(data: bytes) -> Picture:
    head = png.header(data)
    check_size(head.width, head.height)
    names = {name for name, _ in png.chunks(data)}
    if head.bits != 16:
        return _decode_other(data)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[:2] != (head.height, head.width):
        raise PictureError("The PNG file is damaged; get another copy of it.")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    alpha = None
    if pixels.shape[2] in (2, 4) and (head.kind in (png.GREY_ALPHA, png.COLOUR_ALPHA) or b"tRNS" in names):
        alpha = np.ascontiguousarray(pixels[..., -1])
    if head.kind in (png.GREY, png.GREY_ALPHA):
        pixels = pixels[..., :1]
    else:
        pixels = pixels[..., 2::-1]
    profile, orientation = _extras(data)
    return upright(Picture(np.ascontiguousarray(pixels), alpha, profile), orientation)


def _extras(data: bytes) -> tuple[bytes | None, int]:
    """ICC profile and EXIF orientation (1 to 8)."""
    with _open(data) as image:
        return image.info.get("icc_profile") or None, int(image.getexif().get(0x0112, 1) or 1)


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
    except UnidentifiedImageError:
        raise PictureError("It is no PNG, TIFF, JPEG or WebP file, or it is damaged at its beginning.") from None
    except Image.DecompressionBombError:
        raise PictureError(f"It has more than the limit of {LIMIT // 10**6} megapixels.") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureError(f"The file is damaged: {error}.") from None
    check_size(*image.size)
    return image


def _decode_other(data: bytes) -> Picture:
    with _open(data) as image:
        try:
            orientation = int(image.getexif().get(0x0112, 1) or 1)
            profile = image.info.get("icc_profile") or None
            transparent = "transparency" in image.info
            image.load()
        except (OSError, ValueError, SyntaxError, EOFError, TypeError) as error:
            raise PictureError(f"The file is cut off or damaged: {error}.") from None
        shown: Image.Image = image
        if shown.mode in ("CMYK", "YCCK"):
            shown, profile = cmyk_to_rgb(shown, profile), None
        elif shown.mode in ("P", "PA"):
            shown = shown.convert("RGBA" if transparent or shown.mode == "PA" else "RGB")
        elif shown.mode in ("1", "L", "RGB") and transparent:
            shown = shown.convert("LA" if shown.mode != "RGB" else "RGBA")
        elif shown.mode == "1":
            shown = shown.convert("L")
        elif shown.mode not in ("L", "LA", "RGB", "RGBA"):
            shown = shown.convert("RGB")
        array = np.array(shown)
    array = array[..., None] if array.ndim == 2 else array
    alpha = np.ascontiguousarray(array[..., -1]) if array.shape[2] in (2, 4) else None
    pixels = np.ascontiguousarray(array[..., : array.shape[2] - (alpha is not None)])
    return upright(Picture(pixels, alpha, profile), orientation)


def check_ending(path: Path) -> str:
    """The format that a name's ending says: "PNG", "TIFF", "JPEG" or "WebP".

    Raises:
        PictureError: an ending that is not known.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise PictureError(f"{path.name!r} does not end like a picture: use .png, .tif, .jpg or .webp.")
    return kind


def write_picture(path: Path, picture: Picture, quality: int = 95, text: dict[str, str] | None = None) -> list[str]:
    """Write a picture; the format follows the name's ending. The file is there as a whole or not at all.

    Args:
        quality: of JPEG and WebP, 1 to 100; WebP with 100 is lossless.
        text: kept in PNG files, by key.

    Returns:
        one sentence for everything that the format could not hold; empty where the file gives back the same bits.

    Raises:
        PictureError: an ending that is not known, sides too long for the format, or a folder that cannot be written.
    """
    path = Path(path)
    kind = check_ending(path)
    most = LARGEST_SIDE.get(kind, 1 << 31)
    if max(picture.size) > most:
        raise PictureError(f"{kind} holds at most {most} pixels a side; write a PNG or a TIFF file.")
    losses: list[str] = []
    if kind == "TIFF":
        data = tiff.encode(picture)
    else:
        picture = _shallower(picture, kind, losses)
        if kind == "PNG":
            data = _encode_png(picture, text or {})
        else:
            data = _encode_lossy(picture, kind, quality, losses)
    if text and kind != "PNG":
        losses.append(f"{kind} files keep no texts: {', '.join(text)} left out.")
    write_whole(path, data)
    return losses


def _shallower(picture: Picture, kind: str, losses: list[str]) -> Picture:
    """The picture in a depth that PNG, JPEG or WebP can hold."""
    target: np.dtype[Any] = np.dtype(np.uint16 if kind == "PNG" else np.uint8)
    if picture.depth == "u8" or picture.pixels.dtype == target:
        return picture
    bits = target.itemsize * 8
    losses.append(f"{kind} holds {bits} bits: the {picture.depth} values were rounded.")
    full = 2**bits - 1

    def rounded(values: np.ndarray) -> np.ndarray:
        scale = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
        part = np.clip(np.nan_to_num(values.astype(np.float64) / scale, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
        return np.rint(part * full).astype(target)

    pixels, profile = picture.pixels, picture.profile
    if pixels.dtype.kind == "f" and (float(np.nanmax(pixels)) > 1 or float(np.nanmin(pixels)) < 0):
        losses.append(f"{kind} holds values from 0 to 1: those outside were clipped.")
    if picture.linear:
        pixels = srgb_encode(np.clip(np.nan_to_num(pixels.astype(np.float32)), 0, 1))
        losses.append(f"{kind} holds no linear light: the values were encoded as sRGB" + "." * (profile is None))
        if profile is not None:
            losses[-1] += ", and the linear profile was left out."
            profile = None
    alpha = None if picture.alpha is None else rounded(picture.alpha)
    return Picture(rounded(pixels), alpha, profile)


def _joined(picture: Picture) -> np.ndarray:
    """(H, W, 1 to 4): pixels and alpha in one array."""
    if picture.alpha is None:
        return picture.pixels
    return np.concatenate([picture.pixels, picture.alpha[..., None]], axis=2)


def _encode_png(picture: Picture, text: dict[str, str]) -> bytes:
    samples = _joined(picture)
    if picture.depth == "u16":
        return png.encode16(samples, picture.profile, text)
    buffer = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else np.ascontiguousarray(samples))
    image.save(buffer, "PNG", icc_profile=picture.profile, compress_level=4)
    data = buffer.getvalue()
    extra = b"".join(png.text_chunk(key, value) for key, value in text.items())
    return data[:33] + extra + data[33:]  # behind the header, so that it is found without reading the pixels


def _encode_lossy(picture: Picture, kind: str, quality: int, losses: list[str]) -> bytes:
    samples = _joined(picture)
    options: dict[str, object] = {"quality": int(np.clip(quality, 1, 100)), "icc_profile": picture.profile or b""}
    if kind == "JPEG":
        if picture.alpha is not None:
            losses.append("JPEG holds no transparency: the alpha channel was left out.")
            samples = picture.pixels
        losses.append("JPEG is lossy: the pixels change a little.")
        options |= {"subsampling": 0, "quality": int(np.clip(quality, 1, 100))}
    else:
        if picture.channels == 1:
            samples = np.concatenate([np.repeat(picture.pixels, 3, axis=2), samples[..., 1:]], axis=2)
            losses.append("WebP holds no grey pictures: it was written as RGB.")
        if quality >= 100:
            options |= {"lossless": True, "exact": True}
        else:
            losses.append("WebP is lossy below quality 100: the pixels change a little.")
    buffer = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else np.ascontiguousarray(samples))
    image.save(buffer, kind.upper(), **options)
    return buffer.getvalue()
