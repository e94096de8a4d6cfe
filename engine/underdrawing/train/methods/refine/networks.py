"""The network that repairs a draft: light and colours, never texture.

What networks paint after minutes on a processor is soft. So only the smooth part of a repair is taken; the fine detail
stays that of the draft, which is the picture's own.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.draft.refiner_input import CHANNELS, GATE

WIDTHS = (32, 64, 96, 128)  # channels at 1/2, 1/4, 1/8 and 1/16 of the picture's size
BLOCKS = 4  # residual convolutions at the smallest size
MOST = 0.1  # of [-1, 1]: light that differs more is another thing
SMOOTH = 8  # pixels over which a repair is averaged; a divisor of the stride


class _LocalBlock(nn.Module):
    """A 3x3 convolution and activation; without a norm, as small corrections live in the size of the signal."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, 1)
        nn.init.kaiming_normal_(self.convolution.weight, 0.2)
        if self.convolution.bias is not None:
            # Not nought: tensors that are alike become one in an exported graph, and then nothing can replace them.
            nn.init.normal_(self.convolution.bias, 0.0, 1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.convolution(x), 0.2)


class Refiner(nn.Module):
    """A U-Net from hints to the repaired picture: (B, 11, H, W) to (B, 3, H, W) in [-1, 1].

    It paints a picture of its own and says for every pixel how much of it should be taken; the gate among the hints
    limits that, so that what the draft is sure of stays as it is. Height and width must be multiples of 16. Every
    part of the result depends on its surroundings alone, so that regions can be run by themselves.
    """

    stride = 16

    def __init__(self, widths: tuple[int, ...] = WIDTHS, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.first = _LocalBlock(CHANNELS * 4, widths[0])
        self.down = nn.ModuleList(_LocalBlock(a, b, 2) for a, b in pairwise(widths))
        self.middle = nn.ModuleList(_LocalBlock(widths[-1], widths[-1]) for _ in range(blocks))
        self.up = nn.ModuleList(_LocalBlock(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.polish = nn.ModuleList(_LocalBlock(b, b) for b in widths[-2::-1])
        self.last = nn.Conv2d(widths[0], 16, 3, 1, 1)
        # At first it paints the draft, and a half of that is taken: nothing is worse before it is better.
        nn.init.normal_(self.last.weight, 0.0, 0.003)
        if self.last.bias is not None:
            nn.init.normal_(self.last.bias, 0.0, 1e-4)

    @property
    def halo(self) -> int:
        """Pixels around an area that can influence it."""
        fine = 2 * (1 + 1 + 2 + 1)  # at 1/2: first, polish and up, last; two pixels a cell
        deeper = sum(2 ** (k + 1) * 5 for k in range(1, len(self.down)))
        return fine + deeper + 2 ** (len(self.down) + 1) * (len(self.middle) + 2) + self.stride + SMOOTH * 2

    def painted(self, hints: Tensor) -> tuple[Tensor, Tensor]:
        """The picture that the network paints, and how much of it is taken, in [0, 1]: (B, 3, H, W), (B, 1, H, W)."""
        x = self.first(F.pixel_unshuffle(hints, 2))
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        for block in self.middle:
            x = x + block(x)
        for up, polish, skip in zip(self.up, self.polish, reversed(skips), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = polish(up(torch.cat([x, skip], 1)))
        made = F.pixel_shuffle(self.last(x).float(), 2)
        return hints[:, :3] + made[:, :3], torch.sigmoid(made[:, 3:])

    @staticmethod
    def blended(hints: Tensor, painted: Tensor, share: Tensor) -> Tensor:
        """The draft with the smooth part of the share of the painted picture that the gate lets in."""
        kept, gate = hints[:, :3], hints[:, GATE : GATE + 1]
        change = F.avg_pool2d(gate * share * (painted - kept), SMOOTH) / (F.avg_pool2d(gate, SMOOTH) + 1e-3)
        change = MOST * torch.tanh(change / MOST)
        return kept + gate * F.interpolate(change, scale_factor=float(SMOOTH), mode="bilinear", align_corners=False)

    def forward(self, hints: Tensor) -> Tensor:
        return self.blended(hints, *self.painted(hints)).clamp(-1, 1)
