"""Putting a result back: every pixel outside of the mask stays bit for bit what it was."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture, PictureError


def composite(
    original: Picture, result: Picture, at: tuple[int, int], alpha: np.ndarray, opacity: bool = False
) -> Picture:
    """Lay a result over a picture.

    Args:
        original: its depth, linearity, alpha channel and profile are kept.
        result: a part of the same kind; another depth or number of channels is converted.
        at: left and top of the result in the original; parts outside are cut off.
        alpha: (h, w) float of the result's size, 0 to 1: where it is 0 the original's bytes stay, where it is 1 the
            result's bytes are taken.
        opacity: where both have an alpha channel, the result's is laid over like its colours.

    Raises:
        PictureError: sizes that do not fit together.
    """
    if alpha.shape != result.pixels.shape[:2]:
        raise PictureError(f"The mask has shape {alpha.shape}, the result {result.pixels.shape[:2]}.")
    kind = (original.depth, original.channels, original.linear)
    if (result.depth, result.channels, result.linear) != kind:
        result = Picture.from_float(result.to_float(), original).with_opacity(result.opacity())
    area = result.bounds.translate(*at).intersect(original.bounds)
    if area.is_empty:
        return original
    inside, place = area.translate(-at[0], -at[1]).slices(), area.slices()
    pixels, cover = original.pixels.copy(), original.alpha
    pixels[place] = _mixed(original.pixels[place], result.pixels[inside], alpha[inside])
    if opacity and cover is not None and result.alpha is not None:
        cover = cover.copy()
        cover[place] = _mixed(cover[place][..., None], result.alpha[inside][..., None], alpha[inside])[..., 0]
    return replace(original, pixels=pixels, alpha=cover)


def laid_over(picture: Picture, layer: Picture, at: tuple[int, int]) -> Picture:
    """A layer with transparency laid over a picture ("over": Porter and Duff, Compositing Digital Images, 1984).

    Args:
        picture: where it is transparent, the layer's opacity makes it less so; without alpha it stays without.
        at: left and top of the layer in the picture; parts outside are cut off.
    """
    area = layer.bounds.translate(*at).intersect(picture.bounds)
    if area.is_empty:
        return picture
    layer = layer.crop(area.translate(-at[0], -at[1]))
    cover, below = layer.opacity(), picture.opacity()[area.slices()]
    together = cover + below * (1 - cover)
    share = np.where(cover >= 1, 1, cover / np.maximum(together, 1e-6))
    made = composite(picture, replace(layer, alpha=None), (area.x, area.y), share)
    if made.alpha is None:
        return made
    alpha, thicker = made.alpha.copy(), made.crop(area).with_opacity(together).alpha
    if thicker is not None:
        alpha[area.slices()] = np.where(cover > 0, thicker, alpha[area.slices()])
    return replace(made, alpha=alpha)


def flattened(below: Picture, above: Picture) -> Picture:
    """A picture with transparency laid over another of the same size; one without is as it is.

    Where both have transparency and nothing is more transparent above than below, `above` is not a layer of its own
    but a new version of the picture, and is taken as it is.
    """
    if above.alpha is None:
        return above
    cover = above.opacity()
    if below.alpha is None:
        return composite(below, above, (0, 0), cover)
    if (cover >= below.opacity() - 1 / 512).all():
        return above
    laid = composite(below, above, (0, 0), cover)
    return laid.with_opacity(np.maximum(cover, below.opacity()))


def _mixed(before: np.ndarray, after: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = np.clip(np.nan_to_num(alpha.astype(np.float32)), 0, 1)[..., None]
    soft = (share > 0) & (share < 1)
    mixed = np.where(share >= 1, after, before)
    if soft.any():
        where = soft[..., 0]
        first, second = before[where].astype(np.float32), after[where].astype(np.float32)
        values = first + share[where] * (second - first)
        mixed[where] = values if before.dtype.kind == "f" else np.rint(values)
    return mixed


def poisson(original: np.ndarray, result: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blend in the gradient domain: the result's gradients, the original's colours along the mask's border.

    The difference of the two is continued smoothly from the border into the mask and added to the result (Pérez,
    Gangnet and Blake, Poisson Image Editing, SIGGRAPH 2003, equation 8), which is the same as solving
    for the result's gradients. Sides where the mask reaches the end of the picture are left free.

    Args:
        original: (H, W, 3) float.
        result: (H, W, 3) float.
        mask: (H, W) bool.

    Returns:
        (H, W, 3) float32: the original outside, the blend inside; the plain result where the mask has no border.
    """
    mask = mask.astype(bool)
    first, second = original.astype(np.float32), result.astype(np.float32)
    blended = np.where(mask[..., None], second, first)
    if not mask.any() or mask.all():
        return blended
    around = Bounds.of_mask(mask).expand(1, (mask.shape[1], mask.shape[0]))
    rows, columns = around.slices()
    inner = mask[rows, columns]
    gap = np.where(inner[..., None], 0, first[rows, columns] - second[rows, columns]).astype(np.float32)
    blended[rows, columns] = np.where(
        inner[..., None], second[rows, columns] + membrane(gap, inner), blended[rows, columns]
    )
    return blended


def membrane(values: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Continue values harmonically into the free pixels: cascadic multigrid, coarse to fine, smoothed on each level.

    Args:
        values: (H, W, C) float32; what stands at free pixels is not used.
        free: (H, W) bool; at least one pixel is not free.

    Returns:
        (H, W, C) float32.
    """
    height, width = free.shape
    start = np.where(free[..., None], 0, values).astype(np.float32)
    if max(height, width) > 4 and free.any():
        known = (~free).astype(np.float32)
        size = ((width + 1) // 2, (height + 1) // 2)
        pad = (0, 2 * size[1] - height, 0, 2 * size[0] - width)
        weight = cv2.copyMakeBorder(known, *pad, cv2.BORDER_CONSTANT, value=0)
        sums = cv2.copyMakeBorder(start, *pad, cv2.BORDER_CONSTANT, value=0).reshape(*weight.shape, -1)
        blocks = weight.reshape(size[1], 2, size[0], 2).sum((1, 3))
        means = sums.reshape(size[1], 2, size[0], 2, -1).sum((1, 3)) / np.maximum(blocks, 1)[..., None]
        coarse = membrane(means, blocks == 0)
        fine = cv2.resize(coarse, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
        start = np.where(free[..., None], fine.reshape(*weight.shape, -1)[:height, :width], start)
    # Small grids are cheap: solved nearly exactly there, little is left to do where it is dear.
    return _relaxed(start, free, int(np.clip(60_000 / max(height, width) ** 1.3, 24, 400)))


def _relaxed(values: np.ndarray, free: np.ndarray, times: int) -> np.ndarray:
    """Chebyshev-weighted Jacobi steps towards the mean of the four neighbours."""
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    inside = free[..., None].astype(np.float32)
    previous, current, weight, radius = values, values, 1.0, 0.995
    for step in range(times):
        mean = cv2.filter2D(current, -1, kernel, borderType=cv2.BORDER_REPLICATE).reshape(values.shape)
        weight = 1.0 if step == 0 else (1 / (1 - radius**2 / 2) if step == 1 else 1 / (1 - radius**2 * weight / 4))
        following = previous + inside * weight * (mean - previous) if step else current + inside * (mean - current)
        previous, current = current, following
    return current
