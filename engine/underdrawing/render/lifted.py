"""Put back things that were lifted off a picture: their old places are filled, their pixels laid where they are now.

Several at a time, at the picture's own depth, transparency included. Outside of both places no bit changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.draft.dependent_edits import along, hanging_together
from underdrawing.draft.draft import Filler, draft
from underdrawing.picture.composite import composite, laid_over
from underdrawing.picture.detail_transfer import restore_detail
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, PictureError, white_of
from underdrawing.picture.mask import edit_mask, feather
from underdrawing.picture.opacity import edited_opacity
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.regions import Operation, change
from underdrawing.picture.thing_area import widened, with_area, with_remains
from underdrawing.render.apply import Applied
from underdrawing.render.quality_notes import confidence_notes
from underdrawing.store.frame_codec import Inputs

AT_ONCE = 640 * 480  # pixels that are drafted in half a second on two processor cores; larger surroundings are reduced
AROUND = 1.0  # of a hole's longer side: so much around it is seen when it is filled
LEAST_AROUND = 64  # pixels
SAME = 1.5 / 255  # colours that differ by less are the same after a host's conversions


@dataclass(frozen=True, eq=False)
class Lifted:
    """A thing that was lifted off a picture, as its layer is now.

    Attributes:
        pixels: the layer; None where it was deleted.
        at: x and y of its upper left corner in the picture.
        was: (H, W) float32 in [0, 1] of the picture's size, where it was; None: nothing is uncovered.
    """

    pixels: Picture | None
    at: tuple[int, int]
    was: np.ndarray | None

    @classmethod
    def read(cls, inputs: Inputs, named: Mapping[str, Any]) -> Lifted:
        """As a request names it."""
        pixels = inputs.picture(named["pixels"]) if named.get("pixels") else None
        was = inputs.weights(named["was"]) if named.get("was") else None
        return cls(pixels, (int(named.get("x") or 0), int(named.get("y") or 0)), was)

    def within(self, area: Bounds, size: tuple[int, int]) -> Lifted:
        """The same, as a part of the picture sees it.

        Args:
            area: the part.
            size: width and height of the whole picture.
        """
        was = self.was
        if was is not None and was.shape == size[::-1]:
            was = was[area.slices()]
        return replace(self, at=(self.at[0] - area.x, self.at[1] - area.y), was=was)

    def stays(self, picture: Picture) -> bool:
        """Whether it lies where it was, as it was."""
        if self.pixels is None or self.was is None:
            return False
        inside = self.pixels.bounds.translate(*self.at).intersect(picture.bounds)
        if inside.is_empty:
            return False
        layer = self.pixels.crop(inside.translate(-self.at[0], -self.at[1]))
        full = layer.opacity() >= 1 - 1 / 512
        if not full.any() or self.was[inside.slices()][full].min() < 0.5:
            return False
        if full.sum() < 0.9 * ((self.was > 0.99) & (picture.opacity() > 0.99)).sum():
            return False  # only a part of it
        return bool(np.abs(layer.to_float() - picture.crop(inside).to_float())[full].max() <= SAME)


def put_back(
    picture: Picture,
    things: Sequence[Lifted],
    areas: Primitive,
    seed: int,
    before: Applied | None = None,
    filler: Filler | None = None,
) -> Applied:
    """The picture with lifted things where they are now.

    Args:
        picture: as it was before they were lifted.
        things: the lowest first.
        areas: the picture's areas, of its size, which guide what fills their places.
        seed: chooses among fills that are about as good.
        before: what an edit of the underdrawing made of the picture already.
        filler: fills their places in place of the draft's patches.

    Returns:
        the result, its mask full wherever anything changed.

    Raises:
        PictureError: a mask of another size.
        EngineError: nothing changed.
    """
    for thing in things:
        if thing.was is not None and thing.was.shape != picture.pixels.shape[:2]:
            raise PictureError("The mask of where a lifted thing was is not of the picture's size.")
    moved = [thing for thing in things if not thing.stays(picture)]
    made = picture
    changed = np.zeros(picture.pixels.shape[:2], bool)
    sure = np.ones(changed.shape, np.float32)
    notes: list[str] = []
    if before is not None:
        soft, place = before.mask, before.bounds.slices()
        made = composite(made, before.picture, (before.bounds.x, before.bounds.y), soft)
        changed[place] |= soft > 0
        sure[place] = np.where(soft > 0, 1 if before.confidence is None else before.confidence, sure[place])
        notes += before.notes
    hole = np.zeros(changed.shape, bool)
    for thing in moved:
        if thing.was is not None and thing.was.any():
            own = widened(thing.was)
            hole |= own if areas.segments is None else with_remains(own, areas.segments)
    if hole.any():
        filled = _without(made, hole, areas, seed, filler)
        made, notes = filled.picture, [*notes, *filled.notes]
        changed |= filled.mask > 0
        sure = np.where(filled.mask > 0, filled.confidence, sure)
    for thing in moved:
        if thing.pixels is not None:
            cover = _cover(thing, made.bounds)
            made = laid_over(made, thing.pixels, thing.at)
            changed |= cover > 0
            sure = np.maximum(sure, cover)
    if not changed.any():
        text = "Nothing is edited: every lifted layer is unchanged and in its original place."
        raise EngineError("nothing_edited", text, "Move, change or delete a lifted layer first.")
    bounds = Bounds.of_mask(changed)
    part = bounds.slices()
    mask, device = changed[part].astype(np.float32), before.device if before is not None else "CPU"
    return Applied(bounds, made.crop(bounds), mask, device, 0.0, tuple(dict.fromkeys(notes)), sure[part])


def _cover(thing: Lifted, whole: Bounds) -> np.ndarray:
    """(H, W) float32: the layer's opacity over the whole picture."""
    result = np.zeros((whole.height, whole.width), np.float32)
    if thing.pixels is not None:
        inside = thing.pixels.bounds.translate(*thing.at).intersect(whole)
        if not inside.is_empty:
            own = inside.translate(-thing.at[0], -thing.at[1])
            result[inside.slices()] = thing.pixels.opacity()[own.slices()]
    return result


