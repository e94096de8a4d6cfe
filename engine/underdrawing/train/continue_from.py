"""Trainings that go on from a model: what it was trained on, and the one picture that it shall know better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from underdrawing.client.messages import EngineError
from underdrawing.picture.composite import flattened
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.resize import signed, small_copy
from underdrawing.store.crop_placement import inside
from underdrawing.store.manifest import CHECKPOINT_FILE, Manifest, ManifestError
from underdrawing.train.method import Method, Recipe, TrainingError
from underdrawing.train.prepare import Prepared

PART = 0.3  # of the budget that the base's recipe has
ITERATIONS = 500  # ConSinGAN, section 5.2


@dataclass(frozen=True, eq=False)
class Base:
    """A model that is trained further.

    Attributes:
        state: its checkpoint.
    """

    manifest: Manifest
    state: Mapping[str, Tensor]

    @classmethod
    def read(cls, folder: Path) -> Base:
        """The base of the training in `folder`.

        Raises:
            TrainingError: it cannot be read.
        """
        try:
            return cls(Manifest.load(folder / "base"), load_file(folder / "base" / CHECKPOINT_FILE))
        except (ManifestError, OSError, SafetensorError, ValueError):
            text = "The model to continue from cannot be read."
            raise TrainingError("wrong_task", text, "Train on the picture again.") from None

    @property
    def region(self) -> tuple[int, int, int, int]:
        """The picture that the base was trained on."""
        return self.manifest.plan.region

    def recipe(self, method: Method, args: Mapping[str, Any]) -> Recipe:
        """The base's recipe with the base's figures, and the time that suits.

        Raises:
            TrainingError: this version does not know the recipe or one of its figures.
        """
        name = self.manifest.recipe
        if name not in method.recipes:
            text = f"The model was trained with the recipe {name!r}, which this version lacks."
            raise TrainingError("unknown_recipe", text, "Train on the picture again.")
        known = method.recipes[name]
        given = {key: entry["value"] for key, entry in self.manifest.hyperparameters.items()}
        recipe = known.with_options({**given, **(args.get("options") or {})})
        if recipe.budget is not None:
            return replace(recipe, sources=known.sources, budget=recipe.budget * PART)
        return replace(recipe, sources=known.sources, iterations=ITERATIONS)

    def again(self, prepared: Prepared) -> Prepared:
        """Training data with the base's state, to know the same picture better.

        Raises:
            TrainingError: it is another picture than the base was trained on.
        """
        if prepared.picture.hash != self.manifest.picture.hash:
            text = "This is another picture than the model was made of."
            raise TrainingError("wrong_size", text, "Give the picture that it was made of.")
        return replace(prepared, data=replace(prepared.data, base=self.state))

    def further(self, prepared: Prepared, given: Picture, mask: np.ndarray) -> Prepared:
        """Training data with the base's state and the picture as it was changed.

        Args:
            prepared: of the picture that the base was trained on.
            given: the changed picture, whole or of the region.
            mask: (H, W) float32 of the same size, above 0 where it was changed.

        Raises:
            TrainingError: it is another picture than the base was trained on.
            EngineError: sizes that do not fit, or an empty mask.
        """
        info, area = self.manifest.picture, Bounds(*self.region)
        full = (info.full_width, info.full_height)
        if prepared.picture.hash != info.hash:
            text = "The model was trained on a different picture."
            raise TrainingError(
                "wrong_size", text, "Use the picture that the model was trained on, without the pasted layer."
            )
        given = given.crop(inside(given.size, area, full, "picture"))
        mask = mask[inside((mask.shape[1], mask.shape[0]), area, full, "mask").slices()]
        if not (mask > 0).any():
            text = "Nothing is changed: the mask is empty."
            raise EngineError("nothing_edited", text, "Give the mask of what was pasted.")
        given = flattened(prepared.picture, given)
        height, width = prepared.data.pairs[0].inside
        small = np.nan_to_num(small_copy(given.to_float(prepared.white), width, height))
        where = cv2.resize((mask > 0).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
        tensor = torch.from_numpy(signed(small))
        marked = torch.from_numpy(where)[None, None].float()
        data = replace(prepared.data, base=self.state, composite=tensor, mask=marked)
        return replace(prepared, data=data)
