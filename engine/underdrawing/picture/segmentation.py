"""Automatic segmentation: a picture as a chosen number of areas with clean borders.

Superpixels (SLIC, Achanta et al. 2012) are merged pairwise, the cheapest pair first: Ward's criterion on colour,
texture and a spectral embedding of the whole graph (normalised cuts, Shi and Malik 2000), weighted by the strength of
the border between them. The borders are then settled at pixel level by the areas' own colours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from skimage.segmentation import slic

from underdrawing.picture import colour_names
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import MOST, Palette, distinct_colours, unique_names
from underdrawing.picture.regiongraph import build, edge_strength, merge

SIDE = 400  # pixels of the longer side at which areas are found
SUPERPIXELS = 700
SMALLEST = 0.0008  # of the picture: smaller pieces join a neighbour
SUBJECT = 0.5  # saliency above which a pixel belongs to the subject


@dataclass(frozen=True, eq=False)
class Segmentation:
    """(H, W) uint8 class indices, and the palette with names by colour and place."""

    indices: np.ndarray
    palette: Palette


def segment(
    rgb: np.ndarray, regions: int = 12, saliency: Callable[[np.ndarray], np.ndarray] | None = None
) -> Segmentation:
    """Divide a picture into areas.

    Args:
        rgb: (H, W, 3) uint8.
        regions: how many classes, 1 to 255; fewer come out where the picture has not that much to tell apart.
        saliency: takes (h, w, 3) uint8 and gives (h, w) float, how much a pixel belongs to the subject (U2-Net);
            then no area crosses the subject's outline.
    """
    if not 1 <= regions <= MOST:
        raise PictureError(f"A picture can have 1 to {MOST} regions, not {regions}.")
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else np.ascontiguousarray(rgb)
    subject = None
    if saliency is not None:
        subject = np.asarray(saliency(small), np.float32)
        if subject.shape != small.shape[:2]:
            raise PictureError(f"The subject network gave shape {subject.shape} for a picture of {small.shape[:2]}.")
    labels = _areas(small, regions, None if subject is None else subject > SUBJECT)
    labels = enlarge(labels, (width, height))
    return Segmentation(labels, name_classes(rgb, labels))


def _areas(rgb: np.ndarray, regions: int, subject: np.ndarray | None) -> np.ndarray:
    """(h, w) uint8 labels of the reduced picture."""
    height, width = rgb.shape[:2]
    if regions == 1 or min(height, width) < 2:
        return np.zeros((height, width), np.uint8)
    flat = cv2.pyrMeanShiftFiltering(rgb, 7, 14, maxLevel=1) if min(height, width) >= 16 else rgb
    lab = colour_names.to_lab(flat)
    count = int(np.clip(height * width / 150, 16, SUPERPIXELS))
    atoms = slic(lab, count, compactness=8.0, sigma=0, convert2lab=False, start_label=0, channel_axis=-1)
    if subject is not None:
        _, atoms = np.unique(atoms * 2 + subject, return_inverse=True)
        atoms = atoms.reshape(height, width)
    graph = build(atoms, lab, texture(rgb), edge_strength(colour_names.to_lab(rgb)))
    side = None
    if subject is not None:
        share = np.bincount(atoms.ravel(), subject.ravel(), graph.count) / graph.sizes
        side = (share > 0.5).astype(np.int64)
    labels = merge(graph, regions, SMALLEST * height * width, side)[atoms].astype(np.uint8)
    return settle(labels, lab, subject)


def texture(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: how rough the picture is around a pixel, at three scales, in units of lightness."""
    light = colour_names.to_lab(rgb)[..., 0]
    bands, smooth = [], light
    for sigma in (1.0, 2.0, 4.0):
        rougher = smooth
        smooth = cv2.GaussianBlur(light, (0, 0), sigma)
        bands.append(np.sqrt(cv2.GaussianBlur((rougher - smooth) ** 2, (0, 0), 2.5 * sigma)))
    return np.dstack(bands)


