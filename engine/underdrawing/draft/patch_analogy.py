"""What a network says has changed, in the picture's own patches.

Image analogies (Hertzmann et al. 2001): as the network's version of the training layout is to the picture, so is its
version of the edited layout to the result. Both versions are soft in the same way, so they can be compared; the
result consists of patches of the picture that look alike *there* and belong to the same class, as the patch coherence
of Semantic Image Analogy (Li et al. 2020, equation 7) asks for. Where both versions agree, the picture stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.draft.draft import Draft
from underdrawing.draft.flow_ops import blur, places, resize, sample
from underdrawing.draft.matching_channels import channels, reduce
from underdrawing.draft.patchmatch import Sides, fill_ground, guides
from underdrawing.picture.mask import difference
from underdrawing.picture.primitive import Primitive

MOST_GUIDES = 12  # channels of the classes that guide the search
FOREIGN = 6.0  # cost of a patch of another class
LOOK = 3.0  # how much the squared difference of the two versions counts, beside the patches themselves
APART = 0.1  # mean difference of the versions in a channel, from which on a pixel is made anew
SURE = 0.6  # confidence of a draft, from which on its pixels stand where the versions agree
NEAR = 0.02  # of the longer side: so far around a change of class everything is looked at
SETTLE = 0.008  # of the longer side: differences of the versions are looked at in such a neighbourhood


@dataclass(frozen=True, eq=False)
class Counterpart:
    """A result: (H, W, 3) float32 in [0, 1], and (H, W) float32 in [0, 1], how sure each pixel is."""

    picture: np.ndarray
    confidence: np.ndarray


def counterpart(
    picture: np.ndarray,
    original: Primitive,
    edited: Primitive,
    own: np.ndarray,
    made: np.ndarray,
    carried: Draft | None = None,
    seed: int = 0,
) -> Counterpart:
    """The picture in another layout.

    Args:
        picture: (H, W, 3) float32 in [0, 1], what was trained on.
        original, edited: its primitive and the wanted one, (H, W).
        own: (H, W, 3), what the network makes of the original primitive.
        made: (H, W, 3), what it makes of the edited one.
        carried: a draft of the edited one; its pixels stand where the network's version was carried to the same, and
            are tried first elsewhere. None: everything that changed is put together from patches.
        seed: chooses the guesses of the search.
    """
    size = (picture.shape[0], picture.shape[1])
    changed = _changed(original, edited, own, made)
    if not changed.any():
        return Counterpart(picture, np.ones(size, np.float32))
    base, came, sure = picture, places(size), np.where(changed, np.float32(0), np.float32(1))
    if carried is not None:
        base, came, sure = carried.picture, carried.came, carried.confidence
        changed &= ~_agrees(picture, own, made, carried)
    if not changed.any():
        return Counterpart(base, sure)
    maps = channels(original, edited, size)
    count = maps.classes or maps.weights.size
    guided = guides(maps.original[..., :count], maps.edited[..., :count])
    # Patches of another class only where there is no other way (equation 7): however a version looks.
    hard = (side[..., : maps.classes] * np.float32(np.sqrt(FOREIGN / 2)) for side in (maps.original, maps.edited))
    known, wanted = (np.concatenate(both, axis=2) for both in zip(guided, hard, strict=True))
    known, wanted = reduce(known, wanted, MOST_GUIDES)
    known, wanted = (
        np.concatenate([resize(classes, size), version * np.float32(np.sqrt(LOOK))], axis=2, dtype=np.float32)
        for classes, version in ((known, own), (wanted, made))
    )
    none = np.zeros(size, np.uint8)
    sides = Sides(
        target=np.where(changed[..., None], made, base).astype(np.float32),
        hole=changed,
        source=picture,
        valid=np.ones(size, bool),
        wanted=wanted,
        known=known,
        came=came,
        labels=none if edited.segments is None else edited.segments,
        given=none if original.segments is None else original.segments,
        clear=~changed,
        rough=True,
    )
    filled, fits = fill_ground(sides, seed)
    soft = blur(cv2.dilate(changed.view(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32), 0.7)
    result = base + soft[..., None] * (filled - base)
    return Counterpart(np.clip(result, 0, 1), np.where(changed, fits, sure))


def _changed(original: Primitive, edited: Primitive, own: np.ndarray, made: np.ndarray) -> np.ndarray:
    """(H, W) bool: where the primitive changed, near by, and wherever the network's two versions differ."""
    side = max(own.shape[:2])
    reach = 2 * max(2, round(NEAR * side)) + 1
    near = cv2.dilate(
        difference(original, edited).view(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    )
    return np.asarray((near > 0) | (_apart(own, made) > APART))


def _agrees(picture: np.ndarray, own: np.ndarray, made: np.ndarray, carried: Draft) -> np.ndarray:
    """(H, W) bool: where a draft is sure, and the network's version, carried as the draft was, is what it wants.

    A network that does not know the picture well in a place has as much less to say about what is carried from there.
    """
    flow = carried.came - places((own.shape[0], own.shape[1]))
    unknown = np.abs(blur(own - picture, 2 * SETTLE * max(own.shape[:2]))).mean(2)
    doubt = _apart(sample(own, flow), made) - sample(unknown, flow)
    return np.asarray((carried.confidence >= SURE) & (doubt <= APART))


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(H, W) float32: mean difference of two pictures near each pixel."""
    return blur(np.abs(one - other).mean(2).astype(np.float32), SETTLE * max(one.shape[:2]))
