"""Normalisation that keeps an edit local.

Instance norm takes its statistics from the whole picture, so an edit in one corner changes colours in the other.
Two remedies: statistics frozen at export (`FreezableInstanceNorm`), or a norm that looks at one pixel alone
(`PixelNorm`). Both leave everything outside the receptive field of an edit exactly as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class FreezableInstanceNorm(nn.Module):
    """Instance norm without affine (pix2pixHD's), whose statistics can be fixed to those of one picture."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon, self.frozen, self.watching = epsilon, False, False
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1), persistent=False)
        self.register_buffer("scale", torch.ones(1, channels, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if self.frozen:
            return (x - self.mean) * self.scale
        values = x.float()
        mean = values.mean((2, 3), keepdim=True)
        scale = torch.rsqrt(values.var((2, 3), keepdim=True, unbiased=False) + self.epsilon)
        if self.watching:
            self.mean, self.scale = mean.detach()[:1], scale.detach()[:1]
        return ((values - mean) * scale).to(x.dtype)


class PixelNorm(nn.Module):
    """Scales the channels of each pixel to unit mean square, then by a trained gain.

    Root-mean-square normalisation (Zhang and Sennrich 2019) along channels, as ProGAN's pixel norm.
    """

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gain = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        values = x.float() if x.dtype is torch.float16 else x  # squares above 255 leave float16's range
        return (values * torch.rsqrt((values * values).mean(1, keepdim=True) + self.epsilon)).to(
            x.dtype
        ) * self.gain.to(x.dtype)


@contextmanager
def watched(network: nn.Module) -> Iterator[None]:
    """Within: every instance norm remembers the statistics of the first picture that passes."""
    norms = [m for m in network.modules() if isinstance(m, FreezableInstanceNorm)]
    for norm in norms:
        norm.watching = True
    try:
        yield
    finally:
        for norm in norms:
            norm.watching = False


def freeze(network: nn.Module) -> None:
    """From now on instance norms use the statistics they remember."""
    for module in network.modules():
        if isinstance(module, FreezableInstanceNorm):
            module.frozen = True
