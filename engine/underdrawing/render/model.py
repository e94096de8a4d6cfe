"""A trained model as the renderer holds it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.draft.refiner_input import class_colours
from underdrawing.picture.files import read_picture
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, read_primitive
from underdrawing.picture.underdrawing_agreement import agreement
from underdrawing.store.manifest import Manifest


class Model:
    """A trained model as the renderer holds it: its manifest, its own primitive, its picture when it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, Manifest.load(folder)
        palette = Palette.from_json(list(self.manifest.palette)) if self.manifest.palette else None
        drawn = bool(self.manifest.planes)
        self.drawn = read_primitive(folder / "primitive.png", palette) if drawn else None
        self.own_version: np.ndarray | None = None  # what an analogy's graph makes of the training layout

    @property
    def primitive(self) -> Primitive:
        """The underdrawing trained on.

        Raises:
            EngineError: it was trained without one.
        """
        if self.drawn is None:
            text = f"The model {self.manifest.name!r} was trained without an underdrawing."
            can = ", ".join(self.manifest.plan.tasks)
            raise EngineError(
                "wrong_task", text, f"It can: {can}." if can else "Train on the picture with an underdrawing."
            )
        return self.drawn

    def agreement(self, planes: Mapping[str, np.ndarray]) -> float:
        """How much of these planes is as the model was trained on, 0 to 1; see `underdrawing_agreement`."""
        if self.drawn is None:
            return 0.0
        area, (width, height) = Bounds(*self.manifest.plan.region), self.drawn.size
        own = {name: one if one.shape[:2] == (height, width) else one[area.slices()] for name, one in planes.items()}
        return agreement(self.drawn.planes(), own)

    @cached_property
    def picture(self) -> Picture:
        """The trained region at its own depth."""
        return read_picture(self.folder / self.manifest.picture.file)

    @property
    def small_size(self) -> tuple[int, int]:
        """Width and height of what the network saw."""
        scale, info = self.manifest.plan.scale, self.manifest.picture
        width, height = info.width, info.height
        return max(1, round(width * scale)), max(1, round(height * scale))

    @cached_property
    def small_primitive(self) -> Primitive:
        """The primitive trained on, at the size of `small_picture`."""
        same = self.small_size == self.primitive.size
        return self.primitive if same else self.primitive.resized(self.small_size)

    @cached_property
    def small_picture(self) -> np.ndarray:
        """The picture as the network saw it, (h, w, 3) float32 in [0, 1]."""
        rgb = self.picture.to_float(self.manifest.picture.white)
        same = self.small_size == self.picture.size
        return rgb if same else np.asarray(cv2.resize(rgb, self.small_size, interpolation=cv2.INTER_AREA))

    @cached_property
    def class_colours(self) -> np.ndarray | None:
        """The mean colour of every class, (256, 3) float32 in [0, 1]; None without classes."""
        return class_colours(self.small_picture, self.small_primitive)
