"""What becomes of a picture's transparency when the picture is edited or made anew."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from underdrawing.picture.image import Picture

CLEAR, FULL = 0.1, 0.9  # mean opacity up to which an area counts as transparent, from which as opaque


def edited_opacity(picture: Picture, before: np.ndarray, after: np.ndarray, mask: np.ndarray) -> Picture:
    """The picture with the opacity that follows from an edit of its areas.

    A pixel that goes from one area to another takes the opacity of its new area where that is plain: a thing moved over
    transparent ground is opaque, and the ground that it leaves is transparent. Everything else keeps its alpha bits.

    Args:
        picture: as it is after the edit, with its alpha channel of before.
        before: (H, W) uint8, the class of every pixel; `after`: as it was edited.
        mask: (H, W) float32 in [0, 1], how much of the edit counts; where it is 0 nothing changes.
    """
    if picture.alpha is None:
        return picture
    opacity = picture.opacity()
    counts = np.bincount(before.ravel(), minlength=256)
    means = np.bincount(before.ravel(), opacity.ravel(), minlength=256) / np.maximum(counts, 1)
    plain = ((means <= CLEAR) | (means >= FULL)) & (counts > 0)
    changed = plain[after] & (after != before) & (mask > 0)
    wanted = opacity + mask * (np.rint(means).astype(np.float32)[after] - opacity)
    alpha = picture.alpha.copy()
    alpha[changed] = Picture(alpha).with_opacity(wanted).alpha[changed]  # type: ignore[index]
    return replace(picture, alpha=alpha)


def generated_opacity(made: Picture, source: Picture) -> Picture:
    """A picture generated from another in the same shape, at any size, with that one's alpha channel."""
    if source.alpha is None:
        return made
    if source.size == made.size and source.depth == made.depth:
        return replace(made, alpha=source.alpha)
    return made.with_opacity(cv2.resize(source.opacity(), made.size, interpolation=cv2.INTER_LINEAR))
