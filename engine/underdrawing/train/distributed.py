"""Several processes that train one network: started by PyTorch's own launcher (`torchrun`), on one machine or many.

Every process holds all networks and a part of each batch. Gradients are summed, so that all make the same step: with
any number of processes the result is that of one, to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Team:
    """The processes that train together.

    Attributes:
        rank: this one's number, from 0.
        size: how many they are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def present(cls) -> Team:
        """Those that were started together; a process of its own where none were."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def mine(self, batch: int) -> list[int]:
        """Places in a batch that are this process's; none where there are fewer than processes."""
        return list(range(self.rank, batch, self.size))

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def agreed(self, wish: bool) -> bool:
        """What all processes wish: what only some do would make them compute different things."""
        return float(self.sum(torch.tensor(float(wish), device=_here()))) == self.size

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make every process's gradients the sum of all; who had nothing to do adds zeros."""
        if self.size == 1:
            return
        training = [p for p in parameters if p.requires_grad]
        for parameter in training:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in training if p.grad is not None]
        # One message instead of hundreds.
        flat = self.sum(torch.cat([g.reshape(-1) for g in gradients]))
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()


def _here() -> str:
    """Where tensors must be that processes exchange: on the graphics cards where they speak through NCCL."""
    return "cuda" if dist.is_initialized() and dist.get_backend() == "nccl" else "cpu"


@contextmanager
def gathered() -> Iterator[Team]:
    """The processes that `torchrun` started, connected for as long as this lasts: NCCL on GPUs, gloo without.

    Raises:
        ValueError: this process was not started by `torchrun`.
    """
    if not dist.is_torchelastic_launched():
        raise ValueError("this process was not started by torchrun")
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Team.present()
    finally:
        dist.destroy_process_group()
