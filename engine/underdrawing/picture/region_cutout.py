"""A region cut out of all planes of a primitive, which can be shifted, mirrored, scaled and put down again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.label_inpainting import LINE, REACH
from underdrawing.picture.mask import dilate
from underdrawing.picture.primitive import Primitive

COVER = 64  # of 255: a scaled pixel that lines cover as much is a line


@dataclass(frozen=True, eq=False)
class Cutout:
    """A piece of a primitive.

    Attributes:
        x, y: where the arrays' corner lies in the picture; may be outside.
        mask: (h, w) bool, the region; everywhere `REACH` pixels of margin around it.
        halo: (h, w) bool, the region with the reach of its outlines.
        segments, edges, paint: (h, w) or (h, w, 3) uint8, or None, as in `Primitive`; they count inside the mask,
            the edges in all of the halo.
    """

    x: int
    y: int
    mask: np.ndarray
    halo: np.ndarray
    segments: np.ndarray | None
    edges: np.ndarray | None
    paint: np.ndarray | None

    @classmethod
    def of(cls, primitive: Primitive, region: np.ndarray) -> Cutout:
        """Cut out a region, (H, W) bool, not empty."""
        box = Bounds.of_mask(region).expand(REACH)
        part = box.intersect(primitive.bounds)
        rows = (part.y - box.y, box.bottom - part.bottom)
        columns = (part.x - box.x, box.right - part.right)

        def cut(plane: np.ndarray | None, empty: int) -> np.ndarray | None:
            if plane is None:
                return None
            around = (rows, columns, (0, 0))[: plane.ndim]
            return np.pad(plane[part.slices()], around, constant_values=empty)

        mask = np.pad(region[part.slices()], (rows, columns))
        halo = dilate(mask, REACH)
        edges = cut(primitive.edges, 255)
        if edges is not None:
            edges = np.where(dilate(mask, _outline_reach(edges, mask)), edges, np.uint8(255))
        return cls(box.x, box.y, mask, halo, cut(primitive.segments, 0), edges, cut(primitive.paint, 0))

    @property
    def bounds(self) -> Bounds:
        """Where it lies, margin included."""
        return Bounds(self.x, self.y, self.mask.shape[1], self.mask.shape[0])

    def translate(self, dx: int, dy: int) -> Cutout:
        """Moved to the right and down."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def mirror(self, vertical: bool) -> Cutout:
        """Mirrored in its own bounds: top and bottom change places if vertical, else left and right."""
        turn = (slice(None, None, -1),) if vertical else (slice(None), slice(None, None, -1))
        planes = (self.mask, self.halo, self.segments, self.edges, self.paint)
        return Cutout(self.x, self.y, *(None if plane is None else plane[turn] for plane in planes))  # type: ignore[arg-type]

    def scale(self, fx: float, fy: float, centre: tuple[float, float]) -> Cutout:
        """Made larger or smaller around a point of the picture, (x, y) in pixels. At least one pixel remains."""
        height, width = self.mask.shape
        size = max(1, round(width * fx)), max(1, round(height * fy))
        weight = self.mask.astype(np.float32)
        cover = _soft(weight, size)
        mask = cover >= 0.5
        if not mask.any():
            mask = cover >= cover.max()
        halo = (_soft(self.halo.astype(np.float32), size) >= 0.5) | mask
        edges = None if self.edges is None else _scaled_edges(self.edges, size)
        return Cutout(
            round(centre[0] + (self.x - centre[0]) * fx),
            round(centre[1] + (self.y - centre[1]) * fy),
            mask,
            halo,
            None if self.segments is None else _scaled_classes(self.segments, self.mask, size),
            edges,
            None if self.paint is None else _scaled_paint(self.paint, weight, cover, size),
        )

    def put_on(self, primitive: Primitive) -> tuple[Primitive, np.ndarray]:
        """Put it down; what lies outside of the picture is cut off.

        Returns:
            the new primitive, and the halo in the picture, (H, W) bool, in which it differs from the old one.
        """
        part = self.bounds.intersect(primitive.bounds)
        changed = np.zeros(primitive.size[::-1], bool)
        if part.is_empty:
            return primitive, changed
        here, own = part.slices(), part.translate(-self.x, -self.y).slices()
        mask, halo = self.mask[own], self.halo[own]
        planes: dict[str, np.ndarray] = {}
        for name in ("segments", "paint"):
            plane, mine = getattr(primitive, name), getattr(self, name)
            if plane is not None and mine is not None:
                planes[name] = plane.copy()
                planes[name][here][mask] = mine[own][mask]
        if primitive.edges is not None and self.edges is not None:
            edges, mine = primitive.edges.copy(), self.edges[own]
            # Around the region its outline joins the lines that are there; in it only its own lines are seen.
            edges[here] = np.where(mask, mine, np.where(halo, np.minimum(mine, edges[here]), edges[here]))
            planes["edges"] = edges
        changed[here] = halo
        return primitive.with_planes(**planes), changed


