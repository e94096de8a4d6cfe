"""The renderer's task `edits`: what was painted on a model's underdrawing, one by one, and the planes without some."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.client.requests import MOST_EDITS
from underdrawing.picture.edit_list import edits, without
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.lossy_edit import settled
from underdrawing.render.model import Model
from underdrawing.store.crop_placement import inside as inside_of
from underdrawing.store.frame_codec import Inputs


def painted_edits(model: Model, args: Mapping[str, Any]) -> dict[str, Any]:
    """The list that `EditsRequest` asks for; with `without`, also the planes as they are without these edits.

    Raises:
        EngineError: the planes do not fit the model, or an edit that is to be taken back is not in the list.
    """
    inputs, info = Inputs(Path(args["spool"])), model.manifest.picture
    palette = None if model.primitive.palette is None else model.primitive.palette.to_json()
    drawn, unseen = inputs.primitive(args["planes"], palette)
    area = Bounds(*model.manifest.plan.region)
    inside = inside_of(drawn.size, area, (info.full_width, info.full_height), "underdrawing")
    now = settled(model.primitive, drawn.crop(inside))
    found = edits(model.primitive, now, MOST_EDITS)
    shown = []
    for edit in found:
        whole = np.zeros((drawn.size[1], drawn.size[0]), np.uint8)
        whole[inside.slices()][edit.mask] = 255
        bounds = Bounds.of_mask(whole)
        place = {"x": bounds.x, "y": bounds.y, "width": bounds.width, "height": bounds.height}
        shown.append({"title": edit.title, **place, "mask": inputs.put(Picture(whole[..., None]))})
    if not args["without"]:
        return {"edits": shown, "planes": [], "palette": [], "notes": unseen}
    if max(args["without"]) >= len(found):
        text = f"There is no edit {max(args['without']) + 1}: the list has {len(found)}."
        raise EngineError("bad_request", text, "Ask for the list again; the underdrawing was changed meanwhile.")
    rest = without(model.primitive, now, [found[number] for number in args["without"]])
    planes = {name: getattr(drawn, name).copy() for name in drawn.names}
    for name in drawn.names:
        planes[name][inside.slices()] = getattr(rest, name)
    restored = inputs.put_primitive(drawn.with_planes(**planes), args.get("order") or "")
    return {"edits": shown, **restored, "notes": unseen}
