"""Whether a network that is shown the wanted outlines paints a draft better: a curve over its training.

The network sees what a refiner sees (the draft, its confidence, the areas) and the wanted outlines as a channel of
their own, and may change every detail. It is trained on warps and on edits that are undone, whose outlines are made
anew from the true picture. Films say how good it is: the outlines of a frame are known, and so is the frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.datasets import Set
from bench.lpips import LPIPS
from bench.metrics import outline_fidelity
from underdrawing.draft.draft import Draft, draft
from underdrawing.draft.refiner_input import CHANNELS, class_colours, hints
from underdrawing.picture.edges import canny_edges
from underdrawing.picture.primitive import Primitive
from underdrawing.train.ema import Average
from underdrawing.train.methods.refine.samples import TrainingSample, edited, warped
from underdrawing.train.networks import SkipGenerator
from underdrawing.train.perceptual import Features, perceptual

SIGMA = 1.5  # of the outlines: fine enough for windows and wheels at 128 pixels
WIDTHS = (24, 48, 96, 128)
BATCH, RATE = 2, 1e-3
PIXEL, PERCEPTUAL, DEPTH = 2.0, 1.0, 3  # weights of the losses; VGG16's features to relu3_1
HELD_OUT = 6  # undone edits that are never trained on
HORIZON = 0.2  # share of the steps that the averaged weights span


@dataclass(frozen=True)
class OutlinePoint:
    """A point of the curve: means over the frames, and over undone edits that were never trained on.

    Attributes:
        seconds: of the processor, in training alone.
        lpips: AlexNet, smaller is better.
        outlines: F1 at 2 pixels where outlines changed, larger is better.
        undone: LPIPS of undone edits.
    """

    name: str
    iterations: int
    seconds: float
    lpips: float
    outlines: float
    undone: float


class OutlinePainter(torch.nn.Module):
    """The draft and what a U-Net adds to it: (B, 12, H, W) to (B, 3, H, W) in [-1, 1]; sides are multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        self.body = SkipGenerator(CHANNELS + 1, WIDTHS, 2)
        torch.nn.init.normal_(self.body.last.weight, 0.0, 1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """What is added is at most all there is, so that anything can be painted over the draft."""
        return (x[:, :3] + 2 * self.body(x)).clamp(-1, 1)


def outlined(picture: np.ndarray, segments: np.ndarray | None, like: Primitive) -> Primitive:
    """A primitive whose outlines are those of a picture (H, W, 3) in [0, 1]."""
    return Primitive(segments, like.palette, canny_edges((picture * 255 + 0.5).astype(np.uint8), SIGMA), None)


def sample(picture: np.ndarray, own: Primitive, random: np.random.Generator, back: bool) -> TrainingSample:
    """A draft with its faults and the truth beside it, the outlines made anew from the true picture.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        own: its areas and outlines.
        back: an edit that is undone, or a warp.
    """
    colours = class_colours(picture, own)
    if not back:
        truth, goal = warped(picture, own, random)
        goal = outlined(truth, goal.segments, own)
        return _sample(draft(picture, own, goal), goal, truth, colours)
    other = edited(own, random)
    broken = draft(picture, own, other).picture
    return _sample(draft(broken, outlined(broken, other.segments, own), own), own, picture, colours)


def _sample(found: Draft, goal: Primitive, truth: np.ndarray, colours: np.ndarray | None) -> TrainingSample:
    return TrainingSample(_given(found, goal, colours), (truth.transpose(2, 0, 1) * 2 - 1).astype(np.float16))


def _given(found: Draft, goal: Primitive, colours: np.ndarray | None) -> np.ndarray:
    """(12, H, W) float16: a refiner's hints, and 1 where an outline is wanted."""
    if goal.edges is None:
        raise ValueError("the outlines are missing")
    return np.concatenate([hints(found, goal, colours), (goal.edges < 128)[None]]).astype(np.float16)


def curve(
    data: Set, weights: Path, samples: int, minutes: Sequence[float], seed: int, say: Callable[[str], None]
) -> Iterator[OutlinePoint]:
    """Train on a film's first picture, and measure the frames after so many minutes of the processor each.

    Args:
        weights: the folder of pretrained weights.
        samples: what is trained on, made once.
        minutes: rising.

    Yields:
        the unchanged picture, the draft, and a point for each of the minutes.
    """
    torch.manual_seed(seed)
    lpips, features = LPIPS(weights), Features("vgg16", weights / "vgg16.safetensors", DEPTH)
    picture, before = _cut(data.picture), outlined(_cut(data.picture), _cut(data.classes), _primitive(data))
    colours = class_colours(picture, before)
    frames = []
    for frame in data.frames:
        if frame.truth is not None:
            truth = _cut(frame.truth)
            goal = outlined(truth, _cut(frame.classes), before)
            frames.append((_given(draft(picture, before, goal), goal, colours), truth, goal))
    bank = []
    for number in range(HELD_OUT + samples):
        random = np.random.default_rng([seed, number])
        bank.append(sample(picture, before, random, number < HELD_OUT or random.random() < 0.6))
        if number % 20 == 0:
            say(f"sample {number} of {HELD_OUT + samples}")
    held, bank = bank[:HELD_OUT], bank[HELD_OUT:]
    with torch.no_grad():
        goals = [[f.half() for f in features(_tensor([one.truth]))] for one in bank]

    def point(name: str, iterations: int, seconds: float, make: Callable[[np.ndarray], np.ndarray]) -> OutlinePoint:
        made = [make(given) for given, _, _ in frames]
        far = [lpips(one, truth) for one, (_, truth, _) in zip(made, frames, strict=True)]
        lines = [
            outline_fidelity(one, goal.edges, before.edges, SIGMA)
            for one, (_, _, goal) in zip(made, frames, strict=True)
            if goal.edges is not None and before.edges is not None
        ]
        back = [lpips(make(one.hints), picture) for one in held]
        return OutlinePoint(name, iterations, round(seconds, 1), *(float(np.nanmean(v)) for v in (far, lines, back)))

    yield point("unchanged", 0, 0, lambda _: picture)
    yield point("draft", 0, 0, _drafted)
    network = OutlinePainter()
    averaged = Average(network)
    steps = torch.optim.Adam(network.parameters(), RATE, (0.9, 0.99))
    choice, iteration, spent = np.random.default_rng(seed), 0, 0.0
    for until in minutes:
        while spent < until * 60:
            begun = time.process_time()
            numbers = choice.integers(0, len(bank), BATCH)
            x, true = _tensor([bank[k].hints for k in numbers]), _tensor([bank[k].truth for k in numbers])
            goal_features = [torch.cat(level).float() for level in zip(*(goals[k] for k in numbers), strict=True)]
            made = network(x)
            loss = PIXEL * F.l1_loss(made, true) + PERCEPTUAL * perceptual(features(made), goal_features)
            for group in steps.param_groups:
                group["lr"] = RATE * min(1.0, (iteration + 1) / 50) * min(1.0, 1.2 - spent / (60 * minutes[-1]))
            steps.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            steps.step()
            averaged.update(network, HORIZON)
            iteration += 1
            spent += time.process_time() - begun
            if iteration % 50 == 0:
                say(f"{iteration} iterations, {spent:.0f} s, loss {float(loss):.4f}")
        yield point("painted", iteration, spent, lambda given: _painted(averaged.network, given))


def _primitive(data: Set) -> Primitive:
    return Primitive(data.classes, data.palette, None, None)


def _cut(array: np.ndarray) -> np.ndarray:
    """Without what is over a multiple of 8 pixels."""
    return np.ascontiguousarray(array[: array.shape[0] // 8 * 8, : array.shape[1] // 8 * 8])


def _tensor(arrays: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


def _drafted(given: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((given[:3].transpose(1, 2, 0).astype(np.float32) / 2 + 0.5).clip(0, 1))


@torch.no_grad()
def _painted(network: torch.nn.Module, given: np.ndarray) -> np.ndarray:
    made = network(_tensor([given]))[0].permute(1, 2, 0).numpy()
    return np.ascontiguousarray((made / 2 + 0.5).clip(0, 1))


def as_markdown(points: Sequence[OutlinePoint]) -> str:
    """The table."""
    lines = ["| | iterations | processor seconds | lpips | outlines | undone |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {p.name} | {p.iterations or ''} | {p.seconds:.0f} | {p.lpips:.4f} | {p.outlines:.3f} | {p.undone:.4f} |"
        for p in points
    ]
    return "\n".join(lines) + "\n"
