"""A folder of pictures as training data: all of one shape and size, so that several are trained on at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from underdrawing.picture.image import Picture, white_of
from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Method, Recipe, TrainingError
from underdrawing.train.prepare import LEAST_PIXELS, Prepared


def prepare_folder(
    pictures: Sequence[Picture], sheet: Picture, method: Method, recipe: Recipe, device: Device
) -> Prepared:
    """Training data of many pictures.

    The middle shape of them all becomes everybody's (the paper's data sets have 3:4); what sticks out of it is cut off
    at both sides alike, so that things keep their own shape.

    Args:
        pictures: what is trained on.
        sheet: a picture that stands for the folder in lists of models.

    Raises:
        TrainingError: the method trains on one picture at a time, or a picture is too small.
    """
    if not method.many:
        text = f"The method {method.name!r} trains on one picture at a time."
        raise TrainingError("wrong_task", text, "Train on folders with --method meta.")
    for number, picture in enumerate(pictures, 1):
        if picture.size[0] * picture.size[1] < LEAST_PIXELS:
            text = f"Picture {number} has only {picture.size[0]} x {picture.size[1]} pixels."
            raise TrainingError("too_small", text, "Leave it out; 64 x 64 is a sensible least.")
    shape = float(np.median([picture.size[0] / picture.size[1] for picture in pictures]))
    large = max(max(picture.size) for picture in pictures)
    own = (large, max(1, round(large / shape))) if shape >= 1 else (max(1, round(large * shape)), large)
    limit = method.pixels(recipe, device, own)
    scale = min(1.0, math.sqrt(limit / (own[0] * own[1]))) if limit else 1.0
    size = (max(1, round(own[0] * scale)), max(1, round(own[1] * scale)))
    stride = method.stride(recipe)
    pairs = tuple(make_pair(_fitted(picture, size), {}, None, stride) for picture in pictures)
    notes = (f"{len(pairs)} pictures are trained on at {size[0]} x {size[1]} pixels.",)
    data = TrainingData(pairs, 1.0, (0, 0, *sheet.size), {})
    return Prepared(data, sheet, None, 1.0, notes)


def _fitted(picture: Picture, size: tuple[int, int]) -> np.ndarray:
    """A picture at a size of another shape: (height, width, 3) float32 in [0, 1], its overhanging sides cut off."""
    rgb = np.nan_to_num(picture.to_float(white_of(picture)))
    height, width = rgb.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    fitting = (max(size[0], round(width * scale)), max(size[1], round(height * scale)))
    how = cv2.INTER_AREA if scale <= 1 else cv2.INTER_CUBIC
    rgb = cv2.resize(rgb, fitting, interpolation=how).clip(0, 1)
    x, y = (fitting[0] - size[0]) // 2, (fitting[1] - size[1]) // 2
    return np.ascontiguousarray(rgb[y : y + size[1], x : x + size[0]], np.float32)


def others(pictures: Tensor, look: Tensor, part: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures of a batch as others of their kind: mirrored one time in two, and in other colours.

    A folder has few pictures, and what is trained on from it must fit pictures that it has not.

    Args:
        pictures, look: (B, 3, H, W) in [-1, 1], what is trained on and what the backbone sees of it; changed alike.
        part: of the draws that get other colours.
    """
    batch = len(pictures)
    mirrored = torch.rand(batch, generator=rng) < 0.5
    turned = torch.rand(batch, generator=rng) < part
    mixing = torch.stack([_mixing(rng) if t else torch.eye(3) for t in turned])
    shift = (torch.rand(batch, 3, 1, 1, generator=rng) * 0.6 - 0.3) * turned[:, None, None, None]

    def changed(x: Tensor) -> Tensor:
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        return (torch.einsum("boc,bchw->bohw", mixing, x) + shift).clamp(-1, 1)

    return changed(pictures), changed(look)


def _mixing(rng: torch.Generator) -> Tensor:
    """Colours as a mixture of the picture's own and of them exchanged, with more or less contrast: (3, 3)."""
    exchanged = torch.eye(3)[torch.randperm(3, generator=rng)]
    part, contrast = torch.rand(2, generator=rng).tolist()
    return (0.7 + 0.6 * contrast) * torch.lerp(torch.eye(3), exchanged, part)
