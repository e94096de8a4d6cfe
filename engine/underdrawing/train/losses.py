"""Adversarial and feature-matching losses over the outputs of a multi-scale discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def least_squares(scores: list[list[Tensor]], real: bool) -> Tensor:
    """Least-squares GAN loss (Mao et al. 2017), summed over scales, as pix2pixHD trains.

    Args:
        scores: per scale the features of all layers, the last being the patch scores.
        real: what the scores should say.
    """
    goal = 1.0 if real else 0.0
    losses = [((scale[-1].float() - goal) ** 2).mean() for scale in scores]
    return torch.stack(losses).sum()


def feature_matching(ours: list[list[Tensor]], truth: list[list[Tensor]]) -> Tensor:
    """Mean absolute difference of all the discriminator's features but the scores (pix2pixHD, equation 4).

    Averaged over scales; a factor 4 / (layers + 1), as pix2pixHD's program weighs it.
    """
    total = ours[0][-1].new_zeros((), dtype=torch.float32)
    for a, b in zip(ours, truth, strict=True):
        for x, y in zip(a[:-1], b[:-1], strict=True):
            total = total + F.l1_loss(x.float(), y.detach().float()) * 4.0 / ((len(a) - 1) * len(ours))
    return total
