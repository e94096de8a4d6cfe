"""Where a result is guessed, in sentences: the edits that a model of one picture cannot know (DeepSIM, section 6)."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.picture.primitive import Primitive

GUESSED = 0.25  # confidence below which a pixel is guessed; ground that was filled well has more
MUCH = 0.5  # of an edit: so much guessed is worth a sentence
LARGE = 0.1  # of the picture: larger guessed areas look made up


def confidence_notes(confidence: np.ndarray, mask: np.ndarray, original: Primitive, edited: Primitive) -> list[str]:
    """What a person should know about a result.

    Args:
        confidence: (h, w) in [0, 1] of the result.
        mask: (h, w) bool, the edit.
        original: the trained primitive.
        edited: the edited one, of the same size.
    """
    said = []
    strange = _strange(original, edited)
    if strange:
        names = ", ".join(strange)
        said.append(
            f"Nothing in the picture shows how {names} should look, so that is a guess. Use the picture's own colours."
        )
    guessed = mask & (confidence < GUESSED)
    edit = np.count_nonzero(mask)
    if edit and not strange and np.count_nonzero(guessed) > MUCH * edit:
        said.append(
            f"{np.count_nonzero(guessed) / edit:.0%} of this edit is guessed: little in the picture looks like it."
            " Smaller changes, or more like what is there, come out better."
        )
    if _largest(guessed) > LARGE * original.size[0] * original.size[1]:
        said.append("A large area had to be made up in one step. Several smaller edits may give a better result.")
    return said


def _strange(original: Primitive, edited: Primitive) -> list[str]:
    """Names of classes that were painted but do not occur in the training picture."""
    if original.segments is None or edited.segments is None:
        return []
    before, after = (np.bincount(p.segments.ravel(), minlength=256) > 0 for p in (original, edited))  # type: ignore[union-attr]
    palette = original.palette
    names = palette.names if palette is not None else ()
    return [str(names[k]) if k < len(names) else f"colour {k + 1}" for k in np.flatnonzero(after & ~before)]


def _largest(mask: np.ndarray) -> int:
    """Pixels of the largest connected piece."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    return int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0
