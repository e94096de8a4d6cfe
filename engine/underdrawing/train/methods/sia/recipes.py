"""Semantic Image Analogy (Li, Xiong, Liu, Chen and Zha 2020): the picture in another layout.

As the source's segmentation changes into another one, so the source picture changes: a generator that takes the picture
itself, modulated by what differs between the two segmentations. Trained on random changes of the one pair. Outlines
serve in the place of segments, too. Recipes: `paper` (the published figures) and `quick`, which is bound to a budget
and departs from the paper where that makes results better within minutes:

- The networks see the picture halved, once or twice, down to about 176 x 176 pixels. They decide what lies where; the
  picture's own patches make the result (`draft/patch_analogy.py`): nearest neighbours of the same class among the
  network's versions of both layouts. What equation 7 asks for as a loss is done to the letter at the end.
- The draft's registration carries what it can; the network's version judges where that may stand.
- As the changed picture is known in sampling mode, the generator is also told how it differs from it: mean absolute
  difference and VGG features to relu3_1.
- One step of the generator for one of the discriminator, which joins after 40 % of the time; repeated pixels in
  place of transposed convolutions, averaged weights, more bending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from underdrawing.store.manifest import PlaneKind, PlaneSpec
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.method import Recipe, make_recipe
from underdrawing.train.methods.sia.hyperparameters import SIAHyperparameters
from underdrawing.train.methods.sia.run import MOST_REDUCED, SIARun

PLANES = (
    PlaneSpec("segments", PlaneKind.CLASSES, required=False),
    PlaneSpec("edges", PlaneKind.LINES, required=False),
)

_PAPER = "Semantic Image Analogy (2020), section 4.1"
_LOSS = "Semantic Image Analogy (2020), section 3.4"
_OURS = "chosen by trials on two processor cores (docs/methods.md)"

# Tables, laid out by hand: hyperparameters by their source.
# fmt: off
PAPER = make_recipe("paper", "The published method in full (days on a graphics card of its time)", SIAHyperparameters, {
    f"{_PAPER}: above 2,000; the authors' program: 2,500": {"iterations": 2_500},
    _PAPER: {"filters": 32, "halvings": 3, "transposed": True, "seen": 0, "painted": False,
        "discriminator_filters": 32, "discriminator_layers": 3, "steps": 10, "flip": 0.5, "crop": 0,
        "patches": (10.0, 5.0), "gan_from": 0.0, "constant": 1.0, "pixels": 0, "pixels_gpu": 0},
    f"{_PAPER} leaves it open; so the weights come nearest to the program's 5.5 million": {"early": True},
    "not in the paper, which divides as it is": {"epsilon": 0.1},
    "Semantic Image Analogy (2020), section 3.3": {"translated": True},
    f"{_PAPER}: a PatchGAN of three blocks": {"discriminator": "blocks"},
    f"{_PAPER}: a quarter of DeepLabV3's 256 channels": {"classifier_filters": 64},
    f"{_PAPER}; the authors' program: 0.2": {"reconstruct": 0.1},
    "the authors' program": {"resize": 0.2, "bend": 0.02, "points": 3, "beta1": 0.0, "beta2": 0.9},
    f"{_PAPER}, without a figure": {"rotate": 15.0},
    f"{_PAPER}: linearly; the authors' program: over 1,000 of 2,500 iterations": {"growth": 0.4},
    f"{_PAPER}: crop, without a figure; as much as resizing changes": {"cut": 0.2},
    _LOSS: {"alignment": 1.0, "coherence": 1.0, "gan": 1.0, "feature_matching": 1.0, "fixed_point": 1.0},
    f"{_PAPER}: the L1 distance between the features of two patches": {"absolute": True},
    f"{_LOSS}; the authors' program: 5": {"pixel": 1.0},
    "not in the paper": {"paired": 0.0, "perceptual": 0.0, "average": 0.0},
    f"{_PAPER}: a VGG; VGG16 where VGG19 is not installed": {"perceptual_network": "vgg19"},
    f"{_PAPER}; the authors' program: 5e-3": {"rate": 5e-4},
    f"{_PAPER}; the authors' program: 2e-2": {"rate_discriminator": 5e-4},
})
QUICK = PAPER.vary("quick", "Bound to a time: ten minutes on two processor cores", {
    _OURS: {"filters": 16, "early": False, "discriminator": "pix2pixhd", "classifier_filters": 32, "transposed": False,
        "seen": 176 * 176, "painted": True, "steps": 1, "bend": 0.1, "points": 4, "growth": 0.2, "cut": 0.0,
        "pixel": 10.0, "paired": 5.0, "perceptual": 2.0, "feature_matching": 5.0, "gan_from": 0.4, "rate": 1e-3,
        "rate_discriminator": 1e-3, "beta1": 0.5, "beta2": 0.99, "constant": 0.6, "average": 0.1, "pixels": 320 * 320,
        "pixels_gpu": 512 * 512},
    "several times faster": {"absolute": False},
    "smaller than VGG19, shipped by a registry package": {"perceptual_network": "vgg16"},
}, budget=600.0)
# fmt: on


class SIA:
    """The method as data."""

    name = "sia"
    title = "Semantic analogy: the picture in another layout"
    planes: Sequence[PlaneSpec] = PLANES
    needs_training = True
    many = False
    recipes: Mapping[str, Recipe] = {r.name: r for r in (QUICK, PAPER)}
    default_recipe = QUICK.name

    def stride(self, recipe: Recipe) -> int:
        """As often as the picture is halved, before the network and in it."""
        return int((MOST_REDUCED if recipe.figures.seen else 1) * 2**recipe.figures.halvings)

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """Bigger pictures are reduced to this many pixels before they are trained on; 0: never."""
        return int(recipe.figures.pixels_gpu if device.is_cuda else recipe.figures.pixels)

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> SIARun:
        """A run with fresh weights.

        Raises:
            TrainingError: there are neither segments nor edges.
        """
        return SIARun(data, recipe.figures, device, seed)


METHOD = SIA()
