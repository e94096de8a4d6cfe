"""Networks of single-image GANs: ConSinGAN's growing generator, SinGAN's chain of generators, their critic."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from underdrawing.train.methods.consingan.scales import upsample

COLOURS = 3
Window = tuple[slice, ...]  # of a tensor (B, C, H, W)


class PictureStatistics(nn.Module):
    """Batch norm whose statistics are always those of the picture at hand, as ordinary operations.

    torch's exporter would freeze a batch norm to running statistics, which is not what was trained. Equal to
    `nn.BatchNorm2d` in training on a batch of one.
    """

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gain = nn.Parameter(torch.empty(1, channels, 1, 1).normal_(1.0, 0.02))
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        values = x.float()
        mean = values.mean((2, 3), keepdim=True)
        centred = values - mean
        variance = (centred * centred).mean((2, 3), keepdim=True)
        return (centred * torch.rsqrt(variance + self.epsilon) * self.gain + self.shift).to(x.dtype)


def _convolution(inward: int, outward: int, padding: int = 1) -> nn.Conv2d:
    layer = nn.Conv2d(inward, outward, 3, 1, padding)
    nn.init.normal_(layer.weight, 0.0, 0.02)
    return layer


def block(
    inward: int, outward: int, normalised: bool, slope: float, padding: int = 1, kaiming: bool = False
) -> nn.Sequential:
    """Convolution, statistics where they are wanted, leaky ReLU.

    Args:
        kaiming: weights that keep the strength of the input; else they are drawn from N(0, 0.02), with which a deep
            network without norms begins with little but its biases.
    """
    layers: list[nn.Module] = [_convolution(inward, outward, padding)]
    if normalised:
        layers.append(PictureStatistics(outward))
    elif kaiming:
        nn.init.kaiming_normal_(layers[0].weight, slope)  # type: ignore[arg-type]
        nn.init.zeros_(layers[0].bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers, nn.LeakyReLU(slope))


class GrowingGenerator(nn.Module):
    """ConSinGAN's generator (section 3, figure 1): stages that pass feature maps on.

    Head, one block of convolutions a stage, tail. Every stage after the first works on the features of the one before,
    scaled up, with noise added, and adds what it finds to them.

    Args:
        filters: of every convolution.
        layers: convolutions of a stage.
        normalised: with per-picture statistics.
        slope: of the leaky ReLU.
        kaiming: see `block`.
    """

    def __init__(self, filters: int, layers: int, normalised: bool, slope: float, kaiming: bool = False) -> None:
        super().__init__()
        self.head = block(COLOURS, filters, normalised, slope, kaiming=kaiming)
        blocks = (block(filters, filters, normalised, slope, kaiming=kaiming) for _ in range(layers))
        self.stages = nn.ModuleList([nn.Sequential(*blocks)])
        self.tail = _convolution(filters, COLOURS)
        self.filters = filters
        self.amplitudes: list[float] = [1.0]

    @property
    def noise_channels(self) -> int:
        """Channels of the noise of stages after the first."""
        return self.filters

    def grow(self) -> None:
        """One more stage, which begins as a copy of the last one."""
        self.stages.append(copy.deepcopy(self.stages[-1]))
        self.amplitudes.append(0.0)

    def parts(self) -> list[list[nn.Parameter]]:
        """The parameters of each stage: the head goes with the first one, the tail with the last one."""
        found = [list(stage.parameters()) for stage in self.stages]
        found[0] = [*self.head.parameters(), *found[0]]
        found[-1] = [*found[-1], *self.tail.parameters()]
        return found

    def forward(self, *inputs: Tensor, window: Window | None = None) -> Tensor:
        """The picture (B, 3, H, W) in [-1, 1].

        Args:
            inputs: for the first stage (B, 3, h, w), noise or a picture; for each further one noise
                (B, `noise_channels`, h, w). Their sizes are the sizes of the stages.
            window: only this part of the last stage is made.
        """
        x = self.stages[0](self.head(inputs[0]))
        last = len(self.stages) - 1
        for k in range(1, last + 1):
            raised, noise = upsample(x, *inputs[k].shape[2:]), inputs[k]
            if k == last and window is not None:
                raised, noise = raised[window], noise[window]
            x = raised + self.stages[k](raised + self.amplitudes[k] * noise)
        return torch.tanh(self.tail(x))


class ChainedGenerator(nn.Module):
    """SinGAN's generator (section 2.1): each stage turns the picture of the one before, and noise, into a picture.

    Args:
        filters: of the first four stages; twice as many in each four after these.
        layers: convolutions of a stage, its last one included.
        slope: of the leaky ReLU.
    """

    def __init__(self, filters: int, layers: int, slope: float) -> None:
        super().__init__()
        self.first, self.layers, self.slope = filters, layers, slope
        self.stages = nn.ModuleList([self._stage(filters)])
        self.amplitudes: list[float] = [1.0]

    def _stage(self, filters: int) -> nn.Sequential:
        blocks = [block(COLOURS, filters, True, self.slope)]
        blocks += [block(filters, filters, True, self.slope) for _ in range(self.layers - 2)]
        return nn.Sequential(*blocks, _convolution(filters, COLOURS))

    @property
    def noise_channels(self) -> int:
        """Channels of the noise of stages after the first."""
        return COLOURS

    def grow(self) -> None:
        """One more stage: a copy of the last one, or a wider one with fresh weights."""
        count = len(self.stages)
        wider = count % 4 == 0
        stage = self._stage(self.first * 2 ** (count // 4)) if wider else copy.deepcopy(self.stages[-1])
        device = next(self.parameters()).device
        self.stages.append(stage.to(device))
        self.amplitudes.append(0.0)

    def parts(self) -> list[list[nn.Parameter]]:
        """The parameters of each stage."""
        return [list(stage.parameters()) for stage in self.stages]

    def forward(self, *inputs: Tensor, window: Window | None = None) -> Tensor:
        """The picture (B, 3, H, W), about in [-1, 1]; inputs as of `GrowingGenerator`, noise in three channels."""
        picture = torch.tanh(self.stages[0](inputs[0]))
        last = len(self.stages) - 1
        for k in range(1, last + 1):
            raised, noise = upsample(picture, *inputs[k].shape[2:]), inputs[k]
            if k == last and window is not None:
                raised, noise = raised[window], noise[window]
            picture = torch.tanh(self.stages[k](raised + self.amplitudes[k] * noise)) + raised
        return picture


class Critic(nn.Module):
    """Says how real each patch of a picture looks (Wasserstein): it sees 11 x 11 pixels with five layers.

    Args:
        filters, slope: as of the generator.
        layers: between the first and the last convolution.
        normalised: with per-picture statistics (SinGAN).
        kaiming: see `block`.
    """

    def __init__(
        self, filters: int, layers: int, slope: float, normalised: bool = False, kaiming: bool = False
    ) -> None:
        super().__init__()
        blocks = [block(COLOURS, filters, normalised, slope, 0, kaiming)]
        blocks += [block(filters, filters, normalised, slope, 0, kaiming) for _ in range(layers)]
        self.network = nn.Sequential(*blocks, _convolution(filters, 1, padding=0))

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to scores (B, 1, H - 10, W - 10)."""
        scores: Tensor = self.network(picture)
        return scores


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, weight: float, mix: Tensor
) -> Tensor:
    """How far the critic's gradient is from length 1 between real and made pictures (WGAN-GP, equation 3).

    Args:
        real, made: (B, 3, H, W).
        mix: (B, 1, 1, 1) in [0, 1], where between the two.
    """
    between = (mix * real + (1 - mix) * made).detach().requires_grad_()
    scores = critic(between)
    (gradient,) = torch.autograd.grad(scores.float().sum(), between, create_graph=True)
    return weight * ((gradient.float().norm(2, dim=1) - 1) ** 2).mean()


def parameters(networks: Sequence[nn.Module]) -> int:
    """How many numbers these networks consist of."""
    return sum(p.numel() for network in networks for p in network.parameters())
