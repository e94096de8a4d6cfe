"""How sure each pixel of a draft is: whether what was copied is what was wanted, and how much it was bent for it."""

from __future__ import annotations

import cv2
import numpy as np

from underdrawing.draft.canvas import Canvas, Origin
from underdrawing.draft.flow_ops import blur, resize, sample
from underdrawing.draft.matching_channels import Channels
from underdrawing.picture.primitive import Primitive

WRONG = 4.0  # how fast the wrong class takes the confidence away
BENT = 0.7  # and a change of area, natural logarithm, beyond the harmless
HARMLESS = 0.25
FILLED = 0.45  # filled ground is made up, however well its patches fit
LEAST_UNEDGED = 0.02  # mismatch of outlines that every picture has


def confidence(canvas: Canvas, maps: Channels, fits: np.ndarray, original: Primitive, edited: Primitive) -> np.ndarray:
    """(H, W) float32 in [0, 1].

    Args:
        canvas: the finished one.
        maps: both primitives on the fine grid.
        fits: (H, W) float32 in [0, 1], how well filled patches fit.
        original: the picture's primitive.
        edited: the wanted one; classes that the original lacks are guessed, wherever they are.
    """
    fine = (maps.edited.shape[0], maps.edited.shape[1])
    ratio = np.array([fine[1] / canvas.size[1], fine[0] / canvas.size[0]], np.float32)
    way = (canvas.came - canvas.here) * ratio
    # Neighbours that came from different places must not be averaged.
    way = np.asarray(cv2.resize(way, fine[::-1], interpolation=cv2.INTER_NEAREST))
    wrong = blur(maps.mismatch(sample(maps.original, way)), 1.0)
    if not maps.classes:
        wrong = np.maximum(wrong - LEAST_UNEDGED, 0)
    sure = np.exp(-WRONG * resize(wrong, canvas.size))
    bent = np.maximum(np.abs(np.log(canvas.grown)) - HARMLESS, 0)
    sure *= np.exp(-BENT * bent)
    filled = canvas.origin == Origin.FILLED
    sure[filled] = FILLED * fits[filled]
    sure[(canvas.origin == Origin.UNCHANGED) & (sure > 0.5)] = 1
    if original.segments is not None and edited.segments is not None:
        known = np.bincount(original.segments.ravel(), minlength=256) > 0
        sure[~known[edited.segments]] = 0
    return np.asarray(blur(sure.astype(np.float32), 0.7).clip(0, 1))
