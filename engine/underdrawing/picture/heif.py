"""HEIC and AVIF, which phones write: read through pillow-heif or Pillow where these can."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import features

from underdrawing.picture import file_formats, pillow
from underdrawing.picture.image import Picture, PictureError, check_size
from underdrawing.picture.metadata import Metadata, exif_facts
from underdrawing.picture.normalize import upright

INSTALL = "Install the extra 'heif' (pip install 'underdrawing[heif]'), or export it as PNG."


def decode(data: bytes, kind: file_formats.FileKind, note: Callable[[str], None]) -> Picture:
    """A HEIC or AVIF picture, upright, with alpha and profile; 10 and 12 bits become 16.

    Raises:
        PictureError: damaged, or the library is missing.
    """
    if kind is file_formats.AVIF:
        if not features.check("avif"):
            raise PictureError("This Pillow cannot read AVIF files. Update it, or export the picture as PNG.")
        made = pillow.decode(data, ("AVIF",), note)
        return replace(made, metadata=replace(made.metadata, lost=(*made.metadata.lost, *_depth_lost(data))))
    try:
        import pillow_heif
    except ImportError:
        raise PictureError(f"Reading {kind.name} files needs the library pillow-heif. {INSTALL}") from None
    try:
        file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        image = file[file.primary_index]
        check_size(*image.size)
        samples = np.asarray(image)
    except (ValueError, OSError, RuntimeError, EOFError, SyntaxError) as error:
        raise PictureError(f"The {kind.name} file is cut off or damaged: {error}.") from None
    info: dict[str, Any] = dict(image.info)
    exif = (info.get("exif") or b"").removeprefix(b"Exif\0\0")
    # Turning is part of the format, and the library has done it.
    about = Metadata(exif=exif, xmp=info.get("xmp") or b"", resolution=exif_facts(exif)[1])
    if len(file) > 1:
        about = replace(about, lost=(f"Of the {len(file)} pictures only the main one is in the result.",))
    return upright(pillow.from_samples(samples, info.get("icc_profile") or None, about), 1)


def _depth_lost(data: bytes) -> list[str]:
    """What is lost of an AVIF picture of 10 or 12 bits (AV1 in ISOBMFF, 2.3.3: the third byte of the box av1C)."""
    place = data.find(b"av1C")
    deep = 0 <= place < len(data) - 7 and data[place + 6] & 0x40
    return ["The AVIF picture has more than 8 bits a channel; it was read with 8."] if deep else []
