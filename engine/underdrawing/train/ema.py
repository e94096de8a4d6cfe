"""Averaged weights: the mean of the last part of a training is steadier than its last step."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """An exponential average whose memory grows with the training (Karras et al. 2024, "power function" in spirit).

    A fixed decay either forgets too little of a short run's beginning or too much of a long one's end.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module, horizon: float) -> None:
        """Take the network's weights in; the average then spans about `horizon` of all steps so far (0: copies)."""
        self.steps += 1
        take = min(1.0, 1.0 / max(1.0, horizon * self.steps))
        for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True):
            mine.lerp_(theirs, take)

    def state(self) -> dict[str, Tensor]:
        """Weights and the number of steps."""
        return {**self.network.state_dict(), "steps": torch.tensor(self.steps)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        self.network.load_state_dict({k: v for k, v in state.items() if k != "steps"})
        self.steps = int(state["steps"])
