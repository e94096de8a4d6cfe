"""TIFF: the one format here that holds every depth, float included."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import struct
import warnings
import zlib
from dataclasses import replace

import cv2
import numpy as np
import tifffile
from PIL import Image

from underdrawing.picture import ifd
from underdrawing.picture.image import NAMES, Picture, PictureError, check_size
from underdrawing.picture.metadata import Metadata, facts_of, iptc_of, resolution_fields
from underdrawing.picture.normalize import cmyk_to_rgb, upright
from underdrawing.picture.pages import tiff_pages

# tifffile reports damage to its log and goes on; we judge the result ourselves.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)
_FAULTS = (
    *(tifffile.TiffFileError, ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError),
    *(OSError, RuntimeError, struct.error, zlib.error, cv2.error),
)
SOFTWARE, SOFTWARE_TAG, PHOTOSHOP = "Underdrawing", 305, 34377
RESOLUTION = {ifd.X_RESOLUTION, ifd.Y_RESOLUTION, ifd.RESOLUTION_UNIT}
_DEFLATE = (8, 32946)  # values of the tag Compression
_LIBTIFF = (2, 3, 4, 5, 6, 7, 32773)  # fax, LZW, JPEG, PackBits
_SHAPES = (b'{"shape"', b"ImageJ=")  # descriptions that say how a file's pages hang together
_UNPACKED = 2 << 30  # bytes; what could unpack to more is unpacked on trial first


def decode(data: bytes) -> Picture:
    """The picture of a TIFF file, upright: its first page that is no thumbnail.

    Raises:
        PictureError: damaged, cut off, or of a kind that is not supported.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pages = tiff_pages(file)
            page = pages[0]
            check_size(page.imagewidth, page.imagelength, len(data))
            _check_segments(page, data)
            kind = tifffile.PHOTOMETRIC(page.photometric)
            samples = _samples(page, data)
            profile = page.iccprofile
            extra = tuple(int(value) for value in page.extrasamples)
            notes = [str(page.tags[tag].value) for tag in (270, SOFTWARE_TAG) if tag in page.tags]
            colormap = page.colormap if kind == tifffile.PHOTOMETRIC.PALETTE else None
            orientation, about = _facts(page, data)
    except PictureError:
        raise
    except _FAULTS as error:
        raise PictureError(f"The TIFF file is cut off or damaged: {error}.") from None
    if len(pages) > 1:
        about = replace(about, lost=(*about.lost, f"Of the {len(pages)} pages only the first is in the result."))
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
        return upright(Picture(converted, metadata=about), orientation)
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
    linear = pixels.dtype.kind == "f" and (any(map(_says_linear, notes)) or is_linear_profile(profile))
    return upright(Picture(pixels, alpha, profile or None, linear, about), orientation)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height that a file promises.

    Raises:
        PictureError: no TIFF file, or one that is damaged.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = tiff_pages(file)[0]
            return int(page.imagewidth), int(page.imagelength)
    except _FAULTS as error:
        raise PictureError(f"The TIFF file is cut off or damaged: {error}.") from None


