"""The draft of a picture: what its own pixels can say about an edited underdrawing, without any training."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from underdrawing.draft.features import channels
from underdrawing.draft.grids import resize_flow, sample
from underdrawing.draft.registration import Grids, register
from underdrawing.picture.primitive import Primitive


class Origin(IntEnum):
    """Which way a pixel came."""

    UNCHANGED = 0
    REGISTERED = 1
    OBJECT = 2
    FILLED = 3


@dataclass(frozen=True, eq=False)
class Draft:
    """A draft.

    Attributes:
        picture: (H, W, 3) float32 in [0, 1].
        origin: (H, W) uint8, an `Origin` for every pixel.
        confidence: (H, W) float32 in [0, 1].
    """

    picture: np.ndarray
    origin: np.ndarray
    confidence: np.ndarray


def draft(picture: np.ndarray, original: Primitive, edited: Primitive, robust: bool = True) -> Draft:
    size = (picture.shape[0], picture.shape[1])
    grids = Grids.of(size)
    maps = channels(original, edited, grids.fine)
    flow = resize_flow(register(maps, grids, robust), size)
    made = np.clip(sample(picture, flow, cv2.INTER_CUBIC), 0, 1)
    return Draft(made, np.ones(size, np.uint8), np.ones(size, np.float32))
