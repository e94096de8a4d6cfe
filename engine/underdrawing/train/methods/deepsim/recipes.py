"""DeepSIM (Vinker, Horwitz, Zabari and Hoshen 2021): a conditional GAN trained from one pair of primitive and picture.

Thin-plate-spline warps turn the single pair into many; a pix2pixHD generator maps the warped primitive to the
warped picture; at the end it maps an edited primitive to an edited picture. Recipes: `paper` (the published figures),
`paper-2020` (the earlier version's grid), `baseline` (crop and flip instead of warps), `quick` (bound to a budget).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from underdrawing.store.manifest import PlaneSpec
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.method import Given, Recipe, make_recipe
from underdrawing.train.methods.deepsim.hyperparameters import PLANES, DeepSIMHyperparameters
from underdrawing.train.methods.deepsim.run import DeepSIMRun

_PAPER = "DeepSIM (2021), section 3.3: pix2pixHD with its official hyperparameters"
_PROGRAM = "the authors' program, as the papers leave it out"
_FIRST = "chosen by trials on this product's pictures (docs/methods.md)"

PAPER = make_recipe(
    "paper",
    "The published method in full (hours on a GPU's level of patience, days on a processor)",
    DeepSIMHyperparameters,
    iterations=Given(16_000, "DeepSIM (2021), section 3.3: 16000 iterations"),
    budget=None,
    generator=Given("global", _PAPER),
    filters=Given(64, _PAPER),
    halvings=Given(4, _PAPER),
    blocks=Given(9, _PAPER),
    one_hot=Given(False, _PROGRAM),
    joined=Given(True, "DeepSIM (2021), section 3.4; the authors' program draws outlines over the segments"),
    binary_lines=Given(True, "the authors' program: outlines are thresholded after a warp"),
    canny_sigmas=Given((), "the authors' program: an option, off by default"),
    places=Given(0.0, "not in the paper"),
    discriminator_filters=Given(64, _PAPER),
    discriminator_layers=Given(3, _PAPER),
    discriminator_scales=Given(2, _PAPER),
    warp=Given(True, "DeepSIM (2021), section 3.2"),
    grid=Given(3, "DeepSIM (2021), section 3.2: 3 x 3 control points"),
    shift=Given(0.1, "DeepSIM (2021), section 3.2: at most 10 % of the shorter side"),
    each_side=Given(False, "DeepSIM (2021), section 3.2: at most 10 % of the shorter side"),
    affine=Given(0.0, "the authors' program: an option, off by default"),
    smoothing=Given(0.0, "the authors' program: exact interpolation"),
    warped=Given(0.99, _PROGRAM),
    flip=Given(0.5, _PROGRAM),
    cutmix=Given(0.0, "the authors' program: off by default"),
    crop=Given(0, "the authors' program: off by default"),
    crop_part=Given(0.0, "the authors' program: off by default"),
    batch=Given(1, _PAPER),
    gan=Given(1.0, "pix2pixHD, equation 5"),
    feature_matching=Given(10.0, "pix2pixHD, equation 5"),
    perceptual=Given(10.0, "pix2pixHD, section 3.2; DeepSIM equation 1"),
    perceptual_network=Given("vgg19", "pix2pixHD"),
    perceptual_depth=Given(5, "pix2pixHD: relu1_1 to relu5_1"),
    perceptual_normalised=Given(False, "pix2pixHD, which DeepSIM (2021), section 3.1, follows: pictures in [-1, 1]"),
    pixel=Given(0.0, "not in the paper"),
    gan_from=Given(0.0, _PAPER),
    rate=Given(2e-4, _PAPER),
    beta1=Given(0.5, _PAPER),
    beta2=Given(0.999, _PAPER),
    constant=Given(0.5, "the authors' program: 8,000 iterations constant, 8,000 falling"),
    average=Given(0.0, "not in the paper"),
    pixels=Given(256 * 256, "DeepSIM (2021), section 5: 256 x 256; on a processor more is out of reach"),
    pixels_gpu=Given(1024 * 512, "the authors' program: Cityscapes, probably at 1024 x 512"),
    network_picture=Given(True, "DeepSIM (2021), section 4: the figures show what the network makes"),
)
PAPER_2020 = PAPER.vary(
    "paper-2020",
    "The earlier version of the paper: a grid of 4 x 4 control points",
    iterations=Given(16_000, "Deep Single Image Manipulation (2020), section 3.3"),
    budget=None,
    grid=Given(4, "Deep Single Image Manipulation (2020), section 3.2: 4 control points an axis"),
    shift=Given(0.1, "Deep Single Image Manipulation (2020), section 3.2: L = 10"),
    each_side=Given(True, "Deep Single Image Manipulation (2020), section 3.2: a tenth of each side"),
)
BASELINE = PAPER.vary(
    "baseline",
    "The papers' comparison: crop and flip instead of warps",
    iterations=Given(16_000, "DeepSIM (2021), section 3.3: as the method it is compared with"),
    budget=None,
    warp=Given(False, "DeepSIM (2021), section 4.2: Pix2PixHD-SIA"),
    crop_part=Given(0.5, "DeepSIM (2021), section 4.2: random crops; pix2pixHD: 512 of 1,024 pixels"),
)
QUICK = PAPER.vary(
    "quick",
    "Bound to a budget of seconds: smaller networks, crops, averaged weights",
    iterations=None,
    budget=120.0,
    generator=Given("skip", _FIRST),
    filters=Given(32, _FIRST),
    halvings=Given(4, _FIRST),
    blocks=Given(3, _FIRST),
    one_hot=Given(True, "classes are no colours: one channel each"),
    joined=Given(False, "outlines in dark areas stay visible to the network"),
    binary_lines=Given(False, "soft outlines (HED) stay soft"),
    places=Given(0.0, _FIRST),
    discriminator_filters=Given(32, _FIRST),
    discriminator_scales=Given(1, _FIRST),
    crop=Given(160, "Few-Shot Patch-Based Training (Texler et al. 2020): patches instead of pictures"),
    warped=Given(0.2, _FIRST),
    flip=Given(0.3, _FIRST),
    perceptual_network=Given("vgg16", "smaller than VGG19, shipped by a registry package"),
    perceptual_depth=Given(4, _FIRST),
    perceptual_normalised=Given(True, "what VGG was trained with"),
    pixel=Given(10.0, _FIRST),
    gan_from=Given(0.6, _FIRST),
    rate=Given(1e-3, _FIRST),
    beta1=Given(0.9, _FIRST),
    constant=Given(0.5, _FIRST),
    average=Given(0.1, _FIRST),
    pixels=Given(320 * 240, _FIRST),
    pixels_gpu=Given(768 * 512, "not measured on a GPU yet"),
    network_picture=Given(False, _FIRST),
)


class DeepSIM:
    """The method as data."""

    name = "deepsim"
    title = "DeepSIM: a conditional GAN from one warped pair"
    planes: Sequence[PlaneSpec] = PLANES
    needs_training = True
    many = False
    recipes: Mapping[str, Recipe] = {r.name: r for r in (QUICK, PAPER, PAPER_2020, BASELINE)}
    default_recipe = "quick"

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> DeepSIMRun:
        """A run with fresh weights."""
        return DeepSIMRun(data, recipe.figures, device, seed)

    def stride(self, recipe: Recipe) -> int:
        """Padded sides of the training pair are multiples of this."""
        return int(2**recipe.figures.halvings)

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """Bigger pictures are reduced to this many pixels before they are trained on; 0: never."""
        return int(recipe.figures.pixels_gpu if device.is_cuda else recipe.figures.pixels)


METHOD = DeepSIM()
