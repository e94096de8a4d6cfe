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
from underdrawing.train.method import Given, Recipe, make_recipe
from underdrawing.train.methods.consingan.hyperparameters import ConSinGANHyperparameters
from underdrawing.train.methods.consingan.run import PyramidRun

_PAPER = "ConSinGAN (2021), section 4"
_TASK = "ConSinGAN (2021), section 3, task specific generator training"
_HARMONY = "ConSinGAN (2021), section 5.2"
_PROGRAM = "the authors' program, as the paper leaves it out"
_SINGAN = "SinGAN (2019), section 2 and its program"
_OURS = "chosen by trials on two processor cores (docs/generate.md)"

PAPER_VARY = make_recipe(
    "paper-vary",
    "The published method: other pictures of the same kind",
    ConSinGANHyperparameters,
    iterations=Given(12_000, f"{_PAPER}: 2,000 for each of six stages"),
    budget=None,
    generator=Given("growing", "ConSinGAN (2021), section 3, figure 1"),
    lesson=Given("noise", _TASK),
    start=Given("picture", "ConSinGAN (2021), equation 2: the picture at the size of the first stage"),
    fixed_noise=Given(True, _PROGRAM),
    kaiming=Given(False, _PROGRAM),
    filters=Given(64, _PAPER),
    layers=Given(3, _PAPER),
    slope=Given(0.05, _PAPER),
    normalised=Given(False, f"{_PAPER}: without for unconditional generation"),
    critic_normalised=Given(False, f"{_PAPER}: in the generator alone"),
    stages=Given(6, "ConSinGAN (2021), section 3, improved rescaling"),
    rescaling=Given("improved", "ConSinGAN (2021), equation 3"),
    smallest=Given(25, _PAPER),
    longest=Given(250, _PAPER),
    concurrent=Given(3, _PAPER),
    tuned=Given(3, f"{_HARMONY}: trained as before; the three stages that train at a time"),
    rate_scale=Given(0.1, "ConSinGAN (2021), section 3: delta"),
    rate=Given(5e-4, _PAPER),
    beta1=Given(0.5, _PROGRAM),
    beta2=Given(0.999, _PROGRAM),
    drop_at=Given(0.8, f"{_PAPER}: after 1,600 of 2,000 iterations"),
    drop=Given(0.1, _PAPER),
    critic_steps=Given(3, _PROGRAM),
    generator_steps=Given(3, _PROGRAM),
    penalty=Given(0.1, _PROGRAM),
    penalty_every=Given(1, "WGAN-GP (2017), algorithm 1"),
    reconstruction=Given(10.0, "ConSinGAN (2021), equation 1: alpha"),
    paired=Given(0.0, "not in the paper"),
    noise=Given(0.1, _PROGRAM),
    crop=Given(0, "not in the paper"),
    each=Given(2_000, _PAPER),
    balance=Given(0.0, f"{_PAPER}: as many iterations for every stage"),
    average=Given(0.0, "not in the paper"),
    network_picture=Given(True, "ConSinGAN (2021), section 5: the figures show what the network makes"),
)
PAPER_ANIMATE = PAPER_VARY.vary(
    "paper-animate",
    "The published method, for animation",
    iterations=Given(12_000, f"{_PAPER}: 2,000 for each of six stages"),
    budget=None,
    start=Given("noise", _PROGRAM),
    smallest=Given(20, _PROGRAM),
)
PAPER_HARMONIZE = PAPER_VARY.vary(
    "paper-harmonize",
    "The published method, for something pasted onto the picture",
    iterations=Given(3_000, f"{_HARMONY}: 1,000 for each of three stages"),
    budget=None,
    each=Given(1_000, _HARMONY),
    lesson=Given("harmony", f"{_TASK}, figure 2"),
    slope=Given(0.3, _PAPER),
    normalised=Given(True, _PAPER),
    stages=Given(3, _HARMONY),
    rescaling=Given("geometric", _PROGRAM),
    smallest=Given(120, _PROGRAM),
)
PAPER_HARMONIZE_LARGE = PAPER_HARMONIZE.vary(
    "paper-harmonize-large",
    "The published method, for something pasted onto a picture of up to 700 pixels",
    iterations=Given(4_000, f"{_HARMONY}: 1,000 for each of four stages"),
    budget=None,
    stages=Given(4, _HARMONY),
    longest=Given(700, _HARMONY),
)
PAPER_BLEND = PAPER_HARMONIZE.vary(
    "paper-blend",
    "The published method, for rough edits",
    iterations=Given(6_000, f"{_HARMONY}: 1,000 a stage, of which the program has six"),
    budget=None,
    lesson=Given("tiles", _PROGRAM),
    slope=Given(0.05, f"{_PROGRAM}; section 4 has 0.3 for tasks such as harmonization"),
    stages=Given(6, _PROGRAM),
    rescaling=Given("improved", "ConSinGAN (2021), equation 3"),
    smallest=Given(25, _PAPER),
)
SINGAN = PAPER_VARY.vary(
    "singan",
    "SinGAN, for comparison: pictures between the stages, one stage at a time",
    iterations=Given(18_000, f"{_SINGAN}: 2,000 for each of usually nine stages"),
    budget=None,
    generator=Given("chained", _SINGAN),
    start=Given("noise", _SINGAN),
    fixed_noise=Given(False, f"{_SINGAN}: none after the first stage"),
    filters=Given(32, _SINGAN),
    layers=Given(5, _SINGAN),
    slope=Given(0.2, _SINGAN),
    normalised=Given(True, _SINGAN),
    critic_normalised=Given(True, _SINGAN),
    stages=Given(0, f"{_SINGAN}: as many as steps of 0.75 need"),
    rescaling=Given("geometric", _SINGAN),
    concurrent=Given(1, _SINGAN),
    rate_scale=Given(1.0, _SINGAN),
    each=Given(2_000, f"{_SINGAN}; nine stages are usual"),
)
HARMONIZE = PAPER_HARMONIZE.vary(
    "harmonize",
    "Something that is pasted takes on the picture's light, colours and brushwork",
    iterations=None,
    budget=150.0,
    each=Given(0, "bound to a budget"),
    lesson=Given("pasted", _OURS),
    fixed_noise=Given(False, _OURS),
    kaiming=Given(True, "few iterations: weights that small begin with little but their biases"),
    tuned=Given(1, _OURS),
    filters=Given(32, _OURS),
    normalised=Given(False, _OURS),
    critic_steps=Given(1, _OURS),
    generator_steps=Given(1, _OURS),
    crop=Given(112, _OURS),
    paired=Given(0.0, _OURS),
    average=Given(0.1, _OURS),
    network_picture=Given(False, _OURS),
)
HARMONIZE_LARGE = HARMONIZE.vary(
    "harmonize-large",
    "The same, trained at up to 700 pixels with a fourth stage",
    iterations=None,
    budget=480.0,
    stages=Given(4, _HARMONY),
    longest=Given(700, _HARMONY),
)
BLEND = HARMONIZE.vary(
    "blend",
    "The seams and textures of a rough edit become natural",
    iterations=None,
    budget=150.0,
    lesson=Given("tiles", _PROGRAM),
    smallest=Given(60, _OURS),
    stages=Given(4, _OURS),
)
VARY = PAPER_VARY.vary(
    "vary",
    "Other pictures of the same kind, other sizes",
    iterations=None,
    budget=180.0,
    each=Given(0, "bound to a budget"),
    fixed_noise=Given(False, _OURS),
    kaiming=Given(True, "few iterations: weights that small begin with little but their biases"),
    tuned=Given(1, _OURS),
    filters=Given(32, _OURS),
    stages=Given(5, _OURS),
    longest=Given(112, "layout alone is trained; texture is the picture's own (docs/generate.md)"),
    rate=Given(1e-3, _OURS),
    critic_steps=Given(1, _OURS),
    generator_steps=Given(1, _OURS),
    average=Given(0.1, _OURS),
    network_picture=Given(False, _OURS),
)
ANIMATE = VARY.vary(
    "animate",
    "A short clip out of one picture",
    iterations=None,
    budget=180.0,
    smallest=Given(20, _PROGRAM),
)
ENLARGE = HARMONIZE.vary(
    "enlarge",
    "The picture with more pixels, of its own fine detail",
    iterations=None,
    budget=120.0,
    lesson=Given("softened", _OURS),
    stages=Given(2, "what was reduced to half is to become what it was"),
    rescaling=Given("halves", "SinGAN (2019), section 4, super-resolution: the picture is its own example"),
    smallest=Given(0, "not used with halves"),
    longest=Given(1024, "finest detail is trained at its own size, on squares, so that this costs no time"),
    paired=Given(10.0, _OURS),
    balance=Given(1.0, _OURS),
)

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
