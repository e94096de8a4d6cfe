"""Primitives: what a user draws on. Segments, edges and paint are separate planes, never one flattened picture."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from underdrawing.picture import antialias
from underdrawing.picture.files import read_picture, read_text, write_picture
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.palette import MOST, Palette, Unseen, palette_of, snap

TEXT_KEY = "underdrawing"  # of the PNG text that says what a primitive's file holds


class Plane(StrEnum):
    """The planes that a primitive can have; also the kinds that a drawn picture can be."""

    SEGMENTS = "segments"  # hard-edged areas: classes of a palette
    EDGES = "edges"  # outlines: 0 a line, 255 none
    PAINT = "paint"  # freely painted colour


@dataclass(frozen=True, eq=False)
class Primitive:
    """One to three planes of one size.

    Attributes:
        segments: (H, W) uint8 class indices, or None; goes together with the palette.
        palette: colours and names of the classes, or None where there are no segments.
        edges: (H, W) uint8, 0 a line, 255 none, soft values between; or None.
        paint: (H, W, 3) uint8, or None.
        lossy: whether the segments come from a file with the noise of JPEG or WebP.

    Raises:
        PictureError: no plane at all, planes of different sizes or types, or a class that the palette lacks.
    """

    segments: np.ndarray | None = None
    palette: Palette | None = None
    edges: np.ndarray | None = None
    paint: np.ndarray | None = None
    lossy: bool = False

    def __post_init__(self) -> None:
        present = {name: plane for name in Plane if (plane := getattr(self, name)) is not None}
        if not present:
            raise PictureError("A primitive needs at least one plane: segments, edges or paint.")
        for name, plane in present.items():
            if plane.dtype != np.uint8 or plane.ndim != (3 if name == "paint" else 2) or 0 in plane.shape:
                raise PictureError(
                    f"The plane {name} has type {plane.dtype} and shape {plane.shape}, which do not fit."
                )
        if len({plane.shape[:2] for plane in present.values()}) > 1:
            sizes = ", ".join(f"{name} {p.shape[1]} by {p.shape[0]}" for name, p in present.items())
            raise PictureError(f"The planes of a primitive must have one size, but they have: {sizes} pixels.")
        if self.paint is not None and self.paint.shape[2] != 3:
            raise PictureError("The plane paint must have three channels.")
        if self.segments is not None:
            if self.palette is None:
                raise PictureError("A primitive with segments needs the palette of their classes.")
            if int(self.segments.max()) >= len(self.palette):
                raise PictureError(
                    f"Class {int(self.segments.max())} is not in the palette of {len(self.palette)} colours."
                )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        plane = next(p for p in (self.segments, self.edges, self.paint) if p is not None)
        return int(plane.shape[1]), int(plane.shape[0])

    @property
    def bounds(self) -> Bounds:
        """The whole primitive as a rectangle."""
        return Bounds.of_size(self.size)

    @property
    def names(self) -> tuple[str, ...]:
        """The planes that there are, in the order segments, edges, paint."""
        return tuple(str(name) for name in Plane if getattr(self, name) is not None)

    def with_planes(self, **planes: np.ndarray) -> Primitive:
        """A copy with these planes in place of the old ones."""
        return replace(self, **planes)  # type: ignore[arg-type]

    def crop(self, bounds: Bounds) -> Primitive:
        """A part, as views; what lies outside is left out."""
        part = bounds.intersect(self.bounds)
        if part.is_empty:
            raise PictureError(f"{bounds} lies outside of the primitive of {self.size[0]} by {self.size[1]} pixels.")
        return self.with_planes(**{name: getattr(self, name)[part.slices()] for name in self.names})

    def resized(self, size: tuple[int, int], soft: bool = True) -> Primitive:
        """Scaled to (width, height): classes by the nearest pixel, the soft planes by area (or linearly upwards).

        Args:
            soft: False takes the nearest pixel in every plane: lines stay lines, and paper paper.
        """
        if size == self.size:
            return self
        smaller = size[0] * size[1] < self.size[0] * self.size[1]
        smooth = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        planes = {}
        for name in self.names:
            how = smooth if soft and name != "segments" else cv2.INTER_NEAREST_EXACT
            planes[name] = cv2.resize(getattr(self, name), size, interpolation=how)
        return self.with_planes(**planes)

    def planes(self) -> dict[str, np.ndarray]:
        """The planes as they are shown and sent: segments as (H, W, 3) colours, edges (H, W), paint (H, W, 3)."""
        shown: dict[str, np.ndarray] = {}
        for name in self.names:
            plane = getattr(self, name)
            shown[name] = self.palette.render(plane) if name == "segments" and self.palette else plane
        return shown

    def flattened(self) -> np.ndarray:
        """(H, W, 3) uint8 for the eye only: lines drawn over the areas."""
        shown = self.planes()
        base = shown.get("segments", shown.get("paint"))
        if base is None:
            return np.repeat(shown["edges"][..., None], 3, axis=2)
        if "edges" not in shown:
            return base.copy()
        return (base.astype(np.uint16) * shown["edges"][..., None] // 255).astype(np.uint8)

    @classmethod
    def from_planes(
        cls,
        planes: Mapping[str, np.ndarray],
        palette: Palette | None = None,
        kinds: Mapping[str, str] | None = None,
    ) -> tuple[Primitive, list[Unseen]]:
        """From drawn pictures.

        Args:
            planes: by name, (H, W) or (H, W, 1 or 3) uint8. The names "segments", "edges" and "paint" say
                what they are; pictures of other names are guessed.
            palette: what segments are snapped to; None takes the colours that are there.
            kinds: by name, "segments", "edges" or "paint", where the name does not say it.

        Returns:
            the primitive, and the colours that the palette lacked.

        Raises:
            PictureError: two pictures of one kind, or shapes that do not fit.
        """
        made: dict[str, Any] = {}
        unseen: list[Unseen] = []
        for name, drawn in planes.items():
            kind = (kinds or {}).get(name) or (name if name in set(Plane) else guess_kind(_as_rgb(name, drawn)))
            if kind not in set(Plane):
                raise PictureError(f"{kind!r} is no kind of plane; there are segments, edges and paint.")
            if kind in made:
                raise PictureError(f"There are two planes of the kind {kind}; a primitive has one of each at most.")
            if kind == Plane.EDGES:
                made[kind] = lines_of(_as_drawn(name, drawn))
                continue
            rgb = _as_rgb(name, drawn)
            if kind == Plane.SEGMENTS:
                made["palette"] = palette or palette_of(rgb, MOST)
                snapped = snap(rgb, made["palette"])
                made["lossy"] = antialias.noise_of(rgb) is antialias.LOSSY
                made[kind], unseen = snapped.indices, [*unseen, *snapped.unseen]
            else:
                made[kind] = rgb
        return cls(**made), unseen


def _as_drawn(name: str, drawn: np.ndarray) -> np.ndarray:
    """(H, W) where it is grey, else (H, W, 3)."""
    plane = drawn[..., 0] if drawn.ndim == 3 and drawn.shape[2] == 1 else drawn
    if plane.ndim not in (2, 3) or plane.shape[2:] not in ((), (3,)) or plane.dtype != np.uint8 or 0 in plane.shape:
        raise PictureError(f"The plane {name} is not an 8-bit grey or RGB picture: {drawn.dtype}, shape {drawn.shape}.")
    return np.ascontiguousarray(plane)


def _as_rgb(name: str, drawn: np.ndarray) -> np.ndarray:
    plane = _as_drawn(name, drawn)
    return np.repeat(plane[..., None], 3, axis=2) if plane.ndim == 2 else plane


def lines_of(drawn: np.ndarray) -> np.ndarray:
    """Drawn outlines, (H, W) or (H, W, 3) uint8, as (H, W): 0 a line, 255 none. White lines on black are inverted."""
    grey = drawn if drawn.ndim == 2 else cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY)
    return 255 - grey if float(np.median(grey)) < 96 else grey


def guess_kind(rgb: np.ndarray) -> str:
    """What a drawn picture is: "segments", "edges" or "paint".

    Outlines are grey, mostly paper (or mostly black), and thin. Segments are flat areas of few colours.
    The rest is paint.
    """
    if rgb.size == 0:
        raise PictureError("The picture is empty.")
    spread = int(np.ptp(rgb.astype(np.int16), axis=2).max()) if rgb.shape[2] == 3 else 0
    lines = lines_of(_as_rgb("drawn", rgb))
    dark = lines < 160
    share = float(dark.mean())
    if spread <= 12 and 0 < share < 0.4 and float((lines > 230).mean()) > 0.5:
        # A closed area is still there after its border was worn off; a line of a drawing is not.
        reach = max(2, round(min(dark.shape) / 100))
        worn = cv2.erode(dark.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8), borderValue=0)
        if int(worn.sum()) < 0.05 * int(dark.sum()):
            return str(Plane.EDGES)
    noise = antialias.noise_of(rgb)
    table = antialias.flat_colours(rgb, noise, 64)
    known = antialias.exact_classes(rgb, table, noise) != antialias.UNKNOWN
    return str(Plane.SEGMENTS if float(known.mean()) > 0.8 else Plane.PAINT)


def file_of(path: Path, name: str, count: int) -> Path:
    """The file for the plane `name` of a primitive with `count` planes that is written to `path`."""
    stem = path.with_suffix("") if path.suffix.lower() == ".png" else path
    return stem.with_name(f"{stem.name}.png" if count == 1 else f"{stem.name}.{name}.png")


def write_primitive(path: Path, primitive: Primitive) -> list[Path]:
    """Write PNG files: one plane as `P.png`, several as `P.segments.png`, `P.edges.png`, `P.paint.png`.

    Each file says in a text of its own (key "underdrawing") what it holds, and with segments the palette with names.

    Returns:
        the files written.
    """
    names = primitive.names
    written = []
    for name, plane in primitive.planes().items():
        note: dict[str, Any] = {"kind": name, "planes": list(names)}
        if name == "segments" and primitive.palette is not None:
            note["palette"] = primitive.palette.to_json()
        target = file_of(Path(path), name, len(names))
        write_picture(
            target, Picture(plane), text={TEXT_KEY: json.dumps(note, ensure_ascii=True)}, flat=name != "paint"
        )
        written.append(target)
    return written


def read_primitive(path: Path, palette: Palette | None = None) -> Primitive:
    """Read what `write_primitive` wrote (by `P.png` or by any of its files), or a picture drawn by anybody.

    Args:
        path: a file; or `P.png` where `P.segments.png`, `P.edges.png` or `P.paint.png` lie.
        palette: what segments are snapped to in place of their own palette.

    Raises:
        PictureError: nothing there, or not readable. Use `read_drawn` to hear of colours that the palette lacks.
    """
    return read_drawn(path, palette)[0]


def read_drawn(
    path: Path, palette: Palette | None = None, takes: Collection[str] | None = None
) -> tuple[Primitive, list[Unseen]]:
    """As `read_primitive`, together with the colours that the palette lacks.

    Args:
        takes: the kinds of planes that can be used; None: all. A photograph is told apart from an underdrawing by them.

    Raises:
        PictureError: as `read_primitive`; or a file that is no such underdrawing, or one with erased places.
    """
    files = _files_of(Path(path))
    notes = {name: _note(file) for name, file in files.items()}
    planes, kinds = {}, {}
    for name, file in files.items():
        picture = read_picture(file)
        planes[name] = picture.on_paper()
        kind = notes[name].get("kind", name)
        if kind not in set(Plane):
            kind = guess_kind(planes[name])
            if takes is not None and kind not in takes and kind == Plane.PAINT:
                raise PictureError(
                    f"{file.name} is a photograph or a painting, not an underdrawing ({' or '.join(takes)}). "
                    f"Make its underdrawing first: underdrawing primitive {file.name} -o underdrawing.png"
                )
        kinds[name] = str(kind)
        if kind != Plane.EDGES and picture.alpha is not None and (erased := picture.opacity() < 1).any():
            place = Bounds.of_mask(erased)
            raise PictureError(
                f"{file.name} has erased (transparent) places: {int(erased.sum())} pixels at {place.x},{place.y}. "
                "Fill them with the colour of an area; an underdrawing has no holes."
            )
        if palette is None and isinstance(notes[name].get("palette"), list):
            palette = Palette.from_json(notes[name]["palette"])
    return Primitive.from_planes(planes, palette, kinds)


def _files_of(path: Path) -> dict[str, Path]:
    """The files that belong together, by the name of their plane ("drawn" for a single one that says nothing)."""
    base = path.with_suffix("") if path.suffix.lower() == ".png" else path
    if path.is_file():
        name = base.suffix.removeprefix(".")
        group = _note(path).get("planes")
        if name not in set(Plane) or not isinstance(group, list) or len(group) < 2:
            return {"drawn": path}
        base = base.with_suffix("")
    found = {str(name): file for name in Plane if (file := base.with_name(f"{base.name}.{name}.png")).is_file()}
    if not found:
        raise PictureError(f"There is no primitive {path.name} in {path.parent}; give a picture or a primitive's name.")
    return found


def _note(path: Path) -> dict[str, Any]:
    """What a file says about itself; nothing where another program wrote it."""
    try:
        note = json.loads(read_text(path).get(TEXT_KEY, "{}"))
    except (ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}
