"""VGG features for the perceptual loss (Johnson et al. 2016; taps and weights as pix2pixHD has them)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# The channels of VGG's convolutions, M a halving (Simonyan and Zisserman 2015, configurations D and E).
LAYOUTS: dict[str, tuple[int | str, ...]] = {
    "vgg16": (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512),
    "vgg19": (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512),
}
# The ReLU after the first convolution of each block: relu1_1 to relu5_1, as indices of torchvision's `features`.
TAPS = {"vgg16": (1, 6, 11, 18, 25), "vgg19": (1, 6, 11, 20, 29)}


class Features(nn.Module):
    """A frozen VGG up to relu{depth}_1: pictures (B, 3, H, W) in [-1, 1] to a list of its features.

    Args:
        normalised: pictures get ImageNet's mean and deviation, with which VGG was trained; else it is given them in
            [-1, 1], as pix2pixHD does.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, weights: Path, depth: int = 5, normalised: bool = True) -> None:
        super().__init__()
        self.name, self.taps, self.normalised = name, TAPS[name][:depth], normalised
        layers: list[nn.Module] = []
        channels = 3
        for entry in LAYOUTS[name]:
            if entry == "M":
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(channels, int(entry), 3, 1, 1), nn.ReLU()]
                channels = int(entry)
        self.features: nn.Sequential = nn.Sequential(*layers)
        stored = {k: v for k, v in load_file(weights).items() if k.startswith("features.")}
        self.load_state_dict(stored, strict=False)
        missing = [k for k in self.state_dict() if k.startswith("features.") and k not in stored]
        if missing:
            raise ValueError(f"{weights.name} lacks the weights {missing[0]}: it is damaged, or not of {name}")
        self.features = nn.Sequential(*layers[: self.taps[-1] + 1])
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[None, :, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225])[None, :, None, None], persistent=False)
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features at every tap, the finest first."""
        x = ((picture + 1) / 2 - self.mean) / self.deviation if self.normalised else picture
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.taps:
                found.append(x)
        return found


def find_features(name: str, weights: Mapping[str, str], depth: int, normalised: bool = True) -> Features | None:
    """The features of this network; VGG16 takes VGG19's place where only it is there, and None stands for neither.

    Args:
        name: "vgg16" or "vgg19".
        weights: paths of what is installed, by name.
        depth: how many taps.
        normalised: see `Features`.
    """
    for found in (name, "vgg16"):
        if found in weights:
            return Features(found, Path(weights[found]), depth, normalised)
    return None


def missing_features(name: str, features: Features | None) -> list[str]:
    """What is to be said when a wanted network is not installed, in sentences for people."""
    if features is None:
        return [
            f"The weights of {name.upper()} are not installed: training runs without the"
            " perceptual loss, and results are blurrier. Get them with: underdrawing weights fetch"
        ]
    if features.name != name:
        return [f"The weights of {name.upper()} are not installed; VGG16 takes their place."]
    return []


# pix2pixHD's weights, the finest layer first. Shallower networks take the first of them, scaled so that the last is 1.
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def perceptual(ours: list[Tensor], truth: list[Tensor]) -> Tensor:
    """Weighted mean absolute difference of features (DeepSIM, equation 1)."""
    weights = [w / WEIGHTS[len(ours) - 1] for w in WEIGHTS]
    total = ours[0].new_zeros((), dtype=torch.float32)
    for a, b, weight in zip(ours, truth, weights, strict=False):
        total = total + weight * F.l1_loss(a.float(), b.float())
    return total
