"""The figures of a hypernetwork's training, and those that theory forbids."""

from __future__ import annotations

from dataclasses import dataclass

from underdrawing.train.method import TrainingError
from underdrawing.train.methods.consingan import scales


@dataclass(frozen=True)
class MetaHyperparameters:
    """Hyper-parameters. Their values and sources are in `methods/meta.py`."""

    width: int  # channels of the backbone's first part; 64 is ResNet-34
    embedding: int  # length of the vector that a picture becomes
    side: int  # pixels of the square copy that the backbone looks at
    filters: int
    layers: int  # convolutions between the first and the last of a scale
    stages: int  # scales; 0: as many as steps of `ratio` need
    ratio: float  # of a scale's size to the next one's, where `stages` is 0
    smallest: int  # pixels of the longer side at the first scale
    longest: int  # pixels of the longer side at the last scale
    each: int  # iterations of a scale; 0: as many as the supplement gives for so many pictures
    batch: int  # pictures of a step, of all processes together; 0: all
    critic: str  # "written": each picture has its own, written by a network; "plain": one whose weights are trained
    backbones: str  # "two": generator and critic each have one; "one" is refused
    rate: float  # of the generator's side
    critic_rate: float
    beta1: float
    beta2: float
    drop_at: float  # part of a scale's time after which the rates fall
    drop: float  # to this part
    penalty: float  # weight of the gradient penalty
    reconstruction: float  # weight of the mean square difference of the picture itself
    clip: float  # longest gradient, of each side
    refine_rate: float  # of a model that was made at once and is fine-tuned on its picture
    noise: float  # of further scales: this part of the error that is left
    others: float  # part of the draws in other colours, mirrored one time in two; 0: pictures as they are
    crop: int  # pixels of the squares of the last scale that are trained on at a time; 0: the whole picture
    balance: float  # a scale's time grows with this power of its pixels; 0: all take the same
    network_picture: bool  # results are the network's own picture; off: the picture's brushwork goes over it


# Iterations of a scale, for up to so many pictures (supplement, section 2.4: single image, mini-batch, Places-50, C250,
# C500, V2500, V5000). Of two data sets of one size the first: LSUN-50 has 5,000, V500 25,000 (`each`).
ITERATIONS = ((1, 2_000), (16, 2_000), (50, 4_000), (250, 20_000), (500, 30_000), (2_500, 100_000), (5_000, 150_000))


def iterations_of_a_scale(pictures: int) -> int:
    """As many as the supplement gives for a data set of this size; above the largest, those of the largest."""
    return next((iterations for most, iterations in ITERATIONS if pictures <= most), ITERATIONS[-1][1])


def sizes_of(figures: MetaHyperparameters, size: scales.Size) -> list[scales.Size]:
    """Width and height of every scale of a picture of this size."""
    if not figures.stages:
        return scales.stepped(size, figures.smallest, figures.ratio)
    first = max(scales.LEAST, round(figures.smallest * min(size) / max(size)))
    return scales.geometric(size, figures.stages, first)


def sizes_like_trained(figures: MetaHyperparameters, size: scales.Size) -> list[scales.Size]:
    """The same for a picture that may be smaller than those that were trained on: as many scales as they have."""
    if figures.stages:
        return sizes_of(figures, size)
    part = figures.longest / max(size)
    trained = sizes_of(figures, (round(size[0] * part), round(size[1] * part)))
    return [(max(scales.LEAST, round(w / part)), max(scales.LEAST, round(h / part))) for w, h in trained[:-1]] + [size]


def check(figures: MetaHyperparameters, pictures: int) -> None:
    """Refuse what the theory shows to be no training (supplement, sections 1.1 and 1.2).

    Raises:
        TrainingError: with the sentence.
    """
    if figures.critic not in ("written", "plain"):
        raise TrainingError("bad_option", f"There is no critic called {figures.critic!r}.", "Use written or plain.")
    if figures.backbones not in ("one", "two"):
        raise TrainingError("bad_option", f"There are no backbones {figures.backbones!r}.", "Use two.")
    if figures.critic == "plain" and pictures > 1:
        text = (
            "One critic for several pictures only asks whether what is made looks like any of them: every picture's"
            " generator would be content to make another picture's patches."
        )
        raise TrainingError("bad_option", text, "Use critic=written, which gives each picture its own critic.")
    if figures.backbones == "one":
        text = (
            "With one backbone for both sides, what the critic gains of it the generator takes back: it would learn"
            " nothing but to have no opinion, and come to rest where every picture looks the same."
        )
        raise TrainingError("bad_option", text, "Use backbones=two.")
