"""Training data: the picture and its planes as tensors, and random warped, flipped and cropped pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from underdrawing.store.manifest import Encoding, PlaneKind
from underdrawing.train import tps


@dataclass(frozen=True)
class PlaneTensors:
    """An input plane as it is trained on: class indices (1, 1, H, W), or values in [-1, 1] (1, 1 or 3, H, W)."""

    kind: PlaneKind
    values: Tensor
    colours: Tensor | None = None  # (classes, 3) in [-1, 1], for planes of classes

    def encode(self, values: Tensor, encoding: Encoding) -> Tensor:
        """Values of this plane (warped or not) as the input of a network."""
        if self.kind is not PlaneKind.CLASSES:
            return values
        if self.colours is None:
            raise ValueError("a plane of classes has no palette")
        indices = values[:, 0].long()
        if encoding is Encoding.ONE_HOT:
            return F.one_hot(indices, len(self.colours)).permute(0, 3, 1, 2).float()
        return self.colours.to(values.device)[indices].permute(0, 3, 1, 2)

    def channels(self, encoding: Encoding) -> int:
        """Channels of the encoded plane."""
        if self.kind is PlaneKind.CLASSES and encoding is Encoding.ONE_HOT and self.colours is not None:
            return len(self.colours)
        return 3 if self.kind is PlaneKind.CLASSES else int(self.values.shape[1])


@dataclass(frozen=True)
class Pair:
    """A picture and its planes, all of one size whose sides are multiples of the stride."""

    picture: Tensor  # (1, 3, H, W) in [-1, 1]
    planes: Mapping[str, PlaneTensors]
    inside: tuple[int, int]  # height and width without the padding (top left)

    @property
    def size(self) -> tuple[int, int]:
        return int(self.picture.shape[2]), int(self.picture.shape[3])

    def to(self, device: torch.device) -> Pair:
        """The same pair on another device."""
        planes = {name: PlaneTensors(p.kind, p.values.to(device), p.colours) for name, p in self.planes.items()}
        return Pair(self.picture.to(device), planes, self.inside)


@dataclass(frozen=True)
class TrainingData:
    """What a run is given: one pair as a rule, many where a method trains on a folder.

    Attributes:
        pairs: at least one.
        scale: size of the pairs divided by the size of the user's picture (1: native resolution).
        region: x, y, width, height of what is trained on, in the user's picture.
        features: where pretrained weights are, by name ("vgg16": path of a safetensors file).
        base: the state of a model that is trained further; None for a new one.
        composite: (1, 3, H, W) in [-1, 1], the picture as it was changed, which that model shall know better.
        mask: (1, 1, H, W), 1 where it was changed.
    """

    pairs: tuple[Pair, ...]
    scale: float
    region: tuple[int, int, int, int]
    features: Mapping[str, str]
    base: Mapping[str, Tensor] | None = None
    composite: Tensor | None = None
    mask: Tensor | None = None


def pad_to(array: np.ndarray, stride: int, minimum: int) -> np.ndarray:
    """Continue an (H, W, ...) array by mirroring to multiples of `stride`, at least `minimum`: right and below."""
    height, width = array.shape[:2]
    goal = [max(minimum, -(-side // stride) * stride) for side in (height, width)]
    extra = [(0, goal[0] - height), (0, goal[1] - width)] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, extra, mode="symmetric")


def make_pair(
    picture: np.ndarray,
    planes: Mapping[str, tuple[PlaneKind, np.ndarray]],
    palette: np.ndarray | None,
    stride: int,
    minimum: int = 64,
) -> Pair:
    """Tensors from arrays.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        planes: by name, the kind and (H, W) class indices, (H, W) uint8 lines, or (H, W, 3) uint8 colour.
        palette: (classes, 3) uint8, for planes of classes.
        stride: sides are padded to multiples of this.
        minimum: and to at least this.
    """
    tensors: dict[str, PlaneTensors] = {}
    colours = None if palette is None else torch.from_numpy(palette.astype(np.float32) / 127.5 - 1)
    for name, (kind, values) in planes.items():
        padded = pad_to(values, stride, minimum)
        if kind is PlaneKind.CLASSES:
            tensors[name] = PlaneTensors(kind, torch.from_numpy(padded.astype(np.float32))[None, None], colours)
        else:
            tensor = torch.from_numpy(padded.astype(np.float32) / 127.5 - 1)
            tensors[name] = PlaneTensors(
                kind, tensor[None, None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)[None]
            )
    image = torch.from_numpy(pad_to(picture, stride, minimum).astype(np.float32) * 2 - 1).permute(2, 0, 1)[None]
    return Pair(image.contiguous(), tensors, (picture.shape[0], picture.shape[1]))


@dataclass(frozen=True)
class Augmentation:
    """How a training pair is varied (DeepSIM, section 3.2 and its program; figures in the recipes)."""

    warp: bool  # thin-plate splines; off: crop and flip only
    grid: int  # control points a side
    shift: float  # at most this part of the shorter side
    smoothing: float  # lambda of equation 4
    warped: float  # probability that a draw is warped at all
    flip: float  # probability of mirroring
    cutmix: float  # probability of swapping two square patches
    crop: int  # side of a random square; 0: the whole picture
    each_side: bool = False  # `shift` counts of the picture's own side in each direction, not of the shorter one
    affine: float = 0.0  # every number of a random linear map, and its shift, differs from none by at most this
    line: float | None = None  # values below are lines, all others paper; None: lines stay soft


class Sampler:
    """Draws augmented pairs; the same seed and iteration always draw the same.

    Args:
        outlines: planes of lines (1, 1, H, W), one of which takes the place of the pair's own at each draw; none: its
            own.
    """

    def __init__(
        self,
        pair: Pair,
        augmentation: Augmentation,
        encodings: Mapping[str, Encoding],
        seed: int,
        outlines: Sequence[Tensor] = (),
    ) -> None:
        self.pair, self.how, self.encodings, self.seed = pair, augmentation, dict(encodings), seed
        self.outlines = tuple(outlines)
        self.points = tps.control_points(*pair.size, augmentation.grid)

    def _corners(self, batch: int, side: tuple[int, int], generator: torch.Generator) -> Tensor:
        height, width = self.pair.size
        room = torch.tensor([width - side[1] + 1, height - side[0] + 1])
        return (torch.rand(batch, 2, generator=generator) * room).floor()

    def draw(self, iteration: int, batch: int) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """One batch.

        Returns:
            encoded planes by name (B, C, h, w); pictures (B, 3, h, w) in [-1, 1]; the place of each pixel in the
            warped picture (B, 2, h, w) in [-1, 1] (x, y).
        """
        how, generator = self.how, torch.Generator().manual_seed((self.seed * 1_000_003 + iteration) % (1 << 62))
        height, width = self.pair.size
        side = (min(how.crop, height), min(how.crop, width)) if how.crop else (height, width)
        shifts = tps.random_shifts(batch, how.grid, how.shift, generator)
        bent = (torch.rand(batch, generator=generator) < how.warped) & torch.tensor(how.warp)
        shifts = shifts * bent[:, None, None]
        if how.each_side:
            shifts = shifts * torch.tensor([width, height]) / min(width, height)
        if how.affine > 0:
            shifts = shifts + self._affine(batch, generator)
        coefficients = tps.solve(self.points, shifts, how.smoothing)
        mirror = torch.rand(batch, generator=generator) < how.flip
        corners = self._corners(batch, side, generator)
        device = self.pair.picture.device
        grid = tps.sampling_grid(self.points, coefficients.to(device), (height, width), (corners, *side), mirror=mirror)

        def read(values: Tensor, mode: str) -> Tensor:
            many = values.expand(batch, -1, -1, -1)
            return F.grid_sample(many, grid, mode=mode, padding_mode="reflection", align_corners=False)

        picture = read(self.pair.picture, "bilinear")
        raw = {
            name: read(plane.values, "nearest" if plane.kind is PlaneKind.CLASSES else "bilinear")
            for name, plane in self.pair.planes.items()
        }
        if self.outlines:
            chosen = int(torch.randint(len(self.outlines), (1,), generator=generator))
            raw["edges"] = read(self.outlines[chosen], "bilinear")
        raw = {name: self._lined(name, values) for name, values in raw.items()}
        if how.cutmix and torch.rand(1, generator=generator) < how.cutmix:
            _swap_patches([picture, *raw.values()], generator)
        planes = {name: self.pair.planes[name].encode(values, self.encodings[name]) for name, values in raw.items()}
        return planes, picture, self._places(corners.to(device), side)

    def _affine(self, batch: int, generator: torch.Generator) -> Tensor:
        """Where random linear maps about the middle take the control points: shifts (batch, points, 2)."""
        limit = self.how.affine
        away = (torch.rand(batch, 2, 2, generator=generator) * 2 - 1) * limit
        moved = (torch.rand(batch, 1, 2, generator=generator) * 2 - 1) * limit
        return (self.points - self.points.mean(0)) @ away + moved

    def _lined(self, name: str, values: Tensor) -> Tensor:
        """Lines that a warp or a smaller size made soft are binary again, where that is wanted."""
        lines = self.pair.planes[name].kind is PlaneKind.LINES
        return binary(values, self.how.line) if lines and self.how.line is not None else values

    def _places(self, corners: Tensor, side: tuple[int, int]) -> Tensor:
        return places(corners, side, self.pair.size)

    def whole(self) -> tuple[dict[str, Tensor], Tensor]:
        """The original planes, encoded, and the places of their pixels."""
        own = {name: self._lined(name, plane.values) for name, plane in self.pair.planes.items()}
        planes = {name: self.pair.planes[name].encode(values, self.encodings[name]) for name, values in own.items()}
        device = self.pair.picture.device
        return planes, places(torch.zeros(1, 2, device=device), self.pair.size, self.pair.size)


def binary(values: Tensor, line: float) -> Tensor:
    """Lines without anything between line, -1, and paper, 1."""
    return torch.where(values < line, -1.0, 1.0).to(values.dtype)


def places(corners: Tensor, side: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Coordinates of pixels, (B, 2, h, w): x and y in [-1, 1] of the whole picture."""
    device = corners.device
    x = (torch.arange(side[1], device=device) + 0.5 + corners[:, :1]) / size[1] * 2 - 1
    y = (torch.arange(side[0], device=device) + 0.5 + corners[:, 1:]) / size[0] * 2 - 1
    return torch.stack([x[:, None, :].expand(-1, side[0], -1), y[:, :, None].expand(-1, -1, side[1])], 1)


def _swap_patches(tensors: Sequence[Tensor], generator: torch.Generator) -> None:
    """Cutmix: exchange two square patches of 32 to 96 pixels, in picture and planes alike."""
    height, width = tensors[0].shape[2:]
    largest = min(96, height, width)
    size = int(torch.randint(min(32, largest), largest + 1, (1,), generator=generator))
    spot = [
        (
            int(torch.randint(0, height - size + 1, (1,), generator=generator)),
            int(torch.randint(0, width - size + 1, (1,), generator=generator)),
        )
        for _ in range(2)
    ]
    (y0, x0), (y1, x1) = spot
    for tensor in tensors:
        first = tensor[:, :, y0 : y0 + size, x0 : x0 + size].clone()
        second = tensor[:, :, y1 : y1 + size, x1 : x1 + size].clone()
        tensor[:, :, y0 : y0 + size, x0 : x0 + size] = second
        tensor[:, :, y1 : y1 + size, x1 : x1 + size] = first
