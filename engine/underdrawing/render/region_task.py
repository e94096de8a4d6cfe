"""The renderer's task `region`: an area is moved, scaled, mirrored, copied, removed, merged or split on all planes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.picture.area_edits import merge, split
from underdrawing.picture.area_hierarchy import AreaHierarchy
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.regions import RegionEdit, change, region_at, region_of_class
from underdrawing.store.frame_codec import Inputs

AREA_EDITS = ("merge", "split")  # what they make is an underdrawing as made, and no edit of one


def edited_region(
    inputs: Inputs, args: Mapping[str, Any], tree: Callable[[], AreaHierarchy]
) -> tuple[RegionEdit, list[str]]:
    """The edit that `RegionRequest` asks for, and sentences about colours that the palette lacks.

    Args:
        tree: of the picture that the request names.

    Raises:
        EngineError: another area to merge with, or the picture to split along, is missing.
        PictureError: the area cannot be used.
    """
    primitive, unseen = inputs.primitive(args["planes"], args.get("palette"))
    operation = str(args["operation"])
    region = _mask(inputs, args["region"], primitive, islands=operation not in AREA_EDITS)
    if operation == "merge":
        if args.get("into") is None:
            raise EngineError("bad_request", "It is not said which area to merge with.", "Send it as `into`.")
        return merge(primitive, region, _mask(inputs, args["into"], primitive, islands=False)), unseen
    if operation == "split":
        if args.get("picture") is None:
            raise EngineError("bad_request", "An area is split along the picture's edges.", "Send the `picture`.")
        return split(primitive, region, tree()), unseen
    return change(primitive, operation, region, args), unseen


def _mask(inputs: Inputs, where: Mapping[str, Any], primitive: Primitive, islands: bool) -> np.ndarray:
    """(H, W) bool: the area that a request names by a mask, a point or a class."""
    if "mask" in where:
        return inputs.mask(where["mask"])
    if "point" in where:
        return region_at(primitive, int(where["point"][0]), int(where["point"][1]), islands)
    return region_of_class(primitive, str(where["class"]))
