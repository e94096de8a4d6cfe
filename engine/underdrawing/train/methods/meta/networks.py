"""Hypernetworks (Meta Internal Learning, Bensadoun et al. 2021): networks that look at a picture and write weights.

A ResNet-34 (He et al. 2016, section 4.1) turns a picture into a vector; linear heads turn the vector into the weights
of a small convolutional network, one set of heads for each scale of that picture's own generator or critic.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.train.methods.consingan.networks import COLOURS, Window
from underdrawing.train.methods.consingan.scales import upsample

SLOPE = 0.02  # of every leaky ReLU (supplement, section 2.1)
KERNEL = 3
BLOCKS = (3, 4, 6, 3)  # ResNet-34: basic blocks of its four parts
NORM_CHANNELS = 8  # of one group of the norm, where there are so many


class Activation(StrEnum):
    """Names of what follows the last convolution of a network."""

    TANH = "tanh"  # a scale of a generator
    NONE = "none"  # a critic


@dataclass(frozen=True)
class Layout:
    """The convolutions of one scale's network: colours to filters, filters to filters, filters to what comes out.

    Attributes:
        layers: convolutions in the middle (three in the paper, five in all).
        outward: channels of the result: 3 for a generator, 1 for a critic.
        last: what follows the last convolution.
    """

    filters: int
    layers: int
    outward: int
    last: Activation

    @property
    def channels(self) -> tuple[tuple[int, int], ...]:
        """Output and input channels of each convolution."""
        f = self.filters
        return ((f, COLOURS), *((f, f) for _ in range(self.layers)), (self.outward, f))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each head writes: a convolution's weights, its biases, the next one's weights, …"""
        return tuple(n for o, i in self.channels for n in (o * i * KERNEL * KERNEL, o))

    @property
    def gains(self) -> tuple[float, ...]:
        """What written numbers are multiplied with (`scaled`), in the order of `sizes`.

        Weights by gain / sqrt(fan in), where the gain is that of what follows the convolution (He et al. 2015,
        equation 10; 5/3 for tanh, 1 for nothing); biases by 1 / sqrt(fan in). So numbers of about 1 make a network
        that keeps the strength of its input, whatever its width.
        """
        middle = math.sqrt(2 / (1 + SLOPE**2))
        ends = 5 / 3 if self.last is Activation.TANH else 1.0
        found: list[float] = []
        for number, (_, inward) in enumerate(self.channels):
            root = math.sqrt(inward * KERNEL * KERNEL)
            gain = ends if number == len(self.channels) - 1 else middle
            found += [gain / root, 1 / root]
        return tuple(found)


