"""Results of the renderer as the protocol's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from underdrawing.picture.composite import composite
from underdrawing.picture.image import Picture
from underdrawing.render.apply import Applied
from underdrawing.render.model import Model
from underdrawing.store.frame_codec import Inputs


def answer_of(
    inputs: Inputs, result: Applied, below: Picture, corner: tuple[int, int], args: Mapping[str, Any]
) -> dict[str, Any]:
    """What `apply` and the tasks of `generate` that are given a picture answer.

    Args:
        below: what the result is laid over where that is asked for.
        corner: where that begins in the whole picture.
        args: `order`, `baked` and `merged` count.
    """
    deep, order = result.picture.depth != "u8", args.get("order") or ""
    full, kind = (65535, np.uint16) if deep else (255, np.uint8)
    # A pixel that counts at all must not be rounded to none, nor the other way round.
    mask = np.where(result.mask > 0, np.maximum(1, np.rint(result.mask * full)), 0).astype(kind)
    picture = result.picture
    if args.get("baked"):
        picture = picture.with_opacity(result.mask * picture.opacity())
    merged = {}
    if args.get("merged"):
        bounds = result.bounds.translate(-corner[0], -corner[1])
        merged["merged"] = inputs.put(
            composite(below.crop(bounds), result.picture, (0, 0), result.mask, opacity=True), order
        )
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


def corner_of(model: Model, below: Picture) -> tuple[int, int]:
    """Where a picture begins in the whole one: pictures of the trained region alone at its corner."""
    x, y, width, height = model.manifest.plan.region
    return (x, y) if below.size == (width, height) else (0, 0)
