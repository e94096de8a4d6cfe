"""Networks of Semantic Image Analogy (Li et al. 2020): what changes between two segmentations changes the picture.

The generator is an endomorphism of the source picture: its encoder takes the picture, and each of its downsampling
stages is modulated by what the segmentation encoder finds to differ between the source and the wanted segmentation.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from underdrawing.train.data import Pair
from underdrawing.train.methods.consingan.networks import PictureStatistics

HEAD = 7  # side of the first and last convolution


def _convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Module:
    """With spectral norm (Miyato et al. 2018), mirrored at the borders."""
    layer = nn.Conv2d(inputs, outputs, side, stride, (side - 1) // 2, padding_mode="reflect")
    nn.init.kaiming_normal_(layer.weight, 0.2)
    return spectral_norm(layer)


class _Block(nn.Module):
    """Convolution, statistics of the picture, leaky ReLU."""

    def __init__(self, convolution: nn.Module, outputs: int) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, PictureStatistics(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.convolution(x)), 0.2)


def _down(inputs: int, outputs: int, early: bool) -> nn.Module:
    """A 3 x 3 and a strided 4 x 4 convolution (section 4.1).

    Args:
        early: channels are doubled by the first of them; else by the second, which is half of the work.
    """
    middle = outputs if early else inputs
    return nn.Sequential(
        _Block(_convolution(inputs, middle, 3), middle),
        _Block(_convolution(middle, outputs, 4, 2), outputs),
    )


class _Doubled(nn.Module):
    """Twice the size by repeated pixels and a convolution, which leaves no checkerboard."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = _convolution(inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.convolution(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return made


def _up(inputs: int, outputs: int, transposed: bool, early: bool) -> nn.Module:
    """A 3 x 3 and a transposed 4 x 4 convolution (section 4.1), or one of repeated pixels in its place.

    With `early` it is the mirror image of such a `_down`: channels are halved by the last of them.
    """
    if early:
        layer = nn.ConvTranspose2d(inputs, inputs, 4, 2, 1)
        nn.init.kaiming_normal_(layer.weight, 0.2)
        return nn.Sequential(_Block(spectral_norm(layer), inputs), _Block(_convolution(inputs, outputs, 3), outputs))
    if transposed:
        layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
        nn.init.kaiming_normal_(layer.weight, 0.2)
        raised: nn.Module = spectral_norm(layer)
    else:
        raised = _Doubled(inputs, outputs)
    return nn.Sequential(_Block(_convolution(inputs, inputs, 3), inputs), _Block(raised, outputs))


def widths(filters: int, halvings: int) -> list[int]:
    """Channels at full size, 1/2, 1/4 …"""
    return [filters * 2**k for k in range(halvings + 1)]


class Encoder(nn.Module):
    """Head and downsampling stages. The generator's encoder and the segmentation's are built alike (section 3.2.2).

    Args:
        stages: how many of the stages there are: what leaves the segmentation's last one is not needed.
        early: see `_down`.
    """

    def __init__(self, channels: int, filters: int, halvings: int, stages: int, early: bool = False) -> None:
        super().__init__()
        self.head = _Block(_convolution(channels, filters, HEAD), filters)
        self.down = nn.ModuleList(_down(a, b, early) for a, b in pairwise(widths(filters, halvings)[: stages + 1]))

    def levels(self, x: Tensor) -> list[Tensor]:
        """What goes into each downsampling stage: at full size, 1/2, ..."""
        found = [self.head(x)]
        for stage in self.down:
            found.append(stage(found[-1]))
        return found


