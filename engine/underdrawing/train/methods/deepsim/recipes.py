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
from underdrawing.train.method import Recipe, make_recipe
from underdrawing.train.methods.deepsim.hyperparameters import PLANES, DeepSIMHyperparameters
from underdrawing.train.methods.deepsim.run import DeepSIMRun

_PAPER = "DeepSIM (2021), section 3.3: pix2pixHD with its official hyperparameters"
_PROGRAM = "the authors' program, as the papers leave it out"
_FIRST = "chosen by trials on this product's pictures (docs/methods.md)"

# Tables, laid out by hand: hyperparameters by their source.
# fmt: off
PAPER = make_recipe(
    "paper", "The published method in full (hours on a GPU, days on a processor)", DeepSIMHyperparameters, {
    "DeepSIM (2021), section 3.3: 16000 iterations": {"iterations": 16_000},
    _PAPER: {"generator": "global", "filters": 64, "halvings": 4, "blocks": 9, "discriminator_filters": 64,
        "discriminator_layers": 3, "discriminator_scales": 2, "batch": 1, "gan_from": 0.0, "rate": 2e-4, "beta1": 0.5,
        "beta2": 0.999},
    _PROGRAM: {"one_hot": False, "warped": 0.99, "flip": 0.5},
    "DeepSIM (2021), section 3.4; the authors' program draws outlines over the segments": {"joined": True},
    "the authors' program: outlines are thresholded after a warp": {"binary_lines": True},
    "the authors' program: an option, off by default": {"canny_sigmas": (), "affine": 0.0},
    "not in the paper": {"places": 0.0, "pixel": 0.0, "average": 0.0},
    "DeepSIM (2021), section 3.2": {"warp": True},
    "DeepSIM (2021), section 3.2: 3 x 3 control points": {"grid": 3},
    "DeepSIM (2021), section 3.2: at most 10 % of the shorter side": {"shift": 0.1, "each_side": False},
    "the authors' program: exact interpolation": {"smoothing": 0.0},
    "the authors' program: off by default": {"cutmix": 0.0, "crop": 0, "crop_part": 0.0},
    "pix2pixHD, equation 5": {"gan": 1.0, "feature_matching": 10.0},
    "pix2pixHD, section 3.2; DeepSIM equation 1": {"perceptual": 10.0},
    "pix2pixHD": {"perceptual_network": "vgg19"},
    "pix2pixHD: relu1_1 to relu5_1": {"perceptual_depth": 5},
    "pix2pixHD, which DeepSIM (2021), section 3.1, follows: pictures in [-1, 1]": {"perceptual_normalised": False},
    "the authors' program: 8,000 iterations constant, 8,000 falling": {"constant": 0.5},
    "DeepSIM (2021), section 5: 256 x 256; on a processor more is out of reach": {"pixels": 256 * 256},
    "the authors' program: Cityscapes, probably at 1024 x 512": {"pixels_gpu": 1024 * 512},
    "DeepSIM (2021), section 4: the figures show what the network makes": {"network_picture": True},
})
PAPER_2020 = PAPER.vary("paper-2020", "The earlier version of the paper: a grid of 4 x 4 control points", {
    "Deep Single Image Manipulation (2020), section 3.3": {"iterations": 16_000},
    "Deep Single Image Manipulation (2020), section 3.2: 4 control points an axis": {"grid": 4},
    "Deep Single Image Manipulation (2020), section 3.2: L = 10": {"shift": 0.1},
    "Deep Single Image Manipulation (2020), section 3.2: a tenth of each side": {"each_side": True},
})
BASELINE = PAPER.vary("baseline", "The papers' comparison: crop and flip instead of warps", {
    "DeepSIM (2021), section 3.3: as the method it is compared with": {"iterations": 16_000},
    "DeepSIM (2021), section 4.2: Pix2PixHD-SIA": {"warp": False},
    "DeepSIM (2021), section 4.2: random crops; pix2pixHD: 512 of 1,024 pixels": {"crop_part": 0.5},
})
QUICK = PAPER.vary("quick", "Bound to a budget of seconds: smaller networks, crops, averaged weights", {
    _FIRST: {"generator": "skip", "filters": 32, "halvings": 4, "blocks": 3, "places": 0.0,
        "discriminator_filters": 32, "discriminator_scales": 1, "warped": 0.2, "flip": 0.3, "perceptual_depth": 4,
        "pixel": 10.0, "gan_from": 0.6, "rate": 1e-3, "beta1": 0.9, "constant": 0.5, "average": 0.1,
        "pixels": 320 * 240, "network_picture": False},
    "classes are no colours: one channel each": {"one_hot": True},
    "outlines in dark areas stay visible to the network": {"joined": False},
    "soft outlines (HED) stay soft": {"binary_lines": False},
    "Few-Shot Patch-Based Training (Texler et al. 2020): patches instead of pictures": {"crop": 160},
    "smaller than VGG19, shipped by a registry package": {"perceptual_network": "vgg16"},
    "what VGG was trained with": {"perceptual_normalised": True},
    "not measured on a GPU yet": {"pixels_gpu": 768 * 512},
}, budget=120.0)
# fmt: on


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
