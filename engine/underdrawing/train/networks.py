"""Generators and discriminators.

`GlobalGenerator` and `MultiScaleDiscriminator` are those of pix2pixHD (Wang et al. 2018, section 3.1), which DeepSIM
uses with its official figures. `SkipGenerator` is the smaller one of the `quick` recipe: it is local by construction
and an edge of the primitive reaches the output without passing the bottleneck.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.train.norms import FreezableInstanceNorm, PixelNorm


def initialise(network: nn.Module) -> None:
    """Convolution weights from N(0, 0.02), biases 0 (pix2pixHD)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class _ResidualBlock(nn.Module):
    """Two reflection-padded 3x3 convolutions around a skip (pix2pixHD's)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            FreezableInstanceNorm(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            FreezableInstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class GlobalGenerator(nn.Module):
    """Encoder, residual blocks, decoder: (B, channels, H, W) to (B, 3, H, W) in [-1, 1].

    Args:
        channels: of the input planes together.
        filters: of the first layer; doubled by every halving.
        halvings: stride-2 convolutions; height and width must be multiples of 2 ** halvings.
        blocks: residual blocks at the smallest size.
    """

    def __init__(self, channels: int, filters: int = 64, halvings: int = 4, blocks: int = 9) -> None:
        super().__init__()
        self.stride, width = 2**halvings, filters
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7)]
        layers += [FreezableInstanceNorm(width), nn.ReLU()]
        for _ in range(halvings):
            layers += [nn.Conv2d(width, width * 2, 3, 2, 1), FreezableInstanceNorm(width * 2), nn.ReLU()]
            width *= 2
        layers += [_ResidualBlock(width) for _ in range(blocks)]
        for _ in range(halvings):
            layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1), FreezableInstanceNorm(width // 2), nn.ReLU()]
            width //= 2
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7)]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    @property
    def halo(self) -> int | None:
        """Pixels around an area that can influence it (None: the whole picture is needed)."""
        halvings = self.stride.bit_length() - 1
        blocks = sum(isinstance(layer, _ResidualBlock) for layer in self.layers)
        reach = 3 + sum(2**k for k in range(halvings)) + 2 * blocks * self.stride
        return reach + sum(2 ** (k + 1) for k in range(halvings)) + 3

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.layers(x).float())


class _Local(nn.Module):
    """A 3x3 convolution, pixel norm and activation."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.norm = PixelNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.convolution(x)), 0.2)


class _LocalResidual(nn.Module):
    """Two of them around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_Local(channels, channels), _Local(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SkipGenerator(nn.Module):
    """A U-Net with pixel norms: (B, channels, H, W) to (B, 3, H, W) in [-1, 1].

    Args:
        channels: of the input planes together.
        widths: channels at full size, 1/2, 1/4, ...; height and width must be multiples of 2 ** (len - 1).
        blocks: residual blocks at the smallest size.
    """

    def __init__(self, channels: int, widths: tuple[int, ...] = (24, 48, 96, 160, 160), blocks: int = 3) -> None:
        super().__init__()
        self.stride, self.blocks = 2 ** (len(widths) - 1), blocks
        self.first = _Local(channels, widths[0])
        self.down = nn.ModuleList(_Local(a, b, 2) for a, b in pairwise(widths))
        self.middle = nn.Sequential(*(_LocalResidual(widths[-1]) for _ in range(blocks)))
        self.up = nn.ModuleList(_Local(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.polish = nn.ModuleList(_Local(b, b) for b in widths[-2::-1])
        self.last = nn.Conv2d(widths[0], 3, 3, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, 0.2)
                nn.init.zeros_(module.bias) if module.bias is not None else None
        nn.init.normal_(self.last.weight, 0.0, 0.02)

    @property
    def halo(self) -> int:
        """Pixels around an area that can influence it."""
        halvings = self.stride.bit_length() - 1
        down = 1 + sum(2**k for k in range(halvings))
        up = sum(3 * 2**k for k in range(halvings))  # two convolutions and the upsampling's own footprint
        return down + 2 * self.blocks * self.stride + up + self.stride + 1

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.middle(x)
        for up, polish, skip in zip(self.up, self.polish, reversed(skips), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = polish(up(torch.cat([x, skip], 1)))
        return torch.tanh(self.last(x).float())


class PatchDiscriminator(nn.Module):
    """PatchGAN: scores of overlapping patches, and the features of every layer for feature matching.

    4x4 convolutions, the first without norm, the last two with stride 1 (pix2pix, section 3.2.2; pix2pixHD).
    """

    def __init__(self, channels: int, filters: int = 64, layers: int = 3) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.Sequential(nn.Conv2d(channels, filters, 4, 2, 2), nn.LeakyReLU(0.2))]
        width = filters
        for number in range(1, layers + 1):
            wider, stride = min(width * 2, filters * 8), 2 if number < layers else 1
            convolution = nn.Conv2d(width, wider, 4, stride, 2)
            steps.append(nn.Sequential(convolution, FreezableInstanceNorm(wider), nn.LeakyReLU(0.2)))
            width = wider
        steps.append(nn.Conv2d(width, 1, 4, 1, 2))
        self.steps = nn.ModuleList(steps)
        initialise(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of every layer; the last entry holds the scores, (B, 1, h, w)."""
        features = []
        for step in self.steps:
            x = step(x)
            features.append(x)
        return features


class MultiScaleDiscriminator(nn.Module):
    """The same discriminator design on the picture and on smaller copies of it (pix2pixHD, section 3.2)."""

    def __init__(self, channels: int, filters: int = 64, layers: int = 3, scales: int = 2) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels, filters, layers) for _ in range(scales))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """One list of features a scale, the largest first."""
        results = []
        for number, scale in enumerate(self.scales):
            if number:
                x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
            results.append(scale(x))
        return results


def parameters(network: nn.Module) -> int:
    """How many weights a network has."""
    return sum(p.numel() for p in network.parameters())