class _Translation(nn.Module):
    """An SFT block: 1 x 1 convolutions around a bottleneck (section 3.3, figure 3)."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        narrow = max(8, channels // 2)
        self.start = start
        self.body = nn.Sequential(
            nn.Conv2d(channels, narrow, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(narrow, narrow, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(narrow, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.start + self.body(x)


class Analogy(nn.Module):
    """The generator with segmentation encoder and semantic feature translation.

    Args:
        channels: of the condition: one a class, and those of the outlines.
        filters: of the head.
        halvings: downsampling stages; height and width must be multiples of 2 ** halvings.
        epsilon: keeps the ratio of features finite.
        translated: off for the ablation: features of the wanted segmentation are concatenated instead.
        transposed: the decoder's convolutions; see `_up`.
        early: see `_down`; with it the decoder's convolutions are transposed.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        halvings: int,
        epsilon: float,
        translated: bool = True,
        transposed: bool = True,
        early: bool = False,
    ) -> None:
        super().__init__()
        wide = widths(filters, halvings)
        self.stride, self.epsilon, self.translated = 2**halvings, epsilon, translated
        self.encoder = Encoder(3, filters, halvings, halvings, early)
        self.condition = Encoder(channels, filters, halvings, halvings - 1, early)
        self.scale = nn.ModuleList(_Translation(w, 1.0) for w in wide[:-1])
        self.shift = nn.ModuleList(_Translation(w, 0.0) for w in wide[:-1])
        joined = [] if translated else [_convolution(2 * w, w, 1) for w in wide[:-1]]
        self.joined = nn.ModuleList(joined)
        self.up = nn.ModuleList(_up(b, a, transposed, early) for a, b in reversed(list(pairwise(wide))))
        self.last = _convolution(filters, 3, HEAD)

    def parameters_of_change(self, source: Tensor, wanted: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Scales and shifts for every stage, of a change from one condition to another (equations 4 and 5).

        The ratio is a / b written as (a b + e) / (b b + e): nowhere infinite, and exactly 1 where nothing changes.
        """
        scales, shifts = [], []
        # Both at once: spectral norms are estimated anew by every pass in training.
        count = len(source)
        levels = self.condition.levels(torch.cat([source, wanted]))
        for level, to_scale, to_shift in zip(levels, self.scale, self.shift, strict=True):
            b, a = level[:count], level[count:]
            ratio = (a * b + self.epsilon) / (b * b + self.epsilon)
            scales.append(to_scale(ratio - 1))
            shifts.append(to_shift(a - b))
        return scales, shifts

    def forward(self, picture: Tensor, source: Tensor, wanted: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1].

        Args:
            picture: the source picture (B, 3, H, W) in [-1, 1].
            source, wanted: conditions (B, channels, H, W).
        """
        made, _, _ = self.with_change(picture, source, wanted)
        return made

    def with_change(self, picture: Tensor, source: Tensor, wanted: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The picture, and the scales and shifts that led to it."""
        scales, shifts = self.parameters_of_change(source, wanted) if self.translated else ([], [])
        told = [] if self.translated else self.condition.levels(wanted)
        x = self.encoder.head(picture)
        for k, stage in enumerate(self.encoder.down):
            centred = _standardised(x)
            x = scales[k] * centred + shifts[k] if self.translated else self.joined[k](torch.cat([centred, told[k]], 1))
            x = stage(x)
        for block in self.up:
            x = block(x)
        return torch.tanh(self.last(x).float()), scales, shifts


def _standardised(x: Tensor) -> Tensor:
    """Mean 0 and deviation 1 a channel over the picture (equation 6)."""
    values = x.float()
    centred = values - values.mean((2, 3), keepdim=True)
    return (centred * torch.rsqrt((centred * centred).mean((2, 3), keepdim=True) + 1e-5)).to(x.dtype)


def baked(network: nn.Module) -> nn.Module:
    """A copy without spectral norms: their weights as they are now, ready to be exported.

    torch's own way of removing them takes them from the class that a copy shares with its original.
    """
    plain = copy.deepcopy(network).eval()
    for parent in list(plain.modules()):
        for name, layer in list(parent.named_children()):
            if parametrize.is_parametrized(layer, "weight"):
                assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)  # noqa: S101 - what has such norms here
                setattr(parent, name, _without_norm(layer))
    return plain


def _without_norm(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    kind = nn.ConvTranspose2d if isinstance(layer, nn.ConvTranspose2d) else nn.Conv2d
    sizes = (layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding)
    where = {"device": layer.weight.device, "dtype": layer.weight.dtype}
    made = kind(*sizes, padding_mode=layer.padding_mode, **where)  # type: ignore[arg-type]
    with torch.no_grad():
        made.weight.copy_(layer.weight)
        assert made.bias is not None and layer.bias is not None  # noqa: S101 - all have one
        made.bias.copy_(layer.bias)
    return made


class BlockDiscriminator(nn.Module):
    """The paper's PatchGAN (section 4.1): blocks of a 3 x 3 and a strided 4 x 4 convolution, all with both norms.

    Args:
        filters: of the head; doubled by every block.
        blocks: how many.
    """

    def __init__(self, filters: int, blocks: int) -> None:
        super().__init__()
        self.encoder = Encoder(3, filters, blocks, blocks, early=True)
        self.last = _convolution(filters * 2**blocks, 1, 3)

    def forward(self, picture: Tensor) -> list[list[Tensor]]:
        """(B, 3, H, W) to the features of every level and, last, the scores (B, 1, h, w); as of one scale."""
        levels = self.encoder.levels(picture)
        return [[*levels, self.last(levels[-1])]]


class _Normed(nn.Sequential):
    """Convolution, statistics of the picture, leaky ReLU; the size stays but for the stride."""

    def __init__(self, inputs: int, outputs: int, side: int = 3, stride: int = 1, rate: int = 1) -> None:
        padding = rate * (side // 2)
        layer = nn.Conv2d(inputs, outputs, side, stride, padding, rate)
        super().__init__(layer, PictureStatistics(outputs), nn.LeakyReLU(0.2))


class Classifier(nn.Module):
    """A light DeepLabV3 (Chen et al. 2017): says which class each pixel shows.

    Its head is DeepLabV3's with fewer channels: a 1 x 1 and three dilated 3 x 3 convolutions beside the mean of the
    picture, joined by a 1 x 1, and a 3 x 3 convolution. A few strided convolutions take the place of the backbone.

    Args:
        classes: how many.
        filters: channels of the head; DeepLabV3 has 256.
        rates: dilations, at a quarter of the picture's size.
    """

    def __init__(self, classes: int, filters: int = 64, rates: Sequence[int] = (6, 12, 18)) -> None:
        super().__init__()
        half = max(1, filters // 2)
        self.body = nn.Sequential(
            _Normed(3, half, stride=2), _Normed(half, filters, stride=2), _Normed(filters, filters)
        )
        dilated = (_Normed(filters, filters, rate=rate) for rate in rates)
        self.pyramid = nn.ModuleList([_Normed(filters, filters, side=1), *dilated])
        self.pooled = nn.Conv2d(filters, filters, 1)
        self.joined = nn.Sequential(_Normed(filters * (len(rates) + 2), filters, side=1), _Normed(filters, filters))
        self.last = nn.Conv2d(filters, classes, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] to (B, classes, H, W), not normalised."""
        x = self.body(picture)
        whole = F.leaky_relu(self.pooled(x.mean((2, 3), keepdim=True)), 0.2).expand(-1, -1, *x.shape[2:])
        x = self.last(self.joined(torch.cat([part(x) for part in self.pyramid] + [whole], 1)))
        return F.interpolate(x, size=picture.shape[2:], mode="bilinear", align_corners=False)


def fewer(values: Tensor, times: int) -> Tensor:
    """Every so manieth pixel of a plane, (B, C, H, W): classes stay classes."""
    return values[:, :, times // 2 :: times, times // 2 :: times] if times > 1 else values


def raised(picture: Tensor, times: int) -> Tensor:
    """The opposite, for pictures: between the pixels it is smooth."""
    if times == 1:
        return picture
    return F.interpolate(picture, scale_factor=float(times), mode="bilinear", align_corners=False)


def reduced_pair(pair: Pair, times: int) -> Pair:
    """A pair so many times smaller."""
    if times == 1:
        return pair
    planes = {name: replace(plane, values=fewer(plane.values, times)) for name, plane in pair.planes.items()}
    return Pair(F.avg_pool2d(pair.picture, times), planes, (pair.inside[0] // times, pair.inside[1] // times))


class ExportedAnalogy(nn.Module):
    """The generator as it is exported: the source picture, its planes, the wanted planes, all of full size."""

    def __init__(self, network: nn.Module, planes: int, times: int) -> None:
        super().__init__()
        self.network, self.planes, self.times = network, planes, times

    def forward(self, picture: Tensor, *planes: Tensor) -> Tensor:
        told = [fewer(plane, self.times) for plane in planes]
        source, wanted = torch.cat(told[: self.planes], 1), torch.cat(told[self.planes :], 1)
        small = F.avg_pool2d(picture, self.times) if self.times > 1 else picture
        return raised(self.network(small, source, wanted), self.times)
