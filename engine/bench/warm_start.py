"""Whether a start that other pictures taught shortens the training of a picture (ConSinGAN's growing generator).

One network is taught many pictures, a random one each step, stage after stage. A new picture then begins each stage
with that network's weights of this stage instead of fresh ones. Time is the processor's own, so that other programs do
not change the curves.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bench.metrics import sifid
from underdrawing.picture.patch_texture import FROM_AFAR, Hand, TextureLevel, raised
from underdrawing.picture.resize import at_most
from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Progress
from underdrawing.train.methods.consingan import scales
from underdrawing.train.methods.consingan.hyperparameters import ConSinGANHyperparameters
from underdrawing.train.methods.consingan.networks import Critic, GrowingGenerator
from underdrawing.train.methods.consingan.run import PyramidRun

VARIATIONS = 8
FINISHED = 3  # variations that are painted at full size
FULL = 250  # pixels of the longer side of what is painted
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Start:
    """What many pictures taught.

    Attributes:
        stages: of each stage, when it had been trained, the generator's and the critic's weights.
    """

    stages: tuple[tuple[State, State], ...]

    def stage(self, number: int) -> dict[str, Tensor]:
        """Weights of one stage of the generator, from 0."""
        head = f"stages.{number}."
        return {k.removeprefix(head): v for k, v in self.stages[number][0].items() if k.startswith(head)}


@dataclass(frozen=True)
class Point:
    """A point of a curve.

    Attributes:
        seconds: of the processor.
        error: mean square difference of the picture that is made without noise, values from -1 to 1.
        network: SIFID of what the network makes at the size that it trained on.
        finished: SIFID of variations as people get them.
    """

    picture: str
    started: bool
    seconds: float
    iterations: int
    error: float
    network: float
    finished: float


class _StartedGenerator(GrowingGenerator):
    """One whose stages begin as those of a start."""

    def __init__(self, start: Start, f: ConSinGANHyperparameters) -> None:
        super().__init__(f.filters, f.layers, f.normalised, f.slope)
        self.start = start
        self.load_state_dict(start.stages[0][0])

    def grow(self) -> None:
        """One more stage."""
        super().grow()
        number = len(self.stages) - 1
        self.stages[number].load_state_dict(self.start.stage(number))


class StartedRun(PyramidRun):
    """A training of one picture that begins with a start."""

    def __init__(
        self, data: TrainingData, figures: ConSinGANHyperparameters, device: Device, seed: int, start: Start
    ) -> None:
        self.start = start
        super().__init__(data, figures, device, seed)

    def _generator(self) -> GrowingGenerator:
        return _StartedGenerator(self.start, self.figures)

    def _critic(self, level: int) -> Critic:
        critic = super()._critic(level)
        critic.load_state_dict(self.start.stages[0][1])
        return critic


class SharedRun(PyramidRun):
    """A training of many pictures by one network, which becomes a start."""

    def __init__(
        self, pictures: Sequence[np.ndarray], figures: ConSinGANHyperparameters, device: Device, seed: int
    ) -> None:
        self.trained: list[tuple[State, State]] = []
        self.choice = random.Random(seed)
        super().__init__(_data(pictures[0], figures), figures, device, seed)
        several = [_data(rgb, figures).pairs[0].picture for rgb in pictures]
        self.several = [(one, self._sizes((one.shape[3], one.shape[2]))) for one in several]

    def step(self, progress: Progress) -> dict[str, float]:
        """One step on a random picture."""
        self.picture, self.sizes = self.choice.choice(self.several)
        return super().step(progress)

    def _grow_to(self, level: int) -> None:
        while self.level < level:
            self.trained.append(self._weights(self.generator))
            super()._grow_to(self.level + 1)

    def _weights(self, generator: nn.Module) -> tuple[State, State]:
        return copy.deepcopy(generator.state_dict()), copy.deepcopy(self.critic.state_dict())

    def result(self) -> Start:
        """The start, once the last stage has been trained."""
        return Start((*self.trained, self._weights(self.best)))


def _data(rgb: np.ndarray, figures: ConSinGANHyperparameters) -> TrainingData:
    small = at_most(rgb, figures.longest)
    return TrainingData((make_pair(small, {}, None, 1, 1),), 1.0, (0, 0, small.shape[1], small.shape[0]), {})


def train(run: PyramidRun, seconds: float) -> int:
    """Train for so many seconds of the processor: the number of iterations."""
    ends = np.cumsum([stage.share for stage in run.stages])
    begun, iteration = time.process_time(), 0
    while seconds > 0 and (fraction := (time.process_time() - begun) / seconds) < 1:
        run.enter(min(int(np.searchsorted(ends, fraction, "right")), len(ends) - 1))
        run.step(Progress(iteration, fraction))
        iteration += 1
    run.enter(len(ends) - 1)
    return iteration


def made_by(
    pictures: Sequence[np.ndarray], figures: ConSinGANHyperparameters, device: Device, seconds: float, seed: int = 0
) -> Start:
    """A start out of pictures, (H, W, 3) float32 in [0, 1]."""
    run = SharedRun(pictures, figures, device, seed)
    train(run, seconds)
    return run.result()


def curve(
    name: str,
    rgb: np.ndarray,
    figures: ConSinGANHyperparameters,
    device: Device,
    budgets: Sequence[float],
    start: Start | None = None,
    seed: int = 1,
) -> list[Point]:
    """How good a model of a picture is after each of these seconds; every point is a training of its own.

    Args:
        rgb: (H, W, 3) float32 in [0, 1].
        start: None: from fresh weights.
    """
    found = []
    for seconds in budgets:
        data = _data(rgb, figures)
        run = (
            PyramidRun(data, figures, device, seed) if start is None else StartedRun(data, figures, device, seed, start)
        )
        iterations = train(run, seconds)
        found.append(Point(name, start is not None, seconds, iterations, *_quality(run, at_most(rgb, FULL))))
    return found


@torch.no_grad()
def _quality(run: PyramidRun, full: np.ndarray) -> tuple[float, float, float]:
    """`error`, `network` and `finished` of a `Point`."""

    def made(rng: torch.Generator | None) -> Tensor:
        return run.best(*run._inputs(run.picture, rng)).float().cpu()

    def picture(tensor: Tensor) -> np.ndarray:
        values: np.ndarray = ((tensor[0].permute(1, 2, 0).numpy() + 1) / 2).clip(0, 1)
        return values

    wanted = scales.reduced(run.picture, run.sizes[-1])
    error = float(((made(None) - wanted) ** 2).mean())
    drawn = [picture(made(torch.Generator().manual_seed(k))) for k in range(VARIATIONS)]
    network = float(np.mean([sifid(one, picture(wanted)) for one in drawn]))
    levels: dict[float, TextureLevel] = {}
    size = (full.shape[1], full.shape[0])
    seen = [at_most(one, FROM_AFAR) for one in drawn[:FINISHED]]
    finished = [sifid(raised([Hand(full, levels=levels)], one, size).clip(0, 1), full) for one in seen]
    return error, network, float(np.mean(finished))


def as_markdown(points: Sequence[Point]) -> str:
    """A table: a row for each picture and figure, a column for each training."""
    columns = sorted({(p.seconds, p.started) for p in points})
    titles = [f"{seconds:g} s{', started' if started else ''}" for seconds, started in columns]
    lines = ["| | | " + " | ".join(titles) + " |", "|---|---|" + "---|" * len(columns)]
    for name in dict.fromkeys(p.picture for p in points):
        mine = {(p.seconds, p.started): asdict(p) for p in points if p.picture == name}
        for key in ("error", "network", "finished"):
            cells = [f"{mine[column][key]:.3g}" if column in mine else "" for column in columns]
            lines.append(f"| {name} | {key} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])
