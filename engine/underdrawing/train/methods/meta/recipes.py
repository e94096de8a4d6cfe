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
from underdrawing.train.method import Given, Recipe, TrainingError, make_recipe
from underdrawing.train.methods.meta.finetune import RefinementRun
from underdrawing.train.methods.meta.hyperparameters import MetaHyperparameters
from underdrawing.train.methods.meta.run import HyperRun

_NETWORKS = "Meta Internal Learning (2021), supplement, section 2.1"
_STAGES = "Meta Internal Learning (2021), supplement, section 2.2"
_STEPS = "Meta Internal Learning (2021), supplement, section 2.3"
_LENGTH = "Meta Internal Learning (2021), supplement, section 2.4"
_THEORY = "Meta Internal Learning (2021), supplement, section 1"
_OURS = "chosen by trials on two processor cores (docs/meta.md)"

PAPER = make_recipe(
    "paper-meta",
    "The published method, for a folder of pictures",
    MetaHyperparameters,
    iterations=Given(24_000, f"{_LENGTH}: Places-50, 4,000 for each of six scales"),
    budget=None,
    width=Given(64, f"{_NETWORKS}: ResNet-34"),
    embedding=Given(512, _NETWORKS),
    side=Given(128, _STAGES),
    filters=Given(64, _NETWORKS),
    layers=Given(3, f"{_NETWORKS}: five convolutions"),
    stages=Given(0, f"{_STAGES}: as many as steps of r need; the 7 that it counts for 256 pixels are stages=7"),
    ratio=Given(0.6, f"{_STAGES}: r"),
    smallest=Given(28, f"{_STAGES}: for 50 pictures"),
    longest=Given(250, f"the authors' program; {_STAGES}, speaks of 256"),
    each=Given(0, f"{_LENGTH}: by the number of pictures, 4,000 for Places-50"),
    batch=Given(16, _STEPS),
    critic=Given("written", f"{_THEORY}: a shared one asks for the wrong thing"),
    backbones=Given("two", f"{_THEORY}: a shared one learns nothing"),
    rate=Given(5e-5, _STEPS),
    critic_rate=Given(5e-5, _STEPS),
    beta1=Given(0.5, _STEPS),
    beta2=Given(0.999, _STEPS),
    drop_at=Given(0.8, _STEPS),
    drop=Given(0.1, _STEPS),
    penalty=Given(0.1, _STEPS),
    reconstruction=Given(50.0, _STEPS),
    clip=Given(1.0, _STEPS),
    refine_rate=Given(5e-4, "SinGAN (2019), its program"),
    noise=Given(1.0, _STEPS),
    others=Given(0.0, "not in the paper"),
    crop=Given(0, "not in the paper"),
    balance=Given(0.0, f"{_LENGTH}: as many for every scale"),
    network_picture=Given(True, "Meta Internal Learning (2021), supplement, sections 4 to 7: what the network makes"),
)
PAPER_BATCH = PAPER.vary(
    "paper-meta-batch",
    "The published method, for a handful of pictures trained on together",
    iterations=Given(12_000, f"{_LENGTH}: 2,000 for each of six scales"),
    budget=None,
    smallest=Given(27, f"{_STAGES}: for a single batch"),
    each=Given(2_000, f"{_LENGTH}: single mini-batch"),
    batch=Given(0, f"{_STEPS}: a single batch is all of them"),
    rate=Given(1e-5, _STEPS),
    critic_rate=Given(1e-5, _STEPS),
)
PAPER_SINGLE = PAPER.vary(
    "paper-meta-single",
    "The published method, for one picture",
    iterations=Given(12_000, f"{_LENGTH}: 2,000 for each of six scales"),
    budget=None,
    smallest=Given(25, _STAGES),
    each=Given(2_000, f"{_LENGTH}: single image, 1,500 to 2,000"),
    batch=Given(0, f"{_STEPS}: one picture is the batch"),
    critic=Given("plain", f"{_NETWORKS}: a classic discriminator for a single picture"),
    rate=Given(1e-5, _STEPS),
    critic_rate=Given(5e-4, _STEPS),
)
META = PAPER.vary(
    "meta",
    "Makes models of pictures like those in a folder",
    iterations=None,
    budget=1800.0,
    width=Given(16, f"{_OURS}: a quarter of ResNet-34's channels"),
    embedding=Given(128, _OURS),
    side=Given(64, _OURS),
    filters=Given(24, _OURS),
    stages=Given(5, _OURS),
    longest=Given(112, _OURS),
    batch=Given(4, _OURS),
    crop=Given(48, _OURS),
    rate=Given(6e-4, _OURS),
    critic_rate=Given(4e-4, _OURS),
    network_picture=Given(False, _OURS),
)
SINGLE = PAPER_SINGLE.vary(
    "meta-single",
    "Other pictures of the same kind, by a network that writes the model",
    iterations=None,
    budget=180.0,
    width=Given(16, f"{_OURS}: a quarter of ResNet-34's channels"),
    embedding=Given(128, _OURS),
    side=Given(64, _OURS),
    filters=Given(32, _OURS),
    stages=Given(5, _OURS),
    longest=Given(112, _OURS),
    crop=Given(64, _OURS),
    rate=Given(2e-4, _OURS),
    critic_rate=Given(1e-3, _OURS),
    network_picture=Given(False, _OURS),
)
INSTANT = META.vary(
    "instant",
    "A model made by a folder model, refined on its picture",
    iterations=None,
    budget=200.0,
)


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