def settle(labels: np.ndarray, lab: np.ndarray, subject: np.ndarray | None, rounds: int = 4) -> np.ndarray:
    """Let pixels near a border choose between the areas there: by colour and by what their surroundings chose."""
    count = int(labels.max()) + 1
    height, width = labels.shape
    reach = max(2.0, min(height, width) / 100)
    wide = 2 * round(3 * reach) + 1
    for _ in range(rounds):
        votes = np.full((count, height, width), -1e9, np.float32)
        for index in range(count):
            own = labels == index
            if not own.any():
                continue
            area = Bounds.of_mask(own).expand(wide, (width, height)).slices()
            member, part = own[area].astype(np.float32), lab[area]
            near = cv2.GaussianBlur(member, (0, 0), reach)
            # Colours are compared with the area's colour right here, not with its mean: areas have gradients.
            weight = cv2.blur(member, (wide, wide)) + 1e-4
            local = cv2.blur(part * member[..., None], (wide, wide)) / weight[..., None]
            offset = part - local
            offset = np.einsum("hwc,hwc->hw", offset, offset)
            spread = max(float(offset[own[area]].mean()), 20.0)
            votes[(index, *area)] = np.where(near > 0.02, np.log(near + 1e-4) * 2.5 - offset / (2 * spread), -1e9)
        fresh = votes.argmax(0).astype(np.uint8)
        if subject is not None:
            # A pixel may not go over to the other side of the subject's outline.
            side = np.array([subject[labels == i].mean() > 0.5 if (labels == i).any() else False for i in range(count)])
            fresh = np.where(side[fresh] == side[labels], fresh, labels)
        labels = fresh
    return tidy(labels, int(max(1, SMALLEST * labels.size)))


def tidy(labels: np.ndarray, smallest: int) -> np.ndarray:
    """Give connected pieces below `smallest` pixels to the areas next to them, and number the classes without gaps."""
    result = labels.copy()
    for index in np.unique(labels):
        _, pieces, stats, _ = cv2.connectedComponentsWithStats((labels == index).view(np.uint8), connectivity=4)
        sizes = stats[:, cv2.CC_STAT_AREA].copy()
        sizes[0] = labels.size
        largest = int(np.argmax(np.where(np.arange(len(sizes)) > 0, sizes, -1))) if len(sizes) > 1 else 0
        sizes[largest] = labels.size  # a class does not vanish altogether
        result[(sizes < smallest)[pieces]] = 255
    hole = result == 255
    if hole.any() and not hole.all():
        _, nearest = cv2.distanceTransformWithLabels(
            hole.view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        lookup = np.zeros(int(nearest.max()) + 1, np.uint8)
        lookup[nearest[~hole]] = result[~hole]
        result = np.where(hole, lookup[nearest], result)
    return np.unique(result, return_inverse=True)[1].reshape(labels.shape).astype(np.uint8)


def enlarge(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Labels at another size with smooth borders: each class is enlarged softly, the strongest one wins."""
    height, width = labels.shape
    if size == (width, height):
        return labels
    if min(height, width) < 2:
        return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    best = np.full((size[1], size[0]), -1, np.float32)
    result = np.zeros((size[1], size[0]), np.uint8)
    for index in np.unique(labels):
        member = cv2.GaussianBlur((labels == index).astype(np.float32), (0, 0), 0.8)
        soft = cv2.resize(member, size, interpolation=cv2.INTER_LINEAR)
        stronger = soft > best
        result[stronger] = index
        np.maximum(best, soft, out=best)
    return result


def name_classes(rgb: np.ndarray, labels: np.ndarray) -> Palette:
    """A distinct palette for the classes, with names like "sky blue, top left"."""
    count = int(labels.max()) + 1
    step = max(1, round(max(labels.shape) / 512))
    part, shown = labels[::step, ::step], rgb[::step, ::step]
    height, width = part.shape
    names = []
    for index in range(count):
        rows, columns = np.nonzero(part == index)
        if not rows.size:
            rows, columns = np.nonzero(labels[::1, ::1] == index)
            rows, columns = rows // step, columns // step
        colour = np.median(shown[np.minimum(rows, height - 1), np.minimum(columns, width - 1)], axis=0)
        names.append(f"{colour_names.colour_name(colour)}, {_place(rows / height, columns / width)}")
    return Palette(distinct_colours(count).colours, tuple(unique_names(names)))


def _place(rows: np.ndarray, columns: np.ndarray) -> str:
    """Where an area lies: "top left", "middle", "bottom", or "all over"."""
    if np.ptp(rows) > 0.8 and np.ptp(columns) > 0.8:
        return "all around"
    row, column = float(np.mean(rows)), float(np.mean(columns))
    height = "top" if row < 0.36 else "bottom" if row > 0.64 else ""
    side = "left" if column < 0.36 else "right" if column > 0.64 else ""
    return f"{height} {side}".strip() or "middle"