@dataclass(frozen=True, eq=False)
class _Filled:
    picture: Picture
    mask: np.ndarray
    confidence: np.ndarray
    notes: list[str]


def _without(picture: Picture, hole: np.ndarray, areas: Primitive, seed: int, filler: Filler | None) -> _Filled:
    """The picture with a hole filled from around it, its shadow included: the draft of the areas without it."""
    found = Bounds.of_mask(hole)
    around = found.expand(max(LEAST_AROUND, round(AROUND * max(found.size))), picture.bounds)
    if hole[around.slices()].all():
        raise PictureError("Nothing would be left of the picture to fill what the lifted things uncover.")
    region = hole[around.slices()]
    original = with_area(areas.crop(around), region)
    edited = change(original, Operation.REMOVE, region, {}).primitive
    white = white_of(picture)
    rgb = picture.crop(around).to_float(white)
    scale = min(1.0, float(np.sqrt(AT_ONCE / around.area)))
    size = max(1, round(around.width * scale)), max(1, round(around.height * scale))
    small = rgb if scale == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    first, second = original.resized(size), edited.resized(size)
    drafted = draft(small, first, second, seed, filler)
    changed = edit_mask(original, edited)
    changed |= hanging_together(along(drafted, first, second), changed)
    made, sure = drafted.picture, drafted.confidence
    if scale < 1:
        near = cv2.resize(changed.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        made = restore_detail(rgb, small, made, near)
        sure = cv2.resize(sure, around.size, interpolation=cv2.INTER_LINEAR)
    soft = feather(changed, 3.0)
    cut = picture.crop(around)
    patch = composite(cut, Picture.from_float(made, cut, white), (0, 0), soft)
    if original.segments is not None and edited.segments is not None:
        patch = edited_opacity(patch, original.segments, edited.segments, soft)
    pixels = picture.pixels.copy()
    pixels[around.slices()] = patch.pixels
    alpha = None if picture.alpha is None else picture.alpha.copy()
    if alpha is not None:
        alpha[around.slices()] = patch.alpha
    mask, confidence = np.zeros(hole.shape, np.float32), np.ones(hole.shape, np.float32)
    mask[around.slices()], confidence[around.slices()] = soft, sure
    notes = confidence_notes(sure, soft > 0, original, edited)
    return _Filled(replace(picture, pixels=pixels, alpha=alpha), mask, confidence, notes)
