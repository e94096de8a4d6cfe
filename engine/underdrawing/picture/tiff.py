"""TIFF: the one format here that holds every depth, float included."""

from __future__ import annotations

import io
import json
import logging
import struct
import warnings
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import tifffile
from PIL import Image

from underdrawing.picture.image import NAMES, Picture, PictureError
from underdrawing.picture.normalize import cmyk_to_rgb, upright

# tifffile reports damage to its log and goes on; we judge the result ourselves.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)
_FAULTS = (
    *(tifffile.TiffFileError, ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError),
    *(OSError, RuntimeError, struct.error, zlib.error, cv2.error),
)
_DEFLATE = (8, 32946)  # values of the tag Compression
_UNPACKED = 2 << 30  # bytes; what could unpack to more is unpacked on trial first


def decode(data: bytes, check_size: Callable[[int, int], None]) -> Picture:
    """The first page of a TIFF file.

    Raises:
        PictureError: damaged, cut off, or of a kind that is not supported.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            if not isinstance(page, tifffile.TiffPage):
                raise PictureError("The TIFF file has no readable first page.")
            check_size(page.imagewidth, page.imagelength)
            _check_segments(page, data)
            kind = tifffile.PHOTOMETRIC(page.photometric)
            samples = _samples(page, data)
            description, profile = page.description, page.iccprofile
            extra = tuple(int(value) for value in page.extrasamples)
            orientation = int(page.tags[274].value) if 274 in page.tags else 1
            colormap = page.colormap if kind == tifffile.PHOTOMETRIC.PALETTE else None
    except PictureError:
        raise
    except _FAULTS as error:
        raise PictureError(f"The TIFF file is cut off or damaged: {error}.") from None
    samples, count = _normal(samples), 1
    if colormap is not None:
        samples = np.moveaxis(colormap[:, samples[..., 0]], 0, -1)
        # Old programs wrote 8-bit colours into the 16-bit table.
        samples = (samples >> 8 if colormap.max() > 255 else samples).astype(np.uint8)
        count = 3
    elif kind == tifffile.PHOTOMETRIC.MINISWHITE:
        samples = _inverted(samples)
    elif kind == tifffile.PHOTOMETRIC.SEPARATED:
        if samples.dtype != np.uint8 or samples.shape[2] < 4:
            raise PictureError("CMYK is supported with 8 bits only; convert the picture to RGB first.")
        converted = np.array(cmyk_to_rgb(Image.fromarray(np.ascontiguousarray(samples[..., :4]), "CMYK"), profile))
        return upright(Picture(converted), orientation)
    elif kind in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR):
        count = 3
    elif kind != tifffile.PHOTOMETRIC.MINISBLACK:
        raise PictureError(f"TIFF pictures of the kind {kind.name} are not supported; convert it to RGB or grey.")
    if samples.shape[2] < count:
        raise PictureError("The TIFF file says RGB but holds fewer than three channels.")
    pixels = np.ascontiguousarray(samples[..., :count])
    alpha = np.ascontiguousarray(samples[..., count]) if samples.shape[2] > count and extra[:1] != (0,) else None
    if alpha is not None and extra[:1] == (1,):
        pixels = _unmultiplied(pixels, alpha)
    linear = pixels.dtype.kind == "f" and (_says_linear(description) or is_linear_profile(profile))
    return upright(Picture(pixels, alpha, profile or None, linear), orientation)


def _check_segments(page: tifffile.TiffPage, data: bytes) -> None:
    """Refuse files that are cut off, or that would unpack to much more than their pixels."""
    if not page.dataoffsets or len(page.dataoffsets) != len(page.databytecounts):
        raise PictureError("The TIFF file has no pixels.")
    for start, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        if start + count > len(data):
            raise PictureError("The TIFF file is cut off; get a complete copy of it.")
    if int(page.compression) in _DEFLATE and sum(page.databytecounts) * 1032 > _UNPACKED:
        room = 2 * max(int(page.nbytes), 1 << 20)  # tiles at the borders are larger than what is seen of them
        for start, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            room -= len(zlib.decompressobj().decompress(data[start : start + count], room + 1))
            if room < 0:
                raise PictureError("The TIFF file unpacks to more than its pixels; it is damaged or hostile.")


def _samples(page: tifffile.TiffPage, data: bytes) -> np.ndarray:
    """(H, W) or (H, W, S) or planar (S, H, W) values as they are stored."""
    try:
        return page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        return _by_libtiff(page, data, str(error))


def _by_libtiff(page: tifffile.TiffPage, data: bytes, fault: str) -> np.ndarray:
    """What tifffile alone cannot unpack (LZW, JPEG, fax): Pillow's libtiff for 8 bits, OpenCV's for more."""
    if int(page.bitspersample) <= 8:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=("TIFF",))
            samples = np.array(image)
        if image.mode in ("1", "L") and page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            samples = ~samples  # Pillow has turned it round already, as the caller will
        good = samples.shape[2:] == ((page.samplesperpixel,) if page.samplesperpixel > 1 else ())
    else:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        samples = np.zeros((0, 0)) if decoded is None else decoded
        good = (samples.shape[2] if samples.ndim == 3 else 1) == page.samplesperpixel
        if good and page.samplesperpixel >= 3:
            samples = samples[..., [2, 1, 0, *range(3, samples.shape[2])]]
    if not good or samples.shape[:2] != (page.imagelength, page.imagewidth):
        raise PictureError(f"It is compressed in a way that cannot be read here ({fault}); save it uncompressed.")
    return samples


def _normal(samples: np.ndarray) -> np.ndarray:
    """(H, W, S) in one of our depths."""
    if samples.ndim == 2:
        samples = samples[..., None]
    elif samples.ndim == 3 and samples.shape[0] <= 5 < samples.shape[2]:
        samples = np.moveaxis(samples, 0, -1)  # planes stored one after the other
    if samples.ndim != 3:
        raise PictureError(f"TIFF files of shape {samples.shape} are no single picture; export one page of it.")
    if samples.dtype == np.bool_:
        samples = samples.astype(np.uint8) * 255
    if samples.dtype == np.float64:
        samples = samples.astype(np.float32)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if samples.dtype not in NAMES:
        raise PictureError(f"TIFF values of type {samples.dtype} are not supported; use 8 or 16 bit, or float.")
    return samples


def _inverted(samples: np.ndarray) -> np.ndarray:
    return 1 - samples if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max - samples


def _unmultiplied(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "f":
        return (pixels.astype(np.float32) / np.maximum(alpha.astype(np.float32), 1e-6)[..., None]).astype(pixels.dtype)
    full = np.iinfo(pixels.dtype).max
    values = pixels.astype(np.float64) * full / np.maximum(alpha, 1)[..., None]
    return np.rint(np.minimum(values, full)).astype(pixels.dtype)


def _says_linear(description: str) -> bool:
    try:
        note = json.loads(description or "")
    except (ValueError, RecursionError):
        return False
    return isinstance(note, dict) and note.get("underdrawing") == {"linear": True}


def is_linear_profile(profile: bytes | None) -> bool:
    """Whether an ICC profile's tone curve is the identity (ICC.1:2022, 10.6 and 10.18)."""
    if not profile or len(profile) < 132:
        return False
    count = struct.unpack_from(">I", profile, 128)[0]
    for entry in range(min(count, 100)):
        if 144 + 12 * entry > len(profile):
            return False
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * entry)
        curve = profile[start : start + size]
        if name not in (b"rTRC", b"kTRC") or len(curve) < 12:
            continue
        if curve[:4] == b"curv":
            points = struct.unpack_from(">I", curve, 8)[0]
            return points == 0 or (points == 1 and curve[12:14] == b"\x01\x00")
        if curve[:4] == b"para" and curve[8:10] == b"\0\0":
            return curve[12:16] == b"\0\x01\0\0"
    return False


def encode(picture: Picture) -> bytes:
    """A TIFF file with deflate compression, bit for bit at the picture's depth."""
    samples = picture.pixels
    if picture.alpha is not None:
        samples = np.concatenate([samples, picture.alpha[..., None]], axis=2)
    note = json.dumps({"underdrawing": {"linear": True}}) if picture.linear else None
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples[..., 0] if samples.shape[2] == 1 else samples,
        photometric="minisblack" if picture.channels == 1 else "rgb",
        planarconfig=None if samples.shape[2] == 1 else "contig",
        extrasamples=None if picture.alpha is None else ["unassalpha"],
        compression="zlib",
        iccprofile=picture.profile,
        description=note,
        software="Underdrawing",
        metadata=None,
    )
    return buffer.getvalue()
