"""How little a draft changes, and how well it fills: edits of single things in pictures of your own.

Things are connected areas that lie whole within a picture. Figures:

    beyond       per cent of the pixels outside of a thing's old and new place, its shadow and a narrow border that
                 differ from the picture in the result, after the thing was moved, scaled or removed
    beyond_draft the same of the whole draft, before it is limited to the edit and what depends on it
    lpips        in the place of something that was pasted into the picture and removed again, against the true picture
    difference   the same as a mean difference in levels of 255
    rim          mean difference in a ring around that place: ghosts and halos of what was removed
    cpu          seconds of a draft
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bench.lpips import LPIPS
from underdrawing.draft.dependent_edits import along, hanging_together
from underdrawing.draft.draft import Draft, draft
from underdrawing.picture.contact_sheet import sheet
from underdrawing.picture.extract import Kind, make_primitive
from underdrawing.picture.files import read_picture
from underdrawing.picture.mask import difference, dilate, edit_mask, feather
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive, read_primitive
from underdrawing.picture.regions import move, remove, scale

THING = (0.002, 0.08)  # of a picture's pixels: smaller areas are specks, larger ones its ground
BORDER, SHADOW = 0.02, 0.12  # of the shorter side, and of a thing's size: so far around a thing may change
STEP = 2  # of 255: smaller differences are rounding
LARGE = (0.22, 0.28)  # half axes, of width and height, of the large pieces that are removed
SOFT = 2.0  # pixels: sigma of a soft brush's border
RING = 3  # of that, and as many pixels around a hard border
PLACES = 60  # tried for something that is pasted
SUFFIXES = (".png", ".jpg")

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Case:
    """A picture (H, W, 3) float32 in [0, 1] with its areas."""

    name: str
    picture: np.ndarray
    primitive: Primitive


@dataclass
class Tally:
    """The figures of one kind of edit, a value for every edit."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **values: float) -> None:
        """One more edit."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def public(self) -> dict[str, float]:
        """The number of edits, means, and for the shares of pixels the worst."""
        found = {name: round(float(np.mean(each)), 4) for name, each in self.values.items()}
        worst = {f"worst_{name}": round(max(each), 4) for name, each in self.values.items() if name == "beyond"}
        return {"edits": max(len(each) for each in self.values.values()), **found, **worst}


def read(folder: Path, longest: int) -> list[Case]:
    """The pair in DATA/train, or every picture of a folder with areas that are made for it.

    Args:
        longest: pixels of the longer side that larger pictures are reduced to.
    """
    pair = folder / "train"
    if pair.is_dir():
        image = next(path for path in sorted(pair.iterdir()) if path.stem == "image")
        drawn = next(path for path in sorted(pair.iterdir()) if path.stem != "image")
        found = [(folder.name, read_picture(image), read_primitive(drawn))]
    else:
        paths = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
        pictures = [(path.stem, read_picture(path)) for path in paths]
        found = [(name, picture, make_primitive(picture, Kind.SEGMENTS)) for name, picture in pictures]
    cases = []
    for name, picture, primitive in found:
        width, height = picture.size
        times = min(1.0, longest / max(width, height))
        size = (round(width * times), round(height * times))
        rgb = cv2.resize(picture.to_float(), size, interpolation=cv2.INTER_AREA)
        cases.append(Case(name, rgb, primitive.resized(size)))
    return cases


def things(classes: np.ndarray, most: int) -> list[np.ndarray]:
    """The largest things of a (H, W) uint8 grid of classes, each (H, W) bool with what it encloses."""
    found: list[tuple[int, np.ndarray]] = []
    height, width = classes.shape
    for label in np.unique(classes):
        count, marks, stats, _ = cv2.connectedComponentsWithStats((classes == label).view(np.uint8), connectivity=8)
        for k in range(1, count):
            x, y, w, h, area = (int(v) for v in stats[k])
            inside = x > 0 and y > 0 and x + w < width and y + h < height
            if inside and THING[0] <= area / classes.size <= THING[1]:
                outline, _ = cv2.findContours((marks == k).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
                whole = cv2.drawContours(np.zeros(classes.shape, np.uint8), outline, -1, 1, cv2.FILLED) > 0
                found.append((area, whole))
    return [mask for _, mask in sorted(found, key=lambda entry: -entry[0])[:most]]


def edits(primitive: Primitive, thing: np.ndarray) -> Iterator[tuple[str, Primitive]]:
    """What people do with a thing: it is moved to the side, made smaller and larger on its foot, and removed."""
    rows, columns = np.nonzero(thing)
    left, right = int(columns.min()), int(columns.max()) + 1
    foot = ((left + right) / 2, float(rows.max() + 1))
    way = round(0.75 * (right - left)) * (1 if left + right < thing.shape[1] else -1)
    yield "moved", move(primitive, thing, way, 0).primitive
    yield "smaller", scale(primitive, thing, 0.75, foot).primitive
    yield "larger", scale(primitive, thing, 1.25, foot).primitive
    yield "removed", remove(primitive, thing).primitive


def result(picture: np.ndarray, before: Primitive, after: Primitive) -> tuple[np.ndarray, Draft]:
    """The picture after an edit as it is shown, (H, W, 3) float32, and the whole draft."""
    found = draft(picture, before, after)
    mask = edit_mask(before, after)
    mask = mask | hanging_together(along(found, before, after), mask)
    soft = feather(mask, 3.0)[..., None]
    return picture + soft * (found.picture - picture), found


def changed_beyond(picture: np.ndarray, made: np.ndarray, thing: np.ndarray, place: np.ndarray) -> float:
    """Per cent of the pixels that change though they are no part of an edit.

    Args:
        picture, made: (H, W, 3) in [0, 1].
        thing: (H, W) bool, where it was.
        place: (H, W) bool, everything that was painted.
    """
    reach = BORDER * min(thing.shape) + SHADOW * float(np.sqrt(thing.sum()))
    outside = ~dilate(thing | place, round(reach))
    step = np.abs(np.rint(made * 255) - np.rint(picture * 255)).max(2)
    return 100 * float((step > STEP)[outside].mean()) if outside.any() else 0.0


@dataclass(frozen=True, eq=False)
class Pasted:
    """A picture with something in it that does not belong there, and (H, W) bool where."""

    picture: np.ndarray
    primitive: Primitive
    mask: np.ndarray


def pasted(case: Case, mask: np.ndarray, way: tuple[int, int], soft: float) -> Pasted:
    """A piece of a picture laid on another place of it, as a class of its own.

    Args:
        mask: (H, W) bool, the piece.
        way: pixels to the right and down.
        soft: sigma of its border's blur in pixels, 0 for a hard one.
    """
    matrix = np.array([[1, 0, way[0]], [0, 1, way[1]]], np.float32)
    size = mask.shape[::-1]
    there = cv2.warpAffine(mask.view(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    alpha = cv2.GaussianBlur(there.astype(np.float32), (0, 0), soft) if soft else there.astype(np.float32)
    layer = cv2.warpAffine(case.picture, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    segments, palette = case.primitive.segments, case.primitive.palette
    if segments is None or palette is None:
        raise ValueError("the case has no areas")
    strange = len(palette)
    drawn = Primitive(np.where(there, np.uint8(strange), segments), distinct_colours(strange + 1))
    return Pasted(case.picture + alpha[..., None] * (layer - case.picture), drawn, there)


def pastings(case: Case, found: Sequence[np.ndarray]) -> Iterator[tuple[str, Pasted]]:
    """Things with hard and with soft borders, each on the plainest ground that is found, and two large pieces."""
    classes = case.primitive.segments
    if classes is None:
        return
    height, width = classes.shape
    random = np.random.default_rng(0)
    for thing in found:
        rows, columns = np.nonzero(thing)
        best, way = -1.0, (0, 0)
        for _ in range(PLACES):
            dx = int(random.integers(-int(columns.min()), width - int(columns.max())))
            dy = int(random.integers(-int(rows.min()), height - int(rows.max())))
            ground = np.bincount(classes[rows + dy, columns + dx]).max() / len(rows)
            # Not where it is already.
            ground -= float(thing[rows + dy, columns + dx].mean())
            if ground > best:
                best, way = ground, (dx, dy)
        yield "pasted thing", pasted(case, thing, way, 0)
        yield "soft brush", pasted(case, thing, way, SOFT)
    for x, y in ((0.3, 0.35), (0.65, 0.6)):
        piece = np.zeros(classes.shape, np.uint8)
        centre, axes = (round(x * width), round(y * height)), (round(LARGE[0] * width), round(LARGE[1] * height))
        cv2.ellipse(piece, centre, axes, 0, 0, 360, 1, -1)
        yield "large piece", pasted(case, piece > 0, (round((0.95 - 2 * x) * width), round((0.95 - 2 * y) * height)), 0)


def filled(case: Case, one: Pasted, made: np.ndarray, lpips: LPIPS) -> dict[str, float]:
    """How a fill compares with the true picture, inside and in the ring around."""
    inside = np.abs(made - case.picture).mean(2) * 255
    ring = dilate(one.mask, round(RING * SOFT)) & ~one.mask
    where = lpips.distances(made.astype(np.float32), case.picture)[1]
    return {
        "lpips": float(where[one.mask].mean()),
        "difference": float(inside[one.mask].mean()),
        "rim": float(inside[ring].mean()),
    }


def bench(cases: Sequence[Case], most: int, weights: Path, say: Say) -> tuple[dict[str, Tally], np.ndarray | None]:
    """All edits of all pictures.

    Args:
        most: things of a picture that are edited.
        weights: the folder of pretrained weights.
        say: is given a sentence now and then.

    Returns:
        the figures of every kind of edit, and a contact sheet (H, W, 3) uint8; None where there is nothing to edit.

    Raises:
        FileNotFoundError: LPIPS has no weights.
    """
    lpips, tallies = LPIPS(weights), dict[str, Tally]()
    rows: list[list[tuple[str, np.ndarray]]] = []
    for case in cases:
        if case.primitive.segments is None:
            continue
        found = things(case.primitive.segments, most)
        say(f"{case.name}: {len(found)} things")
        for thing in found:
            row = [(case.name, _bytes(case.picture))]
            for kind, after in edits(case.primitive, thing):
                begun = time.process_time()
                made, whole = result(case.picture, case.primitive, after)
                cpu = time.process_time() - begun
                place = difference(case.primitive, after)
                beyond = [changed_beyond(case.picture, p, thing, place) for p in (made, whole.picture)]
                tallies.setdefault(kind, Tally()).add(beyond=beyond[0], beyond_draft=beyond[1], cpu=cpu)
                row.append((f"{kind}: {beyond[0]:.1f} %", _bytes(made)))
            rows.append(row)
        row = [(case.name, _bytes(case.picture))]
        for kind, one in pastings(case, found):
            begun = time.process_time()
            clean = Primitive(case.primitive.segments, one.primitive.palette)
            made, _ = result(one.picture, one.primitive, clean)
            cpu = time.process_time() - begun
            figures = filled(case, one, made, lpips)
            tallies.setdefault(kind, Tally()).add(**figures, cpu=cpu)
            row += [(kind, _bytes(one.picture)), (f"{figures['difference']:.1f}", _bytes(made))]
        rows += [row[:1] + row[k : k + 4] for k in range(1, len(row), 4)]
    return tallies, sheet(rows) if rows else None


def as_markdown(tallies: dict[str, Tally]) -> str:
    """The table."""
    found = {kind: tally.public() for kind, tally in tallies.items()}
    names = list(dict.fromkeys(name for each in found.values() for name in each))
    lines = ["| edit | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for kind, each in found.items():
        lines.append(f"| {kind} | " + " | ".join(f"{each[n]:.3g}" if n in each else "" for n in names) + " |")
    return "\n".join(lines) + "\n"


def _bytes(picture: np.ndarray) -> np.ndarray:
    return (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)
