"""The formats that Pillow decodes and encodes: PNG of up to 8 bits, JPEG, WebP, AVIF."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from underdrawing.picture.image import LIMIT, Picture, PictureError, check_size
from underdrawing.picture.metadata import Metadata, exif_facts, resources_of
from underdrawing.picture.normalize import cmyk_to_rgb, upright

FAULTS = (OSError, ValueError, SyntaxError, EOFError, TypeError)
MOST_MARKER = 65_533 - 29  # bytes that EXIF, XMP or IPTC may have in JPEG
# Pillow's own limit is lower than ours; it warns above this and refuses above twice as much.
Image.MAX_IMAGE_PIXELS = LIMIT


def opened(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """A file whose header was read.

    Raises:
        PictureError: of another format, damaged at its beginning, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise PictureError("It is damaged at its beginning; get another copy of it.") from None
    except Image.DecompressionBombError:
        raise PictureError(f"It has more than the limit of {LIMIT // 10**6} megapixels.") from None
    except FAULTS as error:
        raise PictureError(f"The file is damaged: {error}.") from None
    check_size(*image.size, len(data))
    return image


def decode(data: bytes, formats: tuple[str, ...], note: Callable[[str], None], transparent: bool = False) -> Picture:
    """A picture of 8 bits, upright, with what the file says beside it.

    Args:
        transparent: whether one colour of it is transparent although Pillow does not say so.

    Raises:
        PictureError: damaged or cut off.
    """
    if formats == ("JPEG",):
        data = _with_end(data, note)
    with opened(data, formats) as image:
        about = _facts(image)
        profile = image.info.get("icc_profile") or None
        transparent = transparent or "transparency" in image.info
        try:
            image.load()
        except FAULTS as error:
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
        return upright(from_samples(np.array(shown), profile, about))


def from_samples(array: np.ndarray, profile: bytes | None, about: Metadata) -> Picture:
    """(H, W) or (H, W, 1 to 4) samples as a picture; the last of two or four is alpha."""
    array = array[..., None] if array.ndim == 2 else array
    alpha = np.ascontiguousarray(array[..., -1]) if array.shape[2] in (2, 4) else None
    pixels = np.ascontiguousarray(array[..., : array.shape[2] - (alpha is not None)])
    return Picture(pixels, alpha, profile, metadata=about)


def _facts(image: Image.Image) -> Metadata:
    """What a file that is not PNG says beside its pixels."""
    if image.format == "PNG":
        return Metadata()
    info = image.info
    exif = (info.get("exif") or b"").removeprefix(b"Exif\0\0")
    resolution = exif_facts(exif)[1]
    given = info.get("dpi")
    if given and info.get("jfif_unit") in (1, 2) and min(given) > 0:
        resolution = float(given[0]), float(given[1])
    about = Metadata(exif=exif, xmp=info.get("xmp") or b"", resolution=resolution)
    resources = info.get("photoshop")
    if isinstance(resources, dict) and isinstance(resources.get(0x0404), bytes):
        about = replace(about, iptc=resources[0x0404])
    if isinstance(info.get("comment"), bytes):
        about = replace(about, comment=info["comment"])
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        about = replace(about, lost=(f"Of the {frames} frames only the first is in the result.",))
    return about


def _with_end(data: bytes, note: Callable[[str], None]) -> bytes:
    """A JPEG file with an end mark, where only that is missing.

    Whether pixels are missing is seen by what is put behind them: a decoder that still needs bits takes them from
    there, and two different endings give two different pictures.
    """
    with opened(data, ("JPEG",)) as image:
        try:
            image.load()
            return data
        except FAULTS:
            pass
    decoded = []
    for filler in (b"", b"\x55\xaa\x33" * 200, b"\xaa\x11\xee" * 200):
        with opened(data + filler + b"\xff\xd9", ("JPEG",)) as image:
            try:
                decoded.append(np.array(image).tobytes())
            except FAULTS:
                return data
    if len(set(decoded)) > 1:
        return data
    note("The file has no end mark, but its pixels are complete.")
    return data + b"\xff\xd9"


def encode_png(samples: np.ndarray, flat: bool = False) -> bytes:
    """An 8-bit PNG file of (H, W, 1 to 4) uint8 samples alone; `flat` packs areas of one colour twice as fast."""
    buffer = io.BytesIO()
    packing = {"compress_level": 1, "compress_type": zlib.Z_RLE} if flat else {"compress_level": 4}
    _image(samples).save(buffer, "PNG", **packing)
    return buffer.getvalue()


def encode_jpeg(picture: Picture, quality: int, losses: list[str]) -> bytes:
    """A JPEG file in full colour resolution; what it cannot hold is appended to `losses`."""
    if picture.alpha is not None:
        losses.append("JPEG holds no transparency: the alpha channel was left out.")
    losses.append("JPEG is lossy: the pixels change a little.")
    about = picture.metadata
    extra = b""
    options: dict[str, Any] = {}
    for name, data in (("EXIF", about.exif), ("XMP", about.xmp), ("IPTC", about.iptc)):
        if len(data) > MOST_MARKER:
            losses.append(f"JPEG holds no more than 64 kB of {name} data: they were left out.")
        elif data and name == "EXIF":
            options["exif"] = b"Exif\0\0" + data
        elif data and name == "XMP":
            options["xmp"] = data
        elif data:
            marker = b"Photoshop 3.0\0" + resources_of(data)
            extra = b"\xff\xed" + (len(marker) + 2).to_bytes(2, "big") + marker
    if about.resolution is not None:
        options["dpi"] = tuple(min(round(value), 65_535) for value in about.resolution)
    options |= {"quality": quality, "subsampling": 0, "icc_profile": picture.profile or b"", "extra": extra}
    buffer = io.BytesIO()
    _image(picture.pixels).save(buffer, "JPEG", comment=about.comment[:65_000], **options)
    return buffer.getvalue()


def encode_webp(picture: Picture, quality: int, losses: list[str]) -> bytes:
    """A WebP file, lossless at quality 100; what it cannot hold is appended to `losses`."""
    samples = picture.samples()
    if picture.channels == 1:
        samples = np.concatenate([np.repeat(picture.pixels, 3, axis=2), samples[..., 1:]], axis=2)
        losses.append("WebP holds no grey pictures: it was written as RGB.")
    about = picture.metadata
    options: dict[str, Any] = {"quality": quality, "icc_profile": picture.profile or b""}
    if quality >= 100:
        options |= {"lossless": True, "exact": True}
    else:
        losses.append("WebP is lossy below quality 100: the pixels change a little.")
    if about.iptc:
        losses.append("WebP holds no IPTC data: they were left out.")
    if about.comment:
        losses.append("WebP holds no comment: it was left out.")
    buffer = io.BytesIO()
    _image(samples).save(buffer, "WEBP", exif=about.with_resolution(), xmp=about.xmp, **options)
    return buffer.getvalue()


def _image(samples: np.ndarray) -> Image.Image:
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else np.ascontiguousarray(samples))
