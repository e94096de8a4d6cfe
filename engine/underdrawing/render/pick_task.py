"""The renderer's task `pick`: from points or a rough mask to candidates, with the picture's area tree kept warm."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from underdrawing.picture.area_hierarchy import AreaHierarchy, build_hierarchy
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.pick import Candidate, nested, pick, refined
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.pretrained import HED_ABSENT, outline_network, prompted_network, subject_network
from underdrawing.store.frame_codec import Inputs

TREES_KEPT = 4
STEPS = 3  # candidates to either side of the most likely one, smaller and bigger


class Picker:
    """Area trees of the pictures that were last pointed at."""

    def __init__(self, sessions: SessionStore) -> None:
        self.sessions = sessions
        self.trees: OrderedDict[tuple[str, bool], AreaHierarchy] = OrderedDict()

    def pick(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Candidates as masks of the picture's size.

        Args:
            args: as `PickRequest` checked them, with the folders of weights and of the blob store.

        Raises:
            PictureError: a point outside of the picture, a mask of another size, or nothing there.
        """
        inputs, weights = Inputs(Path(args["spool"])), Path(args["weights"])
        rgb = inputs.picture(args["picture"]).to_bytes()
        rough = inputs.mask(args["mask"]) if args.get("mask") else None
        if rough is not None and rough.shape != rgb.shape[:2]:
            raise PictureError("The mask is not of the picture's size.")
        subject, prompted = subject_network(weights, self.sessions), prompted_network(weights, self.sessions)
        tree = self._tree(rgb, weights)
        found = pick(rgb, tree, args["inside"], args["outside"], rough, subject, prompted)
        if not found:
            raise PictureError("Nothing was found there. Point at the middle of the thing, or mark it with a box.")
        chosen = _steps(found)
        candidates = [
            {
                "mask": inputs.put(Picture(np.rint(refined(rgb, one.mask) * 255).astype(np.uint8)[..., None])),
                "score": round(one.score, 3),
                "share": round(one.share, 5),
                "source": one.source,
            }
            for one in chosen
        ]
        notes = [] if outline_network(weights, self.sessions) else [HED_ABSENT]
        return {"candidates": candidates, "notes": notes}

    def tree(self, inputs: Inputs, picture: Mapping[str, Any], weights: Path) -> AreaHierarchy:
        """The area tree of a picture, by its reference."""
        return self._tree(inputs.picture(picture).to_bytes(), weights)

    def _tree(self, rgb: np.ndarray, weights: Path) -> AreaHierarchy:
        outlines = outline_network(weights, self.sessions)
        known = hashlib.sha256(np.ascontiguousarray(rgb).data).hexdigest(), outlines is not None
        if known not in self.trees:
            self.trees[known] = build_hierarchy(rgb, outlines)
            while len(self.trees) > TREES_KEPT:
                self.trees.popitem(last=False)
        self.trees.move_to_end(known)
        return self.trees[known]


def _steps(found: list[Candidate]) -> list[Candidate]:
    """The most likely candidate, and its neighbours by size."""
    order = nested(found)
    place = next(k for k, candidate in enumerate(order) if candidate is found[0])
    near = order[max(0, place - STEPS) : place + STEPS + 1]
    return [found[0], *(candidate for candidate in near if candidate is not found[0])]
