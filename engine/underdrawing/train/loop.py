"""The training loop: the same for every method.

It only counts, reports, saves and decides when it is over; what a step does is the run's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from underdrawing.store.manifest import CHECKPOINT_FILE
from underdrawing.train import checkpoint
from underdrawing.train.checkpoint import Standing
from underdrawing.train.method import Progress, Run, TrainingError

# How often, in seconds; and how much of the time saving and sampling may cost at most.
REPORT_EVERY = 0.25
SAMPLE_EVERY = 3.0
SAMPLE_SHARE = 0.04
SAVE_EVERY = 15.0
SAVE_SHARE = 0.03
USE_EVERY = 10.0
USE_SHARE = 0.25
CALM_AT_MOST = 4


class Outcome(StrEnum):
    """How a training ended."""

    DONE = "done"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Limits:
    """When a training is over: after so many steps, or after so many seconds. Exactly one is given."""

    iterations: int | None
    budget: float | None

    def fraction(self, iteration: int, elapsed: float) -> float:
        """How much is done, 0 to 1."""
        if self.iterations is not None:
            return min(1.0, iteration / max(1, self.iterations))
        return min(1.0, elapsed / max(1e-6, self.budget or 0.0))


@dataclass(frozen=True)
class Report:
    """What is shown while a training runs."""

    iteration: int
    iterations: int | None
    elapsed: float  # seconds
    left: float | None  # seconds, None while unknown
    rate: float  # iterations a second
    fraction: float
    losses: dict[str, float]
    stage: str


class Watcher(Protocol):
    """Receives progress, and may stop the training."""

    def progress(self, report: Report) -> None: ...

    def sample(self, picture: Tensor) -> None:
        """(1, 3, H, W) in [-1, 1]."""

    def usable(self, iteration: int) -> None:
        """What was trained so far can be used already: called from time to time for runs that support it."""

    def note(self, text: str) -> None:
        """A sentence for the user."""

    def wanted(self) -> str | None:
        """None, "pause" or "cancel"."""


@dataclass(frozen=True)
class Result:
    """What a training came to."""

    outcome: Outcome
    standing: Standing
    losses: dict[str, float]
    saving: float  # part of the time that checkpoints took


def _out_of_memory(error: BaseException) -> bool:
    text = str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError)
        and any(part in text for part in ("allocate memory", "out of memory", "bad_alloc", "DefaultCPUAllocator"))
    )


class _Clock:
    """Says when something is due that may cost only a share of the time."""

    def __init__(self, every: float, share: float) -> None:
        self.every, self.share, self.next, self.cost = every, share, time.monotonic() + every, 0.0

    def due(self) -> bool:
        return time.monotonic() >= self.next

    def run(self, action: Callable[[], object]) -> None:
        start = time.monotonic()
        action()
        spent = time.monotonic() - start
        self.cost += spent
        self.next = time.monotonic() + max(self.every, spent / self.share)


def train(run: Run, limits: Limits, folder: Path, watcher: Watcher, signature: str = "", writes: bool = True) -> Result:
    """Train until the limit, or until somebody wants something else.

    A checkpoint in `folder` that bears the same signature is resumed.

    Args:
        writes: whether checkpoints are written; of several processes that train together, one does.

    Raises:
        TrainingError: losses stay infinite, or memory does not suffice for the smallest work.
    """
    path = folder / CHECKPOINT_FILE
    standing = Standing(0, 0.0, -1, 0, signature)
    found = checkpoint.load(path, signature)
    if found is not None:
        state, standing = found
        run.load_state(state)
        for _ in range(standing.calmed):
            run.calm()
    iteration, elapsed, calmed, stage = standing.iteration, standing.elapsed, standing.calmed, -1
    shares = [sum(s.share for s in run.stages[: k + 1]) for k in range(len(run.stages))]
    losses: dict[str, float] = {}
    reports, samples, saves, uses = (
        _Clock(REPORT_EVERY, 1.0),
        _Clock(SAMPLE_EVERY, SAMPLE_SHARE),
        _Clock(SAVE_EVERY, SAVE_SHARE),
        _Clock(USE_EVERY, USE_SHARE),
    )
    early = run.first() is not None
    began, first, before = time.monotonic(), iteration, elapsed

    def save() -> None:
        if writes:
            checkpoint.save(path, run.state(), Standing(iteration, elapsed, max(stage, 0), calmed, signature))

    def result(outcome: Outcome) -> Result:
        return Result(
            outcome,
            Standing(iteration, elapsed, max(stage, 0), calmed, signature),
            losses,
            saves.cost / max(elapsed, 1e-6),
        )

    if found is None:
        saves.run(save)  # what to go back to when the first losses are infinite already
    while (fraction := limits.fraction(iteration, elapsed)) < 1:
        wanted = watcher.wanted()
        if wanted == "cancel":
            return result(Outcome.CANCELLED)
        if wanted == "pause":
            saves.run(save)
            return result(Outcome.PAUSED)
        reached = next((k for k, share in enumerate(shares) if fraction < share), len(shares) - 1)
        if reached != stage:
            stage = reached
            run.enter(stage)
        try:
            losses = run.step(Progress(iteration, fraction))
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            _shrink(run, watcher)
            continue
        if not all(math.isfinite(value) for value in losses.values()):
            calmed += 1
            iteration, elapsed = _calm(run, path, signature, calmed, watcher)
            continue
        iteration += 1
        elapsed = before + time.monotonic() - began
        if reports.due():
            rate = (iteration - first) / max(1e-6, elapsed - before)
            left = (
                (limits.iterations - iteration) / rate
                if limits.iterations is not None
                else (limits.budget or 0) - elapsed
            )
            watched = Report(
                iteration,
                limits.iterations,
                elapsed,
                max(0.0, left),
                rate,
                limits.fraction(iteration, elapsed),
                losses,
                run.stages[stage].name,
            )
            reports.run(lambda: watcher.progress(watched))  # noqa: B023 - called at once
        if samples.due():
            samples.run(lambda: watcher.sample(run.sample()))
        if saves.due():
            saves.run(save)
        if early and uses.due():
            uses.run(lambda: watcher.usable(iteration))  # noqa: B023 - called at once
    saves.run(save)
    watcher.sample(run.sample())
    return result(Outcome.DONE)


def _shrink(run: Run, watcher: Watcher) -> None:
    """Less work a step after memory ran out."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    smaller = run.shrink()
    if not smaller:
        raise TrainingError(
            "out_of_memory",
            "There is not enough memory to train on this picture, even with the smallest patches.",
            "Close other programs, choose a smaller region, or train on another device.",
        )
    watcher.note(f"Memory ran out; training continues with {smaller}.")


def _calm(run: Run, path: Path, signature: str, calmed: int, watcher: Watcher) -> tuple[int, float]:
    """Back to the last good state with smaller steps; returns its iteration and elapsed seconds."""
    found = checkpoint.load(path, signature)
    if calmed > CALM_AT_MOST or found is None:
        raise TrainingError(
            "diverged",
            "Training diverged.",
            "Try the quick recipe or a lower learning rate.",
        )
    state, standing = found
    run.load_state(state)
    run.calm()
    watcher.note("The losses became infinite; training continues from the last good state with a lower learning rate.")
    return standing.iteration, standing.elapsed
