"""The draft: no training at all. The picture's own pixels are carried to where the edited primitive wants them.

What makes it is in `underdrawing.draft` and runs in the renderer; here is what the engine must know of it to keep
a picture with its primitive as a model that can be applied at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from underdrawing.store.manifest import ApplyPlan, PlaneKind, PlaneSpec, Procedure
from underdrawing.train.base_run import BaseRun, Part
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.method import ExportGraph, Progress, Recipe, Stage, TrainingError, make_recipe

PLANES = (
    PlaneSpec("segments", PlaneKind.CLASSES, required=False),
    PlaneSpec("edges", PlaneKind.LINES, required=False),
)


@dataclass(frozen=True)
class DraftHyperparameters:
    """What can be chosen about a draft."""

    pixels: int  # bigger pictures are drafted reduced to this many pixels; 0: never


AT_ONCE = make_recipe(
    "draft",
    "Immediate: pixels are carried over, without training",
    DraftHyperparameters,
    {
        "nothing is trained": {"iterations": 1},
        "half a second on two processor cores": {"pixels": 640 * 480},
    },
)


def check_planes(data: TrainingData) -> None:
    """A draft has something to follow.

    Raises:
        TrainingError: there are neither segments nor edges.
    """
    if not {"segments", "edges"} & data.pairs[0].planes.keys():
        raise TrainingError("no_plane", "A draft needs a primitive.", "Give segments or edges beside the picture.")


class DraftMethod:
    """The method as data."""

    name = "draft"
    title = "Draft: the picture's own pixels, carried over; no training"
    planes: Sequence[PlaneSpec] = PLANES
    needs_training = False
    many = False
    recipes: Mapping[str, Recipe] = {AT_ONCE.name: AT_ONCE}
    default_recipe = AT_ONCE.name

    def stride(self, recipe: Recipe) -> int:
        """Nothing is padded."""
        return 1

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """Bigger pictures are reduced to this many pixels; 0: never."""
        return int(recipe.figures.pixels)

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> DraftRun:
        """A run of no steps.

        Raises:
            TrainingError: there are neither segments nor edges.
        """
        check_planes(data)
        return DraftRun(data)


METHOD = DraftMethod()


class DraftRun(BaseRun):
    """A run of no steps: it only says how it is applied."""

    stages: Sequence[Stage] = ()

    def __init__(self, data: TrainingData) -> None:
        self.data = data

    def step(self, progress: Progress) -> dict[str, float]:
        """There is nothing to train."""
        return {}

    def sample(self) -> Tensor:
        """The picture itself: that is what its own primitive gives."""
        return self.data.pairs[0].picture

    def parts(self) -> Mapping[str, Part]:
        """There are no networks."""
        return {}

    def graphs(self) -> Sequence[ExportGraph]:
        """There are none."""
        return ()

    def plan(self) -> ApplyPlan:
        """The renderer drafts, seeing the whole picture."""
        return ApplyPlan(
            procedure=Procedure.DRAFT, minimum=1, halo=None, scale=self.data.scale, region=self.data.region
        )