def _outline_reach(edges: np.ndarray, mask: np.ndarray) -> int:
    """How far outside of the region its own outline lies, 1 to `REACH` pixels.

    Taking more along would leave bristles: the ends of lines that only meet the region.
    """
    line = edges < LINE
    rim = mask & ~(cv2.erode(mask.view(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if not line.any():
        return 1
    away = cv2.distanceTransform((~line).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[rim]
    close = away[away <= REACH + 0.5]
    return int(np.clip(np.ceil(np.percentile(close, 80) - 0.5), 1, REACH)) if close.size else 1


def _soft(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resampled to (width, height): averaged on the side that shrinks, interpolated on the one that grows."""
    height, width = plane.shape[:2]
    less = min(size[0], width), min(size[1], height)
    if less != (width, height):
        plane = cv2.resize(plane, less, interpolation=cv2.INTER_AREA)
    return plane if less == size else cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)


def _scaled_classes(segments: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Classes with smooth borders: every class is resampled as a soft shape, and the greatest wins."""
    result = np.zeros(size[::-1], np.uint8)
    best = np.full(size[::-1], -1, np.float32)
    for label in np.unique(segments[mask]):
        value = _soft(((segments == label) & mask).astype(np.float32), size)
        wins = value > best
        best[wins] = value[wins]
        result[wins] = label
    return result


def _scaled_paint(paint: np.ndarray, weight: np.ndarray, cover: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Paint resampled without the colours around the region."""
    value = _soft(paint.astype(np.float32) * weight[..., None], size) / np.maximum(cover, 1e-6)[..., None]
    return np.clip(np.rint(value), 0, 255).astype(np.uint8)


def _scaled_edges(edges: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Outlines resampled; thin black lines stay as thin and as closed as they are."""
    line = edges < LINE
    if not line.any():
        return np.full(size[::-1], 255, np.uint8)
    if not np.isin(edges, (0, 255)).all():
        return _soft(edges, size)
    full = line[:-1, :-1] & line[1:, :-1] & line[:-1, 1:] & line[1:, 1:]
    if full.sum() > 0.25 * line.sum():  # thick strokes
        return np.where(_soft(255 - edges, size) >= COVER, np.uint8(0), np.uint8(255))
    height, width = edges.shape
    rows, columns = np.nonzero(line)
    x = np.floor((columns + 0.5) * size[0] / width).astype(np.int32)
    y = np.floor((rows + 0.5) * size[1] / height).astype(np.int32)
    number = np.full((height + 2, width + 2), -1, np.int64)
    number[rows + 1, columns + 1] = np.arange(len(rows))
    result = np.full(size[::-1], 255, np.uint8)
    result[y, x] = 0
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[rows + 1 + dy, columns + 1 + dx]
        joined = other >= 0
        if dy and dx:
            # Where a corner pixel already joins the two, a diagonal would only make the line thicker.
            corner = (number[rows + 1, columns + 1 + dx] >= 0) | (number[rows + 2, columns + 1] >= 0)
            joined &= ~corner
        ends = np.stack([x[joined], y[joined], x[other[joined]], y[other[joined]]], axis=1)
        cv2.polylines(result, list(ends.reshape(-1, 2, 1, 2)), isClosed=False, color=0)
    return result
