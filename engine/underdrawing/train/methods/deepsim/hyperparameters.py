"""DeepSIM's planes and hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass

from underdrawing.store.manifest import PlaneKind, PlaneSpec

PLANES = (
    PlaneSpec("segments", PlaneKind.CLASSES, required=False),
    PlaneSpec("edges", PlaneKind.LINES, required=False),
    PlaneSpec("paint", PlaneKind.COLOUR, required=False),
)


@dataclass(frozen=True)
class DeepSIMHyperparameters:
    """Hyper-parameters. Their values and sources are in `recipes.py`."""

    generator: str  # "global": pix2pixHD's; "skip": a small U-Net with pixel norms
    filters: int  # of the generator's first layer
    halvings: int
    blocks: int  # residual blocks of the generator
    one_hot: bool  # segments go in as one channel a class; else as their colours
    joined: bool  # outlines are drawn in black into the segments' picture; off: they are a channel of their own
    binary_lines: bool  # outlines are black and white after every warp; off: so they are where they were given so
    canny_sigmas: tuple[float, ...]  # outlines are found anew with one of these; none: they are as given
    places: float  # probability that the generator is told where a pixel lies (0: it never is)
    discriminator_filters: int
    discriminator_layers: int
    discriminator_scales: int
    warp: bool
    grid: int
    shift: float
    each_side: bool  # the limit of the shifts counts of each side; off: of the shorter one
    affine: float  # random linear maps besides the warps
    smoothing: float
    warped: float
    flip: float
    cutmix: float
    crop: int
    crop_part: float  # crops are squares of this part of the longer side; 0: `crop` counts
    batch: int
    gan: float  # weight of the adversarial loss
    feature_matching: float
    perceptual: float
    perceptual_network: str
    perceptual_depth: int
    perceptual_normalised: bool  # VGG is given pictures with ImageNet's mean and deviation; off: in [-1, 1]
    pixel: float  # weight of the mean absolute difference of pixels
    gan_from: float  # part of the training after which the discriminator joins
    rate: float  # learning rate
    beta1: float
    beta2: float
    constant: float  # part of the training with a constant rate; then it falls linearly to 0
    average: float  # weights are averaged over this part of the iterations done; 0: the last ones are used
    pixels: int  # bigger pictures are trained on reduced to this many pixels; 0: never
    pixels_gpu: int  # the same on a GPU
    network_picture: (
        bool  # of a reduced picture, the network's own picture is enlarged; off: the picture's detail goes over it
    )
