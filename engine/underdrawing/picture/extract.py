"""Making a primitive from a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import cv2
import numpy as np

from underdrawing.picture import colour_names, edges, segmentation
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.label_maps import enlarge, tidy
from underdrawing.picture.primitive import Primitive

PAINT_SIDE = 512  # pixels of the longer side at which the few colours are found
LARGE = 8_000_000  # pixels; larger pictures are looked at reduced, which keeps time and memory in bounds

Network = Callable[[np.ndarray], np.ndarray]  # (h, w, 3) uint8 -> (h, w) float


class Kind(StrEnum):
    """What is made."""

    EDGES = "edges"  # outlines
    SEGMENTS = "segments"  # areas
    SUPER = "super"  # both, as two planes
    PAINT = "paint"  # the picture in a few flat colours


def make_primitive(
    picture: Picture,
    kind: Kind | str,
    *,
    sigma: float | None = None,
    low: float = edges.LOW,
    high: float = edges.HIGH,
    regions: int = 12,
    strength: float = 0.5,
    colours: int = 8,
    soft_edges: Network | None = None,
    saliency: Network | None = None,
    outlines: Network | None = None,
) -> Primitive:
    """Make a primitive.

    Args:
        kind: what is made.
        sigma: of Canny's Gaussian in pixels; None takes 2.5 for outlines alone and 0.5 for "super".
        low, high: Canny's thresholds.
        regions: classes of the segments.
        strength: 0 to 1, how much detail "paint" loses before its colours are counted.
        colours: of "paint", 2 to 64.
        soft_edges: a network for outlines (HED); with it Canny is not used.
        saliency: a network that finds the subject (U2-Net), so that segments do not cross its outline.
        outlines: a network for outlines (HED) whose lines the borders of segments follow.

    Returns:
        a primitive of the picture's size. Above 8 megapixels it is made of a reduced copy and enlarged, pixel by
        pixel; `sigma` then counts in pixels of the copy.

    Raises:
        PictureError: a kind or a value that does not exist.
    """
    try:
        kind = Kind(kind)
    except ValueError:
        raise PictureError(f"{kind!r} is no kind of primitive; there are {', '.join(Kind)}.") from None
    rgb = _looked_at(picture)
    lines = areas = None
    if kind in (Kind.EDGES, Kind.SUPER):
        if soft_edges is not None:
            lines = edges.soft_edges(rgb, soft_edges)
        else:
            usual = edges.SIGMA_SUPER if kind is Kind.SUPER else edges.SIGMA_ALONE
            lines = edges.canny_edges(rgb, usual if sigma is None else sigma, low, high)
    if kind in (Kind.SEGMENTS, Kind.SUPER):
        areas = segmentation.segment(rgb, regions, saliency, outlines)
    if kind is Kind.PAINT:
        made = Primitive(paint=flat_colours(rgb, colours, strength))
    elif areas is None:
        made = Primitive(edges=lines)
    else:
        made = Primitive(segments=areas.indices, palette=areas.palette, edges=lines)
    return made.resized(picture.size, soft=False)


def _looked_at(picture: Picture) -> np.ndarray:
    """The picture as (h, w, 3) uint8, of at most 8 megapixels."""
    width, height = picture.size
    if width * height <= LARGE:
        return picture.to_bytes()
    scale = (LARGE / (width * height)) ** 0.5
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = picture.pixels if picture.depth != "f16" else picture.pixels.astype(np.float32)
    return replace(picture, pixels=cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), alpha=None).to_bytes()


def flat_colours(rgb: np.ndarray, count: int, strength: float = 0.5) -> np.ndarray:
    """A picture in a few flat colours, as a painter lays a picture out: smoothed along edges, then clustered in Lab.

    Args:
        rgb: (H, W, 3) uint8.
        count: colours, 2 to 64.
        strength: 0 to 1, of the smoothing.
    """
    if not 2 <= count <= 64:
        raise PictureError(f"Paint can have 2 to 64 colours, not {count}.")
    if not 0 <= strength <= 1:
        raise PictureError(f"The strength is {strength}; use a value from 0 to 1.")
    height, width = rgb.shape[:2]
    scale = min(1.0, PAINT_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    if strength > 0 and min(size) >= 16:
        small = cv2.pyrMeanShiftFiltering(small, 4 + 12 * strength, 6 + 24 * strength, maxLevel=1)
    lab = colour_names.to_lab(small)
    points = np.ascontiguousarray(lab.reshape(-1, 3))
    clusters = min(count, len(np.unique(points, axis=0)))
    if clusters < 2:
        return np.ascontiguousarray(np.broadcast_to(small[:1, :1], rgb.shape))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.3)
    cv2.setRNGSeed(0)  # the same picture gives the same colours
    _, labels, _ = cv2.kmeans(points, clusters, None, stop, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    index = tidy(
        labels.reshape(lab.shape[:2]).astype(np.uint8), round(segmentation.SMALLEST / 4 * lab.shape[0] * lab.shape[1])
    )
    table = np.stack([np.rint(small[index == i].mean(0)) for i in range(int(index.max()) + 1)]).astype(np.uint8)
    return table[enlarge(index, (width, height))]