class Basic(nn.Module):
    """ResNet's basic block: two 3x3 convolutions and a way around them."""

    def __init__(self, inward: int, outward: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = nn.Conv2d(inward, outward, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outward, outward, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([_norm(outward), _norm(outward)])
        self.around: nn.Module = nn.Identity()
        if stride != 1 or inward != outward:
            self.around = nn.Sequential(nn.Conv2d(inward, outward, 1, bias=False), _norm(outward))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inward, H, W) to (B, outward, H / stride, W / stride)."""
        y = F.relu(self.norms[0](self.first(x)))
        # A 1x1 convolution of every second pixel is one of stride 2. oneDNN's weight gradient of the latter, channels
        # last, writes past its buffer where channels are few: uxlfoundation/oneDNN issue 6035, seen in torch 2.13.
        return F.relu(self.norms[1](self.second(y)) + self.around(x[..., :: self.stride, :: self.stride]))


def _norm(channels: int) -> nn.GroupNorm:
    """Statistics of groups of channels of one picture.

    ResNet's own batch norm would make a picture's model depend on the pictures it happens to be trained with, and
    half a batch on each of two processes another training than the whole on one.
    """
    return nn.GroupNorm(max(1, channels // NORM_CHANNELS), channels)


class Backbone(nn.Module):
    """ResNet-34 without its classifier, and one more linear layer: a picture to a vector.

    Args:
        width: channels of the first part; 64 in ResNet-34, each further part has twice as many.
        embedding: length of the vector; 512 in the paper.
    """

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(COLOURS, width, 7, 2, 3, bias=False)
        self.norm = _norm(width)
        parts: list[nn.Module] = []
        inward = width
        for number, blocks in enumerate(BLOCKS):
            outward = width * 2**number
            for place in range(blocks):
                parts.append(Basic(inward, outward, 2 if place == 0 and number else 1))
                inward = outward
        self.parts = nn.Sequential(*parts)
        self.last = nn.Linear(inward, embedding)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] to (B, embedding)."""
        x = F.max_pool2d(F.relu(self.norm(self.stem(pictures))), 3, 2, 1)
        found: Tensor = self.last(self.parts(x).mean((2, 3)))
        return found


class Heads(nn.Module):
    """Linear heads that write the weights of one scale: two for each convolution, its weights and its biases."""

    def __init__(self, embedding: int, layout: Layout) -> None:
        super().__init__()
        heads = [nn.Linear(embedding, size) for size in layout.sizes]
        for number, head in enumerate(heads):
            # About 1 for every written number, most of it the same for all pictures at the beginning.
            nn.init.normal_(head.weight, 0.0, 0.5 / math.sqrt(embedding))
            nn.init.normal_(head.bias, 0.0, 1.0 if number % 2 == 0 else 0.0)
        self.heads = nn.ModuleList(heads)

    def forward(self, embedding: Tensor) -> list[Tensor]:
        """(B, embedding) to one (B, size) for each of the layout's `sizes`."""
        return [head(embedding) for head in self.heads]


def scaled(written: Sequence[Tensor], layout: Layout) -> list[tuple[Tensor, Tensor]]:
    """What heads wrote, (B, size) each, as weights (B, out, in, 3, 3) and biases (B, out), scaled by their gains."""
    return shaped([values * gain for values, gain in zip(written, layout.gains, strict=True)], layout)


def shaped(numbers: Sequence[Tensor], layout: Layout) -> list[tuple[Tensor, Tensor]]:
    """Numbers that are scaled already in the shapes of convolutions."""
    return [
        (numbers[2 * k].reshape(-1, outward, inward, KERNEL, KERNEL), numbers[2 * k + 1])
        for k, (outward, inward) in enumerate(layout.channels)
    ]


def per_picture(x: Tensor, weights: Tensor, biases: Tensor, padding: int) -> Tensor:
    """A convolution with other weights for each picture of the batch, as one of groups (supplement, section 2.1).

    Args:
        x: (B, in, H, W).
        weights, biases: (B, out, in, 3, 3) and (B, out).
        padding: 1 keeps the size, 0 loses a pixel at every side.

    Returns:
        (B, out, H', W').
    """
    batch, outward = weights.shape[:2]
    if batch == 1:
        return F.conv2d(x, weights[0], biases[0], padding=padding)
    merged = x.reshape(1, -1, *x.shape[2:])
    made = F.conv2d(merged, weights.flatten(0, 1), biases.flatten(), padding=padding, groups=batch)
    return made.reshape(batch, outward, *made.shape[2:])


def run_scale(x: Tensor, layers: Sequence[tuple[Tensor, Tensor]], last: Activation, padding: int) -> Tensor:
    """One scale's network, each picture with its own weights."""
    for number, (weights, biases) in enumerate(layers):
        x = per_picture(x, weights, biases, padding)
        if number + 1 < len(layers):
            x = F.leaky_relu(x, SLOPE)
    return torch.tanh(x) if last is Activation.TANH else x


class HyperNetwork(nn.Module):
    """A backbone and the heads of one scale or, grown, of several.

    Args:
        width, embedding: see `Backbone`.
        layout: of the networks whose weights are written.
    """

    def __init__(self, width: int, embedding: int, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.backbone = Backbone(width, embedding)
        self.scales = nn.ModuleList([Heads(embedding, layout)])

    def grow(self) -> None:
        """One more scale, whose heads begin as a copy of the last ones; those train no more (section 2.2)."""
        heads = copy.deepcopy(self.scales[-1])
        self.scales.requires_grad_(False)
        self.scales.append(heads.requires_grad_(True))

    def weights(self, vector: Tensor, scale: int = -1) -> list[tuple[Tensor, Tensor]]:
        """Weights and biases of one scale, ready for use, for vectors (B, embedding)."""
        return scaled(self.scales[scale](vector), self.layout)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) to vectors (B, embedding)."""
        found: Tensor = self.backbone(pictures)
        return found


def generate(
    scales: Sequence[Sequence[tuple[Tensor, Tensor]]],
    inputs: Sequence[Tensor],
    amplitudes: Sequence[float],
    window: Window | None = None,
) -> Tensor:
    """What generators make, scale by scale (paper, section 3; SinGAN, equation 5).

    Args:
        scales: weights and biases of the convolutions of each scale.
        inputs: for the first scale noise, for each further one noise too, all (B, 3, h, w) at the scale's size.
        amplitudes: of each scale's noise; that of the first is not used.
        window: only this part of the last scale is made, where that is not the first.

    Returns:
        (B, 3, H, W), about in [-1, 1].
    """
    picture = run_scale(inputs[0], scales[0], Activation.TANH, 1)
    return go_on(picture, scales[1:], inputs[1:], amplitudes[1:], window)


def go_on(
    picture: Tensor,
    scales: Sequence[Sequence[tuple[Tensor, Tensor]]],
    inputs: Sequence[Tensor],
    amplitudes: Sequence[float],
    window: Window | None = None,
) -> Tensor:
    """The further scales, from a smaller picture: each adds to it what it lacks at its size."""
    for number, (layers, noise, amplitude) in enumerate(zip(scales, inputs, amplitudes, strict=True), 1):
        raised = upsample(picture, *noise.shape[2:])
        if number == len(scales) and window is not None:
            raised, noise = raised[window], noise[window]  # noqa: PLW2901 - the same noise, less of it
        picture = raised + run_scale(raised + amplitude * noise, layers, Activation.TANH, 1)
    return picture
