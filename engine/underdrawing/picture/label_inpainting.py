"""Ground where something was taken away: its classes grow in from the border, its lines and colours are borrowed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import fft

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import PictureError
from underdrawing.picture.mask import dilate
from underdrawing.picture.palette import palette_of, snap
from underdrawing.picture.primitive import Primitive

LINE = 128  # edges below are lines
REACH = 3  # pixels: how far from a class's border its outline may lie (Canny smooths before it looks)
SEARCH = 256  # pixels of the longer side at which shifts are looked for
MARGIN = 48  # pixels around a hole that are searched at least
SHIFTS = 8  # so many places at most to borrow from
LEAST = 0.02  # of the ground: a place that serves less of it is not worth a seam
SWEEPS = 24  # of relaxation on every level


@dataclass(frozen=True)
class Ground:
    """A primitive without the removed region.

    Attributes:
        primitive: all planes filled.
        halo: (H, W) bool, the region and the reach around it in which its outlines lay; all that may have changed.
    """

    primitive: Primitive
    halo: np.ndarray


def fill(primitive: Primitive, region: np.ndarray) -> Ground:
    """Fill a region as if what it shows had never been there.

    Segments: the classes around the region grow into it; where several meet, their border goes on smoothly (Laplace's
    equation is solved for every class, the greatest wins: Grady, "Random walks for image segmentation", 2006).
    Edges and paint are copied from places nearby whose classes lie the same way.

    Args:
        region: (H, W) bool, not empty.

    Raises:
        PictureError: the region leaves nothing to fill from.
    """
    if region.all():
        raise PictureError("The region is the whole picture, so there is nothing around it to fill it with.")
    halo = dilate(region, REACH)
    labels = grow_classes(_labels(primitive), region)
    planes: dict[str, np.ndarray] = {}
    if primitive.segments is not None:
        planes["segments"] = labels
    source = None
    if primitive.edges is not None or primitive.paint is not None:
        source = borrow(_look(primitive), labels, halo)
    if primitive.edges is not None and source is not None:
        edges = np.where(halo, np.uint8(255), primitive.edges)
        at, lines = _take(primitive.edges, source, halo)
        edges[at] = lines
        planes["edges"] = _close_borders(edges, labels, region, halo)
    if primitive.paint is not None and source is not None:
        planes["paint"] = _fill_paint(primitive.paint, source, labels, dilate(region, 1))
    return Ground(primitive.with_planes(**planes), halo)


def grow_classes(labels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """(H, W) uint8 labels with the hole filled from the labels around it.

    Args:
        labels: (H, W) uint8.
        hole: (H, W) bool; what lies in it does not count. Some pixel must lie outside.
    """
    box = Bounds.of_mask(hole).expand(2, (hole.shape[1], hole.shape[0]))
    inside, part = hole[box.slices()], labels[box.slices()].copy()
    if inside.all():
        raise PictureError("There is nothing around the region to fill it with.")
    rim = (cv2.dilate(inside.view(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~inside
    classes = np.unique(part[rim])
    if len(classes) == 1:
        part[inside] = classes[0]
    else:
        best = np.full(part.shape, -1, np.float32)
        for label in classes:
            value = _relax((part == label).astype(np.float32), inside)
            wins = inside & (value > best)
            best[wins] = value[wins]
            part[wins] = label
    result = labels.copy()
    result[box.slices()] = part
    return result


def _relax(values: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Laplace's equation in the hole with the values outside of it as border, coarse to fine; mirrored at the frame."""
    start = values * ~hole
    if min(values.shape) >= 8:
        weight = (~hole).astype(np.float32)
        size = ((values.shape[1] + 1) // 2, (values.shape[0] + 1) // 2)
        known = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(start, size, interpolation=cv2.INTER_AREA) / np.maximum(known, 1e-6)
        if (known > 0).any():
            coarse = _relax(mean * (known > 0), known <= 0)
            finer = cv2.resize(coarse, values.shape[::-1], interpolation=cv2.INTER_LINEAR)
            start = np.where(hole, finer, values)
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    # Small pictures are cheap and carry the solution; on large ones only the detail of the border is missing.
    for _ in range(SWEEPS * 8 if values.size < 1024 else SWEEPS):
        np.copyto(start, cv2.filter2D(start, -1, kernel, borderType=cv2.BORDER_REFLECT), where=hole)
    return start


def _labels(primitive: Primitive) -> np.ndarray:
    """What lies where: the segments; without them the flat colours of the paint; without both one class of all."""
    if primitive.segments is not None:
        return primitive.segments
    if primitive.paint is not None:
        return snap(primitive.paint, palette_of(primitive.paint)).indices
    return np.zeros(primitive.size[::-1], np.uint8)


def _look(primitive: Primitive) -> list[np.ndarray]:
    """(H, W) uint8 planes: what two places should have in common for one to be borrowed for the other."""
    layers = []
    if primitive.edges is not None:
        # Twice as strong: a line that is nowhere continued is seen more than a colour that differs a little.
        blurred = cv2.GaussianBlur(255 - primitive.edges, (0, 0), 2)
        layers.append(cv2.add(blurred, blurred))
    if primitive.paint is not None:
        layers += [primitive.paint[..., channel] for channel in range(3)]
    return layers


def borrow(look: list[np.ndarray], labels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Where every pixel of the hole is copied from.

    The hole is laid over other places; the place where most of the hole's labels find the same label, and where the
    surroundings look most like those of the hole, serves first; what it cannot serve is left to the next place.

    Args:
        look: (H, W) uint8 planes, features of the surroundings.
        labels: (H, W) uint8, already filled in the hole.
        hole: (H, W) bool.

    Returns:
        (H, W, 2) int32 offsets (dx, dy) to the source pixel; both are 0 where nothing fits and outside of the hole.
    """
    offsets = np.zeros((*hole.shape, 2), np.int32)
    # Near places fit best, and a small hole deserves to be looked at in full resolution.
    tight = Bounds.of_mask(hole)
    box = tight.expand(max(MARGIN, 3 * max(tight.size) // 2), (hole.shape[1], hole.shape[0]))
    hole, labels, look = hole[box.slices()], labels[box.slices()], [plane[box.slices()] for plane in look]
    rows, columns = np.nonzero(hole)
    open_ = np.ones(len(rows), bool)
    step = max(1, -(-max(hole.shape) // SEARCH))
    search = _LabelSearch([plane[::step, ::step] for plane in look], labels[::step, ::step], hole[::step, ::step])
    for _ in range(SHIFTS):
        wanted = np.zeros_like(hole)
        wanted[rows[open_], columns[open_]] = True
        shift = search.best(wanted[::step, ::step])
        if shift is None:
            break
        dx, dy = shift[0] * step, shift[1] * step
        y, x = rows + dy, columns + dx
        fits = open_ & (x >= 0) & (y >= 0) & (x < box.width) & (y < box.height)
        fits[fits] = ~hole[y[fits], x[fits]] & (labels[y[fits], x[fits]] == labels[rows[fits], columns[fits]])
        if fits.sum() < max(1, LEAST * len(rows)):
            break
        offsets[box.y + rows[fits], box.x + columns[fits]] = dx, dy
        open_ &= ~fits
        if not open_.any():
            break
    return offsets


class _LabelSearch:
    """All shifts of a hole weighed at once, by correlation in the frequency domain."""

    def __init__(self, look: list[np.ndarray], labels: np.ndarray, hole: np.ndarray) -> None:
        self.labels, self.hole = labels, hole
        self.shape = tuple(fft.next_fast_len(2 * side, real=True) for side in hole.shape)
        valid = (~hole).astype(np.float32)
        self.valid = self._forward(valid)
        self.classes = {
            int(label): self._forward(valid * (labels == label))
            for label in (np.unique(labels[hole]) if hole.any() else ())
        }
        around = dilate(hole, 6) & ~hole
        ring = around.astype(np.float32)
        pairs = np.maximum(self._correlate(self._forward(ring), self.valid), 0)
        error = np.zeros(self.shape, np.float32)
        layers = [plane.astype(np.float32) / 255 for plane in look]
        for layer in layers:
            error += self._correlate(self._forward(ring * layer * layer), self.valid)
            error -= 2 * self._correlate(self._forward(ring * layer), self._forward(valid * layer))
            error += self._correlate(self._forward(ring), self._forward(valid * layer * layer))
        total = max(1.0, float(ring.sum()))
        # A shift whose surroundings mostly fall outside says little; it counts as a bad match.
        mean = np.maximum(error, 0) / np.maximum(pairs, 1)
        scale = max(
            1e-4, float(np.mean([layer[~hole].var() for layer in layers]) * len(layers)) if valid.any() else 1.0
        )
        match = np.exp(-mean / scale) * np.minimum(1, 2 * pairs / total)
        far = np.hypot(*np.meshgrid(*(fft.fftfreq(side, 1 / side) for side in self.shape), indexing="ij"))
        self.like = 0.5 * match - 0.3 * far.astype(np.float32) / max(hole.shape)

    def best(self, wanted: np.ndarray) -> tuple[int, int] | None:
        """The shift (dx, dy) for these pixels of the hole; None where no shift serves any of them."""
        count = int(wanted.sum())
        if count == 0:
            return None
        served = np.zeros(self.shape, np.float32)
        for label, where in self.classes.items():
            mine = wanted & (self.labels == label)
            if mine.any():
                served += self._correlate(self._forward(mine.astype(np.float32)), where)
        score = np.where(served >= 0.5, served / count + self.like, -np.inf)
        at = int(score.argmax())
        if not np.isfinite(score.flat[at]):
            return None
        dy, dx = np.unravel_index(at, self.shape)
        half = (self.shape[0] // 2, self.shape[1] // 2)
        return int(dx) - self.shape[1] * (dx > half[1]), int(dy) - self.shape[0] * (dy > half[0])

    def _forward(self, plane: np.ndarray) -> np.ndarray:
        return np.asarray(fft.rfft2(plane.astype(np.float32), self.shape))

    def _correlate(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """For every shift s the sum over p of first(p) second(p + s)."""
        return np.asarray(fft.irfft2(np.conj(first) * second, self.shape), np.float32)


def _take(plane: np.ndarray, offsets: np.ndarray, where: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """The pixels of `where` that have an offset, as an index (rows, columns), and what is found at their source."""
    rows, columns = np.nonzero(where)
    shifts = offsets[rows, columns]
    has = shifts.any(axis=1)
    rows, columns, (dx, dy) = rows[has], columns[has], shifts[has].T
    return (rows, columns), plane[rows + dy, columns + dx]


def _close_borders(edges: np.ndarray, labels: np.ndarray, region: np.ndarray, halo: np.ndarray) -> np.ndarray:
    """Outlines along the new borders of classes, between those classes whose borders are outlined elsewhere too."""
    rows, columns, pairs = _borders(labels)
    near = cv2.erode(edges, np.ones((2 * REACH + 1,) * 2, np.uint8))[rows, columns] < LINE
    outside = ~halo[rows, columns]
    total = np.bincount(pairs[outside], minlength=65536)
    outlined = np.bincount(pairs[outside & near], minlength=65536)
    usual = outlined > 0.5 * np.maximum(total, 1)
    open_ = region[rows, columns] & ~near & usual[pairs]
    result = edges.copy()
    result[rows[open_], columns[open_]] = 0
    return result


def _borders(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns of the pixels that differ from the one to the right or below, and a number of the two classes."""
    found = []
    for dy, dx in ((0, 1), (1, 0)):
        height, width = labels.shape[0] - dy, labels.shape[1] - dx
        rows, columns = np.nonzero(labels[:height, :width] != labels[dy:, dx:])
        first = labels[rows, columns].astype(np.int64)
        second = labels[rows + dy, columns + dx].astype(np.int64)
        found.append((rows, columns, np.minimum(first, second) * 256 + np.maximum(first, second)))
    across, down = found
    return tuple(np.concatenate(both) for both in zip(across, down, strict=True))  # type: ignore[return-value]


def _fill_paint(paint: np.ndarray, offsets: np.ndarray, labels: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Paint copied by offsets; what has none takes the nearest colour of its class outside of the region."""
    result = paint.copy()
    at, colours = _take(paint, offsets, region)
    result[at] = colours
    rest = region.copy()
    rest[at] = False
    # Its own box holds nearly all that is nearest, and looking through the whole picture takes long.
    box = Bounds.of_mask(region).expand(REACH + 1, (region.shape[1], region.shape[0]))
    for label in np.unique(labels[rest]) if rest.any() else ():
        known = ~region & (labels == label)
        if not known.any():
            known = ~region
        part = box.slices() if known[box.slices()].any() else (slice(None), slice(None))
        known = known[part]
        _, nearest = cv2.distanceTransformWithLabels(
            (~known).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        table = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
        table[nearest[known]] = paint[part][known]
        mine = (rest & (labels == label))[part]
        result[part][mine] = table[nearest[mine]]
    return result
