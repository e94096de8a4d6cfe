"""How much of an underdrawing is as it was made: planes painted from it agree, a drawing of one's own does not."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

NEAR = 24  # of 255: colours that noise alone tells apart
INK = 128  # below it a line is dark


def agreement(made: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray]) -> float:
    """How much of an underdrawing is as it was made, 0 to 1; 1 where nothing is given.

    It is the share of equal pixels of areas and paint; of lines alone the share of ink that is still there.

    Args:
        made, given: planes by name, (H, W) or (H, W, 3) uint8.
    """
    if any(name not in made or made[name].shape[:2] != plane.shape[:2] for name, plane in given.items()):
        return 0.0
    coloured = [_areas(made[name], plane) for name, plane in given.items() if name != "edges"]
    if coloured:
        return min(coloured)
    return _lines(made["edges"], given["edges"]) if given else 1.0


def _areas(made: np.ndarray, given: np.ndarray) -> float:
    return float((cv2.absdiff(made, given).max(axis=2) <= NEAR).mean())


def _lines(made: np.ndarray, given: np.ndarray) -> float:
    ink, now = _ink(made), _ink(given)
    near = cv2.dilate(now.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float((ink & near).sum() / max(1, ink.sum()))


def _ink(lines: np.ndarray) -> np.ndarray:
    return np.asarray((lines if lines.ndim == 2 else lines.min(axis=2)) < INK)
