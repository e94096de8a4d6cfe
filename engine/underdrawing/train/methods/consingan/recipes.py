"""ConSinGAN (Hinz, Fisher, Wang and Wermter 2021): a model of one picture that needs no underdrawing.

*Improved Techniques for Training Single-Image GANs*: a generator that grows stage by stage, of which the last stages
are trained together. SinGAN (Shaham, Dekel and Michaeli 2019) is a recipe of it, for comparison. The recipes without
`paper-` are bound to a budget of seconds on two processor cores; the run is in `train/methods/consingan/run.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from underdrawing.store.manifest import PlaneSpec, Task
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.method import Recipe, make_recipe
from underdrawing.train.methods.consingan.hyperparameters import ConSinGANHyperparameters
from underdrawing.train.methods.consingan.run import PyramidRun

_PAPER = "ConSinGAN (2021), section 4"
_TASK = "ConSinGAN (2021), section 3, task specific generator training"
_HARMONY = "ConSinGAN (2021), section 5.2"
_PROGRAM = "the authors' program, as the paper leaves it out"
_SINGAN = "SinGAN (2019), section 2 and its program"
_OURS = "chosen by trials on two processor cores (docs/generate.md)"

# Tables, laid out by hand: hyperparameters by their source.
# fmt: off
PAPER_VARY = make_recipe(
    "paper-vary", "The published method: other pictures of the same kind", ConSinGANHyperparameters, {
    f"{_PAPER}: 2,000 for each of six stages": {"iterations": 12_000},
    "ConSinGAN (2021), section 3, figure 1": {"generator": "growing"},
    _TASK: {"lesson": "noise"},
    "ConSinGAN (2021), equation 2: the picture at the size of the first stage": {"start": "picture"},
    _PROGRAM: {"fixed_noise": True, "kaiming": False, "beta1": 0.5, "beta2": 0.999, "critic_steps": 3,
        "generator_steps": 3, "penalty": 0.1, "noise": 0.1},
    _PAPER: {"filters": 64, "layers": 3, "slope": 0.05, "smallest": 25, "longest": 250, "concurrent": 3, "rate": 5e-4,
        "drop": 0.1, "each": 2_000},
    f"{_PAPER}: without for unconditional generation": {"normalised": False},
    f"{_PAPER}: in the generator alone": {"critic_normalised": False},
    "ConSinGAN (2021), section 3, improved rescaling": {"stages": 6},
    "ConSinGAN (2021), equation 3": {"rescaling": "improved"},
    f"{_HARMONY}: trained as before; the three stages that train at a time": {"tuned": 3},
    "ConSinGAN (2021), section 3: delta": {"rate_scale": 0.1},
    f"{_PAPER}: after 1,600 of 2,000 iterations": {"drop_at": 0.8},
    "WGAN-GP (2017), algorithm 1": {"penalty_every": 1},
    "ConSinGAN (2021), equation 1: alpha": {"reconstruction": 10.0},
    "not in the paper": {"paired": 0.0, "crop": 0, "average": 0.0},
    f"{_PAPER}: as many iterations for every stage": {"balance": 0.0},
    "ConSinGAN (2021), section 5: the figures show what the network makes": {"network_picture": True},
})
PAPER_ANIMATE = PAPER_VARY.vary("paper-animate", "The published method, for animation", {
    f"{_PAPER}: 2,000 for each of six stages": {"iterations": 12_000},
    _PROGRAM: {"start": "noise", "smallest": 20},
})
PAPER_HARMONIZE = PAPER_VARY.vary("paper-harmonize", "The published method, for something pasted onto the picture", {
    f"{_HARMONY}: 1,000 for each of three stages": {"iterations": 3_000},
    _HARMONY: {"each": 1_000, "stages": 3},
    f"{_TASK}, figure 2": {"lesson": "harmony"},
    _PAPER: {"slope": 0.3, "normalised": True},
    _PROGRAM: {"rescaling": "geometric", "smallest": 120},
})
PAPER_HARMONIZE_LARGE = PAPER_HARMONIZE.vary(
    "paper-harmonize-large", "The published method, for something pasted onto a picture of up to 700 pixels", {
    f"{_HARMONY}: 1,000 for each of four stages": {"iterations": 4_000},
    _HARMONY: {"stages": 4, "longest": 700},
})
PAPER_BLEND = PAPER_HARMONIZE.vary("paper-blend", "The published method, for rough edits", {
    f"{_HARMONY}: 1,000 a stage, of which the program has six": {"iterations": 6_000},
    _PROGRAM: {"lesson": "tiles", "stages": 6},
    f"{_PROGRAM}; section 4 has 0.3 for tasks such as harmonization": {"slope": 0.05},
    "ConSinGAN (2021), equation 3": {"rescaling": "improved"},
    _PAPER: {"smallest": 25},
})
SINGAN = PAPER_VARY.vary("singan", "SinGAN, for comparison: pictures between the stages, one stage at a time", {
    f"{_SINGAN}: 2,000 for each of usually nine stages": {"iterations": 18_000},
    _SINGAN: {"generator": "chained", "start": "noise", "filters": 32, "layers": 5, "slope": 0.2, "normalised": True,
        "critic_normalised": True, "rescaling": "geometric", "concurrent": 1, "rate_scale": 1.0},
    f"{_SINGAN}: none after the first stage": {"fixed_noise": False},
    f"{_SINGAN}: as many as steps of 0.75 need": {"stages": 0},
    f"{_SINGAN}; nine stages are usual": {"each": 2_000},
})
HARMONIZE = PAPER_HARMONIZE.vary(
    "harmonize", "Something that is pasted takes on the picture's light, colours and brushwork", {
    "bound to a budget": {"each": 0},
    _OURS: {"lesson": "pasted", "fixed_noise": False, "tuned": 1, "filters": 32, "normalised": False,
        "critic_steps": 1, "generator_steps": 1, "crop": 112, "paired": 0.0, "average": 0.1, "network_picture": False},
    "few iterations: weights that small begin with little but their biases": {"kaiming": True},
}, budget=150.0)
HARMONIZE_LARGE = HARMONIZE.vary("harmonize-large", "The same, trained at up to 700 pixels with a fourth stage", {
    _HARMONY: {"stages": 4, "longest": 700},
}, budget=480.0)
BLEND = HARMONIZE.vary("blend", "The seams and textures of a rough edit become natural", {
    _PROGRAM: {"lesson": "tiles"},
    _OURS: {"smallest": 60, "stages": 4},
}, budget=150.0)
VARY = PAPER_VARY.vary("vary", "Other pictures of the same kind, other sizes", {
    "bound to a budget": {"each": 0},
    _OURS: {"fixed_noise": False, "tuned": 1, "filters": 32, "stages": 5, "rate": 1e-3, "critic_steps": 1,
        "generator_steps": 1, "average": 0.1, "network_picture": False},
    "few iterations: weights that small begin with little but their biases": {"kaiming": True},
    "layout alone is trained; texture is the picture's own (docs/generate.md)": {"longest": 112},
}, budget=180.0)
ANIMATE = VARY.vary("animate", "A short clip out of one picture", {
    _PROGRAM: {"smallest": 20},
}, budget=180.0)
ENLARGE = HARMONIZE.vary("enlarge", "The picture with more pixels, of its own fine detail", {
    _OURS: {"lesson": "softened", "paired": 10.0, "balance": 1.0},
    "what was reduced to half is to become what it was": {"stages": 2},
    "SinGAN (2019), section 4, super-resolution: the picture is its own example": {"rescaling": "halves"},
    "not used with halves": {"smallest": 0},
    "finest detail is trained at its own size, on squares, so that this costs no time": {"longest": 1024},
}, budget=120.0)
# fmt: on

TASKS: Mapping[str, tuple[Task, ...]] = {
    "harmonize": (Task.HARMONIZE, Task.REPAINT),
    "paper-harmonize": (Task.HARMONIZE, Task.REPAINT),
    "harmonize-large": (Task.HARMONIZE, Task.REPAINT),
    "paper-harmonize-large": (Task.HARMONIZE, Task.REPAINT),
    "blend": (Task.BLEND, Task.HARMONIZE, Task.REPAINT),
    "paper-blend": (Task.BLEND, Task.HARMONIZE, Task.REPAINT),
    "enlarge": (Task.ENLARGE,),
    "vary": (Task.VARY, Task.RESIZE, Task.ANIMATE, Task.REPAINT),
    "paper-vary": (Task.VARY, Task.RESIZE, Task.ANIMATE, Task.REPAINT),
    "animate": (Task.ANIMATE, Task.VARY, Task.RESIZE),
    "paper-animate": (Task.ANIMATE, Task.VARY, Task.RESIZE),
    "singan": (Task.VARY, Task.RESIZE, Task.ANIMATE),
}


class ConSinGAN:
    """The method as data."""

    name = "consingan"
    title = "ConSinGAN: the picture alone, without an underdrawing"
    planes: Sequence[PlaneSpec] = ()
    needs_training = True
    many = False
    recipes: Mapping[str, Recipe] = {
        r.name: r
        for r in (
            VARY,
            HARMONIZE,
            HARMONIZE_LARGE,
            BLEND,
            ANIMATE,
            ENLARGE,
            PAPER_VARY,
            PAPER_HARMONIZE,
            PAPER_HARMONIZE_LARGE,
            PAPER_BLEND,
            PAPER_ANIMATE,
            SINGAN,
        )
    }
    default_recipe = "vary"

    def stride(self, recipe: Recipe) -> int:
        """Nothing is padded."""
        return 1

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """So many pixels that the longer side is as long as the recipe says."""
        return round(recipe.figures.longest**2 * min(size) / max(size))

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> PyramidRun:
        """A run with fresh weights, or one that goes on from a model.

        Raises:
            TrainingError: the picture is too small.
        """
        return PyramidRun(data, recipe.figures, device, seed, TASKS[recipe.name])


METHOD = ConSinGAN()
