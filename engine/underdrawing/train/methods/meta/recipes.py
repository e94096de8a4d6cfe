"""Meta Internal Learning (Bensadoun, Gur, Galanti and Wolf 2021): one network that makes models of pictures.

A hypernetwork looks at a picture and writes the weights of that picture's own multi-scale generator. Trained on a
folder, it makes a model of a picture that it never saw in a moment. The recipes without `paper-` are bound to a budget
of seconds on two processor cores, with a thinner backbone and fewer filters; the run is in `train/methods/meta/run.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from underdrawing.store.manifest import PlaneSpec
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.method import Recipe, TrainingError, make_recipe
from underdrawing.train.methods.meta.finetune import RefinementRun
from underdrawing.train.methods.meta.hyperparameters import MetaHyperparameters
from underdrawing.train.methods.meta.run import HyperRun

_NETWORKS = "Meta Internal Learning (2021), supplement, section 2.1"
_STAGES = "Meta Internal Learning (2021), supplement, section 2.2"
_STEPS = "Meta Internal Learning (2021), supplement, section 2.3"
_LENGTH = "Meta Internal Learning (2021), supplement, section 2.4"
_THEORY = "Meta Internal Learning (2021), supplement, section 1"
_OURS = "chosen by trials on two processor cores (docs/meta.md)"

# Tables, laid out by hand: hyperparameters by their source.
# fmt: off
PAPER = make_recipe("paper-meta", "The published method, for a folder of pictures", MetaHyperparameters, {
    f"{_LENGTH}: Places-50, 4,000 for each of six scales": {"iterations": 24_000},
    f"{_NETWORKS}: ResNet-34": {"width": 64},
    _NETWORKS: {"embedding": 512, "filters": 64},
    _STAGES: {"side": 128},
    f"{_NETWORKS}: five convolutions": {"layers": 3},
    f"{_STAGES}: as many as steps of r need; the 7 that it counts for 256 pixels are stages=7": {"stages": 0},
    f"{_STAGES}: r": {"ratio": 0.6},
    f"{_STAGES}: for 50 pictures": {"smallest": 28},
    f"the authors' program; {_STAGES}, speaks of 256": {"longest": 250},
    f"{_LENGTH}: by the number of pictures, 4,000 for Places-50": {"each": 0},
    _STEPS: {"batch": 16, "rate": 5e-5, "critic_rate": 5e-5, "beta1": 0.5, "beta2": 0.999, "drop_at": 0.8, "drop": 0.1,
        "penalty": 0.1, "reconstruction": 50.0, "clip": 1.0, "noise": 1.0},
    f"{_THEORY}: a shared one asks for the wrong thing": {"critic": "written"},
    f"{_THEORY}: a shared one learns nothing": {"backbones": "two"},
    "SinGAN (2019), its program": {"refine_rate": 5e-4},
    "not in the paper": {"others": 0.0, "crop": 0},
    f"{_LENGTH}: as many for every scale": {"balance": 0.0},
    "Meta Internal Learning (2021), supplement, sections 4 to 7: what the network makes": {"network_picture": True},
})
PAPER_BATCH = PAPER.vary("paper-meta-batch", "The published method, for a handful of pictures trained on together", {
    f"{_LENGTH}: 2,000 for each of six scales": {"iterations": 12_000},
    f"{_STAGES}: for a single batch": {"smallest": 27},
    f"{_LENGTH}: single mini-batch": {"each": 2_000},
    f"{_STEPS}: a single batch is all of them": {"batch": 0},
    _STEPS: {"rate": 1e-5, "critic_rate": 1e-5},
})
PAPER_SINGLE = PAPER.vary("paper-meta-single", "The published method, for one picture", {
    f"{_LENGTH}: 2,000 for each of six scales": {"iterations": 12_000},
    _STAGES: {"smallest": 25},
    f"{_LENGTH}: single image, 1,500 to 2,000": {"each": 2_000},
    f"{_STEPS}: one picture is the batch": {"batch": 0},
    f"{_NETWORKS}: a classic discriminator for a single picture": {"critic": "plain"},
    _STEPS: {"rate": 1e-5, "critic_rate": 5e-4},
})
META = PAPER.vary("meta", "Makes models of pictures like those in a folder", {
    f"{_OURS}: a quarter of ResNet-34's channels": {"width": 16},
    _OURS: {"embedding": 128, "side": 64, "filters": 24, "stages": 5, "longest": 112, "batch": 4, "crop": 48,
        "rate": 6e-4, "critic_rate": 4e-4, "network_picture": False},
}, budget=1800.0)
SINGLE = PAPER_SINGLE.vary("meta-single", "Other pictures of the same kind, by a network that writes the model", {
    f"{_OURS}: a quarter of ResNet-34's channels": {"width": 16},
    _OURS: {"embedding": 128, "side": 64, "filters": 32, "stages": 5, "longest": 112, "crop": 64, "rate": 2e-4,
        "critic_rate": 1e-3, "network_picture": False},
}, budget=180.0)
INSTANT = META.vary("instant", "A model made by a folder model, refined on its picture", {}, budget=200.0)
# fmt: on


class Meta:
    """The method as data."""

    name = "meta"
    title = "Meta Internal Learning: a network that makes models of pictures"
    planes: Sequence[PlaneSpec] = ()
    needs_training = True
    many = True
    recipes: Mapping[str, Recipe] = {r.name: r for r in (META, SINGLE, INSTANT, PAPER, PAPER_BATCH, PAPER_SINGLE)}
    default_recipe = "meta"

    def stride(self, recipe: Recipe) -> int:
        """Nothing is padded."""
        return 1

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """So many pixels that the longer side is as long as the recipe says."""
        return round(recipe.figures.longest**2 * min(size) / max(size))

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> HyperRun | RefinementRun:
        """A run with fresh weights, or one that goes on from a model that was made at once.

        Raises:
            TrainingError: pictures that are too small, forbidden hyperparameters, nothing to continue, or a composite.
        """
        if data.composite is not None:
            text = (
                "A model made by a folder model can be refined on its own picture, but not fine-tuned on a composite."
            )
            raise TrainingError("wrong_task", text, "Leave out fine-tuning, or train on the picture itself.")
        if data.base is not None and recipe.name == INSTANT.name:
            return RefinementRun(data, recipe.figures, device, seed)
        if data.base is not None or recipe.name == INSTANT.name:
            text = "Only models made by a folder model can be refined."
            raise TrainingError("wrong_task", text, "Use: underdrawing vary PICTURE --from MODEL --refine 60s")
        return HyperRun(data, recipe.figures, device, seed)


METHOD = Meta()
