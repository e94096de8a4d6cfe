"""What the runs of all methods share: one stage, a pace that can be halved, checkpoints of named parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from underdrawing.store.manifest import ApplyPlan
from underdrawing.train.ema import Average
from underdrawing.train.method import Stage

Part = nn.Module | Average | torch.optim.Optimizer


class BaseRun:
    """A `Run` of one stage, without a result before the training, that cannot become smaller."""

    stages: Sequence[Stage] = (Stage("training", 1.0),)
    length: int | None = None
    notes: Sequence[str] = ()
    pace = 1.0  # factor of all learning rates

    def parts(self) -> Mapping[str, Part]:
        """All that a checkpoint keeps, by name."""
        raise NotImplementedError

    def enter(self, stage: int) -> None:
        """There is only one stage."""

    def first(self) -> ApplyPlan | None:
        """Without training there is noise."""
        return None

    def state(self) -> dict[str, Tensor]:
        """Networks, averages and optimisers."""
        return saved(self.parts())

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        restore(self.parts(), state)

    def shrink(self) -> str:
        """Nothing can become smaller."""
        return ""

    def calm(self) -> None:
        """Half the learning rates from here on."""
        self.pace *= 0.5


def saved(parts: Mapping[str, Part]) -> dict[str, Tensor]:
    """The tensors of all parts, their names beginning with `PART.`, so that no pickle is needed."""
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in _tensors(part).items()}


def restore(parts: Mapping[str, Part], state: Mapping[str, Tensor]) -> None:
    """The reverse of `saved`; learning rates stay as they are."""
    for name, part in parts.items():
        tensors = without_prefix(name, state)
        if isinstance(part, Average):
            part.load(tensors)
        elif isinstance(part, nn.Module):
            part.load_state_dict(tensors)
        else:
            _load_optimizer(part, tensors)


def without_prefix(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part of a checkpoint below `prefix.`."""
    start = prefix + "."
    return {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}


def _tensors(part: Part) -> Mapping[str, Tensor]:
    if isinstance(part, Average):
        return part.state()
    if isinstance(part, nn.Module):
        found: dict[str, Tensor] = part.state_dict()
        return found
    entries = [(index, *item) for index, entry in part.state_dict()["state"].items() for item in entry.items()]
    return {f"{index}.{key}": v if isinstance(v, Tensor) else torch.tensor(float(v)) for index, key, v in entries}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
