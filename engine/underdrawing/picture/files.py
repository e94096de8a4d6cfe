"""Reading and writing pictures: PNG, TIFF, JPEG and WebP in the depths that each can hold (see docs/pictures.md)."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from underdrawing.picture import colourspace, file_formats, heif, pages, pillow, png, tiff
from underdrawing.picture.atomic_write import write_whole
from underdrawing.picture.image import Picture, PictureError, check_size, srgb_encode
from underdrawing.picture.metadata import Metadata
from underdrawing.picture.normalize import upright

FORMATS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WebP"}
LARGEST_SIDE = {"JPEG": 65_535, "WebP": 16_383}


def read_picture(path: Path, note: Callable[[str], None] = lambda _: None) -> Picture:
    """Read a picture at its own depth, upright, with alpha, profile and metadata.

    Indexed pictures become RGB, 1-bit ones 8-bit grey, CMYK ones are converted to sRGB, premultiplied alpha is divided
    out. Of several pages or frames the first one is taken, of a picture and its thumbnails the picture.

    Args:
        note: told in a sentence of every damage that leaves the pixels whole.

    Raises:
        PictureError: missing, no file, damaged, cut off, of another format, or too large.
    """
    path = Path(path)
    data = _bytes_of(path)
    try:
        return _decoded(data, note)
    except PictureError as error:
        raise PictureError(f"{path.name}: {error}") from None
    except cv2.error as error:
        raise PictureError(f"{path.name}: The file is damaged: {error.err}.") from None
    except MemoryError:
        raise PictureError(f"{path.name}: There is not enough memory for this picture; use a smaller one.") from None


def _bytes_of(path: Path) -> bytes:
    try:
        # Asked first, as opening a pipe waits until something writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a folder" if path.is_dir() else "no file but a pipe or a device"
            raise PictureError(f"{path.name} is {what}; give a picture.")
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    if not data:
        raise PictureError(f"{path.name} is empty.")
    return data


def _decoded(data: bytes, note: Callable[[str], None]) -> Picture:
    kind = file_formats.kind_of(data)
    if kind is None:
        raise PictureError("It is no PNG, TIFF, JPEG or WebP file, or it is damaged at its beginning.")
    if kind.advice:
        raise PictureError(f"{kind.name} files are not read here; {kind.advice}.")
    if kind is file_formats.PNG:
        return _decode_png(data, note)
    if kind is file_formats.TIFF:
        return tiff.decode(data)
    if kind in (file_formats.HEIC, file_formats.AVIF):
        return heif.decode(data, kind, note)
    return pillow.decode(data, ("JPEG",) if kind is file_formats.JPEG else ("WEBP",), note)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height that a PNG or TIFF file promises; nothing is unpacked.

    Raises:
        PictureError: another file, or one that is damaged at its beginning.
    """
    data = _bytes_of(path)
    try:
        if file_formats.kind_of(data) is file_formats.PNG:
            head = png.header(data)
            return head.width, head.height
        return tiff.size_of(data)
    except PictureError as error:
        raise PictureError(f"{path.name}: {error}") from None


def read_text(path: Path) -> dict[str, str]:
    """The texts in a PNG file; empty for other files."""
    return png.texts(Path(path))


def _decode_png(data: bytes, note: Callable[[str], None]) -> Picture:
    head = png.header(data)
    check_size(head.width, head.height, len(data))
    parsed = png.parse(data, note)
    if head.bits != 16:
        made = pillow.decode(parsed.pixels, ("PNG",), note, parsed.transparent)
        return upright(replace(made, profile=parsed.profile, metadata=parsed.metadata))
    pixels = cv2.imdecode(np.frombuffer(parsed.pixels, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[:2] != (head.height, head.width):
        raise PictureError("The PNG file is damaged; get another copy of it.")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    alpha = None
    if pixels.shape[2] in (2, 4) and (head.kind in (png.GREY_ALPHA, png.COLOUR_ALPHA) or parsed.transparent):
        alpha = np.ascontiguousarray(pixels[..., -1])
    pixels = pixels[..., :1] if head.kind in (png.GREY, png.GREY_ALPHA) else pixels[..., 2::-1]
    return upright(Picture(np.ascontiguousarray(pixels), alpha, parsed.profile, metadata=parsed.metadata))


def check_ending(path: Path) -> str:
    """The format that a name's ending says: "PNG", "TIFF", "JPEG" or "WebP".

    Raises:
        PictureError: an ending that is not known.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise PictureError(f"{path.name!r} does not end like a picture: use .png, .tif, .jpg or .webp.")
    return kind


def write_picture(
    path: Path, picture: Picture, quality: int = 95, text: dict[str, str] | None = None, flat: bool = False
) -> list[str]:
    """Write a picture; the format follows the name's ending. The file is there as a whole or not at all.

    Args:
        quality: of JPEG and WebP, 1 to 100; WebP with 100 is lossless.
        text: kept in PNG files, by key.
        flat: it has large areas of one colour; PNG files are then packed faster.

    Returns:
        one sentence for everything that the format could not hold, and for what reading the picture could not carry;
        empty where the file gives back the same.

    Raises:
        PictureError: an ending that is not known, sides too long for the format, or a file that cannot be written.
    """
    path = Path(path)
    kind = check_ending(path)
    most = LARGEST_SIDE.get(kind, 1 << 31)
    if max(picture.size) > most:
        raise PictureError(f"{kind} holds at most {most} pixels a side; write a PNG or a TIFF file.")
    pages.check_single(path)
    losses = list(picture.metadata.lost)
    if kind != "TIFF":
        picture = _shallower(picture, kind, losses)
    if kind != "PNG":
        losses += _texts_lost(picture.metadata, text or {}, kind)
    quality = int(np.clip(quality, 1, 100))
    if kind == "TIFF":
        data = tiff.encode(picture, losses)
    elif kind == "PNG":
        samples = picture.samples()
        plain = png.encode16(samples) if picture.depth == "u16" else pillow.encode_png(samples, flat)
        data = png.with_facts(plain, picture, text or {})
    elif kind == "JPEG":
        data = pillow.encode_jpeg(picture, quality, losses)
    else:
        data = pillow.encode_webp(picture, quality, losses)
    write_whole(path, data)
    return losses


def _texts_lost(about: Metadata, text: dict[str, str], kind: str) -> list[str]:
    """What only PNG holds."""
    lost = []
    if keys := [*text, *png.text_keys(about)]:
        lost.append(f"{kind} files keep no texts: {', '.join(keys)} left out.")
    if any(name == b"tIME" for name, _ in about.chunks):
        lost.append(f"{kind} has no place for PNG's time of the last change: it was left out.")
    if colourspace.is_hdr(dict(about.chunks)):
        lost.append(f"{kind} does not say that the values are PQ or HLG (HDR): programs will show them too flat.")
    return lost


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
    return Picture(rounded(pixels), alpha, profile, metadata=picture.metadata)
