"""The light of a place: something that was put there takes on the lightness, contrast and colour of what is around.

Means and spreads in Lab are led towards those of the surroundings (Reinhard et al., *Color Transfer between Images*,
2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.picture.mask import dilate

AROUND = 0.15  # of the longer side: what counts as near
FAR = 0.15  # how much the rest of the picture counts against what is near
COLOURLESS = 8.0  # mean chroma in Lab of what is around: a drawing in ink lies below, paintings far above
LIGHTNESS = 0.7  # light and dark follow less than colours: a white thing in the dark stays the lighter one
GRAIN = 0.02  # of the thing's size: finer than that is brushwork, coarser is the thing
TOLERATED = (10.0, 5.0, 5.0)  # difference in Lab up to which a painted thing may leave what was pasted


@dataclass(frozen=True, eq=False)
class Light:
    """How the colours of a thing change in the light of a place, in Lab.

    Attributes:
        own: the thing's mean.
        gain: what becomes of a difference from it.
        step: what becomes of the mean.
    """

    own: np.ndarray
    gain: np.ndarray
    step: np.ndarray

    def on(self, rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """What is under the mask in this light.

        Args:
            rgb: (H, W, 3) float32 in [0, 1], the picture or a part of it.
            mask: (H, W) bool.

        Returns:
            (H, W, 3) float32 in [0, 1]; beyond the mask's soft border as it was.
        """
        lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
        made = ((lab - self.own) * self.gain + self.own + self.step).astype(np.float32)
        result = cv2.cvtColor(made, cv2.COLOR_LAB2RGB).clip(0, 1)
        return np.asarray(rgb + (result - rgb) * _soft(mask), np.float32)


def light_at(rgb: np.ndarray, mask: np.ndarray, amount: float) -> Light | None:
    """The light of the surroundings of what is under the mask. A reduced copy has the same, and is measured faster.

    Args:
        rgb: (H, W, 3) float32 in [0, 1].
        mask: (H, W) bool.
        amount: 0 none, 1 all of the surroundings' light; in colourless surroundings it counts three times, up to all.

    Returns:
        None where nothing changes.
    """
    if amount <= 0 or not mask.any() or mask.all():
        return None
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    near = dilate(mask, max(2, round(AROUND * max(mask.shape))))
    weight = np.where(near, 1.0, FAR) * ~mask
    chroma = float((np.hypot(lab[..., 1], lab[..., 2]) * weight).sum() / weight.sum())
    amount += max(0.0, 1 - chroma / COLOURLESS) * min(2 * amount, 1 - amount)
    goal, goal_spread = _spread(lab, weight)
    own, own_spread = _spread(lab, mask.astype(np.float64))
    ratio = goal_spread / np.maximum(own_spread, 1e-3)
    # Contrast may grow and fall by half; colours may fall to none (a drawing in ink), and hardly grow.
    limited = np.array([ratio[0].clip(0.6, 1.6), *ratio[1:].clip(0, 1.3)])
    return Light(own, limited**amount, amount * np.array([LIGHTNESS, 1.0, 1.0]) * (goal - own))


def recognisable(made: np.ndarray, pasted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A painted thing led back to what was pasted, wherever its colours or forms went further than its grain.

    A network, and pieces of the picture, know the colours of the picture alone: on a mountain lake an orange cup would
    become grey glass.

    Args:
        made, pasted: (H, W, 3) float32 in [0, 1]: as it was painted, and as it was pasted in the light of its place.
        mask: (H, W) bool, the thing.

    Returns:
        (H, W, 3) float32 in [0, 1]: strokes finer than about a fiftieth of the thing are those of `made`.
    """
    if not mask.any():
        return made
    fine = max(1.0, GRAIN * float(mask.sum()) ** 0.5)
    own = cv2.cvtColor(np.ascontiguousarray(made, np.float32), cv2.COLOR_RGB2LAB)
    wanted = cv2.cvtColor(np.ascontiguousarray(pasted, np.float32), cv2.COLOR_RGB2LAB)
    apart = cv2.GaussianBlur(wanted - own, (0, 0), fine) / np.array(TOLERATED, np.float32)
    beyond = np.maximum(0, 1 - 1 / np.maximum(np.linalg.norm(apart, axis=2, keepdims=True), 1e-6))
    soft = _soft(mask)
    result = cv2.cvtColor((own + soft * beyond * apart * TOLERATED).astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(made + soft * (result.clip(0, 1) - made), np.float32)


def _soft(mask: np.ndarray) -> np.ndarray:
    """(H, W, 1) float32: a mask with a soft border."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1)[..., None])


def _spread(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation of each channel."""
    share = (weight / weight.sum())[..., None]
    mean = (values * share).sum((0, 1))
    return mean, np.sqrt((((values - mean) ** 2) * share).sum((0, 1)))
