"""LPIPS (Zhang et al. 2018, version 0.1): how different two pictures look, 0 for the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from underdrawing.train.perceptual import LAYOUTS

# A convolution: channels, kernel, stride, padding. M: the largest of 3 x 3 every two pixels (AlexNet), of 2 x 2 (VGG).
_ALEXNET: tuple[tuple[int, int, int, int] | str, ...] = (
    (64, 11, 4, 2),
    "M",
    (192, 5, 1, 2),
    "M",
    (384, 3, 1, 1),
    (256, 3, 1, 1),
    (256, 3, 1, 1),
)
# Indices in torchvision's `features` after which the pictures are compared.
_TAPS = {"alexnet": (1, 4, 7, 9, 11), "vgg16": (3, 8, 15, 22, 29)}


def _layers(name: str) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 3
    for entry in _ALEXNET if name == "alexnet" else LAYOUTS[name]:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(3 if name == "alexnet" else 2, 2))
            continue
        width, kernel, stride, padding = entry if isinstance(entry, tuple) else (entry, 3, 1, 1)
        layers += [nn.Conv2d(channels, width, kernel, stride, padding), nn.ReLU()]
        channels = width
    return layers


class LPIPS:
    """The measure with its weights.

    Args:
        weights: the folder of pretrained weights.
        name: "alexnet" (what papers report) or "vgg16".

    Raises:
        FileNotFoundError: the weights are not there.
    """

    def __init__(self, weights: Path, name: str = "alexnet") -> None:
        self.taps = _TAPS[name]
        self.layers = nn.Sequential(*_layers(name))
        stored = load_file(weights / f"{name}.safetensors")
        self.layers.load_state_dict(
            {k.removeprefix("features."): v for k, v in stored.items() if k.startswith("features.")}
        )
        self.layers.requires_grad_(False)
        heads = load_file(weights / f"lpips_{name}.safetensors")
        self.heads = [heads[f"lpips.lin{index}.weight"] for index in range(len(self.taps))]
        self.shift = torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None]
        self.scale = torch.tensor([0.458, 0.448, 0.450])[None, :, None, None]

    def _features(self, picture: np.ndarray) -> list[Tensor]:
        x = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None] * 2 - 1
        x = (x - self.shift) / self.scale
        found = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.taps:
                found.append(x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    @torch.no_grad()
    def distances(self, a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
        """The distance, and where it comes from.

        Args:
            a, b: (H, W, 3) in [0, 1].

        Returns:
            the distance; its map (H, W) float32, every layer's enlarged to the picture's size.
        """
        total, where = 0.0, np.zeros(a.shape[:2], np.float32)
        for x, y, head in zip(self._features(a), self._features(b), self.heads, strict=True):
            part = ((x - y) ** 2 * head).sum(1, keepdim=True)
            total += float(part.mean())
            where += F.interpolate(part, a.shape[:2], mode="bilinear", align_corners=False)[0, 0].numpy()
        return total, where

    def __call__(self, a: np.ndarray, b: np.ndarray) -> float:
        """The distance of two pictures (H, W, 3) in [0, 1]."""
        return self.distances(a, b)[0]
