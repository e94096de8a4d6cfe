"""Patch coherence (Semantic Image Analogy, equation 7): a made picture consists of patches of the source picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 3  # cells of a patch of features


class Coherence:
    """The source picture's features, in which the patches of a made picture look for the nearest of their class.

    Args:
        features: of the source picture, a list of (1, C, h, w), the finest first.
        labels: (1, 1, H, W), the class of every pixel of it.
        counts: how many random patches are compared at each level.
        absolute: the nearest patch is that of the smallest mean absolute difference, the distance of the loss itself
            (section 4.1); else of the smallest square difference, which is found several times faster.
    """

    def __init__(
        self, features: Sequence[Tensor], labels: Tensor, counts: Sequence[int], absolute: bool = False
    ) -> None:
        self.counts, self.absolute = tuple(counts), absolute
        self.features = [f.detach().float() for f in features[: len(self.counts)]]
        self.lengths = [_lengths(f) for f in self.features]
        self.labels = [_at(labels, f) for f in self.features]

    def __call__(self, features: Sequence[Tensor], labels: Tensor, generator: torch.Generator) -> Tensor:
        """Mean absolute difference of random patches to the nearest patch of their class.

        Args:
            features: of the made picture, as those of the source (its size may be another).
            labels: (1, 1, H, W), the wanted classes.
            generator: chooses the patches.
        """
        total = features[0].new_zeros((), dtype=torch.float32)
        levels = zip(features, self.features, self.lengths, self.labels, self.counts, strict=False)
        for made, source, lengths, known, count in levels:
            wanted = _at(labels, made)
            height, width = made.shape[2:]
            y = torch.randint(0, height - SIDE + 1, (count,), generator=generator)
            x = torch.randint(0, width - SIDE + 1, (count,), generator=generator)
            corner = SIDE // 2
            patches = torch.stack([made[0, :, a : a + SIDE, b : b + SIDE] for a, b in zip(y, x, strict=True)]).float()
            with torch.no_grad():
                # |v - u|^2 for all patches u of the source at once: a convolution whose kernels are the patches v.
                distance = _apart(source, patches) if self.absolute else lengths - 2 * F.conv2d(source, patches)[0]
                same = wanted[0, 0, y + corner, x + corner][:, None, None] == known[0]
                same = same[:, corner : known.shape[2] - corner, corner : known.shape[3] - corner]
                # A class that the source lacks takes the nearest of all.
                lacks = ~same.flatten(1).any(1)
                distance = torch.where(same | lacks[:, None, None], distance, torch.inf)
                best = distance.flatten(1).argmin(1)
                across = distance.shape[2]
                rows, columns = best // across, best % across
            nearest = torch.stack(
                [source[0, :, a : a + SIDE, b : b + SIDE] for a, b in zip(rows, columns, strict=True)]
            )
            total = total + (patches - nearest).abs().mean() * count / sum(self.counts)
        return total


def _apart(source: Tensor, patches: Tensor) -> Tensor:
    """(n, h - 2, w - 2): summed absolute differences of n patches (n, C, 3, 3) to those of the source (1, C, h, w)."""
    height, width = (side - SIDE + 1 for side in source.shape[2:])
    found = source.new_zeros(len(patches), height, width)
    for number, patch in enumerate(patches):
        for y in range(SIDE):
            for x in range(SIDE):
                part = source[0, :, y : y + height, x : x + width]
                found[number] += (part - patch[:, y, x, None, None]).abs_().sum(0)
    return found


def _lengths(features: Tensor) -> Tensor:
    """(1, h - 2, w - 2): squared lengths of all patches."""
    kernel = torch.ones(1, features.shape[1], SIDE, SIDE, device=features.device)
    return F.conv2d(features * features, kernel)[0]


def _at(labels: Tensor, features: Tensor) -> Tensor:
    """Classes at the size of features."""
    return F.interpolate(labels, size=features.shape[2:], mode="nearest")
