"""Draft and refinement: real pixels are carried along, and a network evens out their light and colours.

What makes the draft is in `underdrawing.draft`; the training samples are those that the picture itself gives
(`underdrawing.train.methods.refine.samples`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from underdrawing.draft.refiner_input import CHANNELS, GATE
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive
from underdrawing.store.manifest import ApplyPlan, Encoding, GraphInput, GraphSpec, PlaneSpec, Procedure
from underdrawing.train.base_run import BaseRun, Part
from underdrawing.train.data import Pair, TrainingData
from underdrawing.train.device import Device
from underdrawing.train.ema import Average
from underdrawing.train.method import (
    ExportGraph,
    Progress,
    Recipe,
    make_recipe,
)
from underdrawing.train.methods.draft.run import PLANES, check_planes
from underdrawing.train.methods.refine.judge import RepairJudge, RepairVerdict
from underdrawing.train.methods.refine.networks import Refiner
from underdrawing.train.methods.refine.samples import TrainingSample, cycle_sample, training_sample
from underdrawing.train.perceptual import Features, find_features, missing_features, perceptual

FIRST_SAMPLES = 3  # before the first step
SAMPLE_EVERY = 3  # steps, until there are enough samples
RENEW_EVERY = 20  # steps, after that
MEMORY = 256 << 20  # bytes that samples may take
GRID = 16  # pixels between places that a crop may begin at
SLACK = 1e-3  # weight of a crop with nothing to repair
LEAST = 0.02  # of a batch: losses are counted as if at least so much were to be repaired
_HERE = "a first choice, tried on a talking face and a street scene; not tuned"


@dataclass(frozen=True)
class RefineHyperparameters:
    """Hyper-parameters; each has its source in the recipe."""

    lessons: int  # kept at most
    crop: int
    batch: int
    perceptual: float
    perceptual_network: str
    perceptual_depth: int
    perceptual_from: float  # part of the training after which it joins, as it costs four times as much
    pixel: float
    painted: float  # weight of the painted picture's own loss beside that of what is taken
    clip: float  # norm of the gradient
    rate: float
    beta1: float
    beta2: float
    constant: float  # part of the training before the rate falls
    average: float
    pixels: int
    pixels_gpu: int


# Tables, laid out by hand: hyperparameters by their source.
# fmt: off
REFINED = make_recipe(
    "refine", "The draft, plus trained repairs of light and colours where it is unsure", RefineHyperparameters, {
    _HERE: {"lessons": 64, "crop": 128, "batch": 4, "perceptual_from": 0.6, "pixel": 20.0, "painted": 1.0, "clip": 6.0,
        "rate": 1e-3, "beta1": 0.9, "beta2": 0.99, "constant": 0.5, "average": 0.1},
    "not worth its time: repairs are smooth": {"perceptual": 0.0},
    "smaller than VGG19, shipped by a registry package": {"perceptual_network": "vgg16"},
    "relu1_1 to relu3_1: textures and seams, not objects": {"perceptual_depth": 3},
    "as the draft: half a second on two processor cores": {"pixels": 640 * 480},
    "as the draft, which runs on processors": {"pixels_gpu": 640 * 480},
}, budget=300.0)
# fmt: on


class Refine:
    """The method as data."""

    name = "refine"
    title = "Draft and refinement: an immediate result whose colours improve with training"
    planes: Sequence[PlaneSpec] = PLANES
    needs_training = True
    many = False
    recipes: Mapping[str, Recipe] = {REFINED.name: REFINED}
    default_recipe = REFINED.name

    def stride(self, recipe: Recipe) -> int:
        """Nothing is padded before it is drafted."""
        return 1

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """Bigger pictures are reduced to this many pixels before they are trained on; 0: never."""
        return int(recipe.figures.pixels_gpu if device.is_cuda else recipe.figures.pixels)

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> RefineRun:
        """A run with fresh weights.

        Raises:
            TrainingError: there are neither segments nor edges.
        """
        check_planes(data)
        return RefineRun(data, recipe.figures, device, seed)


METHOD = Refine()


class RefineRun(BaseRun):
    """One training: samples, the refiner, its optimiser."""

    def __init__(self, data: TrainingData, figures: RefineHyperparameters, device: Device, seed: int) -> None:
        torch.manual_seed(seed)
        self.figures, self.device, self.data, self.seed = figures, device, data, seed
        self.picture, self.primitive = _arrays(data.pairs[0])
        self.network = device.place(Refiner())
        self.averaged = Average(self.network)
        self.steps = torch.optim.Adam(self.network.parameters(), figures.rate, (figures.beta1, figures.beta2))
        self.crop, self.batch = figures.crop, figures.batch
        self.features = self._features()
        if figures.perceptual > 0:
            self.notes = missing_features(figures.perceptual_network, self.features)
        self.shown = cycle_sample(self.picture, self.primitive, np.random.default_rng(seed))
        each = self.shown.hints.nbytes + self.shown.truth.nbytes
        self.most = max(FIRST_SAMPLES, min(figures.lessons, MEMORY // each))
        self.samples: list[_Kept] = []
        self.made = 0
        self._judge: RepairJudge | None = None
        self._judged: tuple[int, RepairVerdict] | None = None

    def _features(self) -> Features | None:
        f = self.figures
        if f.perceptual <= 0:
            return None
        found = find_features(f.perceptual_network, self.data.features, f.perceptual_depth)
        return None if found is None else self.device.place(found)

    def _prepare(self, iteration: int) -> None:
        """New samples: a few before the first step, then some between steps, so that training begins at once."""
        while len(self.samples) < FIRST_SAMPLES:
            self._add(iteration)
        if iteration % (SAMPLE_EVERY if len(self.samples) < self.most else RENEW_EVERY) == 0:
            self._add(iteration)

    def _add(self, iteration: int) -> None:
        random = np.random.default_rng([self.seed, iteration, self.made])
        kept = _Kept.of(training_sample(self.picture, self.primitive, random), self.crop)
        if len(self.samples) < self.most:
            self.samples.append(kept)
        else:
            self.samples[self.made % self.most] = kept
        self.made += 1

    def _draw(self, iteration: int) -> tuple[Tensor, Tensor]:
        """Crops of samples where there is something to repair: hints and truth."""
        random = np.random.default_rng([self.seed, iteration])
        hints, truths = [], []
        for number in random.integers(0, len(self.samples), self.batch):
            one, two = self.samples[int(number)].crop(random, self.crop)
            hints.append(one)
            truths.append(two)
        return torch.from_numpy(np.stack(hints)), torch.from_numpy(np.stack(truths))

    def step(self, progress: Progress) -> dict[str, float]:
        """One step."""
        f, device = self.figures, self.device
        self._prepare(progress.iteration)
        falling = min(1.0, (1 - progress.fraction) / max(1e-6, 1 - f.constant), (progress.iteration + 1) / 25)
        for group in self.steps.param_groups:
            group["lr"] = f.rate * falling * self.pace
        given, truth = self._draw(progress.iteration)
        x, truth = device.put(given), device.put(truth)
        gate = x[:, GATE : GATE + 1]
        amount = gate.mean() + LEAST
        with device.autocast():
            painted, share = self.network.painted(x)
            made = Refiner.blended(x, painted, share)
        # What is painted is trained separately, whatever share of it is taken: else bad beginnings are never taken up.
        parts = {
            "pixel": f.pixel * ((made.float() - truth).abs() * gate).mean() / amount,
            "painted": f.pixel * f.painted * ((painted.float() - truth).abs() * gate).mean() / amount,
        }
        if self.features is not None and progress.fraction >= f.perceptual_from:
            with device.autocast():
                with torch.no_grad():
                    goal = self.features(truth)
                ours = self.features(made)
            parts["perceptual"] = f.perceptual * perceptual(ours, goal)
        total = torch.stack([part.float() for part in parts.values()]).sum()
        self.steps.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), f.clip)
        self.steps.step()
        self.averaged.update(self.network, f.average)
        return {name: part.item() for name, part in parts.items()}

    def first(self) -> ApplyPlan | None:
        """The draft alone."""
        return self._plan((), (), Procedure.DRAFT)

    @torch.no_grad()
    def sample(self) -> Tensor:
        """The picture after an edit and the way back, repaired: the better, the longer the training."""
        hints = torch.from_numpy(self.shown.hints.astype(np.float32))[None]
        height, width = hints.shape[2:]
        extra = (-width % Refiner.stride, -height % Refiner.stride)
        padded = F.pad(hints, (0, extra[0], 0, extra[1]), mode="replicate")
        with self.device.autocast():
            made: Tensor = self.averaged.network(self.device.put(padded))
        return made.float()[..., :height, :width]

    def parts(self) -> Mapping[str, Part]:
        """The network, its average, the optimiser; samples are made anew."""
        return {"network": self.network, "averaged": self.averaged, "steps": self.steps}

    def shrink(self) -> str:
        """Fewer crops at a time, then smaller ones."""
        if self.batch > 1:
            self.batch //= 2
            return f"{self.batch} pieces at a time"
        if self.crop > 64:
            self.crop = 64
            self.samples = []
            return "pieces of 64 x 64 pixels"
        return ""

    def graphs(self) -> Sequence[ExportGraph]:
        """The refiner."""
        network = copy.deepcopy(self.averaged.network).cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
        side = 8 * Refiner.stride
        generator = torch.Generator().manual_seed(0)
        hints = torch.rand(1, CHANNELS, side, side, generator=generator)
        return [ExportGraph("generator.onnx", network, {"hints": hints})]

    def plan(self) -> ApplyPlan:
        """The renderer drafts, and runs the graph where the draft is unsure, in areas where that was found better."""
        entry = GraphInput("hints", "hints", Encoding.HINTS, CHANNELS)
        graphs = (GraphSpec("generator.onnx", (entry,)),)
        return self._plan(graphs, self._verdict().areas, Procedure.REFINE)

    def measured(self) -> dict[str, Any]:
        """How much closer to the picture the repairs are in edits that are undone, none of them trained on."""
        return self._verdict().public()

    def _verdict(self) -> RepairVerdict:
        """On the averaged weights as they are now."""
        if self._judge is None:
            f = self.figures
            features = find_features(f.perceptual_network, self.data.features, f.perceptual_depth)
            placed = None if features is None else self.device.place(features)
            self._judge = RepairJudge(self.picture, self.primitive, self.device, placed)
        if self._judged is None or self._judged[0] != self.averaged.steps:
            self._judged = self.averaged.steps, self._judge.verdict(self.averaged.network)
        return self._judged[1]

    def _plan(self, graphs: tuple[GraphSpec, ...], areas: tuple[int, ...] | None, procedure: Procedure) -> ApplyPlan:
        return ApplyPlan(
            graphs=graphs,
            procedure=procedure,
            stride=Refiner.stride,
            minimum=Refiner.stride * 2,
            halo=self.network.halo,
            scale=self.data.scale,
            region=self.data.region,
            areas=areas,
        )


@dataclass(frozen=True, eq=False)
class _Kept:
    """A training sample with the places where a crop of it is worth training on.

    Attributes:
        sample: at least a crop high and wide.
        corners: (n, 2) row and column.
        weights: (n,), their sum is 1.
    """

    sample: TrainingSample
    corners: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, one: TrainingSample, crop: int) -> _Kept:
        short = [max(0, crop - side) for side in one.truth.shape[1:]]
        if any(short):
            wide = ((0, 0), (0, short[0]), (0, short[1]))
            one = TrainingSample(np.pad(one.hints, wide, "symmetric"), np.pad(one.truth, wide, "symmetric"))
        gate = one.hints[GATE].astype(np.float64)
        sums = np.pad(gate.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        rows, columns = (np.unique(np.append(np.arange(0, n - crop + 1, GRID), n - crop)) for n in gate.shape)
        y, x = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
        inside = sums[y + crop, x + crop] - sums[y, x + crop] - sums[y + crop, x] + sums[y, x]
        weights = inside / crop**2 + SLACK
        return cls(one, np.stack([y, x], 1), weights / weights.sum())

    def crop(self, random: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
        """A square of hints and truth, mirrored half of the time, float32."""
        y, x = self.corners[int(random.choice(len(self.corners), p=self.weights))]
        part = (slice(None), slice(y, y + side), slice(x, x + side))
        pair = self.sample.hints[part], self.sample.truth[part]
        if random.random() < 0.5:
            pair = pair[0][..., ::-1], pair[1][..., ::-1]
        return np.ascontiguousarray(pair[0], np.float32), np.ascontiguousarray(pair[1], np.float32)


def _arrays(pair: Pair) -> tuple[np.ndarray, Primitive]:
    """Picture (H, W, 3) in [0, 1] and primitive of a training pair, without its padding."""
    height, width = pair.inside
    picture = pair.picture[0, :, :height, :width].permute(1, 2, 0).numpy() / 2 + 0.5
    segments = edges = palette = None
    if "segments" in pair.planes:
        plane = pair.planes["segments"]
        segments = plane.values[0, 0, :height, :width].numpy().astype(np.uint8)
        if plane.colours is not None:
            palette = Palette(np.rint((plane.colours.numpy() + 1) * 127.5).astype(np.uint8))
    if "edges" in pair.planes:
        values = pair.planes["edges"].values[0, 0, :height, :width].numpy()
        edges = np.rint((values + 1) * 127.5).astype(np.uint8)
    return np.ascontiguousarray(picture, np.float32), Primitive(segments, palette, edges, None)
