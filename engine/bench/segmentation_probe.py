"""A small network that reads a primitive out of a picture, to see whether a result follows the edit.

It is trained on warped and recoloured copies of the training pair and, where a video has them, on true frames that are
kept out of the evaluation: one that saw the single pair alone calls blurred results truer than true frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.train import tps
from underdrawing.train.device import choose

FILTERS, HALVINGS = 16, 5
STRIDE = 2**HALVINGS
CROP, BATCH = 256, 2
ITERATIONS = 600
SHIFT, GRID = 0.06, 4


def _block(inward: int, outward: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inward, outward, 3, 1, 1),
        nn.GroupNorm(4, outward),
        nn.ReLU(),
        nn.Conv2d(outward, outward, 3, 1, 1),
        nn.GroupNorm(4, outward),
        nn.ReLU(),
    )


class _Segmenter(nn.Module):
    """A U-Net (Ronneberger et al. 2015) that sees far: left and right of a face are classes of their own."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        widths = [FILTERS * min(4, 2**level) for level in range(HALVINGS + 1)]
        self.down = nn.ModuleList(_block(a, b) for a, b in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(_block(widths[k + 1] + widths[k], widths[k]) for k in reversed(range(HALVINGS)))
        self.out = nn.Conv2d(FILTERS, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        for block, skip in zip(self.up, reversed(kept[:-1]), strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], 1))
        return self.out(x)


class Judge:
    """Trained once for a set; the same seed gives the same judge on the same machine.

    Args:
        examples: true pairs, picture (H, W, 3) float32 in [0, 1] and classes (H, W) uint8, all of one size.
        classes: how many there are.
    """

    def __init__(
        self,
        examples: Sequence[tuple[np.ndarray, np.ndarray]],
        classes: int,
        iterations: int = ITERATIONS,
        seed: int = 0,
    ) -> None:
        state = torch.random.get_rng_state()
        torch.manual_seed(seed)
        self.device = choose("cpu")
        self.network = self.device.place(_Segmenter(classes))
        torch.random.set_rng_state(state)
        self._train([(_tensor(p), torch.from_numpy(c.astype(np.int64))) for p, c in examples], iterations, seed)
        self.network.eval()

    def _train(self, pairs: list[tuple[Tensor, Tensor]], iterations: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.Adam(self.network.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, iterations)
        counts = torch.stack([c.flatten().bincount(minlength=self.network.out.out_channels) for _, c in pairs]).sum(0)
        # Small classes count more, as an eye does for who looks at the picture; the root keeps them from taking over.
        weight = (counts.sum() / counts.clamp_min(1)).sqrt().clamp_max(20) * (counts > 0)
        for _ in range(iterations):
            pictures, truths = zip(*(self._sample(pairs, generator) for _ in range(BATCH)), strict=True)
            optimiser.zero_grad()
            with self.device.autocast():
                guess = self.network(self.device.put(torch.cat(pictures)))
            loss = F.cross_entropy(guess.float(), torch.cat(truths), weight / weight.mean())
            loss.backward()
            optimiser.step()
            schedule.step()

    def _sample(self, pairs: list[tuple[Tensor, Tensor]], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        def random(low: float, high: float, *shape: int) -> Tensor:
            return low + (high - low) * torch.rand(*(shape or (1,)), generator=generator)

        picture, classes = pairs[int(torch.randint(len(pairs), (1,), generator=generator))]
        height, width = classes.shape
        rows, columns = (min(CROP, side // STRIDE * STRIDE) for side in (height, width))
        points = tps.control_points(height, width, GRID)
        shifts = tps.random_shifts(1, GRID, SHIFT, generator)
        corner = torch.stack([random(0, width - columns), random(0, height - rows)], 1).floor()
        grid = tps.sampling_grid(points, tps.solve(points, shifts), (height, width), (corner, rows, columns))
        warped = F.grid_sample(picture, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        values = classes[None, None].float()
        truth = F.grid_sample(values, grid, mode="nearest", padding_mode="reflection", align_corners=False)
        # Light and colour differ between a frame and what a model makes of it; blur too.
        warped = warped * random(0.85, 1.15, 1, 3, 1, 1) + random(-0.08, 0.08, 1, 3, 1, 1)
        if float(random(0, 1)) < 0.3:
            warped = F.avg_pool2d(warped, 3, 1, 1)
        return warped + 0.02 * torch.randn(warped.shape, generator=generator), truth[:, 0].long()

    @torch.no_grad()
    def read(self, picture: np.ndarray) -> np.ndarray:
        """The classes (H, W) uint8 that it sees in a picture (H, W, 3) in [0, 1]."""
        x = _tensor(picture)
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        return self.network(x)[0, :, :height, :width].argmax(0).to(torch.uint8).numpy()


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None]
