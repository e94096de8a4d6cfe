"""Hyperparameters of single-image GANs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConSinGANHyperparameters:
    """Hyper-parameters. Their values and sources are in `methods/consingan.py`."""

    generator: str  # "growing": features between stages (ConSinGAN); "chained": pictures (SinGAN)
    lesson: str  # what the first stage is given: "noise", or a copy changed by one of `augment.CHANGES`
    start: str  # from what the picture itself is made: "picture", its smallest copy; "noise", a fixed one
    fixed_noise: bool  # the picture itself has a fixed noise at every stage; off: none after the first one
    kaiming: bool  # where there is no norm, weights begin as He et al. (2015) draw them; off: from N(0, 0.02)
    filters: int
    layers: int  # convolutions of a stage
    slope: float  # of the leaky ReLU
    normalised: bool  # per-picture statistics in the generator
    critic_normalised: bool
    stages: int  # 0: as many as steps of 0.75 need
    rescaling: str  # "improved", "geometric" or "halves"
    smallest: int  # pixels of the shorter side at the first stage
    longest: int  # pixels of the longer side at the last stage
    concurrent: int  # stages that train at a time
    tuned: int  # stages that a fine-tuning trains
    rate_scale: float  # of the learning rate, from each stage to the one below
    rate: float
    beta1: float
    beta2: float
    drop_at: float  # part of a stage's time after which the rate falls
    drop: float  # to this part
    critic_steps: int
    generator_steps: int  # the gradient of one pass is applied so many times
    penalty: float  # weight of the gradient penalty
    penalty_every: int  # steps of the critic
    reconstruction: float  # weight of the mean square difference where the picture itself should be made
    paired: float  # weight of the mean difference between what a changed copy becomes and the picture, where known
    noise: float  # of later stages: this part of the error that is left
    crop: int  # pixels of the squares that are trained on at a time; 0: the whole picture
    each: int  # iterations of a stage; 0: the recipe has a budget
    balance: float  # a stage's time grows with this power of its pixels; 0: all take the same
    average: float  # weights are averaged over this part of the last stage's iterations; 0: the last ones are used
    network_picture: bool  # results are the network's own picture; off: the picture's brushwork goes over it
