"""Hyperparameters of semantic analogies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SIAHyperparameters:
    """Hyper-parameters. Their values and sources are in `recipes.py`."""

    filters: int
    halvings: int
    early: bool  # blocks double their channels by their first convolution; off: by their second, strided one
    epsilon: float  # keeps the ratio of features finite
    translated: bool  # semantic feature translation; off: the wanted segmentation's features are concatenated
    transposed: bool  # transposed convolutions in the decoder; off: repeated pixels and a convolution
    seen: int  # pixels that the networks see at most of a picture, which is halved once or twice for them; 0: all
    painted: bool  # the result consists of the picture's own patches, as the network's versions of both layouts differ
    discriminator: str  # "blocks": the paper's; "pix2pixhd": that of DeepSIM, at one scale
    discriminator_filters: int
    discriminator_layers: int  # its blocks, or convolutions
    classifier_filters: int
    steps: int  # of the generator for one of the discriminator and of the classifier
    reconstruct: float  # probability of reconstruction mode
    flip: float  # probability of mirroring, at the end of its growth
    resize: float  # scale by 1 ± this
    rotate: float  # degrees, at most
    bend: float  # thin-plate splines move their points by at most this part of the shorter side
    points: int  # of the splines, a side
    growth: float  # part of the training in which the changes grow to these
    cut: float  # of each side at most this part is cropped away, and what is left enlarged
    crop: int  # side of the squares that are trained on at a time; 0: the whole picture
    alignment: float  # weight of the cross entropy of the classifier
    coherence: float  # weight of the patch coherence
    patches: tuple[float, ...]  # random patches, at the first two stages of VGG
    absolute: bool  # the nearest patch is that of the smallest absolute difference; off: of the smallest square
    gan: float
    feature_matching: float
    fixed_point: float
    pixel: float  # weight of the mean absolute difference in reconstruction mode
    paired: float  # weight of the mean absolute difference to the changed picture, in sampling mode
    perceptual: float  # weight of the difference of VGG features to the changed picture, in sampling mode
    perceptual_network: str
    gan_from: float  # part of the training after which the discriminator joins
    rate: float
    rate_discriminator: float
    beta1: float
    beta2: float
    constant: float  # part of the training with a constant rate; then it falls linearly to 0
    average: float
    pixels: int
    pixels_gpu: int
