"""Whether the trained repairs are better than the draft on this picture, area by area.

Edits of the picture that are drafted and then undone are the only ones whose true result is known: the picture itself.
A few are kept out of the training; what the network makes of them is compared with the draft where that is unsure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.draft.refiner_input import GATE
from underdrawing.picture.primitive import Primitive
from underdrawing.train.device import Device
from underdrawing.train.methods.refine.networks import Refiner
from underdrawing.train.methods.refine.samples import cycle_sample
from underdrawing.train.perceptual import Features

EDITS = 6  # that are undone, and never trained on
SEED = 1 << 21  # far from those of trainings
SIDE = 160  # pixels of the square of each that is looked at
BETTER = 0.03  # share by which the distance must fall
OPEN = 0.05  # of the gate: below, nearly nothing may be changed
LEAST = 64  # such pixels of an area: fewer say nothing about it


@dataclass(frozen=True)
class RepairVerdict:
    """What was measured.

    Attributes:
        areas: classes in which the repairs are better; None: everywhere, of a primitive without areas.
        seen: areas that the undone edits uncovered.
        draft, trained: mean distance to the picture in the areas where the repairs are used, else in all.
    """

    areas: tuple[int, ...] | None
    seen: int
    draft: float
    trained: float

    def public(self) -> dict[str, Any]:
        """For the manifest: `closer` is the share by which the distance fell, 0 where the repairs are not used."""
        used = self.seen if self.areas is None else len(self.areas)
        closer = 1 - self.trained / self.draft if used and self.draft else 0.0
        return {"edits": EDITS, "areas": self.seen, "used": used, "closer": round(closer, 4)}


class RepairJudge:
    """Undone edits of a picture, and the draft's distance in them.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        features: VGG, whose features are compared; without it, colours are.
    """

    def __init__(self, picture: np.ndarray, own: Primitive, device: Device, features: Features | None) -> None:
        self.device, self.features, self.plain = device, features, own.segments is None
        classes = np.zeros(picture.shape[:2], np.uint8) if own.segments is None else own.segments
        hints, truths, areas = [], [], []
        for number in range(EDITS):
            one = cycle_sample(picture, own, np.random.default_rng(SEED + number))
            part = _square(one.hints[GATE])
            hints.append(_filled(one.hints[(slice(None), *part)]))
            truths.append(_filled(one.truth[(slice(None), *part)]))
            areas.append(_filled(classes[part][None])[0])
        self.hints = torch.from_numpy(np.stack(hints).astype(np.float32))
        self.truth = torch.from_numpy(np.stack(truths).astype(np.float32))
        self.areas, self.open = np.stack(areas), np.stack(hints)[:, GATE] > OPEN
        self.goals = [self._features(one) for one in self.truth]
        self.draft = self._distance(self.hints[:, :3])

    def verdict(self, network: nn.Module) -> RepairVerdict:
        """Where this network's repairs are better than the draft."""
        with torch.no_grad():
            made = torch.cat([network(self.device.put(one[None])).float().cpu() for one in self.hints])
        trained, better, seen = self._distance(made), [], []
        for area in np.unique(self.areas[self.open]):
            where = self.open & (self.areas == area)
            if where.sum() >= LEAST:
                seen.append(int(area))
                if trained[where].mean() < (1 - BETTER) * self.draft[where].mean():
                    better.append(int(area))
        counted = self.open & np.isin(self.areas, better or seen)
        means = (float(one[counted].mean()) if counted.any() else 0.0 for one in (self.draft, trained))
        return RepairVerdict(None if self.plain and better else tuple(better), len(seen), *means)

    @torch.no_grad()
    def _distance(self, made: Tensor) -> np.ndarray:
        """(N, H, W): of colours, or of normalised features as LPIPS compares them, without its weights."""
        if self.features is None:
            return (made - self.truth).abs().mean(1).numpy()
        total = torch.zeros(made.shape[0], *made.shape[2:])
        for number, (one, goal) in enumerate(zip(made, self.goals, strict=True)):
            for ours, truth in zip(self._features(one), goal, strict=True):
                apart = (ours - truth).pow(2).sum(1, keepdim=True)
                total[number] += F.interpolate(apart, made.shape[2:], mode="bilinear")[0, 0]
        return total.numpy()

    @torch.no_grad()
    def _features(self, picture: Tensor) -> list[Tensor]:
        """Of (3, H, W), each level's of length 1."""
        found = [] if self.features is None else self.features(self.device.put(picture[None]))
        return [F.normalize(level.float(), dim=1).cpu() for level in found]


def _square(gate: np.ndarray) -> tuple[slice, slice]:
    """The square with the most that may be changed, as large as the picture allows."""
    sums = np.pad(gate.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = (min(SIDE, side) for side in gate.shape)
    inside = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return slice(int(y), int(y) + rows), slice(int(x), int(x) + columns)


def _filled(part: np.ndarray) -> np.ndarray:
    """(C, h, w), mirrored on to multiples of the network's stride."""
    extra = [(0, -side % Refiner.stride) for side in part.shape[1:]]
    return np.pad(part, [(0, 0), *extra], mode="symmetric")