def _facts(page: tifffile.TiffPage, data: bytes) -> tuple[int, Metadata]:
    """Orientation, and what a page says beside its pixels."""
    layout, _ = ifd.layout_of(data)
    top, _ = ifd.read(data, layout, page.offset)
    turned, resolution = facts_of(top, layout.order)
    xmp, iptc = (top[tag].data if tag in top else b"" for tag in (ifd.XMP, ifd.IPTC))
    resources = top.get(PHOTOSHOP)
    if not iptc and resources is not None:
        iptc = iptc_of(resources.data)
    described = top.get(270)
    if described is not None and _says_linear(described.data.rstrip(b"\0").decode("latin-1")):
        del top[270]  # our own note
    elif described is not None and described.data.startswith(_SHAPES):
        del top[270]
    if SOFTWARE_TAG in top and top[SOFTWARE_TAG].data.startswith(SOFTWARE.encode()):
        del top[SOFTWARE_TAG]
    kept = {tag: entry for tag, entry in top.items() if tag not in ifd.STRUCTURE}
    exif = ifd.block(kept, layout.order) if set(kept) - RESOLUTION else b""
    return turned or 1, Metadata(exif=exif, xmp=xmp, iptc=iptc, resolution=resolution)


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
    except (ValueError, ImportError) as error:
        if isinstance(error, ValueError) and "imagecodecs" not in str(error):
            raise
    try:
        return _by_libtiff(page, data)
    except (*_FAULTS, PictureError):
        name = getattr(page.compression, "name", str(page.compression))
        installed = importlib.util.find_spec("imagecodecs") is not None
        if installed or int(page.compression) in _LIBTIFF:
            raise PictureError(f"Its pixels, compressed by {name}, are cut off or damaged.") from None
        text = f"Its compression, {name}, needs the library imagecodecs. Install the extra 'codecs' "
        text += "(pip install 'underdrawing[codecs]'), or save the picture as PNG or with another compression."
        raise PictureError(text) from None


def _by_libtiff(page: tifffile.TiffPage, data: bytes) -> np.ndarray:
    """What tifffile alone cannot unpack (LZW, JPEG, fax): Pillow's libtiff for 8 bits, OpenCV's for more."""
    if page.offset != _first_page(data):
        raise PictureError("Libtiff reads the first page alone.")
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
        raise PictureError("Libtiff reads other pixels than the file promises.")
    return samples


def _first_page(data: bytes) -> int:
    return ifd.layout_of(data)[1]


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
        note = json.loads((description or "").removeprefix(SOFTWARE))
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


def encode(picture: Picture, losses: list[str]) -> bytes:
    """A TIFF file with deflate compression, bit for bit at the picture's depth; what is lost is appended."""
    samples = picture.samples()
    about = picture.metadata
    order = ifd.layout_of(about.exif)[0].order if about.exif else "<"
    note = json.dumps({"underdrawing": {"linear": True}}) if picture.linear else None
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples[..., 0] if samples.shape[2] == 1 else samples,
        byteorder=">" if order == ">" else "<",
        photometric="minisblack" if picture.channels == 1 else "rgb",
        planarconfig=None if samples.shape[2] == 1 else "contig",
        extrasamples=None if picture.alpha is None else ["unassalpha"],
        compression="zlib",
        iccprofile=picture.profile,
        software=SOFTWARE if note is None else f"{SOFTWARE} {note}",
        metadata=None,
    )
    data = buffer.getvalue()
    fields: ifd.Directory = {} if about.resolution is None else resolution_fields(about.resolution, order)
    if about.exif:
        layout, first = ifd.layout_of(about.exif)
        fields |= ifd.read(about.exif, layout, first)[0]
    for tag, kind, value in ((ifd.XMP, ifd.BYTE, about.xmp), (ifd.IPTC, ifd.UNDEFINED, about.iptc)):
        if value:
            fields[tag] = ifd.TagEntry(kind, len(value), value)
    if about.comment:
        losses.append("TIFF files keep no comment of JPEG: it was left out.")
    return _with_fields(data, fields, picture.linear, losses) if fields else data


def _with_fields(data: bytes, fields: ifd.Directory, linear: bool, losses: list[str]) -> bytes:
    """A TIFF file with more fields in its first directory, which moves to its end."""
    layout, first = ifd.layout_of(data)
    if layout.big:
        losses.append("A TIFF file of this size keeps no metadata: they were left out.")
        return data
    own, _ = ifd.read(data, layout, first)
    # What says how the pixels are stored is ours; the rest is as the source had it.
    ours = ifd.STRUCTURE - {ifd.XMP, ifd.IPTC} | ({SOFTWARE_TAG} if linear else set())
    kept = {tag: entry for tag, entry in fields.items() if tag not in ours}
    place = len(data) + len(data) % 2
    moved = data[:4] + struct.pack(layout.order + "I", place) + data[8:] + b"\0" * (len(data) % 2)
    return moved + ifd.written(own | kept, layout.order, place)
