"""The loop: it trains, repeats, resumes, stops when asked, and survives what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from torch import Tensor

from underdrawing.store.manifest import CHECKPOINT_FILE
from underdrawing.train import checkpoint, loop
from underdrawing.train.loop import Limits, Outcome, Report
from underdrawing.train.method import Progress, Run, TrainingError

Begin = Callable[..., Run]


@dataclass
class Notebook:
    """A watcher that writes everything down and wants something after a number of steps."""

    wish: str | None = None
    after: int = 0
    asked: int = 0
    notes: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    samples: list[Tensor] = field(default_factory=list)

    def progress(self, report: Report) -> None:
        self.reports.append(report)

    def sample(self, picture: Tensor) -> None:
        self.samples.append(picture)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def wanted(self) -> str | None:
        self.asked += 1
        return self.wish if self.wish and self.asked > self.after else None


def test_training_fits_the_picture(begin: Begin, pair, tmp_path: Path) -> None:
    run = begin(gan=0.0)
    before = (run.sample() - pair.picture).abs().mean()
    result = loop.train(run, Limits(120, None), tmp_path, Notebook())
    assert result.outcome is Outcome.DONE
    assert (run.sample() - pair.picture).abs().mean() < 0.6 * before


def test_the_same_seed_gives_the_same_model(begin: Begin, tmp_path: Path) -> None:
    samples = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = begin(seed=4)
        loop.train(run, Limits(6, None), folder, Notebook())
        samples.append(run.sample())
    assert torch.equal(*samples)
    other = begin(seed=5)
    loop.train(other, Limits(6, None), tmp_path, Notebook())
    assert not torch.equal(samples[0], other.sample())


def test_a_paused_training_ends_as_one_that_was_not(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    straight = begin()
    loop.train(straight, Limits(8, None), tmp_path / "a", Notebook(), "x")
    first = loop.train(begin(), Limits(8, None), tmp_path / "b", Notebook("pause", 4), "x")
    assert first.outcome is Outcome.PAUSED
    assert first.standing.iteration == 4
    resumed = begin()
    second = loop.train(resumed, Limits(8, None), tmp_path / "b", Notebook(), "x")
    assert second.standing.iteration == 8
    assert (resumed.sample() - straight.sample()).abs().max() < 1e-5


def test_a_checkpoint_of_another_training_is_not_resumed(begin: Begin, tmp_path: Path) -> None:
    loop.train(begin(), Limits(3, None), tmp_path, Notebook(), "one")
    assert checkpoint.load(tmp_path / CHECKPOINT_FILE, "another") is None
    result = loop.train(begin(), Limits(2, None), tmp_path, Notebook(), "another")
    assert result.standing.iteration == 2


def test_a_damaged_checkpoint_is_not_resumed(begin: Begin, tmp_path: Path) -> None:
    loop.train(begin(), Limits(2, None), tmp_path, Notebook(), "x")
    path = tmp_path / CHECKPOINT_FILE
    path.write_bytes(path.read_bytes()[:1000])
    assert checkpoint.load(path, "x") is None
    assert loop.train(begin(), Limits(2, None), tmp_path, Notebook(), "x").outcome is Outcome.DONE


def test_cancel_stops_before_the_next_step(begin: Begin, tmp_path: Path) -> None:
    result = loop.train(begin(), Limits(1000, None), tmp_path, Notebook("cancel", 2))
    assert result.outcome is Outcome.CANCELLED
    assert result.standing.iteration == 2


def test_a_budget_is_kept_and_reported(begin: Begin, tmp_path: Path) -> None:
    watcher = Notebook()
    result = loop.train(begin(), Limits(None, 2.0), tmp_path, watcher)
    assert result.standing.elapsed >= 2.0
    assert result.standing.iteration >= 1
    assert [r.fraction for r in watcher.reports] == sorted(r.fraction for r in watcher.reports)
    assert all(r.left is not None and r.left <= 2.0 for r in watcher.reports)
    assert len(watcher.samples) >= 1


class Fragile:
    """A real run whose steps fail as asked: infinite losses or memory that runs out, so many times."""

    def __init__(self, run: Run, error: Exception | None, times: int) -> None:
        self.run, self.error, self.times, self.calls, self.shrunk, self.calmed = run, error, times, 0, 0, 0
        self.stages, self.notes = run.stages, run.notes

    def __getattr__(self, name: str) -> object:
        return getattr(self.run, name)

    def step(self, progress: Progress) -> dict[str, float]:
        self.calls += 1
        if 2 < self.calls <= 2 + self.times:
            if self.error is not None:
                raise self.error
            return {"pixel": float("nan")}
        return self.run.step(progress)

    def shrink(self) -> str:
        self.shrunk += 1
        return self.run.shrink()

    def calm(self) -> None:
        self.calmed += 1
        self.run.calm()


def test_infinite_losses_go_back_to_the_last_good_state(begin: Begin, tmp_path: Path) -> None:
    run, watcher = Fragile(begin(), None, 2), Notebook()
    result = loop.train(run, Limits(6, None), tmp_path, watcher)  # type: ignore[arg-type]
    assert result.outcome is Outcome.DONE
    assert run.calmed == 2
    assert "lower learning rate" in watcher.notes[0]
    assert torch.isfinite(run.run.sample()).all()


def test_losses_that_stay_infinite_are_a_clear_error(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="Training diverged") as caught:
        loop.train(Fragile(begin(), None, 1000), Limits(6, None), tmp_path, Notebook())  # type: ignore[arg-type]
    assert caught.value.code == "diverged"
    assert caught.value.hint


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_memory_that_runs_out_makes_the_work_smaller(begin: Begin, tmp_path: Path, error: Exception) -> None:
    run, watcher = Fragile(begin(crop=0), error, 1), Notebook()
    result = loop.train(run, Limits(4, None), tmp_path, watcher)  # type: ignore[arg-type]
    assert result.outcome is Outcome.DONE
    assert run.shrunk == 1
    assert "crops of 64 x 64" in watcher.notes[0]


def test_memory_that_never_suffices_is_a_clear_error(begin: Begin, tmp_path: Path) -> None:
    run = Fragile(begin(), MemoryError(), 1000)
    with pytest.raises(TrainingError, match="not enough memory"):
        loop.train(run, Limits(4, None), tmp_path, Notebook())  # type: ignore[arg-type]


def test_other_faults_are_not_taken_for_memory(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"):
        loop.train(
            Fragile(begin(), RuntimeError("something else"), 1),
            Limits(4, None),
            tmp_path,
            Notebook(),  # type: ignore[arg-type]
        )
