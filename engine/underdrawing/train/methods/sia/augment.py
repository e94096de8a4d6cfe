"""Random changes of layout: a pair and the same pair mirrored, scaled, turned, moved and bent (SIA, section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from underdrawing.store.manifest import PlaneKind
from underdrawing.train import tps
from underdrawing.train.data import Pair


@dataclass(frozen=True, eq=False)
class Drawn:
    """Part of a pair and the same part of the changed pair: pictures (1, 3, h, w), planes not encoded yet."""

    picture: Tensor
    planes: Mapping[str, Tensor]
    changed_picture: Tensor
    changed_planes: Mapping[str, Tensor]


class Relayout:
    """Draws changed pairs; the same seed and iteration always draw the same.

    Args:
        flip: probability of mirroring. resize: scale by 1 ± this. rotate: degrees at most. bend: of the shorter side.
        points: control points of a side, which bend. crop: side of the square that is cut out of both; 0: everything.
        cut: of each side at most this part is cut away, and what is left enlarged to the whole.
    """

    def __init__(
        self,
        pair: Pair,
        flip: float,
        resize: float,
        rotate: float,
        bend: float,
        points: int,
        crop: int,
        seed: int,
        cut: float = 0.0,
    ) -> None:
        self.pair, self.flip, self.resize, self.rotate, self.bend, self.cut = pair, flip, resize, rotate, bend, cut
        self.grid, self.crop, self.seed = points, crop, seed
        self.points = tps.control_points(*pair.size, points)

    def draw(self, iteration: int, growth: float) -> Drawn:
        """One pair; `growth`, 0 to 1, is how much of the randomness is used."""
        rng = torch.Generator().manual_seed((self.seed * 1_000_003 + iteration) % (1 << 62))
        height, width = self.pair.size
        rows, columns = (min(self.crop, height), min(self.crop, width)) if self.crop else (height, width)
        corner = (torch.rand(1, 2, generator=rng) * torch.tensor([width - columns + 1, height - rows + 1])).floor()
        shifts = tps.random_shifts(1, self.grid, self.bend * growth, rng) + self._moved(growth, rng)
        mirror = torch.rand(1, generator=rng) < self.flip * growth
        coefficients = tps.solve(self.points, shifts).to(self.pair.picture.device)
        grid = tps.sampling_grid(self.points, coefficients, (height, width), (corner, rows, columns), mirror=mirror)
        x, y = int(corner[0, 0]), int(corner[0, 1])
        window = (..., slice(y, y + rows), slice(x, x + columns))
        planes = {name: plane.values[window] for name, plane in self.pair.planes.items()}
        changed = {
            name: _read(plane.values, grid, "nearest" if plane.kind is PlaneKind.CLASSES else "bilinear")
            for name, plane in self.pair.planes.items()
        }
        picture = self.pair.picture
        return Drawn(picture[window], planes, _read(picture, grid, "bilinear"), changed)

    def _moved(self, growth: float, rng: torch.Generator) -> Tensor:
        """Where turning and scaling about the middle, and moving what then lies outside, take the control points."""
        angle = math.radians(self.rotate) * growth * float(torch.rand(1, generator=rng) * 2 - 1)
        scale = 1 + self.resize * growth * float(torch.rand(1, generator=rng) * 2 - 1)
        middle = self.points.mean(0)
        cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
        turned = (self.points - middle) @ torch.tensor([[cos, sin], [-sin, cos]]) + middle
        away = (torch.rand(1, 2, generator=rng) * 2 - 1) * self.resize * growth / 2
        moved = turned + away
        if self.cut > 0:
            gone = self.cut * growth * float(torch.rand(1, generator=rng))
            moved = moved * (1 - gone) + torch.rand(1, 2, generator=rng) * gone * self.points.amax(0)
        return (moved - self.points)[None]


def _read(values: Tensor, grid: Tensor, mode: str) -> Tensor:
    return F.grid_sample(values, grid, mode=mode, padding_mode="reflection", align_corners=False)
