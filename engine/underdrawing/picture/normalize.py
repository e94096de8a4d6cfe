"""Pixels as files store them become pixels as people see them: CMYK as sRGB, turned upright."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageCms

from underdrawing.picture.image import Picture


def cmyk_to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A CMYK picture in sRGB: by its profile where it has a usable one, else by the plain formula."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def upright(picture: Picture, orientation: int | None = None) -> Picture:
    """Turned and mirrored as an orientation (1 to 8) says, by default that of its metadata; these then say 1."""
    orientation = picture.metadata.orientation if orientation is None else orientation
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a[::-1].swapaxes(0, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a[:, ::-1].swapaxes(0, 1),
    }
    turn = turns.get(orientation)
    about = picture.metadata
    if turn is not None:
        alpha = None if picture.alpha is None else np.ascontiguousarray(turn(picture.alpha))
        picture = replace(picture, pixels=np.ascontiguousarray(turn(picture.pixels)), alpha=alpha)
    if orientation >= 5 and about.resolution is not None:
        about = replace(about, resolution=about.resolution[::-1])
    return replace(picture, metadata=about.for_size(picture.size))
