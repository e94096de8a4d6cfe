"""Lifting a thing off a picture: its soft alpha, and its own colours where the ground shows through its border."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, PictureError, white_of
from underdrawing.picture.pick import refined

BAND = 160  # longer sides of a picture for a pixel of unknown border on either side of a mask's outline
SHOWS = 0.03  # of full opacity: less is none, and as little short of full is full
TELLING = 0.02  # squared difference of a thing's and its ground's colours at which these count as half the proof
SMOOTH = 1e-4  # the guided filter's regularization: variance of colours that counts as flat (He et al. 2010, section 3)


@dataclass(frozen=True, eq=False)
class Layer:
    """A thing as a layer of its own.

    Attributes:
        picture: its pixels within its bounds, with alpha, at the picture's own depth.
        bounds: where they lie in the picture.
        mask: (H, W) float32 in [0, 1], its alpha over the whole picture.
    """

    picture: Picture
    bounds: Bounds
    mask: np.ndarray = field(repr=False)


def lift(picture: Picture, mask: np.ndarray) -> Layer:
    """The thing under a mask, cut out with a soft border.

    Where its border is soft, the ground's share is taken out of its colours; elsewhere its pixels are the picture's.

    Args:
        mask: (H, W) float32 in [0, 1], rough or soft.

    Raises:
        PictureError: a mask of another size, or an empty one.
    """
    if mask.shape != picture.pixels.shape[:2]:
        raise PictureError("The mask is not of the picture's size.")
    if not (mask > 0.5).any():
        raise PictureError("The mask is empty: nothing is lifted.")
    settled = refined(picture.to_bytes(), mask > 0.5)
    band = max(2, round(max(mask.shape) / BAND))
    around = Bounds.of_mask(settled > SHOWS).expand(3 * band, picture.bounds)
    part, white = picture.crop(around), white_of(picture)
    rgb = part.to_float(white)
    alpha = soft_alpha(rgb, settled[around.slices()], band)
    own = Picture.from_float(own_colours(rgb, alpha, band), part, white)
    pixels = np.where((alpha < 1)[..., None], own.pixels, part.pixels)
    whole = np.zeros(mask.shape, np.float32)
    whole[around.slices()] = alpha
    bounds = Bounds.of_mask(whole)
    cut = bounds.translate(-around.x, -around.y)
    layer = replace(part, pixels=pixels).crop(cut).with_opacity(part.opacity()[cut.slices()] * alpha[cut.slices()])
    return Layer(layer, bounds, whole)


def soft_alpha(rgb: np.ndarray, mask: np.ndarray, band: int) -> np.ndarray:
    """(H, W) float32: how much of each pixel is the thing, from a mask that may be wrong by `band` pixels.

    Along its outline a pixel lies between the mean colours of the thing and of the ground near by; where these are
    alike the mask decides. A guided filter (He, Sun and Tang 2010) leads both to the picture's own edges.

    Args:
        rgb: (H, W, 3) float32 in [0, 1].
        mask: (H, W) float32 in [0, 1].
    """
    hard = (mask > 0.5).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    inner = cv2.erode(hard, kernel, borderValue=1) > 0
    outer = cv2.dilate(hard, kernel) == 0
    thing, ground = _near(rgb, inner | (mask >= 1), 2 * band), _near(rgb, outer, 2 * band)
    apart = thing - ground
    length = (apart**2).sum(2)
    between = ((rgb - ground) * apart).sum(2) / np.maximum(length, 1e-6)
    proof = length / (length + TELLING)
    rough = (proof * between.clip(0, 1) + (1 - proof) * mask).astype(np.float32)
    rough = np.where(inner, 1, np.where(outer, 0, rough)).astype(np.float32)
    alpha = guided(rgb, rough, max(1, band // 2), SMOOTH).clip(0, 1)
    alpha = np.where(inner, 1, np.where(outer, 0, alpha))
    return np.where(alpha < SHOWS, 0, np.where(alpha > 1 - SHOWS, 1, alpha)).astype(np.float32)


def own_colours(rgb: np.ndarray, alpha: np.ndarray, band: int) -> np.ndarray:
    """A thing's colours without its ground's: (H, W, 3) float32 in [0, 1].

    Blurred estimates of both, corrected so that together they give the picture again (Forte, Approximate Fast
    Foreground Colour Estimation, 2021, equations 4 to 6), wide at first and then close.
    """
    thing, ground = rgb, rgb
    for reach in (4 * band, band):
        first, second = _spread(thing, alpha, reach), _spread(ground, 1 - alpha, reach)
        share = alpha[..., None]
        thing = (first + share * (rgb - share * first - (1 - share) * second)).clip(0, 1)
        ground = second
    return np.asarray(thing, np.float32)


def guided(rgb: np.ndarray, values: np.ndarray, radius: int, smooth: float) -> np.ndarray:
    """Values (H, W) smoothed along the edges of a picture (He, Sun and Tang, Guided Image Filtering, 2010, eq. 14)."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(array: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(array, size, borderType=cv2.BORDER_REFLECT))

    centre, level = mean(rgb), mean(values)
    products = [mean(rgb[..., i] * rgb[..., j]) - centre[..., i] * centre[..., j] for i in range(3) for j in range(3)]
    spread = np.stack(products, -1).reshape(*values.shape, 3, 3) + smooth * np.eye(3, dtype=np.float32)
    together = mean(rgb * values[..., None]) - centre * level[..., None]
    slope = np.linalg.solve(spread, together[..., None])[..., 0].astype(np.float32)
    offset = level - (slope * centre).sum(2)
    return np.asarray((mean(slope) * rgb).sum(2) + mean(offset), np.float32)


def _near(rgb: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """The mean colour of the known pixels around each pixel."""
    return _spread(rgb, known.astype(np.float32), reach)


def _spread(rgb: np.ndarray, weight: np.ndarray, reach: int) -> np.ndarray:
    """Weighted means of colours around each pixel; where nothing near by counts, farther ones, and the mean of all."""
    total = max(float(weight.sum()), 1e-6)
    result = np.broadcast_to((rgb * weight[..., None]).sum((0, 1)) / total, rgb.shape).astype(np.float32)
    for radius in (4 * reach, 2 * reach, reach):
        size = (2 * radius + 1, 2 * radius + 1)
        sums, counts = cv2.blur(rgb * weight[..., None], size), cv2.blur(weight, size)[..., None]
        result = np.where(counts > 1e-3, sums / np.maximum(counts, 1e-3), result)
    return result
