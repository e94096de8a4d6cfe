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
from underdrawing.train.method import Given, Recipe, make_recipe
from underdrawing.train.methods.sia.hyperparameters import SIAHyperparameters
from underdrawing.train.methods.sia.run import MOST_REDUCED, SIARun

PLANES = (
    PlaneSpec("segments", PlaneKind.CLASSES, required=False),
    PlaneSpec("edges", PlaneKind.LINES, required=False),
)

_PAPER = "Semantic Image Analogy (2020), section 4.1"
_LOSS = "Semantic Image Analogy (2020), section 3.4"
_OURS = "chosen by trials on two processor cores (docs/methods.md)"

PAPER = make_recipe(
    "paper",
    "The published method in full (days on a graphics card of its time)",
    SIAHyperparameters,
    iterations=Given(2_500, f"{_PAPER}: above 2,000; the authors' program: 2,500"),
    budget=None,
    filters=Given(32, _PAPER),
    halvings=Given(3, _PAPER),
    early=Given(True, f"{_PAPER} leaves it open; so the weights come nearest to the program's 5.5 million"),
    epsilon=Given(0.1, "not in the paper, which divides as it is"),
    translated=Given(True, "Semantic Image Analogy (2020), section 3.3"),
    transposed=Given(True, _PAPER),
    seen=Given(0, _PAPER),
    painted=Given(False, _PAPER),
    discriminator=Given("blocks", f"{_PAPER}: a PatchGAN of three blocks"),
    discriminator_filters=Given(32, _PAPER),
    discriminator_layers=Given(3, _PAPER),
    classifier_filters=Given(64, f"{_PAPER}: a quarter of DeepLabV3's 256 channels"),
    steps=Given(10, _PAPER),
    reconstruct=Given(0.1, f"{_PAPER}; the authors' program: 0.2"),
    flip=Given(0.5, _PAPER),
    resize=Given(0.2, "the authors' program"),
    rotate=Given(15.0, f"{_PAPER}, without a figure"),
    bend=Given(0.02, "the authors' program"),
    points=Given(3, "the authors' program"),
    growth=Given(0.4, f"{_PAPER}: linearly; the authors' program: over 1,000 of 2,500 iterations"),
    cut=Given(0.2, f"{_PAPER}: crop, without a figure; as much as resizing changes"),
    crop=Given(0, _PAPER),
    alignment=Given(1.0, _LOSS),
    coherence=Given(1.0, _LOSS),
    patches=Given((10.0, 5.0), _PAPER),
    absolute=Given(True, f"{_PAPER}: the L1 distance between the features of two patches"),
    gan=Given(1.0, _LOSS),
    feature_matching=Given(1.0, _LOSS),
    fixed_point=Given(1.0, _LOSS),
    pixel=Given(1.0, f"{_LOSS}; the authors' program: 5"),
    paired=Given(0.0, "not in the paper"),
    perceptual=Given(0.0, "not in the paper"),
    perceptual_network=Given("vgg19", f"{_PAPER}: a VGG; VGG16 where VGG19 is not installed"),
    gan_from=Given(0.0, _PAPER),
    rate=Given(5e-4, f"{_PAPER}; the authors' program: 5e-3"),
    rate_discriminator=Given(5e-4, f"{_PAPER}; the authors' program: 2e-2"),
    beta1=Given(0.0, "the authors' program"),
    beta2=Given(0.9, "the authors' program"),
    constant=Given(1.0, _PAPER),
    average=Given(0.0, "not in the paper"),
    pixels=Given(0, _PAPER),
    pixels_gpu=Given(0, _PAPER),
)
QUICK = PAPER.vary(
    "quick",
    "Bound to a time: ten minutes on two processor cores",
    iterations=None,
    budget=600.0,
    filters=Given(16, _OURS),
    early=Given(False, _OURS),
    discriminator=Given("pix2pixhd", _OURS),
    classifier_filters=Given(32, _OURS),
    transposed=Given(False, _OURS),
    seen=Given(176 * 176, _OURS),
    painted=Given(True, _OURS),
    steps=Given(1, _OURS),
    bend=Given(0.1, _OURS),
    points=Given(4, _OURS),
    growth=Given(0.2, _OURS),
    cut=Given(0.0, _OURS),
    absolute=Given(False, "several times faster"),
    perceptual_network=Given("vgg16", "smaller than VGG19, shipped by a registry package"),
    pixel=Given(10.0, _OURS),
    paired=Given(5.0, _OURS),
    perceptual=Given(2.0, _OURS),
    feature_matching=Given(5.0, _OURS),
    gan_from=Given(0.4, _OURS),
    rate=Given(1e-3, _OURS),
    rate_discriminator=Given(1e-3, _OURS),
    beta1=Given(0.5, _OURS),
    beta2=Given(0.99, _OURS),
    constant=Given(0.6, _OURS),
    average=Given(0.1, _OURS),
    pixels=Given(320 * 320, _OURS),
    pixels_gpu=Given(512 * 512, _OURS),
)


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
