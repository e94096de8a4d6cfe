"""Results of the renderer as the protocol's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from underdrawing.picture.composite import composite
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.render.apply import Applied
from underdrawing.render.model import Model
from underdrawing.store.frame_codec import Inputs


def answer_of(
    inputs: Inputs, model: Model, result: Applied, original: Picture | None, args: Mapping[str, Any]
) -> dict[str, Any]:
    """What `apply` and the tasks of `generate` that are given a picture answer.

    Args:
        original: what the result is laid over where that is asked for; None: the training picture.
        args: `order`, `baked` and `merged` count.
    """
    deep, order = result.picture.depth != "u8", args.get("order") or ""
    full, kind = (65535, np.uint16) if deep else (255, np.uint8)
    # A pixel that counts at all must not be rounded to none, nor the other way round.
    mask = np.where(result.mask > 0, np.maximum(1, np.rint(result.mask * full)), 0).astype(kind)
    picture = result.picture.with_opacity(result.mask) if args.get("baked") else result.picture
    merged = {}
    if args.get("merged"):
        merged["merged"] = inputs.put(_merged(model, original, result), order)
    return {
        **merged,
        "x": result.bounds.x,
        "y": result.bounds.y,
        "width": result.bounds.width,
        "height": result.bounds.height,
        "picture": inputs.put(picture, order),
        "mask": inputs.put(Picture(mask)),
        "confidence": None if result.confidence is None else inputs.put(grey(result.confidence)),
        "device": result.device,
        "notes": list(result.notes),
    }


def grey(values: np.ndarray) -> Picture:
    """Values in [0, 1] as 8 bits."""
    return Picture(np.rint(values * 255).astype(np.uint8))


def _merged(model: Model, original: Picture | None, result: Applied) -> Picture:
    """The area of a result as it is in the picture, result and mask laid over."""
    area = Bounds(*model.manifest.plan.region)
    below = model.picture if original is None else original
    # Pictures of the trained region alone begin at its corner.
    corner = (0, 0) if below.size != (area.width, area.height) else (area.x, area.y)
    bounds = result.bounds.translate(-corner[0], -corner[1])
    return composite(below.crop(bounds), result.picture, (0, 0), result.mask)
